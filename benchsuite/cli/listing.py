"""`benchsuite list`, `check` and `doctor`: what there is, and whether it works."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli.console import output

if TYPE_CHECKING:
    from collections.abc import Callable


class Listed(StrEnum):
    """What can be listed."""

    SPACES = "spaces"
    BENCHMARKS = "benchmarks"
    ESTIMATORS = "estimators"
    CRITERIA = "criteria"
    SUITES = "suites"


def list_names(
    kind: Annotated[Listed | None, typer.Argument(help="What to list; default: everything.")] = None,
) -> None:
    """List spaces, benchmarks, estimators, criteria and suites.

    Example:

        benchsuite list estimators
    """
    for each in [kind] if kind else list(Listed):
        names = _names(each)
        if kind:
            output.print("\n".join(names), markup=False)
        else:
            output.print(f"[bold]{each}[/bold]: {', '.join(names)}")


def _names(kind: Listed) -> list[str]:
    import benchsuite
    from benchsuite.suites.schema import suites

    sources: dict[Listed, Callable[[], list[str]]] = {
        Listed.SPACES: benchsuite.spaces,
        Listed.BENCHMARKS: benchsuite.benchmarks,
        Listed.ESTIMATORS: benchsuite.estimators,
        Listed.CRITERIA: benchsuite.criteria,
        Listed.SUITES: suites,
    }
    return sources[kind]()


def check(file: Annotated[Path, typer.Argument(help="Python file that defines estimators or spaces.")]) -> None:
    """Check the estimators and spaces of a plug-in file: parameters, determinism, scores that depend on nothing else.

    Example:

        benchsuite check my_estimator.py
    """
    from benchsuite.core import registry
    from benchsuite.testing import check_estimator, check_space

    defined = registry.load_plugin(file)
    for name in defined["space"]:
        check_space(registry.make_space(name))
        output.print(f"{name}: sound", markup=False)
    for name in defined["estimator"]:
        check_estimator(registry.make_estimator(name))
        output.print(f"{name}: sound", markup=False)


def doctor() -> None:
    """Say what is installed, where data lies, and which plug-ins cannot be loaded.

    Example:

        benchsuite doctor
    """
    from benchsuite.core import registry
    from benchsuite.data.home import data_home, shipped
    from benchsuite.running.machine import available_processors, describe_machine

    for key, value in describe_machine("cpu").items():
        output.print(f"{key}: {value}", markup=False)
    output.print(f"processors: {available_processors()}")
    output.print(f"data folder: {data_home()}", markup=False)
    output.print(f"shipped files: {shipped()}", markup=False)
    problems = registry.broken()
    for name, reason in problems.items():
        output.print(f"broken {name}: {reason}", markup=False)
    if problems:
        raise typer.Exit(1)
    output.print("every registered space and estimator loads")
