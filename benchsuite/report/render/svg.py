"""Clean SVG text from matplotlib figures: themed by CSS variables, safe to inline, the same on every run."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

# Colours as they are drawn -> CSS variable by which the page overrides them in dark mode.
INK, MUTED, GRID = "#1d2330", "#667085", "#dfe3ea"
ACCENT, REFERENCE, CEILING = "#2f5fd0", "#8a93a3", "#12805c"
UNDER, OVER = "#2b6cb1", "#d9622b"
GROUPS = ("#3b3fb0", "#7a4bc0", "#b8479c", "#dd5f5b", "#e89a2c")
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    ACCENT: "--accent",
    REFERENCE: "--reference",
    CEILING: "--ceiling",
    UNDER: "--under",
    OVER: "--over",
    **{colour: f"--group-{number}" for number, colour in enumerate(GROUPS, 1)},
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "benchsuite",
    "text.parse_math": False,  # a dollar sign in an estimator's name is a dollar sign
    "path.simplify": False,  # dots are segments of no length, which simplification drops
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_NEEDLESS = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", flags=re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LONG_NUMBER = re.compile(r"(-?\d+\.\d{2})\d+")
_GEOMETRY = re.compile(r'\b(d|x|y|transform|points|width|height)="[^"]*"')
_COLOUR = re.compile("|".join(_VARIABLES))


@contextmanager
def _styled() -> Iterator[None]:
    """Set the report's matplotlib style while a figure is made and rendered."""
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever the user's own matplotlibrc says
        mpl.rcParams.update(_STYLE)
        yield


def render(chart: Callable[[], Figure], name: str, description: str) -> str:
    """Draw a figure and return its SVG text.

    Colours become CSS variables with the drawn colour as fallback; nothing in the text refers outside itself.

    Parameters
    ----------
    chart
        Draws the figure.
    name
        What every identifier begins with.
    description
        The figure's accessible name.

    Returns
    -------
    str
        An svg element, the same on every run.
    """
    buffer = io.StringIO()
    with _styled(), warnings.catch_warnings():
        # The reader's fonts draw the text; that matplotlib's own lacks a letter only makes a width approximate.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        chart().savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = _NEEDLESS.sub("", text[text.index("<svg") :])
    text = " ".join(_TAG.sub(partial(_clean_tag, name=name), text).split())
    start = f'<svg role="img" aria-label="{escape(description, {chr(34): "&quot;"})}" stroke-linejoin="round" '
    return text.replace("> <", "><").replace("<svg ", start, 1)


def standalone(svg: str) -> str:
    """Return the SVG as a file of its own: with its namespace and on white paper, whatever shows it.

    Parameters
    ----------
    svg
        An svg element.
    """
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" style="background: #fff" ', 1) + "\n"


def _clean_tag(match: re.Match[str], name: str) -> str:
    """One tag without needless identifiers, digits and namespaces, its colours replaced by variables."""
    tag = match[0]
    if tag.startswith(("<g ", "<svg ")):
        tag = re.sub(r' (id|xmlns(:xlink)?|version)="[^"]*"', "", tag)
    tag = tag.replace("xlink:href", "href").replace("'DejaVu Sans'", _FONT)
    tag = re.sub(r'\bid="|url\(#|href="#', lambda found: f"{found[0]}{name}-", tag)
    tag = _COLOUR.sub(lambda found: f"var({_VARIABLES[found[0]]}, {found[0]})", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^"]*"', "", tag)
    return _GEOMETRY.sub(lambda found: _LONG_NUMBER.sub(r"\1", found[0]), tag)
