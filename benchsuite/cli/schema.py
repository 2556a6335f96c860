"""`benchsuite schema`: the form of suites, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def schema(
    names: Annotated[bool, typer.Option(help="Propose the names of what is installed here.")] = True,
) -> None:
    """Print the JSON schema of suites, by which editors complete, explain and check them.

    Taplo and Even Better TOML read it where the first line of a suite names it:

        #:schema suite.schema.json

    Example:

        benchsuite schema > suite.schema.json
    """
    import json

    from benchsuite.suites.json_schema import json_schema

    made = json_schema(_installed() if names else {})
    typer.echo(json.dumps(made, indent=2, ensure_ascii=False))


def _installed() -> Mapping[str, Sequence[str]]:
    """Return the names that exist on this machine, by the key of a suite that takes them."""
    from benchsuite.analysis.combination import COMBINATIONS
    from benchsuite.benchmark import benchmarks
    from benchsuite.core import registry
    from benchsuite.data.sources import sources
    from benchsuite.suites.schema import PUBLISHED

    known = benchmarks()
    datasets = sorted({name.split("/", 1)[1] for name in known})
    return {
        "benchmark.space": registry.names("space"),
        "benchmark.dataset": datasets,
        "benchmark.transfer": datasets,
        "benchmark.truth.source": sorted(source.name for source in sources() if source.kind == "truth"),
        "estimator.name": registry.names("estimator"),
        "estimator.benchmarks": known,
        "combination.name": [*COMBINATIONS, *PUBLISHED],
    }
