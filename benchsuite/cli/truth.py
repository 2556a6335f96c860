"""`benchsuite truth`: ground truth of one's own, by training."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli.console import errors, output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchsuite.data.cards import Card
    from benchsuite.truth.making import TruthPlan

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _truth() -> None:
    """Make ground truth of your own by training."""


@app.command("make")
def make(
    space: Annotated[str, typer.Argument(help="Search space, such as nasbench201.")],
    dataset: Annotated[str, typer.Argument(help="Name of the data set in the benchmark's name.")],
    images: Annotated[
        str | None,
        typer.Option(
            help="Image set: a name, a folder with a subfolder per class, or an .npz file.", show_default="DATASET"
        ),
    ] = None,
    architectures: Annotated[int, typer.Option(min=1, help="Number of sampled architectures.")] = 200,
    sample_seed: Annotated[int, typer.Option(help="Seed of the sample; a larger sample contains a smaller one.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Number of trainings of each architecture.")] = 3,
    steps: Annotated[int, typer.Option(min=4, help="Number of minibatches in a training.")] = 300,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the images; replaces --steps.")] = None,
    batch: Annotated[int, typer.Option(min=2, help="Number of images in a minibatch.")] = 64,
    lr: Annotated[float, typer.Option(help="Largest learning rate.")] = 0.1,
    weight_decay: Annotated[float, typer.Option(help="Decay of all weights.")] = 5e-4,
    smoothing: Annotated[float, typer.Option(min=0, max=1, help="Label smoothing.")] = 0.0,
    sizes: Annotated[str, typer.Option(help="Sizes of the network, such as channels=8,cells=1.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Number of trainings at once, one thread each.")] = 1,
    device: Annotated[str, typer.Option(help="Where networks are trained: cpu, cuda, cuda:1 ...")] = "cpu",
    out: Annotated[Path | None, typer.Option(help="Table to write.", show_default="SPACE-DATASET.parquet")] = None,
    pilot: Annotated[list[Path] | None, typer.Option(help="Card of a smaller table to cite; can be repeated.")] = None,
) -> None:
    """Train sampled architectures; write their accuracies and a card.

    Writes OUT.parquet, its card OUT.json, and OUT.trainings.sqlite, which keeps each training as soon as it has ended:
    run the same command again to continue after an interruption, or with more architectures or seeds to add to them.

    Examples:

        benchsuite truth make nasbench201 digits --images cluttered-digits --sizes channels=8,cells=1 --jobs 2

        benchsuite truth make nasbench201 flowers --images flowers/ --epochs 10 --architectures 50
    """
    from benchsuite.data.images.minibatches import load_images
    from benchsuite.estimators.torchtools.devices import check_device
    from benchsuite.truth.making import TruthPlan
    from benchsuite.truth.training import TrainingProtocol

    named = images or dataset
    if Path(named).exists():
        named = str(Path(named).resolve())
    if epochs is not None:
        steps = epochs * -(-len(load_images(named).train_targets) // batch)
    protocol = TrainingProtocol(steps=steps, batch=batch, lr=lr, weight_decay=weight_decay, smoothing=smoothing)
    plan = TruthPlan(space, named, protocol, sizes_of(sizes), architectures, seeds, sample_seed)
    place = out or Path(f"{space}-{dataset}.parquet")
    check_device(device)
    card = _make(plan, dataset, place, jobs, device, [_read_card(path) for path in pilot or []])
    output.print(f"{place}: {_summary(card)}", markup=False)


def _make(plan: TruthPlan, dataset: str, place: Path, jobs: int, device: str, pilot_cards: list[Card]) -> Card:
    from benchsuite.core.errors import SuiteError
    from benchsuite.data.cards import write_card
    from benchsuite.data.tables import write_table
    from benchsuite.truth.card import card, pilots
    from benchsuite.truth.making import TrainingStore, make, table

    if place.suffix != ".parquet":
        raise SuiteError(f"{place} ends in {place.suffix!r}; give a table that ends in .parquet")
    plan.recipe()  # refuses wrong images, spaces and sizes before a file is made
    store = TrainingStore(place.with_suffix(".trainings.sqlite"))
    with _progress() as advance:
        trainings = make(plan, store, jobs=jobs, device=device, progress=advance)
    rows = table(trainings)
    contents: Card = {**card(plan, dataset, trainings, rows), "pilots": pilots(pilot_cards)}
    write_table(place, rows)
    write_card(place, contents)
    return contents


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the remaining time on a terminal; yield the function to call with finished and all trainings."""
    from rich import progress as bars

    columns = (bars.TextColumn("trainings"), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=errors) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def sizes_of(text: str) -> dict[str, int]:
    """Return the sizes of a network that a text gives.

    Parameters
    ----------
    text
        Such as channels=8,cells=1.
    """
    from benchsuite.core.errors import SuiteError

    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not value.strip().isdigit() for _, _, value in pairs):
        raise SuiteError(
            f"--sizes {text!r} is not of the form channels=8,cells=1; write name=number, separated by commas"
        )
    return {name.strip(): int(value) for name, _, value in pairs}


def _read_card(path: Path) -> Card:
    from benchsuite.core.errors import DataMissingError
    from benchsuite.data.cards import read_card

    if not path.with_suffix(".json").is_file():
        raise DataMissingError(f"{path} does not exist; give the .json that an earlier `benchsuite truth make` wrote")
    return read_card(path)


def _summary(card: Card) -> str:
    """Say in one line how reliable the new ground truth is."""
    figures = card["figures"]
    line = f"{card['architectures']} architectures x {card['seeds']} seeds, {card['cpu_hours']:.2f} CPU hours"
    line += f", spread {figures['spread']} points"
    if figures["ceiling"] is None:
        return line + "; reliability and noise ceiling need at least 2 seeds and 3 architectures"
    reliability, ceiling = figures["reliability"]["kendall_tau"], figures["ceiling"]["kendall_tau"]
    line += f", standard deviation over seeds {figures['seed_deviation']}"
    return line + f"; reliability tau {reliability}, noise ceiling tau {ceiling}"
