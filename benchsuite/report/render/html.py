"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchsuite.report.page import interval_methods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.report.render.parts import Overview, Section
    from benchsuite.report.results import Results


def page(results: Results, overview: Overview | None, sections: Sequence[Section], downloads: Sequence[str]) -> str:
    """The whole page; everything but our own SVG, style and script is escaped.

    Parameters
    ----------
    overview
        What stands above several sections.
    downloads
        Paths of the tables, relative to the page.
    """
    return render(
        "page.html",
        results=results,
        overview=overview,
        sections=sections,
        downloads=downloads,
        provenance=results.provenance,
        intervals=interval_methods(),
    )


def render(template: str, **content: Any) -> str:
    """A page of one of our templates; its content is escaped."""
    environment = Environment(
        loader=PackageLoader("benchsuite.report.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template(template).render(**content)


def _breakable(text: str) -> Markup:
    """The escaped text, which may go on in the next line after a bracket or slash."""
    return Markup("<wbr>").join(re.split(r"(?<=[(/])", text))
