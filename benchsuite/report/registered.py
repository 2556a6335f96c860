"""Sections of the report: ours, those of installed packages, and those of plug-in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core import registry
from benchsuite.core.errors import SuiteError, UnknownNameError
from benchsuite.report.contract import section_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchsuite.report.contract import Section


def registered_sections() -> tuple[Section, ...]:
    """Return all sections in the order in which a page shows them.

    Raises
    ------
    SuiteError
        If the module of one cannot be loaded or does not make a section, or two sections have a table of one name.
    """
    return ordered(section_of(name, registry.load("section", name)) for name in registry.names("section"))


def ordered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Return sections by their order, those of one order by their names.

    Parameters
    ----------
    sections
        The sections in any order.

    Raises
    ------
    SuiteError
        If two sections declare a table of one name.
    """
    found = tuple(sorted(sections, key=lambda section: (section.order, section.name)))
    owners: dict[str, str] = {}
    for section in found:
        for table in section.schemas:
            if owners.setdefault(table, section.name) != section.name:
                raise SuiteError(f"sections {owners[table]} and {section.name} both have a table {table!r}; rename one")
    return found


def with_what_they_read(wanted: Sequence[str], sections: Sequence[Section]) -> tuple[Section, ...]:
    """Return the named sections, and those whose tables they read, in the order of the page.

    Parameters
    ----------
    wanted
        Names of sections.
    sections
        All sections.

    Raises
    ------
    UnknownNameError
        If no section has one of the names.
    """
    by_name = {section.name: section for section in sections}
    owners = {table: section.name for section in sections for table in section.schemas}
    chosen: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in by_name:
            raise UnknownNameError("section", name, sorted(by_name))
        if name not in chosen:
            chosen.add(name)
            left += [owners[table] for table in by_name[name].reads if table in owners]
    return tuple(section for section in sections if section.name in chosen)
