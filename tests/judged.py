"""A judgement of results whose tables are its attributes, as tests like to write it; made as far as it is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from benchsuite.report.contract import _silent
from benchsuite.report.evidence import Evidence
from benchsuite.report.judgement import judge_benchmark
from benchsuite.report.page import benchmark_page
from benchsuite.report.registered import registered_sections, with_what_they_read

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.report.judgement import Judgement
    from benchsuite.report.render.pages import BenchmarkPage
    from benchsuite.report.results import BenchmarkResults


class Judged:
    """What all registered sections say of evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.sections = registered_sections()
        self._by_section: dict[str, dict[str, pd.DataFrame]] = {}

    def __getattr__(self, name: str) -> pd.DataFrame:
        owner = next((section for section in self.sections if name in section.schemas), None)
        if owner is None:
            raise AttributeError(name)
        if owner.name not in self._by_section:
            self._by_section[owner.name] = owner.checked_tables(self.evidence)
        return self._by_section[owner.name][name]

    @cached_property
    def judgement(self) -> Judgement:
        return judge_benchmark(self.evidence, self.sections)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        return self.judgement.tables

    @property
    def truth(self) -> pd.Series:
        return self.evidence.truth

    @property
    def order(self) -> list[str]:
        return self.evidence.order

    @property
    def ceiling(self) -> float | None:
        return self.evidence.ceiling

    @cached_property
    def verdict(self) -> list[str]:
        speaking = [section.name for section in self.sections if section.sentences is not _silent]
        return judge_benchmark(self.evidence, with_what_they_read(speaking, self.sections)).verdict()

    @property
    def said(self) -> str:
        return " ".join(self.verdict)

    def page(self, anchor: str = "a") -> BenchmarkPage:
        return benchmark_page(self.judgement, anchor)


def judge(results: BenchmarkResults) -> Judged:
    """The judgement of the results of one benchmark."""
    return Judged(Evidence(results))
