"""`benchsuite search`: choose architectures by an estimator's scores."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections import deque
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli.console import REPORTS, errors, output
from benchsuite.cli.run import StoreOption, interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchsuite.running.store import Store
    from benchsuite.search.setting import Prepared

_EPOCHS = 12  # rows of the live table


def search(
    space: Annotated[str, typer.Argument(help="Search space, such as nasbench201.")],
    estimator: Annotated[
        str, typer.Option(help="Estimator whose scores decide; with --algorithm own, a method such as darts.")
    ],
    algorithm: Annotated[str, typer.Option(help="random, evolution, nsga2, or own (the method's own rule).")] = "nsga2",
    dataset: Annotated[str, typer.Option(help="Data set of a benchmark, or an image set.")] = "cifar10",
    parameters: Annotated[
        str, typer.Option(help="Hyperparameters of the estimator, such as 'training={epochs=2}, readout=\"loss\"'.")
    ] = "",
    objectives: Annotated[
        str, typer.Option(help="Any of score, macs, params and depth, with commas; a minus means small is good.")
    ] = "score,-macs,params",
    sizes: Annotated[str, typer.Option(help="Sizes of the networks, such as channels=8,cells=1.")] = "",
    images: Annotated[str | None, typer.Option(help="Image set to use instead of the data set's own.")] = None,
    budget: Annotated[int, typer.Option(min=2, help="Number of architectures to evaluate.")] = 200,
    population: Annotated[int, typer.Option(min=2, help="Population of evolution and NSGA-II.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of algorithm, initialisation and supernet.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of processes that score a generation.")] = 1,
    device: Annotated[str, typer.Option(help="Where networks run: cpu, cuda, cuda:1 ...")] = "cpu",
    plugin: Annotated[list[Path] | None, typer.Option(help="Python file with further estimators; repeatable.")] = None,
    store: StoreOption = Path(".benchsuite"),
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the report.", show_default=f"{REPORTS}/search-SPACE-ESTIMATOR-ALGORITHM"),
    ] = None,
) -> None:
    """Search a space by an estimator's scores and report the front, with true accuracies if they are known.

    A missing supernet is trained first. Scores and trainings are stored, so the same command continues where it was
    stopped.

    Examples:

        benchsuite search nasbench201 --estimator synflow --dataset cifar10

        benchsuite search nasbench201 --estimator scarlet --parameters 'training={epochs=2}' --sizes channels=8,cells=1

        benchsuite search nasbench201 --estimator pc_darts --algorithm own --parameters 'training={epochs=10, shrink=2}'

        benchsuite search nasbench301 --dataset digits --estimator darts --algorithm own --sizes channels=4,cells=4
        --parameters 'training={operations="S2"}'  # with the operations of RobustDARTS, S1 to S4
    """
    from benchsuite.cli.truth import sizes_of
    from benchsuite.running.store import Store
    from benchsuite.search.finding import find
    from benchsuite.search.page import write_finding
    from benchsuite.search.scoring import StoredScores
    from benchsuite.search.setting import OWN, Search, prepare

    wanted = Search(
        space=space,
        dataset=dataset,
        estimator=estimator,
        parameters=_parameters(parameters),
        algorithm=algorithm,
        objectives=objectives,
        sizes=sizes_of(sizes),
        images=images,
        budget=budget,
        population=population,
        seed=seed,
    )
    prepared = prepare(wanted, plugins=[str(path) for path in plugin or []], device=device)
    if algorithm == OWN:
        _choose(prepared, store, out)
        return
    with Store(store) as held, interruptible():
        _train(prepared, held, device)
        scores = StoredScores(prepared.plan, held, jobs)
        with _progress(budget) as advance:
            finding = find(prepared, scores, shlex.join(["benchsuite", *sys.argv[1:]]), advance)
    evaluated = len(finding.evaluated)
    output.print(
        f"{evaluated:,} architectures evaluated, {scores.computed:,} of them now; {len(finding.front)} on the front"
    )
    page = write_finding(finding, out or REPORTS / wanted.name)
    output.print(f"report: {page.resolve()}", markup=False)


def _choose(prepared: Prepared, store: Path, out: Path | None) -> None:
    """Let a method choose by its own rule, and write what it chose."""
    from benchsuite.running.store import Store
    from benchsuite.search.own import choose
    from benchsuite.search.own_page import write_choice

    with Store(store) as held, interruptible(), _epochs() as advance:
        choice = choose(prepared, held.trainings, shlex.join(["benchsuite", *sys.argv[1:]]), advance)
    known = f", true accuracy {choice.accuracy:.2f} %, percentile {choice.percentile:.1f}"
    output.print(choice.architecture + (known if isfinite(choice.accuracy) else ""), markup=False)
    page = write_choice(choice, out or REPORTS / prepared.search.name)
    output.print(f"report: {page.resolve()}", markup=False)


@contextmanager
def _epochs() -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Show the last epochs in a live table on a terminal, in lines elsewhere; yield the function to call with each."""
    from rich.live import Live
    from rich.table import Table

    from benchsuite.report.render.words import number

    shown: deque[tuple[str, ...]] = deque(maxlen=_EPOCHS)

    def table() -> Table:
        found = Table("epoch", "skips", "alignment", "architecture", box=None)
        for row in shown:
            found.add_row(*row)
        return found

    with Live(table(), console=output, auto_refresh=False, transient=True) as live:

        def advance(row: Mapping[str, str]) -> None:
            shown.append((row["epoch"], row["skips"], number(float(row["alignment"])), row["architecture"]))
            if output.is_terminal:
                live.update(table(), refresh=True)
            else:
                output.print("epoch {}: {} skips, alignment {}, {}".format(*shown[-1]), markup=False)

        yield advance


def _parameters(text: str) -> dict[str, Any]:
    from benchsuite.core.errors import SuiteError
    from benchsuite.core.expected import shown

    try:
        found: dict[str, Any] = tomllib.loads(f"parameters = {{{text}}}")["parameters"]
    except (ValueError, RecursionError) as error:  # the former also for a number of too many digits
        raise SuiteError(
            f"--parameters {shown(text)} is not valid TOML ({error}); write name=value pairs, separated by commas, "
            "with text in quotes"
        ) from error
    return found


def _train(prepared: Prepared, store: Store, device: str) -> None:
    """Train the supernets that scores are to be read of, unless that is done."""
    from benchsuite.cli.progress import watched_trainings
    from benchsuite.core.errors import SuiteError
    from benchsuite.running.runner import train

    tasks = [task for task in prepared.trial.trainings if not task.finished(store.trainings)]
    with watched_trainings(tasks, store.trainings, quiet=False):
        failed = train(tasks, store.trainings, device)
    for reason in failed.values():
        raise SuiteError(f"the supernet's training failed: {reason}")


@contextmanager
def _progress(budget: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with the remaining time on a terminal; yield the function to call with the number of evaluations."""
    from rich import progress as bars

    columns = (bars.TextColumn("evaluations"), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=errors) as bar:
        task = bar.add_task("", total=budget)
        yield lambda done: bar.update(task, completed=done)
