"""Seconds and memory of loading benchmarks, each in a process of its own, the first time and later.

Beside the benchmarks whose ground truth is on this machine, a made-up table of the size of NAS-Bench-101's full file is
loaded: all 423,624 modules, three trainings at four lengths, two splits; 10.2 million rows.

Run: python benchmarks/speed/loading.py
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite import benchmarks, load_benchmark
from benchsuite.core.errors import DataMissingError
from benchsuite.core.sequences import chunks
from benchsuite.data.sources import OWN, truth_file
from benchsuite.data.tables import table_writer
from benchsuite.spaces.nasbench101.space import NASBench101

if TYPE_CHECKING:
    from pathlib import Path

FULL = "nasbench101/cifar10"
KINDS = pd.MultiIndex.from_product(
    [range(3), (4, 12, 36, 108), ("test", "valid")], names=["trial", "epochs", "split"]
).to_frame(index=False)
MIB = 1024


def write_full_table(place: Path) -> None:
    """Random accuracies of all modules of NAS-Bench-101, in the order of their strings."""
    rng = np.random.default_rng(0)
    with table_writer(place) as append:
        for part in chunks(sorted(NASBench101().architectures()), 20_000):
            rows = pd.concat([KINDS] * len(part), ignore_index=True)
            rows["architecture"] = np.repeat(part, len(KINDS))
            append(rows.assign(accuracy=rng.uniform(10, 95, len(rows)), loss=np.nan))


def load(name: str) -> dict[str, float]:
    """Seconds of loading a benchmark and of its truth, peak memory in MiB; pandas is imported before."""
    start = time.perf_counter()
    benchmark = load_benchmark(*name.split("/"))
    loaded = time.perf_counter()
    truth = benchmark.truth(split="test" if "test" in benchmark.table["split"].cat.categories else "valid")
    judged = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    return {"load": loaded - start, "truth": judged - loaded, "peak": peak, "architectures": len(truth)}


def measured(name: str, home: str | None = None) -> dict[str, float] | None:
    """The figures of `load` in a fresh process; None where the data is not on this machine."""
    environment = {**os.environ, **({"BENCHSUITE_DATA": home} if home else {})}
    run = subprocess.run([sys.executable, __file__, name], env=environment, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def show(title: str, home: str | None = None) -> None:
    """Print the figures of the first load and, the median of three, of a later one."""
    name = title.split(maxsplit=1)[0]
    first = measured(name, home)
    if first is None:
        return
    later = sorted((measured(name, home) or first for _ in range(3)), key=lambda found: found["load"])
    second = later[1]
    peak = max(first["peak"], later[-1]["peak"])
    print(
        f"{title:44} {first['architectures']:>9,} classes; first load {first['load']:6.2f} s, later "
        f"{second['load']:5.2f} s, truth {second['truth']:5.2f} s, peak {peak:6.0f} MiB"
    )


def main() -> None:
    """Print a line for each benchmark."""
    for name in benchmarks():
        show(name)
    with tempfile.TemporaryDirectory() as home:
        os.environ["BENCHSUITE_DATA"] = home
        write_full_table(truth_file(FULL, OWN))
        show(f"{FULL} (full size, made up)", home)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        try:
            print(json.dumps(load(sys.argv[1])))
        except DataMissingError:
            print("null")
    else:
        main()
