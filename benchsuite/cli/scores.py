"""`benchsuite scores`: finished scores as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli.console import output
from benchsuite.cli.run import StoreOption, SuiteArgument

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _scores() -> None:
    """Export finished scores."""


@app.command("export")
def export(
    suite: SuiteArgument,
    file: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.")],
    store: StoreOption = Path(".benchsuite"),
) -> None:
    """Write the scores of a suite's last run, one row a score.

    Example:

        benchsuite scores export quickstart scores.csv
    """
    from benchsuite.core import SuiteError
    from benchsuite.data.files import write_frame
    from benchsuite.report.collect import collect, score_table
    from benchsuite.store import Store

    if file.suffix not in (".csv", ".parquet"):
        raise SuiteError(f"{file} ends in {file.suffix!r}; name a file that ends in .csv or .parquet")
    with Store(store, create=False) as held:
        table = score_table(collect(held, suite))
    write_frame(file, table)
    output.print(f"{len(table):,} scores: {file}", markup=False)
