"""The record of one architecture, which the official archives of NAS-Bench-201 and NATS-Bench have in common.

A record maps a budget ("12" or "200" epochs) to its trainings, each with the accuracy and loss of every epoch. The two
budgets are separate trainings with their own learning-rate schedules, not one curve. Official sets become splits:

- CIFAR-10 is trained on all 50,000 images (set `cifar10`: train, test = `ori-test`) and again on half of them
  (`cifar10-valid`): that gives "valid" (`x-valid`) and "test-25k" (`ori-test`).
- CIFAR-100 and ImageNet16-120: train, valid = `x-valid`, test = `x-test`; "valid+test" = `ori-test`, their union, the
  only one that is known for every epoch of the long training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from benchsuite.core.errors import DataCorruptError
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, LOSS, SPLIT, TRIAL
from benchsuite.data.readers.pieces import Piece
from benchsuite.data.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Record = Mapping[str, Mapping[str, Any]]
    Rows = dict[str, list[Any]]

_SPLITS = {
    "cifar10": {"train": "train", "ori-test": "test"},
    "cifar10-valid": {"x-valid": "valid", "ori-test": "test-25k"},
    "cifar100": {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": "valid+test"},
    "ImageNet16-120": {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": "valid+test"},
}
_BENCHMARKS = {
    "cifar10": "nasbench201/cifar10",
    "cifar10-valid": "nasbench201/cifar10",
    "cifar100": "nasbench201/cifar100",
    "ImageNet16-120": "nasbench201/imagenet16-120",
}
LONG = "200"  # the budget whose trainings are given epoch by epoch


def pieces(records: Iterable[Record], origin: str) -> Iterator[Piece]:
    """Yield checked rows of some records: results at the end of each training, curves of the long ones.

    Parameters
    ----------
    records
        State dictionaries of the official results, by budget.
    origin
        How messages name the file.

    Raises
    ------
    DataCorruptError
        If a record has another form than the official one.
    """
    gathered: dict[tuple[str, Literal["table", "curve"]], Rows] = {}
    try:
        for record in records:
            _gather(record, gathered)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise DataCorruptError(
            f"{origin} is not an official record ({type(error).__name__}: {error}); get it again from its official page"
        ) from error
    for (benchmark, kind), rows in gathered.items():
        yield Piece(benchmark, kind, normalise(pd.DataFrame(rows), origin))


def _gather(record: Record, gathered: dict[tuple[str, Literal["table", "curve"]], Rows]) -> None:
    for budget, results in record.items():
        for (data, seed), result in results["all_results"].items():
            for official, split in _SPLITS.get(data, {}).items():
                epochs, accuracies, losses = _curve(result, official)
                name, where = _BENCHMARKS[data], (results["arch_str"], int(seed), split)
                if epochs and epochs[-1] == result["epochs"]:
                    _extend(
                        gathered.setdefault((name, "table"), _empty()), where, epochs[-1:], accuracies[-1:], losses[-1:]
                    )
                if budget == LONG and len(epochs) > 1:
                    _extend(gathered.setdefault((name, "curve"), _empty()), where, epochs, accuracies, losses)


def _curve(result: Mapping[str, Any], official: str) -> tuple[list[int], list[float], list[float]]:
    """Return epochs counted from 1, with accuracy in percent and loss, as far as the training has them."""
    if official == "train":
        accuracies, losses, form = result["train_acc1es"], result["train_losses"], "{}"
    else:
        accuracies, losses, form = result["eval_acc1es"], result["eval_losses"], official + "@{}"
    keys: list[Any] = [epoch if official == "train" else form.format(epoch) for epoch in range(result["epochs"])]
    there = [position for position, key in enumerate(keys) if key in accuracies]
    return (
        [position + 1 for position in there],
        [float(accuracies[keys[position]]) for position in there],
        [float(losses[keys[position]]) for position in there],
    )


def _empty() -> Rows:
    return {name: [] for name in (ARCHITECTURE, TRIAL, SPLIT, EPOCHS, ACCURACY, LOSS)}


def _extend(
    rows: Rows, where: tuple[str, int, str], epochs: list[int], accuracies: list[float], losses: list[float]
) -> None:
    for name, value in zip((ARCHITECTURE, TRIAL, SPLIT), where, strict=True):
        rows[name] += [value] * len(epochs)
    rows[EPOCHS] += epochs
    rows[ACCURACY] += accuracies
    rows[LOSS] += losses
