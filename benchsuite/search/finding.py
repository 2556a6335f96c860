"""What a search found: everything evaluated, its front, and its regret compared with searches on the ground truth."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchsuite.core.errors import SuiteError
from benchsuite.search.evaluated import compared, covers
from benchsuite.search.history import History
from benchsuite.search.objectives import front
from benchsuite.suites.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from benchsuite.search.scoring import StoredScores
    from benchsuite.search.setting import Prepared, Search


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a search.

    Attributes
    ----------
    search
        What was searched, and how.
    evaluated
        A row for each architecture, in order: order, architecture, score, macs, params, depth, and accuracy (percent)
        if ground truth is available.
    front
        The rows that no other row dominates, the best score first.
    best
        Largest true accuracy of the space; NaN if unknown.
    curves
        See `compared`; None for the reason in `lacking`.
    lacking
        Why the regret is unknown; empty if it is known.
    caption, protocol, provenance
        What a reader must know to interpret the results.
    """

    search: Search
    evaluated: pd.DataFrame = field(repr=False)
    front: pd.DataFrame = field(repr=False)
    best: float
    curves: pd.DataFrame | None = field(repr=False)
    lacking: str
    caption: str
    protocol: dict[str, str] = field(repr=False)
    provenance: dict[str, str] = field(repr=False)


def find(
    prepared: Prepared, scores: StoredScores, command: str, advance: Callable[[int], None] = lambda _: None
) -> Finding:
    """Run a search.

    Parameters
    ----------
    prepared
        The search.
    scores
        What scores architectures.
    command
        The command that a report names.
    advance
        Called with the number of evaluations after each group of them.

    Raises
    ------
    SuiteError
        If all scores are undefined or failed; the message gives the first reason.
    """
    search = prepared.search
    done = 0

    def evaluate(architectures: Sequence[str]) -> list[float]:
        nonlocal done
        found = scores(architectures)
        done += len(found)
        advance(done)
        return found

    history = History(evaluate, search.budget)
    prepared.algorithm().run(prepared.sizes.space, history, search.seed)
    evaluated = prepared.sizes.table(history.scores)
    if evaluated["score"].isna().all():
        reasons = scores.rows(list(history.scores))["reason"]
        why = next((reason for reason in reasons if reason), "every score is undefined")
        raise SuiteError(f"{search.estimator} scored 0 of {len(evaluated):,} architectures: {why}")
    return _judged(prepared, evaluated, scores, command)


def _judged(prepared: Prepared, evaluated: pd.DataFrame, scores: StoredScores, command: str) -> Finding:
    search, truth, lacking, curves = prepared.search, prepared.truth, prepared.lacking, None
    if truth is not None:
        evaluated = evaluated.assign(accuracy=evaluated["architecture"].map(truth).astype(float))
        if covers(truth, prepared.sizes.space):
            curves = compared(evaluated, truth, prepared.sizes.space, search.population)
        else:
            lacking = f"only {len(truth):,} architectures of the space have ground truth"
    best = front(evaluated, search.goals()).sort_values("score", ascending=False, kind="stable")
    recorded = record(prepared.plan, command).benchmarks[0]
    return Finding(
        search,
        evaluated,
        best,
        math.nan if truth is None or curves is None else float(truth.max()),
        curves,
        lacking,
        caption=recorded.caption,
        protocol=_protocol(prepared, recorded.protocol),
        provenance=_provenance(scores.rows(evaluated["architecture"].tolist()), command),
    )


def _protocol(prepared: Prepared, recorded: dict[str, str]) -> dict[str, str]:
    """Return how the search was made: the recorded protocol without the entries that a search lacks."""
    search = prepared.search
    absent = {"Architectures"} | (set() if prepared.truth is not None else {"Ground truth"})
    seen = "Minibatch" if prepared.trial.batch_seed is None else ""
    return {
        "Algorithm": f"{search.algorithm}, {search.budget:,} evaluations, population {search.population}, "
        f"seed {search.seed}; no architecture is evaluated twice",
        "Estimator": prepared.trial.title,
        "Objectives": ", ".join(map(str, search.goals())),
        **{name: words for name, words in recorded.items() if name not in absent | {seen}},
        "Size measures": "MACs and parameters as the benchmark counts them; depth is the number of operations that "
        "are neither skips nor absent",
    }


def _provenance(rows: pd.DataFrame, command: str) -> dict[str, str]:
    machines = [json.loads(text) for text in rows["provenance"].unique()]
    joined = {name: ", ".join(sorted({machine[name] for machine in machines})) for name in machines[0]}
    seconds = f"{rows['cpu_seconds'].sum():,.0f}"
    return {
        **joined,
        "CPU seconds of scores": seconds,
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
    }
