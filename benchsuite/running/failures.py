"""Estimators of which every score on a benchmark has failed: a run that has any did not do what it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core.types import ARCHITECTURE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.running.store import Store
    from benchsuite.suites.plan import BenchmarkPlan, Plan


def failed_throughout(plan: Plan, store: Store) -> list[str]:
    """Return a line for each estimator of which all scores on a benchmark failed, with the most frequent reason.

    Parameters
    ----------
    plan
        What was run.
    store
        Where its scores are.
    """
    return [line for part in plan.benchmarks for line in _failed_on(part, store)]


def _failed_on(part: BenchmarkPlan, store: Store) -> Iterator[str]:
    titles = {trial.key: trial.title for trial in part.trials}
    rows = store.scores(sorted(titles))
    rows = rows[rows[ARCHITECTURE].isin(part.architectures)]
    for title, scores in rows.groupby(rows["recipe"].map(titles), sort=False):
        if (scores["status"] == "failed").all():
            reason = str(scores["reason"].mode().iloc[0])
            yield f"all {len(scores):,} scores of {title} on {part.choice.name} failed, most often with: {reason}"
