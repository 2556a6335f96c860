"""`benchsuite store`: check a store, or merge another into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli.console import output
from benchsuite.cli.run import StoreOption

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(store: StoreOption = Path(".benchsuite")) -> None:
    """Count the scores of a store and check it for damage.

    Example:

        benchsuite store check
    """
    from benchsuite.running.store import Store

    with Store(store, create=False) as held:
        problems = held.check()
        output.print(", ".join(f"{number:,} {name}" for name, number in held.counts().items()))
    for problem in problems:
        output.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)


@app.command()
def merge(
    other: Annotated[Path, typer.Argument(help="Folder of the store to copy scores from.")],
    store: StoreOption = Path(".benchsuite"),
) -> None:
    """Copy the scores of another store, for example from a cluster node, into this one.

    Example:

        benchsuite store merge node_2/.benchsuite
    """
    from benchsuite.running.store import Store

    with Store(store) as held:
        output.print(f"copied {held.merge(other):,} scores")
