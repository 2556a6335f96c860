"""What a section of a report is: a module that asks one question, and what it promises of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from benchsuite.core.errors import SuiteError

if TYPE_CHECKING:
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part

Tables: TypeAlias = Mapping[str, pd.DataFrame]
Sentence: TypeAlias = tuple[int, str]
_FUNCTIONS = ("tables", "parts")
_LAST = 850  # the order of sections that say none: after ours, before the protocol


@dataclass(frozen=True, slots=True)
class Schema:
    """What a section promises of one of its tables.

    Attributes
    ----------
    columns
        What each column holds, by its name, in the order of the columns.
    written
        Whether a report writes the table as a file; tables of single architectures, and those that only repeat others
        in another shape, are for figures.
    """

    columns: Mapping[str, str]
    written: bool = True

    def empty(self) -> pd.DataFrame:
        """Return the table without rows."""
        return pd.DataFrame(columns=list(self.columns))


@dataclass(frozen=True, slots=True)
class Section:
    """One question of a report: its tables, what is shown of them, and what the verdict may say.

    A section is made of a module (see `section_of`).

    Attributes
    ----------
    name
        Name under which it is registered.
    title
        The question, as a heading.
    tables
        Returns the section's tables by name, from the evidence alone.
    parts
        Returns what is shown, in order, from the tables; nothing where there is nothing to show.
    sentences
        Returns pairs (weight, sentence): what the verdict says, the heaviest first.
    tab
        The tab of the page that has the section; one of its own by default.
    order
        The page shows sections by ascending order; a tab stands where its first section does.
    schemas
        What the section promises of its tables, by their names; none is checked of tables that are not named.
    reads
        Names of tables of other sections that `parts` and `sentences` are given, too.
    """

    name: str
    title: str
    tables: Callable[[Evidence], Tables]
    parts: Callable[[Tables], Iterable[Part]]
    sentences: Callable[[Tables], Iterable[Sentence]]
    tab: str = ""
    order: int = _LAST
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    reads: tuple[str, ...] = ()

    def checked_tables(self, evidence: Evidence) -> dict[str, pd.DataFrame]:
        """Return the tables, which are those that the section has declared.

        Parameters
        ----------
        evidence
            What is known of a benchmark.

        Raises
        ------
        SuiteError
            If a table lacks, or its columns are others.
        """
        found = dict(self.tables(evidence))
        for name, schema in self.schemas.items():
            if name not in found:
                raise SuiteError(f"section {self.name} declares a table {name!r}, which its tables() does not return")
            if list(found[name]) != list(schema.columns):
                raise SuiteError(
                    f"section {self.name}: table {name!r} has the columns {', '.join(map(str, found[name]))}; "
                    f"declared are {', '.join(schema.columns)}"
                )
        return found

    def written(self, name: str) -> bool:
        """Whether a report writes a table of the section as a file.

        Parameters
        ----------
        name
            Name of the table.
        """
        return name not in self.schemas or self.schemas[name].written


def _silent(_: Tables) -> tuple[Sentence, ...]:
    return ()


def section_of(name: str, module: Any) -> Section:
    """Make a section of a module that has TITLE, tables and parts, and sentences where the verdict may say something.

    Parameters
    ----------
    name
        Name of the section.
    module
        The module, or anything else with those attributes; TAB, ORDER, TABLES (schemas by table) and READS are read,
        too, if it has them.

    Returns
    -------
    Section
        The section.

    Raises
    ------
    SuiteError
        If an attribute lacks or is of another type.
    """
    title = getattr(module, "TITLE", None)
    if not isinstance(title, str):
        raise SuiteError(f"section {name}: TITLE = {title!r}; give the question that it answers, as text")
    for function in _FUNCTIONS:
        if not callable(getattr(module, function, None)):
            raise SuiteError(f"section {name} has no function {function}(); a section has {' and '.join(_FUNCTIONS)}")
    return Section(
        name,
        title,
        module.tables,
        module.parts,
        getattr(module, "sentences", _silent),
        tab=getattr(module, "TAB", title),
        order=getattr(module, "ORDER", _LAST),
        schemas=getattr(module, "TABLES", {}),
        reads=tuple(getattr(module, "READS", ())),
    )
