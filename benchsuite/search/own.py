"""Searches by a method's own rule, which reads a mixed supernet: what DARTS, its kin and FreeDARTS choose."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pandas as pd

from benchsuite.analysis.standing import foreign, percentile, true_accuracies
from benchsuite.core.supernet import NONE
from benchsuite.running.machine import describe_machine
from benchsuite.suites.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.estimators.supernets.epoch import Epoch
    from benchsuite.estimators.supernets.task import TrainingTask
    from benchsuite.search.setting import Prepared, Search

DERIVED, ALPHA, CURVE = "derived", "alpha", "curve"  # tables of a training

Cells = dict[str, list[tuple[int, int, str]]]  # edges (source, target, operation) of each kind of cell


@dataclass(frozen=True, slots=True)
class Choice:
    """What a method chose by its own rule.

    Attributes
    ----------
    search
        What was searched, and by which method.
    rule
        How the method chooses.
    architecture
        As the method derives it, not the canonical string of its class; with an operation that only the supernet has,
        it is not an architecture of the space.
    cells
        Its edges with their operations, without absent ones.
    accuracy, percentile, best
        Its true accuracy in percent, the percentage of architectures with ground truth that are worse, and the best
        true accuracy; NaN if unknown, for the reason in `lacking`.
    lacking
        Why the true accuracy is unknown; empty if it is known.
    tables
        What the epochs of the training left: "derived" (with the true accuracy of what was derived), "curve", and
        "alpha" if the method learns probabilities.
    caption, protocol, provenance
        What a reader must know to interpret the results.
    skips
        The space's operations that are the identity.
    """

    search: Search
    rule: str
    architecture: str
    cells: Cells
    accuracy: float
    percentile: float
    best: float
    lacking: str
    tables: dict[str, pd.DataFrame] = field(repr=False)
    caption: str
    protocol: dict[str, str] = field(repr=False)
    provenance: dict[str, str] = field(repr=False)
    skips: tuple[str, ...] = ()


def choose(
    prepared: Prepared, root: str, command: str, advance: Callable[[Mapping[str, str]], None] = lambda _: None
) -> Choice:
    """Let a method choose; its training continues where it was stopped, or is only read if it has finished.

    Parameters
    ----------
    prepared
        The search, whose algorithm is the method's own rule.
    root
        Folder of all trainings.
    command
        The command that a report names.
    advance
        Called with the row of "derived" of each epoch, those of earlier runs first.
    """
    task = cast("TrainingTask", prepared.trial.trainings[0])  # a method with a rule trains a mixed supernet
    supernet, folder = cast("MixedSupernet", task.supernet()), task.folder(root)
    for row in folder.rows(f"{DERIVED}.csv"):
        advance(row)

    def told(_: Epoch) -> None:
        advance(folder.rows(f"{DERIVED}.csv")[-1])

    if not task.finished(root):
        task.run(root, prepared.plan.device, told)
    files = {name: folder.path / f"{name}.csv" for name in (DERIVED, CURVE, ALPHA)}
    tables = {name: pd.read_csv(file, dtype={"architecture": str}) for name, file in files.items() if file.is_file()}
    accuracies = _accuracies(prepared, tables[DERIVED]["architecture"])
    tables[DERIVED] = tables[DERIVED].assign(accuracy=accuracies)
    architecture, accuracy = str(tables[DERIVED]["architecture"].iloc[-1]), float(accuracies.iloc[-1])
    recorded = record(prepared.plan, command).benchmarks[0]
    return Choice(
        prepared.search,
        prepared.rule,
        architecture,
        cells_of(supernet, architecture),
        accuracy,
        *_standing(prepared.truth, accuracy),
        "" if math.isfinite(accuracy) else _lacking(prepared, architecture),
        tables,
        caption=recorded.caption,
        protocol=_protocol(prepared, recorded.protocol),
        provenance=_provenance(prepared, tables[CURVE], command),
        skips=prepared.part.benchmark.space.skips,
    )


def cells_of(supernet: MixedSupernet, architecture: str) -> Cells:
    """Return the edges (source, target, operation) of an architecture by kind of cell, without absent ones.

    Parameters
    ----------
    supernet
        The supernet that the method trained.
    architecture
        What it chose.
    """
    found: Cells = {}
    for table, chosen in supernet.choices(architecture).items():
        edges = [(supernet.tables[table][edge], operation) for edge, operation in chosen]
        found[table] = [
            (edge.source, edge.target, edge.operations[operation])
            for edge, operation in edges
            if edge.operations[operation] != NONE
        ]
    return found


def _accuracies(prepared: Prepared, architectures: pd.Series) -> pd.Series:
    if prepared.truth is None:
        return pd.Series(math.nan, architectures.index)
    return true_accuracies(architectures, prepared.sizes.space, prepared.truth, prepared.truth)


def _lacking(prepared: Prepared, architecture: str) -> str:
    """Say why the true accuracy of an architecture is unknown."""
    reason = foreign(prepared.sizes.space, architecture)
    if reason:
        return f"it is not an architecture of the space ({reason})"
    known = 0 if prepared.truth is None else len(prepared.truth)
    return prepared.lacking or f"it is not among the {known:,} architectures with ground truth"


def _standing(truth: pd.Series | None, accuracy: float) -> tuple[float, float]:
    """Return the percentage of the known architectures that are worse, and the best known accuracy."""
    return (math.nan, math.nan) if truth is None else (percentile(accuracy, truth), float(truth.max()))


def _protocol(prepared: Prepared, recorded: Mapping[str, str]) -> dict[str, str]:
    absent = {"Architectures", "Minibatch"} | (set() if prepared.truth is not None else {"Ground truth"})
    return {
        "Algorithm": f"the rule of {prepared.search.estimator}, seed {prepared.search.seed}: {prepared.rule}",
        **{name: words for name, words in recorded.items() if name not in absent},
    }


def _provenance(prepared: Prepared, curve: pd.DataFrame, command: str) -> dict[str, str]:
    memory = curve["peak_memory"].median() if "peak_memory" in curve else math.nan  # older stores lack it
    return {
        **describe_machine(prepared.plan.device),
        "CPU seconds of the search": f"{curve['cpu_seconds'].sum():,.0f}",
        "memory of an epoch, above what was held": f"{memory:,.0f} MiB" if math.isfinite(memory) else "not known",
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
    }
