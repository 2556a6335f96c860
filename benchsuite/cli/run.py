"""`benchsuite run` and `benchsuite report`: score what is missing, judge, write the page."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli.console import REPORTS, output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchsuite.estimators.task import TrainingJob
    from benchsuite.running.jobs import Job
    from benchsuite.running.runner import Tally
    from benchsuite.running.store import Store
    from benchsuite.suites.plan import Plan

StoreOption = Annotated[
    Path, typer.Option("--store", envvar="BENCHSUITE_STORE", help="Folder of finished scores.", show_default=True)
]
SuiteArgument = Annotated[
    str, typer.Argument(help="Name of a suite that comes with benchsuite, or path of a TOML file.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder of the report.", show_default=f"{REPORTS}/SUITE")]
INTERRUPTED = 130


def run(
    suite: SuiteArgument,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes of one thread each; default: all cores.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler to run on.")] = None,
    device: Annotated[str, typer.Option(help="Where networks run: cpu, cuda, cuda:1 ...")] = "cpu",
    fast: Annotated[
        bool, typer.Option("--fast", help="Networks channels last in memory: less time, scores rounded otherwise.")
    ] = False,
    plugin: Annotated[
        list[Path] | None,
        typer.Option(help="Python file with further estimators, or a section of the report; repeatable."),
    ] = None,
    store: StoreOption = Path(".benchsuite"),
    out: OutOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N architectures of each sample.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing and what it costs.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try scores that failed again.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the report's path only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name each failed score.")] = False,
) -> None:
    """Score what is missing, judge the estimators and write the report.

    A run may be stopped at any time: finished scores stay in the store, and the same command goes on from there.

    Exit codes: 0; 1 if all scores of an estimator on a benchmark failed (the report is written all the same); 2 if the
    suite or an option is wrong; 130 if it was stopped.

    Examples:

        benchsuite run quickstart

        benchsuite run my_suite.toml --plugin my_estimator.py --jobs 8
    """
    from benchsuite.running.jobs import missing_jobs, missing_trainings
    from benchsuite.running.machine import available_processors
    from benchsuite.running.runner import execute
    from benchsuite.running.store import Store
    from benchsuite.suites.plan import make_plan
    from benchsuite.suites.record import record
    from benchsuite.suites.schema import load_suite

    chosen = load_suite(suite)
    plugins = [str(path) for path in plugin or []]
    plan = make_plan(chosen, plugins=plugins, device=device, limit=limit, fast=fast)
    with Store(store) as held:
        work = missing_jobs(plan, held, retry_failed=retry_failed)
        if not quiet:
            _print_plan(plan, work)
        if dry_run:
            _print_cost(work, held)
            return
        held.save_suite(chosen.name, record(plan, shlex.join(["benchsuite", *sys.argv[1:]])))
        processes = jobs or available_processors()
        _train(missing_trainings(work, held.trainings), held, plan, processes, scheduler, quiet=quiet)
        with _Progress(work, quiet=quiet) as progress, interruptible():
            tally = execute(work, held, plan, processes=processes, scheduler=scheduler, advance=progress.advance)
        if not quiet:
            _print_outcome(tally)
        if verbose:
            _print_failures(plan, held)
        _write(held, chosen.name, out)
        _end_if_failed(plan, held)


def _end_if_failed(plan: Plan, store: Store) -> None:
    """End with exit code 1 if all scores of an estimator failed: the report cannot judge it."""
    from benchsuite.cli.console import errors
    from benchsuite.running.failures import failed_throughout

    failures = failed_throughout(plan, store)
    for failure in failures:
        errors.print(failure, style="red", markup=False, highlight=False, soft_wrap=True)
    if failures:
        raise typer.Exit(1)


def _train(
    tasks: Sequence[TrainingJob],
    store: Store,
    plan: Plan,
    processes: int,
    scheduler: str | None,
    *,
    quiet: bool,
) -> None:
    """Train the supernets that scores are to be read of; those that fail leave scores that say so."""
    from benchsuite.cli.progress import watched_trainings
    from benchsuite.running.runner import train

    with watched_trainings(tasks, store.trainings, quiet=quiet), interruptible():
        failed = train(
            tasks, store.trainings, plan.device, plugins=plan.plugins, processes=processes, scheduler=scheduler
        )
    for key, reason in failed.items():
        output.print(f"training {key} failed: {reason}", markup=False)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends the run with a word on what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        output.print("stopped; finished scores are kept, and the same command goes on from there")
        raise typer.Exit(INTERRUPTED) from None


def report(
    suite: SuiteArgument,
    plugin: Annotated[list[Path] | None, typer.Option(help="Python file that is a section; repeatable.")] = None,
    store: StoreOption = Path(".benchsuite"),
    out: OutOption = None,
) -> None:
    """Write the report of a suite from stored scores; nothing is scored, and of plug-ins only sections are run.

    Example:

        benchsuite report quickstart --out my_report
    """
    from benchsuite.core.registry import load_plugin
    from benchsuite.running.store import Store

    for file in plugin or ():
        load_plugin(file)
    with Store(store, create=False) as held:
        _write(held, Path(suite).stem if suite.endswith(".toml") else suite, out)


def _write(store: Store, suite: str, out: Path | None) -> None:
    from benchsuite.report.collect import collect
    from benchsuite.report.write import write_report

    page = write_report(collect(store, suite), out or REPORTS / suite)
    output.print(f"report: {page.resolve()}", markup=False)


def _print_plan(plan: Plan, work: Sequence[Job]) -> None:
    for part in plan.benchmarks:
        output.print(f"{part.choice.name}: {part.sample}; {len(part.trials)} runs of estimators", markup=False)
        for label, reason in part.skipped.items():
            output.print(f"  skipped {label}: {reason}", markup=False)
    wanted = sum(len(part.trials) * len(part.architectures) for part in plan.benchmarks)
    lacking = sum(job.size for job in work)
    output.print(f"{wanted:,} scores wanted, {wanted - lacking:,} held, {lacking:,} to compute")


def _print_cost(work: Sequence[Job], store: Store) -> None:
    from benchsuite.running.jobs import estimate_cpu_seconds

    seconds = estimate_cpu_seconds(work, store.trainings)
    output.print(f"about {seconds:,.0f} CPU seconds (one architecture of average size of each kind was timed)")


def _print_outcome(tally: Tally) -> None:
    output.print(
        f"{tally.computed:,} scores computed ({tally.undefined:,} undefined, {tally.failed:,} failed) in "
        f"{tally.wall_seconds:,.0f} s, {tally.cpu_seconds:,.0f} CPU s"
    )


def _print_failures(plan: Plan, store: Store) -> None:
    keys = {trial.key: trial.title for part in plan.benchmarks for trial in part.trials}
    rows = store.scores(sorted(keys))
    for row in rows[rows["status"] == "failed"].itertuples():
        output.print(f"failed {keys[str(row.recipe)]} on {row.architecture}: {row.reason}", markup=False)


class _Progress:
    """A live bar with the time to go on a terminal; elsewhere a line at most every 30 seconds.

    The time to go follows the work done, not the number of scores: large networks take longer.
    """

    def __init__(self, jobs: Sequence[Job], *, quiet: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        columns = TextColumn("{task.description}"), BarColumn()
        self._scores = sum(job.size for job in jobs)
        self._bar = Progress(*columns, console=output, disable=quiet or not output.is_terminal or not jobs)
        self._work = sum(job.work for job in jobs)
        self._task = self._bar.add_task(self._said(0), total=self._work)
        self._begun: tuple[float, float] | None = None  # work and seconds when the first scores had come
        self._lines = not quiet and not output.is_terminal
        self._next_line = 30.0

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, tally: Tally) -> None:
        """Show what has been done so far."""
        said = self._said(tally.computed) + self._ending(tally)
        self._bar.update(self._task, completed=tally.work, description=said)
        if self._lines and tally.wall_seconds >= self._next_line:
            self._next_line = tally.wall_seconds + 30.0
            output.print(said)

    def _ending(self, tally: Tally) -> str:
        """The time to go at the pace since the first scores came, which trainings may have preceded."""
        self._begun = self._begun or (tally.work, tally.wall_seconds)
        done = tally.work - self._begun[0]
        if done <= 0:
            return ""
        rest = (tally.wall_seconds - self._begun[1]) * (self._work - tally.work) / done
        return f", about {timedelta(seconds=round(rest))} to go"

    def _said(self, computed: int) -> str:
        return f"{computed:,} of {self._scores:,} scores"
