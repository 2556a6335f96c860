"""Runs plans: missing scores become jobs, jobs run in processes, finished chunks go to the store at once."""

from __future__ import annotations

import math
import os
import platform
import time
import warnings
from collections import defaultdict
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

from benchsuite.core import registry
from benchsuite.core.errors import BenchsuiteError, BusyError, SuiteError
from benchsuite.core.sequences import chunks
from benchsuite.core.types import Score
from benchsuite.estimators.base import CurveEstimator, ZeroShotEstimator
from benchsuite.estimators.execute import Task
from benchsuite.estimators.one_shot.estimators import OneShotEstimator
from benchsuite.estimators.supernets.execute import ReadTask, TrainingTask
from benchsuite.running.store import ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from benchsuite.running.store import Store
    from benchsuite.suites.plan import BenchmarkPlan, Plan, Trial

PROBE_CHUNK = 4  # architectures a job: a kill loses little, and the processes end together; baselines take no time
READ_CHUNK = 50  # the same for readings of a supernet, which is loaded for each job
_KILLED = "the worker process was killed, probably for lack of memory"

Result = tuple["Job", "list[tuple[int, Score]]", float]  # with the CPU seconds


@dataclass(frozen=True, slots=True)
class Job:
    """A chunk of architectures and the trials that share their probe.

    Attributes
    ----------
    keys
        The trials' recipes.
    work
        How long it takes beside other jobs: multiply-adds of one forward pass of all its networks and images.
    """

    task: Task | ReadTask
    keys: tuple[str, ...]
    architectures: tuple[str, ...]
    work: float

    @property
    def size(self) -> int:
        """Number of scores that the job computes."""
        return len(self.keys) * len(self.architectures)


@dataclass(slots=True)
class Outcome:
    """What a run did: scores computed (undefined and failed ones included), work of its jobs, seconds."""

    computed: int = 0
    work: float = 0.0
    undefined: int = 0
    failed: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0


def missing_jobs(plan: Plan, store: Store, *, retry_failed: bool = False) -> list[Job]:
    """Jobs that compute what the store lacks; scores of the same recipe asked for twice are computed once."""
    attempts = None if retry_failed else ATTEMPTS
    settled: dict[str, set[str]] = {}
    jobs: list[Job] = []
    for part in plan.benchmarks:
        for trials in _groups(part):
            for trial in trials:
                settled.setdefault(trial.key, store.settled(trial.key, attempts=attempts))
            for lacking, architectures in _lacking(trials, part.architectures, settled):
                jobs += _jobs(plan, part, lacking, architectures, store.trainings)
            for trial in trials:
                settled[trial.key].update(part.architectures)
    return jobs


def _lacking(
    trials: Sequence[Trial], architectures: Sequence[str], settled: Mapping[str, set[str]]
) -> list[tuple[list[Trial], list[str]]]:
    """Architectures grouped by the trials that lack them."""
    groups: dict[tuple[bool, ...], list[str]] = defaultdict(list)
    for architecture in architectures:
        groups[tuple(architecture not in settled[trial.key] for trial in trials)].append(architecture)
    return [(list(compress(trials, lacks)), found) for lacks, found in groups.items() if any(lacks)]


def _groups(part: BenchmarkPlan) -> list[list[Trial]]:
    """Trials that share a probe: same initialisation, same minibatch; one that depends on neither joins the first."""
    groups: dict[tuple[object, ...], list[Trial]] = defaultdict(list)
    for trial in part.trials:
        if isinstance(trial.estimator, ZeroShotEstimator):
            seed = part.choice.seeds[0] if trial.seed is None else trial.seed
            batch_seed = part.choice.batch.seeds[0] if trial.batch_seed is None else trial.batch_seed
            groups["probe", seed, batch_seed].append(trial)
        elif isinstance(trial.estimator, OneShotEstimator):
            sources = [training.key for training in trial.trainings]
            groups["reading", *sources, *trial.estimator.protocol()].append(trial)
        else:
            groups["baseline", trial.seed].append(trial)
    return list(groups.values())


def _jobs(
    plan: Plan, part: BenchmarkPlan, trials: Sequence[Trial], architectures: Sequence[str], root: str
) -> Iterator[Job]:
    keys, space = tuple(trial.key for trial in trials), part.benchmark.space
    first, task = trials[0].estimator, _task(plan, part, trials, architectures, root)
    size, images = len(architectures), 0
    if isinstance(task, Task) and isinstance(first, ZeroShotEstimator):
        size, images = PROBE_CHUNK, sum(len(targets) for _, targets in task.minibatches)
    elif isinstance(first, OneShotEstimator):
        size, images = READ_CHUNK, first.validating
        architectures = sorted(architectures, key=space.operations)  # those that begin alike are read together
    for chunk in chunks(architectures, size):
        macs = sum(space.complexity(architecture, part.dataset).live_macs for architecture in chunk)
        yield Job(task, keys, tuple(chunk), 1.0 + images * macs)


def _task(
    plan: Plan, part: BenchmarkPlan, trials: Sequence[Trial], architectures: Sequence[str], root: str
) -> Task | ReadTask:
    named = tuple((trial.estimator.name, trial.estimator.parameters()) for trial in trials)
    if trials[0].trainings:
        return ReadTask(trials[0].trainings, root, named, plan.device, plan.plugins)
    batch_seeds = [trial.batch_seed for trial in trials if trial.batch_seed is not None]
    curves = any(isinstance(trial.estimator, CurveEstimator) for trial in trials)
    probed = any(isinstance(trial.estimator, ZeroShotEstimator) for trial in trials)
    return Task(
        space=part.benchmark.space.name,
        sizes=dict(part.benchmark.space.sizes),
        dataset=part.dataset,
        estimators=named,
        seed=next((trial.seed for trial in trials if trial.seed is not None), part.choice.seeds[0]),
        minibatches=part.minibatches([*batch_seeds, part.choice.batch.seeds[0]][0]) if probed else (),
        device=plan.device,
        fast=part.fast,
        initialisation=part.choice.initialisation,
        plugins=plan.plugins,
        curves=part.benchmark.curves(architectures) if curves else None,
    )


def execute(
    jobs: Sequence[Job],
    store: Store,
    plan: Plan,
    *,
    processes: int = 1,
    scheduler: str | None = None,
    advance: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """What was done; every finished chunk is in the store before the next is waited for.

    Parameters
    ----------
    processes
        Number of worker processes with one thread each; 1 runs in this process.
    scheduler
        Address of a dask scheduler whose workers replace the processes.
    advance
        Called after each chunk with the outcome so far.
    """
    outcome, start = Outcome(), time.monotonic()
    _store_recipes(plan, store)
    provenance = describe_machine(plan.device)
    for job, rows, cpu_seconds in _results(jobs, processes, scheduler):
        store.add_scores(((job.keys[index], score) for index, score in rows), provenance)
        _count(outcome, (score for _, score in rows))
        outcome.cpu_seconds += cpu_seconds
        outcome.work += job.work
        outcome.wall_seconds = time.monotonic() - start
        advance(outcome)
    return outcome


def _store_recipes(plan: Plan, store: Store) -> None:
    for part in plan.benchmarks:
        for trial in part.trials:
            store.add_recipe(trial.recipe)


def _count(outcome: Outcome, scores: Iterable[Score]) -> None:
    for score in scores:
        outcome.computed += 1
        outcome.undefined += score.status == "undefined"
        outcome.failed += score.status == "failed"


def _results(jobs: Sequence[Job], processes: int, scheduler: str | None) -> Iterator[Result]:
    """What jobs give, as they end. A worker that is killed breaks all; the jobs that may be to blame then run alone."""
    if processes == 1 and scheduler is None:
        yield from map(_work, jobs)
        return
    missing = list(jobs)
    with _backend(processes, scheduler):
        while missing:
            try:
                for result in _parallel(tuple(missing), return_as="generator_unordered"):
                    missing.remove(result[0])
                    yield result
            except BrokenProcessPool:
                blamed, missing = missing[:processes], missing[processes:]  # jobs begin in their order
                for job in blamed:
                    yield from _alone(job)


def _parallel(jobs: Iterable[Job], **options: Any) -> Iterable[Result]:
    results: Iterable[Result] = joblib.Parallel(batch_size=1, **options)(joblib.delayed(_work)(job) for job in jobs)
    return results


def _alone(job: Job) -> Iterator[Result]:
    """What a job gives while no other runs, architecture by architecture; one whose worker is killed has failed."""
    for architecture in job.architectures:
        single = _single(job, architecture)
        try:
            (result,) = _parallel([single])
        except BrokenProcessPool:
            failed = Score(architecture, math.nan, "failed", _KILLED)
            result = single, [(index, failed) for index in range(len(job.keys))], 0.0
        yield result


def _single(job: Job, architecture: str) -> Job:
    """The part of a job that scores one architecture."""
    task = job.task.for_one(architecture)
    return replace(job, task=task, architectures=(architecture,), work=job.work / len(job.architectures))


@contextmanager
def _backend(processes: int, scheduler: str | None) -> Iterator[None]:
    if scheduler is None:
        with joblib.parallel_config("loky", n_jobs=processes, inner_max_num_threads=1), warnings.catch_warnings():
            # loky replaces a worker that has grown, between two jobs, and warns of it
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
            yield
        return
    try:
        from distributed import Client  # noqa: PLC0415 - an extra that only --scheduler needs
    except ImportError as error:
        raise SuiteError("--scheduler needs dask: pip install 'benchsuite[cluster]'") from error
    try:
        client = Client(scheduler, timeout=30)  # type: ignore[no-untyped-call]  # distributed has no types
    except OSError as error:
        raise SuiteError(f"no dask scheduler answers at {scheduler}: {error}; check the address") from error
    with client, joblib.parallel_config("dask"):
        yield


def _work(job: Job) -> Result:
    start = time.process_time()
    rows = job.task.scores(job.architectures)
    return job, rows, time.process_time() - start


def missing_trainings(jobs: Sequence[Job], root: str) -> list[TrainingTask]:
    """Trainings that jobs read and that have not come to their end, each once, those of a single stage first."""
    reading = [job.task for job in jobs if isinstance(job.task, ReadTask)]
    sources = {source.key: source for task in reading for source in task.sources}
    missing = [task for task in sources.values() if not task.finished(root)]
    return sorted(missing, key=_continues)


def _continues(task: TrainingTask) -> bool:
    """Whether a training begins with what one of a single stage ends with."""
    return task.training.shared_stage() != task.training


def train(
    tasks: Sequence[TrainingTask], root: str, device: str, *, processes: int = 1, scheduler: str | None = None
) -> dict[str, str]:
    """Execute trainings side by side, each to its end; reasons of those that failed, by key.

    What a training has reached when this process ends is kept, and the next call goes on from there.
    """
    if processes == 1 and scheduler is None:
        results: Iterable[tuple[str, str]] = [_train(task, root, device) for task in tasks]
    else:
        with _backend(processes, scheduler):
            results = joblib.Parallel(batch_size=1)(joblib.delayed(_train)(task, root, device) for task in tasks)
    return {key: reason for key, reason in results if reason}


def _train(task: TrainingTask, root: str, device: str) -> tuple[str, str]:
    """The training's key and why it failed, if it did; one that another process works on has not, and ends the run."""
    try:
        task.run(root, device)
    except BusyError:
        raise
    except BenchsuiteError as error:
        return task.key, str(error)
    except Exception as error:  # a space can be a user's code and raise anything
        return task.key, f"{type(error).__name__}: {error}".splitlines()[0]
    return task.key, ""


def estimate_cpu_seconds(jobs: Sequence[Job], root: str) -> float:
    """CPU seconds that jobs will take, missing trainings included, from timing a little of each kind."""
    kinds: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        kinds[job.task.kind].append(job)
    total = math.fsum(task.estimate(root) for task in missing_trainings(jobs, root))
    for alike in kinds.values():
        total += sum(len(job.architectures) for job in alike) * _seconds_an_architecture(alike)
    return total


def _seconds_an_architecture(jobs: Sequence[Job]) -> float:
    task, architecture = jobs[0].task, _average_sized(jobs)
    if isinstance(task, ReadTask):
        return task.estimate(architecture)
    return _work(replace(jobs[0], architectures=(architecture,)))[2]


def _average_sized(jobs: Sequence[Job]) -> str:
    task = jobs[0].task
    space = registry.make_space(task.space, task.sizes)
    macs = {name: space.complexity(name, task.dataset).live_macs for job in jobs for name in job.architectures}
    mean = sum(macs.values()) / len(macs)
    return min(macs, key=lambda name: abs(macs[name] - mean))


def describe_machine(device: str) -> dict[str, str]:
    """Versions, processor and device: the provenance of a score."""
    return {
        "benchsuite": version("benchsuite"),
        "torch": version("torch"),
        "python": platform.python_version(),
        "cpu": _processor(),
        "device": device,
        "threads": "1",
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def available_processors() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
