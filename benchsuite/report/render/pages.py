"""What a report shows, put together once for the page and the Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from benchsuite.report.render.parts import drawn_of
from benchsuite.report.render.words import slug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.report.render.drawings import Drawings
    from benchsuite.report.render.parts import Part


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section as it is shown: its question and the parts that answer it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """Sections that are looked at together."""

    title: str
    sections: tuple[ShownSection, ...]

    @property
    def name(self) -> str:
        """Its part of an address.

        Examples
        --------
        >>> Tab("Top of the list", ()).name
        'top-of-the-list'
        """
        return slug(self.title)


@dataclass(frozen=True, slots=True)
class BenchmarkPage:
    """One benchmark as it is shown.

    Attributes
    ----------
    benchmark
        Its name.
    anchor
        What its identifiers, and the names of its figures, begin with.
    population
        Which architectures are judged.
    setting
        Scale and data in words.
    caption
        Both; it stands under every figure.
    facts
        Numbers by name.
    verdict
        Sentences, the most important first.
    families
        Family of each estimator, to filter by.
    tabs
        The tabs in order.
    drawings
        Draws architectures.
    """

    benchmark: str
    anchor: str
    population: str
    setting: str
    caption: str
    facts: dict[str, str]
    verdict: list[str]
    families: dict[str, str]
    tabs: tuple[Tab, ...]
    drawings: Drawings

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts in the order in which they are shown."""
        return tuple(part for tab in self.tabs for section in tab.sections for part in section.parts)

    def drawn(self) -> dict[str, Any]:
        """Return the drawings of the architectures that tables show as pictures, packed, by their order."""
        architectures = drawn_of(self.parts)
        return {"architectures": architectures, **self.drawings.packed(architectures)}


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """What stands above several benchmarks; its fields are named as those of a benchmark's page."""

    anchor: ClassVar[str] = "all"
    caption: str
    verdict: list[str]
    families: dict[str, str]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A whole report as it is shown.

    Attributes
    ----------
    title
        Name of the suite.
    description
        What it asks.
    provenance
        Where the scores come from, by name.
    intervals
        How intervals were made, by the criteria that share a method.
    overview
        What stands above several benchmarks; None for one.
    benchmarks
        What is shown of each benchmark.
    """

    title: str
    description: str
    provenance: Mapping[str, str]
    intervals: Mapping[str, str]
    overview: OverviewPage | None
    benchmarks: tuple[BenchmarkPage, ...]
