"""The judgement of one benchmark: the tables of all sections, what each is shown of them, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from benchsuite.report.contract import Section
    from benchsuite.report.evidence import Evidence
    from benchsuite.report.render.parts import Part


@dataclass(frozen=True, slots=True)
class Judgement:
    """Tables of one benchmark by section and name.

    Attributes
    ----------
    evidence
        What the tables are made of.
    sections
        The sections in the order of the page.
    by_section
        The tables of each section, by the section's name and their own.
    """

    evidence: Evidence
    sections: tuple[Section, ...]
    by_section: Mapping[str, Mapping[str, pd.DataFrame]]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {name: table for found in self.by_section.values() for name, table in found.items()}

    def read_by(self, section: Section) -> dict[str, pd.DataFrame]:
        """Return the tables that a section is given: its own, and those of others that it reads.

        Parameters
        ----------
        section
            One of the sections.

        Raises
        ------
        SuiteError
            If no section has a table that it reads.
        """
        every = self.tables
        lacking = [name for name in section.reads if name not in every]
        if lacking:
            raise SuiteError(f"section {section.name} reads the table {lacking[0]!r}, which no section has")
        return {**{name: every[name] for name in section.reads}, **self.by_section[section.name]}

    def parts(self, section: Section) -> tuple[Part, ...]:
        """Return what is shown of a section.

        Parameters
        ----------
        section
            One of the sections.
        """
        return tuple(section.parts(self.read_by(section)))

    def verdict(self) -> list[str]:
        """Return the sentences of all sections, the heaviest first."""
        said = [each for section in self.sections for each in section.sentences(self.read_by(section))]
        return [sentence for _, sentence in sorted(said, key=lambda each: -each[0])]


def judge_benchmark(evidence: Evidence, sections: Sequence[Section]) -> Judgement:
    """Judge the scores of a benchmark that are there, be the run complete or not.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    sections
        The sections whose tables are wanted.

    Returns
    -------
    Judgement
        The tables of the sections.
    """
    tables = {section.name: section.checked_tables(evidence) for section in sections}
    return Judgement(evidence, tuple(sections), tables)
