"""Jobs: what a plan asks for and the store lacks, in chunks that share their work, and what they will take."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from benchsuite.core.sequences import chunks
from benchsuite.running.store import ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from benchsuite.estimators.base import Trial
    from benchsuite.estimators.setting import Setting
    from benchsuite.estimators.task import Task, TrainingJob
    from benchsuite.running.store import Store
    from benchsuite.suites.plan import Plan


@dataclass(frozen=True, slots=True)
class Job:
    """A chunk of architectures and the runs that score them together.

    Attributes
    ----------
    task
        What a worker runs.
    keys
        Keys of the runs' recipes, in the order in which the task has their estimators.
    architectures
        The chunk.
    work
        How long it takes relative to other jobs: MACs of the forward passes of all its networks and images.
    """

    task: Task
    keys: tuple[str, ...]
    architectures: tuple[str, ...]
    work: float

    @property
    def size(self) -> int:
        """Number of scores that the job computes."""
        return len(self.keys) * len(self.architectures)


def missing_jobs(plan: Plan, store: Store, *, retry_failed: bool = False) -> list[Job]:
    """Return the jobs that compute what the store lacks; scores of the same recipe asked for twice are computed once.

    Parameters
    ----------
    plan
        What is asked for.
    store
        Finished scores.
    retry_failed
        Whether scores that failed too often are tried again.
    """
    attempts = None if retry_failed else ATTEMPTS
    settled: dict[str, set[str]] = {}
    jobs: list[Job] = []
    for part in plan.benchmarks:
        groups: dict[Hashable, list[Trial]] = defaultdict(list)
        for trial in part.trials:
            groups[trial.estimator.group_key(part.setting, trial)].append(trial)
            if trial.key not in settled:
                settled[trial.key] = store.settled(trial.key, attempts=attempts)
        for trials in groups.values():
            for lacking, architectures in _lacking(trials, part.architectures, settled):
                jobs += _jobs(part.setting, lacking, architectures, store.trainings)
            for trial in trials:
                settled[trial.key].update(part.architectures)
    return jobs


def _lacking(
    trials: Sequence[Trial], architectures: Sequence[str], settled: Mapping[str, set[str]]
) -> list[tuple[list[Trial], list[str]]]:
    """Return architectures grouped by the runs that lack them."""
    groups: dict[tuple[bool, ...], list[str]] = defaultdict(list)
    for architecture in architectures:
        groups[tuple([architecture not in settled[trial.key] for trial in trials])].append(architecture)
    return [(list(compress(trials, lacks)), found) for lacks, found in groups.items() if any(lacks)]


def _jobs(setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str) -> Iterator[Job]:
    task, keys = trials[0].estimator.task(setting, trials, architectures, root), tuple([trial.key for trial in trials])
    for chunk in chunks(task.ordered(architectures), task.chunk):
        yield Job(task.part(chunk), keys, tuple(chunk), task.work(chunk))


def missing_trainings(jobs: Sequence[Job], root: str) -> list[TrainingJob]:
    """Return the trainings that jobs read and that have not ended, each once; those that others begin with come first.

    Parameters
    ----------
    jobs
        What is to be scored.
    root
        Folder of all trainings.
    """
    sources = {source.key: source for job in jobs for source in job.task.trainings()}
    missing = [source for source in sources.values() if not source.finished(root)]
    return sorted(missing, key=lambda source: source.continues)


def estimate_cpu_seconds(jobs: Sequence[Job], root: str) -> float:
    """Return the CPU seconds that jobs will take, missing trainings included, from timing a little of each kind.

    Parameters
    ----------
    jobs
        What is to be scored.
    root
        Folder of all trainings.
    """
    kinds: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        kinds[job.task.kind].append(job)
    total = math.fsum(source.estimate(root) for source in missing_trainings(jobs, root))
    for alike in kinds.values():
        total += sum(len(job.architectures) for job in alike) * _seconds_an_architecture(alike)
    return total


def _seconds_an_architecture(jobs: Sequence[Job]) -> float:
    """Return the CPU seconds of one architecture of average size."""
    sized = [(job.task.work([name]), job.task, name) for job in jobs for name in job.architectures]
    mean = sum(work for work, _, _ in sized) / len(sized)
    _, task, architecture = min(sized, key=lambda each: abs(each[0] - mean))
    return task.estimate(architecture)
