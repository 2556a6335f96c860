"""What a report is put together from: a benchmark has tabs, a tab has parts, a part asks a question and answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from benchsuite.report.render.table import Table
from benchsuite.report.render.words import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchsuite.report.drawings import Drawing


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with the words that say how to read it."""

    kind: ClassVar[str] = "picture"
    drawing: Drawing
    note: str


@dataclass(frozen=True, slots=True)
class Panels:
    """Small figures of one kind beside each other, one for an estimator; a key of colours if `coloured`."""

    kind: ClassVar[str] = "panels"
    drawings: tuple[Drawing, ...]
    note: str
    coloured: bool = False


@dataclass(frozen=True, slots=True)
class Scatter:
    """Ranks to move through by hand: packed data (see `packed`); the Markdown leaves it out."""

    kind: ClassVar[str] = "scatter"
    packed: str
    note: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A table that opens on demand; the Markdown shows it open."""

    kind: ClassVar[str] = "folded"
    table: Table
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"
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


Block: TypeAlias = Table | Picture | Panels | Scatter | Folded | Words | Terms | Lines


@dataclass(frozen=True, slots=True)
class Part:
    """A question about the benchmark, and the blocks that answer it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """Parts that are looked at together."""

    title: str
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """Its part of an address.

        >>> Tab("Top of the list", ()).name
        'top-of-the-list'
        """
        return slug(self.title)


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark as it is shown; `families` says of what kind each estimator is, to filter by."""

    benchmark: str
    anchor: str
    population: str
    setting: str
    caption: str
    facts: dict[str, str]
    verdict: list[str]
    families: dict[str, str]
    tabs: tuple[Tab, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks in the order in which they are shown."""
        return tuple(block for tab in self.tabs for part in tab.parts for block in part.blocks)


def drawings_of(blocks: Iterable[Block]) -> Iterator[Drawing]:
    """All figures of blocks."""
    for block in blocks:
        if isinstance(block, Picture):
            yield block.drawing
        elif isinstance(block, Panels):
            yield from block.drawings


def tables_of(blocks: Iterable[Block]) -> Iterator[Table]:
    """All tables of blocks."""
    for block in blocks:
        if isinstance(block, Folded):
            yield block.table
        elif isinstance(block, Table):
            yield block


@dataclass(frozen=True, slots=True)
class Overview:
    """What is shown above several benchmarks; its fields are named as those of a section."""

    anchor: ClassVar[str] = "all"
    caption: str
    verdict: list[str]
    families: dict[str, str]
    blocks: tuple[Block, ...]
