"""The commands put together."""

from __future__ import annotations

from typing import Annotated

import typer

from benchsuite import __version__
from benchsuite.cli import data, listing, run, schema, scores, search, store, truth
from benchsuite.cli.console import output

EPILOG = """Examples:\n
benchsuite run quickstart            score, judge, write a report\n
benchsuite run zero-shot --dry-run   say what is missing and what it costs\n
benchsuite list estimators           what can be judged\n
benchsuite data list                 what it is judged against\n
"""

app = typer.Typer(
    name="benchsuite",
    help="Judge cheap estimates of neural architectures against trained ones.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
app.command("run")(run.run)
app.command("report")(run.report)
app.command("search")(search.search)
app.command("list")(listing.list_names)
app.command("check")(listing.check)
app.command("doctor")(listing.doctor)
app.command("schema")(schema.schema)
app.add_typer(data.app, name="data", help="Fetch, import and list ground truth and images.")
app.add_typer(truth.app, name="truth", help="Make ground truth by training.")
app.add_typer(scores.app, name="scores", help="Import scores computed elsewhere, export finished ones.")
app.add_typer(store.app, name="store", help="Check and merge stores.")


def _print_version(wanted: bool) -> None:
    if wanted:
        output.print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Judge cheap estimates of neural architectures against trained ones."""
