"""Write public results that have no official file as tables that benchsuite imports, each with a card beside it.

    python benchmarks/public_tables.py FOLDER OUT
    benchsuite data import OUT/nasbench101-30k.parquet --benchmark nasbench101/cifar10-30k
    benchsuite data import OUT/nasbench301-naslib.parquet --benchmark nasbench301/cifar10-naslib
    benchsuite data import OUT/nasbench301-trained.parquet --benchmark nasbench301/cifar10-trained

FOLDER holds some of nasbench101_30k.parquet, nasbench301_surrogate.parquet and darts_trained545.parquet. None of them
has test accuracies: the split is "valid" everywhere, which a suite says by truth = {split = "valid"}.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from benchsuite.data.cards import write_card
from benchsuite.spaces.nasbench101 import strings as nasbench101
from benchsuite.spaces.nasbench301 import strings as nasbench301

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SPLIT = "valid"


def nasbench101_table(modules: pd.DataFrame) -> pd.DataFrame:
    """Percent after 4, 12, 36 and 108 epochs, of modules given by adjacency (rows of 0 and 1 in one text) and ops."""
    strings = [_module(*row) for row in zip(modules["adjacency"], modules["ops"], strict=True)]
    accuracies = {epochs: 100 * modules[f"val_acc_e{epochs}"] for epochs in (4, 12, 36, 108)}
    return _long(strings, accuracies)


def _module(adjacency: str, operations: str) -> str:
    names = operations.split(",") if operations else []
    vertices = len(names) + 2
    matrix = np.array(list(adjacency), dtype=int).reshape(vertices, vertices)
    return nasbench101.render(matrix.tolist(), names)


def naslib_table(cells: pd.DataFrame) -> pd.DataFrame:
    """The surrogate's accuracies of cells given as pairs of input and operation."""
    return _long([nasbench301.from_pairs(text) for text in cells["architecture"]], {100: cells["surrogate_accuracy"]})


def trained_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Accuracies after 10 and 50 epochs of cells given as genotypes; `test_acc50` repeats `valid_acc50`."""
    accuracies = {epochs: cells[f"valid_acc{epochs}"] for epochs in (10, 50)}
    return _long([nasbench301.from_genotype(text) for text in cells["architecture"]], accuracies)


def _long(strings: list[str], accuracies: Mapping[int, pd.Series]) -> pd.DataFrame:
    """Rows architecture, accuracy, epochs, split; equal strings are several trials."""
    parts = [
        pd.DataFrame({"architecture": strings, "accuracy": values.to_numpy(), "epochs": epochs})
        for epochs, values in accuracies.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    trial = table.groupby(["architecture", "epochs"], sort=False).cumcount()
    return table.assign(trial=trial, split=SPLIT)


class Public(NamedTuple):
    """How a public file becomes a table."""

    name: str
    convert: Callable[[pd.DataFrame], pd.DataFrame]
    card: dict[str, Any]


PUBLIC = {
    "nasbench101_30k.parquet": Public(
        "nasbench101-30k",
        nasbench101_table,
        {
            "title": "NAS-Bench-101, 30,001 modules: the best of three validation accuracies, so without a ceiling",
            "page": "https://github.com/tiga1231/nasbench-vis",
            "licence": "none stated",
            "sizes": {"channels": 128, "cells": 3, "stacks": 3},
        },
    ),
    "nasbench301_surrogate.parquet": Public(
        "nasbench301-naslib",
        naslib_table,
        {
            "title": "NAS-Bench-301, 1,218 cells: validation accuracies that its surrogate predicts (NASLib's table)",
            "page": "https://github.com/automl/NASLib",
            "licence": "Apache-2.0",
            "sizes": {"channels": 32, "cells": 8},
        },
    ),
    "darts_trained545.parquet": Public(
        "nasbench301-trained",
        trained_table,
        {
            "title": "DARTS space, 545 cells really trained once for 50 epochs, validation accuracies (OnceNAS-Bench)",
            "page": "OnceNAS-Bench at 8df26aa",
            "licence": "none stated",
            "sizes": {"channels": 36, "cells": 20},
        },
    ),
}


def main() -> None:
    """Convert what the folder named first holds, into the folder named second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for file, public in PUBLIC.items():
        if not (arguments.folder / file).is_file():
            print(f"no {file} in {arguments.folder}")
            continue
        table = public.convert(pd.read_parquet(arguments.folder / file))
        target = arguments.out / f"{public.name}.parquet"
        table.to_parquet(target, index=False)
        write_card(target, public.card)
        print(f"{table['architecture'].nunique():,} architectures, {len(table):,} rows: {target}")


if __name__ == "__main__":
    main()
