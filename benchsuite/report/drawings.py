"""All figures of one benchmark as SVG text, each with the words that stand for it when it is not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.analysis.search_value import RANDOM
from benchsuite.analysis.variance import between_pairs
from benchsuite.core.identity import digest
from benchsuite.report.bias import NAMES, bias_rows, pictured
from benchsuite.report.exchanges import shown_exchanges
from benchsuite.report.render import charts as figures
from benchsuite.report.render.courses import COURSES, probability_chart
from benchsuite.report.render.svg import drawing, render
from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import interval, number, slug

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.figure import Figure

    from benchsuite.report.judge import Judgement

_CURVES = 7  # of the best estimators, in the figure of regrets; more cannot be told apart


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

    `exchanges` is None where no two architectures differ in one operation alone, `variance` where no estimator has a
    second trial, `epochs` where no two estimators differ in their epoch alone, `training` where no supernet was
    trained for epochs. `courses` and `probabilities` are of methods with a rule of their own.
    """

    tau: Drawing
    cost: Drawing
    regret: Drawing
    agreement: Drawing
    bias: tuple[Drawing, ...]
    exchanges: Drawing | None
    variance: Drawing | None
    epochs: Drawing | None
    training: Drawing | None
    courses: dict[str, Drawing]
    probabilities: tuple[Drawing, ...]
    ranks: tuple[Drawing, ...]
    stability: tuple[Drawing, ...]
    stability_by_epoch: tuple[Drawing, ...]


def draw(judgement: Judgement, prefix: str) -> Drawings:
    """The figures of a judgement, the same text on every run; `prefix` begins their names."""
    with drawing():
        return Drawings(
            _tau(judgement, prefix),
            _cost(judgement, prefix),
            _regret(judgement, prefix),
            _agreement(judgement, prefix),
            tuple(_bias(judgement, kind, prefix) for kind in pictured(judgement.sizes)),
            _exchanges(judgement, prefix) if len(judgement.exchanges) else None,
            _variance(judgement, prefix) if len(judgement.variance) else None,
            _epochs(judgement, prefix) if len(judgement.epochs) else None,
            _training(judgement.results.trainings, prefix),
            dict(_courses(judgement.results.courses, prefix)),
            tuple(_probabilities(judgement.results.probabilities, prefix)),
            tuple(_rank(judgement, name, prefix) for name in judgement.order),
            tuple(
                _stability(judgement.stability[name], name, prefix, "trials")
                for name in judgement.order
                if name in judgement.stability
            ),
            tuple(_stability(matrix, name, prefix, "epochs") for name, matrix in judgement.stability_by_epoch.items()),
        )


def _tau(judgement: Judgement, prefix: str) -> Drawing:
    values = [f"{row['estimator']} {number(row['kendall_tau'], 2)}" for row in rows_of(judgement.leaderboard)]
    words = f"Bar chart of Kendall's tau-b with 95 % intervals, best first: {', '.join(values)}."
    chart = figures.tau_chart(judgement.leaderboard, judgement.ceiling)
    return _drawing(f"{prefix}-tau", "Rank correlation with the truth", words, chart)


def _cost(judgement: Judgement, prefix: str) -> Drawing:
    words = "Kendall's tau-b against CPU seconds per architecture on a logarithmic axis; figures in the leaderboard."
    return _drawing(f"{prefix}-cost", "Rank correlation against cost", words, figures.cost_chart(judgement.leaderboard))


def _bias(judgement: Judgement, kind: str, prefix: str) -> Drawing:
    name = NAMES[kind]
    words = f"Mean rank difference in groups of {name}, one row for every estimator; figures in the bias table."
    chart = figures.bias_chart(bias_rows(judgement, kind), judgement.order, f"{name} of the group, fewest to most")
    return _drawing(f"{prefix}-bias-{kind}", f"Bias by {name}", words, chart)


def _exchanges(judgement: Judgement, prefix: str) -> Drawing:
    words = "How much more often the score rises than the truth by exchange of operations; figures in the table."
    chart = figures.bias_chart(shown_exchanges(judgement.exchanges), judgement.order, "one operation to another")
    return _drawing(f"{prefix}-exchanges", "Bias by operation", words, chart)


def _regret(judgement: Judgement, prefix: str) -> Drawing:
    board = judgement.leaderboard
    best = board.loc[~board["reference"], "estimator"].tolist()[:_CURVES]
    plain = [name for name in ("params", RANDOM) if name in set(judgement.search["estimator"])]
    words = f"Regret by number of architectures trained, for {', '.join([*best, *plain])}; figures in the table."
    chart = figures.regret_chart(judgement.search, [*best, *plain], plain, [*best[:1], RANDOM])
    return _drawing(f"{prefix}-regret", "What a search by score is worth", words, chart)


def _agreement(judgement: Judgement, prefix: str) -> Drawing:
    words = "Spearman's rho between the scores of every two estimators, alike ones side by side; figures in the table."
    return _drawing(f"{prefix}-agreement", "Who agrees with whom", words, figures.agreement_chart(judgement.agreement))


def _variance(judgement: Judgement, prefix: str) -> Drawing:
    words = "Tau between the scores of different seeds, one row for every estimator; figures in the stability table."
    return _drawing(f"{prefix}-variance", "Stability across seeds", words, figures.variance_chart(judgement.variance))


def _epochs(judgement: Judgement, prefix: str) -> Drawing:
    words = "Kendall's tau-b by epoch with 95 % intervals, a line for every kind of estimator; figures in the table."
    return _drawing(f"{prefix}-epochs", "Rank correlation by epoch", words, figures.epoch_chart(judgement.epochs))


def _stability(matrix: pd.DataFrame, estimator: str, prefix: str, of: str) -> Drawing:
    pairs = between_pairs(matrix)
    words = f"Tau between the {of} of {estimator}: {number(pairs.min(), 2)} to {number(pairs.max(), 2)}."
    return _drawing(_named(f"{prefix}-{of}", estimator), estimator, words, figures.stability_chart(matrix))


def _training(trainings: pd.DataFrame | None, prefix: str) -> Drawing | None:
    if trainings is None or trainings["epoch"].max() == 1:
        return None
    words = "Mean training loss by epoch, a line for each training; figures in the table of trainings."
    chart = figures.by_epoch_chart(trainings, "loss", "training loss")
    return _drawing(f"{prefix}-training", "Training of the supernets", words, chart)


def _courses(courses: pd.DataFrame, prefix: str) -> Iterator[tuple[str, Drawing]]:
    """Figures of what methods would have chosen by epoch, of those that have epochs, by what they show."""
    for column, label in COURSES.items():
        if courses["epoch"].max() > 1 and courses[column].notna().any():
            words = f"{label} by epoch, a line for each search; figures in tables/courses.csv."
            chart = figures.by_epoch_chart(courses, column, label.lower())
            yield column, _drawing(f"{prefix}-{column}", label, words, chart)


def _probabilities(probabilities: pd.DataFrame, prefix: str) -> Iterator[Drawing]:
    """Figures of the first search of each method."""
    for name, found in probabilities.groupby("supernet", sort=False):
        first = found[found["training"] == found["training"].iloc[0]]
        title = f"{name}, seed {first['seed'].iloc[0]}"
        words = f"Probability of each operation of each edge by epoch, {title}; figures in tables/probabilities.csv."
        yield _drawing(_named(f"{prefix}-probabilities", title), title, words, probability_chart(first))


def _rank(judgement: Judgement, estimator: str, prefix: str) -> Drawing:
    rows = judgement.ranks[judgement.ranks["estimator"] == estimator]
    board = rows_of(judgement.leaderboard[judgement.leaderboard["estimator"] == estimator])[0]
    tau = number(board["kendall_tau"], 2)
    ends = interval(board["kendall_tau_low"], board["kendall_tau_high"])
    words = f"Rank by {estimator} against rank by truth, {len(rows)} architectures; tau-b {tau} ({ends})."
    return _drawing(_named(f"{prefix}-rank", estimator), estimator, words, figures.rank_plot(rows))


def _named(kind: str, estimator: str) -> str:
    """Name of a drawing of one estimator; two estimators may share a slug."""
    return f"{kind}-{slug(estimator)}-{digest(estimator)[:4]}"


def _drawing(name: str, title: str, words: str, figure: Figure) -> Drawing:
    return Drawing(name, title, words, render(figure, name, words))
