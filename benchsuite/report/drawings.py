"""All figures of one benchmark as SVG text, each with the words that stand for it when it is not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.core import digest
from benchsuite.report import figures
from benchsuite.report.criteria import rows_of
from benchsuite.report.svg import drawing, render
from benchsuite.report.words import interval, number, slug

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from benchsuite.report.judge import Judgement


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure: the name of its file, its title, what it shows in words, and the SVG text."""

    name: str
    title: str
    description: str
    svg: str


@dataclass(frozen=True, slots=True)
class Drawings:
    """The figures of one benchmark.

    `variance` is None where no estimator has a second seed, `training` where no supernet was trained.
    """

    tau: Drawing
    cost: Drawing
    bias: Drawing
    variance: Drawing | None
    training: Drawing | None
    ranks: tuple[Drawing, ...]

    def every(self) -> list[Drawing]:
        """All of them."""
        return [item for item in (self.tau, self.cost, self.bias, self.variance, self.training, *self.ranks) if item]


def draw(judgement: Judgement, prefix: str) -> Drawings:
    """The figures of a judgement, the same text on every run; `prefix` begins their names."""
    with drawing():
        return Drawings(
            _tau(judgement, prefix),
            _cost(judgement, prefix),
            _bias(judgement, prefix),
            _variance(judgement, prefix) if len(judgement.variance) else None,
            None if judgement.results.trainings is None else _training(judgement.results.trainings, prefix),
            tuple(_rank(judgement, name, prefix) for name in judgement.order),
        )


def _tau(judgement: Judgement, prefix: str) -> Drawing:
    values = [f"{row['estimator']} {number(row['kendall_tau'], 2)}" for row in rows_of(judgement.leaderboard)]
    words = f"Bar chart of Kendall's tau-b with 95 % intervals, best first: {', '.join(values)}."
    chart = figures.tau_chart(judgement.leaderboard, judgement.ceiling)
    return _drawing(f"{prefix}-tau", "Rank correlation with the truth", words, chart)


def _cost(judgement: Judgement, prefix: str) -> Drawing:
    words = "Kendall's tau-b against CPU seconds per architecture on a logarithmic axis; figures in the leaderboard."
    return _drawing(f"{prefix}-cost", "Rank correlation against cost", words, figures.cost_chart(judgement.leaderboard))


def _bias(judgement: Judgement, prefix: str) -> Drawing:
    words = "Mean rank difference by parameter group, one row for every estimator; figures in the bias table."
    chart = figures.bias_chart(judgement.bias, judgement.order)
    return _drawing(f"{prefix}-bias", "Bias by size", words, chart)


def _variance(judgement: Judgement, prefix: str) -> Drawing:
    words = "Tau between the scores of different seeds, one row for every estimator; figures in the stability table."
    return _drawing(f"{prefix}-variance", "Stability across seeds", words, figures.variance_chart(judgement.variance))


def _training(trainings: pd.DataFrame, prefix: str) -> Drawing:
    words = "Mean training loss by epoch, a line for each supernet; figures in the table of trainings."
    return _drawing(f"{prefix}-training", "Training of the supernets", words, figures.training_chart(trainings))


def _rank(judgement: Judgement, estimator: str, prefix: str) -> Drawing:
    rows = judgement.ranks[judgement.ranks["estimator"] == estimator]
    board = rows_of(judgement.leaderboard[judgement.leaderboard["estimator"] == estimator])[0]
    tau = number(board["kendall_tau"], 2)
    ends = interval(board["kendall_tau_low"], board["kendall_tau_high"])
    words = f"Rank by {estimator} against rank by truth, {len(rows)} architectures; tau-b {tau} ({ends})."
    name = f"{prefix}-rank-{slug(estimator)}-{digest(estimator)[:4]}"  # two names may share a slug
    return _drawing(name, estimator, words, figures.rank_plot(rows))


def _drawing(name: str, title: str, words: str, figure: Figure) -> Drawing:
    return Drawing(name, title, words, render(figure, name, words))
