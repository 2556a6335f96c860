"""`benchsuite scores`: finished scores as a table, and tables of scores computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli.console import output
from benchsuite.cli.run import StoreOption, SuiteArgument

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _scores() -> None:
    """Import scores computed elsewhere, and export finished ones."""


@app.command("export")
def export(
    suite: SuiteArgument,
    file: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.")],
    store: StoreOption = Path(".benchsuite"),
) -> None:
    """Write the scores of a suite's last run to a table, one row per score.

    Example:

        benchsuite scores export quickstart scores.csv
    """
    from benchsuite.core.errors import SuiteError
    from benchsuite.core.files import write_frame
    from benchsuite.report.collect import collect, score_table
    from benchsuite.running.store import Store

    if file.suffix not in (".csv", ".parquet"):
        raise SuiteError(f"{file} ends in {file.suffix!r}; give a file that ends in .csv or .parquet")
    with Store(store, create=False) as held:
        table = score_table(collect(held, suite))
    write_frame(file, table)
    output.print(f"{len(table):,} scores: {file}", markup=False)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet: benchmark, estimator, architecture, score[, seed].")],
    suite: Annotated[
        str | None, typer.Option(help="Name of the suite.", show_default="the file's name without its ending")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the ground truth to judge against.")] = "test",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Judge against trainings of this length.", show_default="the longest trainings"),
    ] = None,
    transfer: Annotated[
        list[str] | None,
        typer.Option(help="Also judge against this data set of the space; can be repeated.", show_default=False),
    ] = None,
    store: StoreOption = Path(".benchsuite"),
) -> None:
    """Import scores computed elsewhere as a suite, whose report judges them like any estimator.

    Example:

        benchsuite scores import my_scores.csv && benchsuite report my_scores
    """
    from benchsuite.running.score_files import import_scores
    from benchsuite.running.store import Store
    from benchsuite.suites.schema import TruthChoice

    with Store(store) as held:
        done = import_scores(held, file, suite, TruthChoice(epochs=epochs, split=split), transfer or ())
    for note in done.notes:
        output.print(note, markup=False)
    output.print(
        f"imported {done.scores:,} scores of {done.estimators:,} estimators as suite {done.suite}; "
        f"to judge them, run: benchsuite report {done.suite}",
        markup=False,
    )
