"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.report.render.pages import ReportPage


def page(report: ReportPage, downloads: Sequence[str]) -> str:
    """Return the whole page of a report; everything but our own SVG, style and script is escaped.

    Parameters
    ----------
    report
        What is shown.
    downloads
        Paths of the tables, relative to the page.
    """
    return render("page.html", report=report, downloads=downloads, provenance=report.provenance)


def render(template: str, **content: Any) -> str:
    """Return a page of one of our templates; its content is escaped.

    Parameters
    ----------
    template
        Name of the template.
    **content
        What it shows.
    """
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
