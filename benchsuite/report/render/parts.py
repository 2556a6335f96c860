"""What is shown of a section: tables, figures and texts, which the renderings put into HTML, Markdown and LaTeX."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from benchsuite.core.identity import digest
from benchsuite.report.render import svg
from benchsuite.report.render.packed import packed_ranks
from benchsuite.report.render.table import Table
from benchsuite.report.render.words import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    from matplotlib.figure import Figure as Canvas

    from benchsuite.report.render.drawings import Drawings


@dataclass(frozen=True)
class Figure:
    """A figure, which is drawn when it is first rendered.

    Attributes
    ----------
    name
        Name of its file, and the beginning of its identifiers on a page.
    title
        What stands above it.
    description
        What it shows in words, for those who do not see it.
    chart
        Draws it with matplotlib.
    note
        The words that say how to read it.
    """

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    description: str
    chart: Callable[[], Canvas]
    note: str = ""

    @cached_property
    def svg(self) -> str:
        """Its SVG text, the same on every run."""
        return svg.render(self.chart, self.name, self.description)


@dataclass(frozen=True, slots=True)
class Panels:
    """Small figures of one kind next to each other, one for an estimator; a key of colours if `coloured`."""

    kind: ClassVar[str] = "panels"
    figures: tuple[Figure, ...]
    note: str
    coloured: bool = False


@dataclass(frozen=True, slots=True)
class Scatter:
    """Ranks to move through by hand; the Markdown leaves it out.

    Attributes
    ----------
    ranks
        Columns estimator, architecture and score (rank, 1 = best).
    architectures
        Columns architecture, accuracy (percent), params and group (1 = fewest parameters).
    order
        The estimators, the best first.
    note
        The words that say how to read it.
    """

    kind: ClassVar[str] = "scatter"
    ranks: pd.DataFrame
    architectures: pd.DataFrame
    order: tuple[str, ...]
    note: str

    def packed(self, drawings: Drawings) -> str:
        """Return the text that the page's script unpacks.

        Parameters
        ----------
        drawings
            Draws the architectures.
        """
        return packed_ranks(self.ranks, self.architectures, self.order, drawings)


@dataclass(frozen=True, slots=True)
class Folded:
    """A table that opens on demand; the Markdown shows it open."""

    kind: ClassVar[str] = "folded"
    table: Table
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    words: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Names and what is said of each."""

    kind: ClassVar[str] = "terms"
    pairs: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lines:
    """A list below a title."""

    kind: ClassVar[str] = "lines"
    title: str
    lines: tuple[str, ...]


Part: TypeAlias = Table | Figure | Panels | Scatter | Folded | Text | Terms | Lines


def prefixed(part: Part, prefix: str) -> Part:
    """Return a part whose figures are named for a benchmark, so that those of several do not meet.

    Parameters
    ----------
    part
        Any part.
    prefix
        What their names begin with.
    """
    if isinstance(part, Figure):
        return replace(part, name=f"{prefix}-{part.name}")
    if isinstance(part, Panels):
        return replace(part, figures=tuple(replace(each, name=f"{prefix}-{each.name}") for each in part.figures))
    return part


def figure_name(kind: str, estimator: str) -> str:
    """Return the name of a figure of one estimator; two estimators may share a slug.

    Parameters
    ----------
    kind
        What the figure shows.
    estimator
        Name of the estimator.
    """
    return f"{kind}-{slug(estimator)}-{digest(estimator)[:4]}"


def figures_of(parts: Iterable[Part]) -> Iterator[Figure]:
    """Yield all figures of parts.

    Parameters
    ----------
    parts
        What is shown.
    """
    for part in parts:
        if isinstance(part, Figure):
            yield part
        elif isinstance(part, Panels):
            yield from part.figures


def drawn_of(parts: Iterable[Part]) -> list[str]:
    """Return the architectures that tables show as pictures, each once.

    Parameters
    ----------
    parts
        What is shown.
    """
    cells = (cell for table in tables_of(parts) for row in (*table.rows, *table.summary) for cell in row)
    return list(dict.fromkeys(cell.architecture for cell in cells if cell.architecture))


def tables_of(parts: Iterable[Part]) -> Iterator[Table]:
    """Yield all tables of parts.

    Parameters
    ----------
    parts
        What is shown.
    """
    for part in parts:
        if isinstance(part, Folded):
            yield part.table
        elif isinstance(part, Table):
            yield part
