"""Runs jobs: in this process or in workers, and finished chunks go to the store at once."""

from __future__ import annotations

import math
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from benchsuite.core.errors import BenchsuiteError, BusyError
from benchsuite.core.types import Score
from benchsuite.running.machine import describe_machine
from benchsuite.running.workers import parallel, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchsuite.estimators.task import Task, TrainingJob
    from benchsuite.running.jobs import Job
    from benchsuite.running.store import Store
    from benchsuite.suites.plan import Plan

Rows: TypeAlias = "list[tuple[int, Score]]"
_KILLED = "the worker process was killed, probably for lack of memory"


@dataclass(slots=True)
class Tally:
    """What a run did.

    Attributes
    ----------
    computed
        Scores, undefined and failed ones included.
    work
        Work of the jobs that have ended.
    undefined, failed
        Numbers of such scores.
    cpu_seconds, wall_seconds
        Time that it took.
    """

    computed: int = 0
    work: float = 0.0
    undefined: int = 0
    failed: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    def add(self, job: Job, rows: Rows, cpu_seconds: float) -> None:
        """Count what a job, or a part of it, has given.

        Parameters
        ----------
        job
            The job.
        rows
            Its scores, with the positions of their keys.
        cpu_seconds
            Time that they took.
        """
        for _, score in rows:
            self.undefined += score.status == "undefined"
            self.failed += score.status == "failed"
        self.computed += len(rows)
        self.work += job.work * len(rows) / job.size
        self.cpu_seconds += cpu_seconds


def execute(
    jobs: Sequence[Job],
    store: Store,
    plan: Plan,
    *,
    processes: int = 1,
    scheduler: str | None = None,
    advance: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Run jobs and return what was done; every finished chunk is in the store before the next is waited for.

    Parameters
    ----------
    jobs
        What is to be scored.
    store
        Where scores are kept.
    plan
        What the jobs were made of.
    processes
        Number of worker processes with one thread each; 1 runs in this process.
    scheduler
        Address of a dask scheduler whose workers replace the processes.
    advance
        Called after each chunk with what has been done so far.
    """
    tally, start = Tally(), time.monotonic()
    for part in plan.benchmarks:
        for trial in part.trials:
            store.add_recipe(trial.recipe)
    provenance = describe_machine(plan.device)
    for job, rows, cpu_seconds in _results(jobs, plan.plugins, processes, scheduler):
        store.add_scores([(job.keys[index], score) for index, score in rows], provenance)
        tally.add(job, rows, cpu_seconds)
        tally.wall_seconds = time.monotonic() - start
        advance(tally)
    return tally


def _results(
    jobs: Sequence[Job], plugins: Sequence[str], processes: int, scheduler: str | None
) -> Iterator[tuple[Job, Rows, float]]:
    """Yield what jobs give, as they end. A killed worker breaks all; the jobs that may be to blame then run alone."""
    if processes == 1 and scheduler is None:
        for job in jobs:
            yield job, *_scored(job.task, job.architectures)
        return
    missing = dict(enumerate(jobs))
    with workers(processes, scheduler):
        while missing:
            calls = [(_numbered, (number, job.task, job.architectures)) for number, job in missing.items()]
            try:
                for number, rows, cpu_seconds in parallel(calls, plugins, return_as="generator_unordered"):
                    yield missing.pop(number), rows, cpu_seconds
            except BrokenProcessPool:
                for number in list(missing)[:processes]:  # jobs begin in their order
                    yield from _alone(missing.pop(number), plugins)


def _scored(task: Task, architectures: Sequence[str]) -> tuple[Rows, float]:
    start = time.process_time()
    rows = task.scores(architectures)
    return rows, time.process_time() - start


def _numbered(number: int, task: Task, architectures: Sequence[str]) -> tuple[int, Rows, float]:
    return number, *_scored(task, architectures)


def _alone(job: Job, plugins: Sequence[str]) -> Iterator[tuple[Job, Rows, float]]:
    """Yield what a job gives while no other runs, by architecture; one whose worker is killed has failed."""
    for architecture in job.architectures:
        chunk = [architecture]
        try:
            ((rows, cpu_seconds),) = parallel([(_scored, (job.task.part(chunk), chunk))], plugins)
        except BrokenProcessPool:
            failed = Score(architecture, math.nan, "failed", _KILLED)
            rows, cpu_seconds = [(index, failed) for index in range(len(job.keys))], 0.0
        yield job, rows, cpu_seconds


def train(
    trainings: Sequence[TrainingJob],
    root: str,
    device: str,
    *,
    plugins: Sequence[str] = (),
    processes: int = 1,
    scheduler: str | None = None,
) -> dict[str, str]:
    """Execute trainings side by side, each to its end, and return the reasons of those that failed, by key.

    What a training has reached when this process ends is kept, and the next call goes on from there.

    Parameters
    ----------
    trainings
        What is to be trained, in this order.
    root
        Folder of all trainings.
    device
        Where networks run.
    plugins
        Plug-in files that define what is trained.
    processes
        Number of worker processes with one thread each; 1 runs in this process.
    scheduler
        Address of a dask scheduler whose workers replace the processes.
    """
    if processes == 1 and scheduler is None:
        results: Iterable[tuple[str, str]] = [_trained(training, root, device) for training in trainings]
    else:
        with workers(processes, scheduler):
            results = parallel([(_trained, (training, root, device)) for training in trainings], plugins)
    return {key: reason for key, reason in results if reason}


def _trained(training: TrainingJob, root: str, device: str) -> tuple[str, str]:
    """Return the key and why the training failed, if it did; one that another process works on ends the run."""
    try:
        training.run(root, device)
    except BusyError:
        raise
    except BenchsuiteError as error:
        return training.key, str(error)
    except Exception as error:  # a space can be a user's code and raise anything
        return training.key, f"{type(error).__name__}: {error}".splitlines()[0]
    return training.key, ""
