"""A judgement of results whose tables are its attributes, as tests like to write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.report.evidence import Evidence
from benchsuite.report.judgement import judge_benchmark
from benchsuite.report.page import benchmark_page
from benchsuite.report.registered import registered_sections
from benchsuite.report.sentences.truth import ceiling_of

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.report.judgement import Judgement
    from benchsuite.report.render.pages import BenchmarkPage
    from benchsuite.report.results import BenchmarkResults


@dataclass(frozen=True)
class Judged:
    """A judgement by all registered sections."""

    judgement: Judgement

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in self.judgement.tables:
            raise AttributeError(name)
        return self.judgement.tables[name]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        return self.judgement.tables

    @property
    def evidence(self) -> Evidence:
        return self.judgement.evidence

    @property
    def truth(self) -> pd.Series:
        return self.evidence.truth

    @property
    def order(self) -> list[str]:
        return self.evidence.order

    @property
    def ceiling(self) -> float | None:
        return ceiling_of(self.tables["reliability"])

    @property
    def verdict(self) -> list[str]:
        return self.judgement.verdict()

    @property
    def said(self) -> str:
        return " ".join(self.verdict)

    def page(self, anchor: str = "a") -> BenchmarkPage:
        return benchmark_page(self.judgement, anchor)


def judge(results: BenchmarkResults) -> Judged:
    """The judgement of the results of one benchmark."""
    return Judged(judge_benchmark(Evidence(results), registered_sections()))
