"""Scores of architectures as a search asks for them: read from the store, or computed and stored."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from benchsuite.running.jobs import missing_jobs
from benchsuite.running.runner import execute

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from benchsuite.running.store import Store
    from benchsuite.suites.plan import Plan


class StoredScores:
    """Scores of a plan's only trial; what is computed is stored at once, so that a killed search loses little.

    Parameters
    ----------
    plan
        A plan of one benchmark and one trial.
    store
        Where scores are kept.
    processes
        Worker processes among which the architectures that are asked for together are divided.
    """

    def __init__(self, plan: Plan, store: Store, processes: int = 1) -> None:
        self._plan = plan
        self._store = store
        self._processes = processes
        self._key = plan.benchmarks[0].trials[0].key
        self._held = self._settled()
        self.computed = 0

    def __call__(self, architectures: Sequence[str]) -> list[float]:
        """Return the score of each architecture, NaN if it is undefined or failed."""
        missing = tuple(name for name in architectures if name not in self._held)
        if missing:
            plan = replace(self._plan, benchmarks=(replace(self._plan.benchmarks[0], architectures=missing),))
            jobs = missing_jobs(plan, self._store)
            self.computed += execute(jobs, self._store, plan, processes=self._processes).computed
            self._held = self._settled()
        return [self._held.get(name, math.nan) for name in architectures]

    def rows(self, architectures: Sequence[str]) -> pd.DataFrame:
        """Return the stored scores of some architectures.

        Parameters
        ----------
        architectures
            What to look up.

        Returns
        -------
        DataFrame
            As `Store.scores` returns it.
        """
        rows = self._store.scores([self._key])
        return rows[rows["architecture"].isin(architectures)]

    def _settled(self) -> dict[str, float]:
        """Return scores by architecture without failures, which may be tried again."""
        rows = self._store.scores([self._key])
        settled = rows[rows["status"] != "failed"]
        return dict(zip(settled["architecture"], settled["value"], strict=True))
