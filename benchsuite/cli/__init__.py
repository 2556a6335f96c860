"""The command line; each file holds the commands of one concern, and heavy imports happen inside commands."""

from __future__ import annotations

import sys

from benchsuite.cli.app import app
from benchsuite.cli.console import errors
from benchsuite.core.errors import BenchsuiteError


def main() -> None:
    """Run the command line; a user's error becomes one line on standard error and exit code 2."""
    try:
        app()
    except BenchsuiteError as error:
        errors.print(f"benchsuite: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
