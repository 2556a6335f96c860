"""Estimators against each other: paired differences of a criterion on the same architectures, and what they decide.

Whether two intervals overlap says little about two estimators that are judged on the same architectures: their figures
err together. Here the difference itself has an interval, from what each architecture (or each resample) does to both.
With several trials the means over trials are compared, and the intervals hold for these trials.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import LeaveOneOut, mean_figure, rho_without_each, tau_b_without_each
from benchsuite.analysis.evaluate import BOOTSTRAPS
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.top_k import precision, top_count
from benchsuite.analysis.uncertainty import (
    FEWEST,
    bootstrap_weights,
    check_confidence,
    quantile_of_normal,
)
from benchsuite.core.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from benchsuite.analysis.align import SideBySide, Trials
    from benchsuite.core.arrays import Floats

    _Measure = Callable[[Sequence[Floats], Floats], list["_Figure"]]

PAIRED = ("kendall_tau", "spearman_rho", "precision_at_top")


def compare(
    trials: Trials,
    truth: pd.Series[float],
    *,
    criterion: str = "kendall_tau",
    k: float = 0.05,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Difference of a criterion between every two estimators, on the architectures that both have scored.

    Parameters
    ----------
    trials : scores by architecture of every trial of an estimator; NaN = undefined, ranked worst
    truth : accuracies by architecture
    criterion : one of `PAIRED`; its mean over an estimator's trials is compared
    k : fraction K of "precision_at_top"
    confidence : of the intervals, each by itself; 1 - confidence is the level of `separable`
    seed : of the bootstrap of "precision_at_top"

    Returns
    -------
    One row a pair, in the order of the estimators: first, second, n (architectures), difference (first less second),
    deviation (its standard error), low, high, p (two-sided), p_holm (adjusted for all pairs after Holm, Scandinavian
    Journal of Statistics 6, 1979), separable (p_holm at most 1 - confidence). Normal intervals: correlations with the
    standard error of the paired jackknife, precision with that of the paired bootstrap. All from deviation on are NaN
    below ten architectures, or ten of the K best. Raises BenchsuiteError for unusable input.

    >>> truth = pd.Series(range(12), dtype=float)
    >>> table = compare({"good": [truth], "bad": [-truth]}, truth)
    >>> table.round(3)[["first", "second", "difference", "separable"]].values.tolist()
    [['good', 'bad', 2.0, True]]
    """
    check_confidence(confidence)
    if criterion not in PAIRED:
        raise UnknownNameError("criterion for pairs", criterion, PAIRED)
    table = side_by_side(trials, truth)
    measure = partial(_by_bootstrap, k=k, seed=seed) if criterion == "precision_at_top" else _JACKKNIFED[criterion]
    figures = _figures(table, measure)
    rows = []
    for first, second in itertools.combinations(table.scores, 2):
        common = table.scored[first] & table.scored[second]
        difference = figures[first, common.tobytes()].less(figures[second, common.tobytes()])
        rows.append((first, second, int(common.sum()), *difference.test(confidence)))
    result = pd.DataFrame(rows, columns=["first", "second", "n", "difference", "deviation", "low", "high", "p"])
    result["p_holm"] = holm(result["p"])
    result["separable"] = result["p_holm"] <= 1 - confidence
    return result


def holm(p: ArrayLike) -> Floats:
    """p values adjusted for their number after Holm (1979): step down, at most 1; NaN is no test and stays NaN.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = values[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if order.size else steps
    return adjusted


def rank_intervals(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Places that each estimator may have in the leaderboard, from the table of `compare`.

    Columns estimator, rank (1 = best), rank_low, rank_high: from 1 + the number of estimators that are separably
    better, to the number of estimators less those separably worse. Estimators whose criterion is undefined have no
    place: NaN, and they do not count among the others.

    >>> truth = pd.Series(range(12), dtype=float)
    >>> rank_intervals(compare({"good": [truth], "bad": [-truth]}, truth)).values.tolist()
    [['good', 1.0, 1.0, 1.0], ['bad', 2.0, 2.0, 2.0]]
    """
    names = pd.unique(pd.concat([comparisons["first"], comparisons["second"]]))
    mirrored = comparisons.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([comparisons, mirrored.assign(difference=-comparisons["difference"])])
    both = both[both["difference"].notna()]
    outcomes = pd.DataFrame(
        {
            "rank": both["difference"] < 0,
            "rank_low": (both["difference"] < 0) & both["separable"],
            "rank_high": (both["difference"] > 0) & both["separable"],
        }
    )
    numbers = outcomes.groupby(both["first"]).sum()
    places = pd.concat([1 + numbers[["rank", "rank_low"]], len(numbers) - numbers["rank_high"]], axis=1)
    return places.reindex(names).astype(float).rename_axis("estimator").reset_index()


def not_separable(comparisons: pd.DataFrame, estimator: str) -> list[str]:
    """Estimators of the table of `compare` whose difference from the named one was tested and may be chance.

    >>> truth = pd.Series(range(12), dtype=float)
    >>> not_separable(compare({"good": [truth], "bad": [-truth], "constant": [0 * truth]}, truth), "good")
    []
    """
    of_it = comparisons[(comparisons[["first", "second"]] == estimator).any(axis=1)]
    level = of_it[~of_it["separable"] & of_it["p_holm"].notna()]
    others: list[str] = level["second"].where(level["first"] == estimator, level["first"]).tolist()
    return others


def architectures_needed(
    comparisons: pd.DataFrame, *, power: float = 0.8, confidence: float = 0.95
) -> pd.Series[float]:
    """How many architectures tell the two estimators of each row of `compare` apart: with chance `power`, by one test.

    The difference that was found is taken for the true one, and the variance of a difference of rank correlations falls
    as 1 / n: needed = n (deviation / difference)^2 (z + z')^2 with the normal quantiles z of (1 + confidence) / 2 and
    z' of the power. One test: the level is not shared among the pairs. Infinite where the difference is 0.

    >>> pair = pd.DataFrame({"n": [500], "difference": [0.02], "deviation": [0.01]})
    >>> architectures_needed(pair).round().tolist()
    [981.0]
    """
    check_confidence(confidence)
    check_confidence(power)
    quantiles = quantile_of_normal(confidence) + stats.norm.ppf(power)
    ratio = comparisons["deviation"] / comparisons["difference"].abs()
    return (comparisons["n"] * (ratio * quantiles) ** 2).rename("needed")


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure with its replicates; its sampling variance is `spread` times theirs, NaN where they tell too little."""

    value: float
    replicates: Floats
    spread: float

    def less(self, other: _Figure) -> _Figure:
        return _Figure(self.value - other.value, self.replicates - other.replicates, self.spread)

    def deviation(self) -> float:
        return float("nan") if np.isnan(self.spread) else float(np.sqrt(self.spread * np.var(self.replicates)))

    def test(self, confidence: float) -> tuple[float, float, float, float, float]:
        """The figure, its standard error, the ends of its normal interval, and the two-sided p of its being 0."""
        deviation = self.deviation()
        half = quantile_of_normal(confidence) * deviation
        certain = deviation == 0  # neither architecture nor resample changes anything
        p = float(self.value == 0) if certain else float(2 * stats.norm.sf(abs(self.value) / deviation))
        return self.value, deviation, self.value - half, self.value + half, p


def _figures(table: SideBySide, measure: _Measure) -> dict[tuple[str, bytes], _Figure]:
    """The figure of every estimator on each set of architectures on which it is compared, as bytes of the mask."""
    wanted: dict[bytes, dict[str, Floats]] = defaultdict(dict)
    for pair in itertools.combinations(table.scores, 2):
        common = table.scored[pair[0]] & table.scored[pair[1]]
        for name in pair:
            wanted[common.tobytes()].setdefault(name, table.scores[name])
    found = {}
    for mask, columns in wanted.items():
        rows = np.frombuffer(mask, dtype=bool)
        figures = measure([values[:, rows] for values in columns.values()], table.truth[rows])
        found.update({(name, mask): figure for name, figure in zip(columns, figures, strict=True)})
    return found


def _tau(scores: Floats, truth: Floats) -> LeaveOneOut:
    return tau_b_without_each(concordance(scores, truth))


def _rho(scores: Floats, truth: Floats) -> LeaveOneOut:
    return rho_without_each(scores, truth, concordance(scores, truth))


def _by_jackknife(
    columns: Sequence[Floats], truth: Floats, *, figure: Callable[[Floats, Floats], LeaveOneOut]
) -> list[_Figure]:
    """Means over trials, from the trials of each estimator of shape (trials, n)."""
    spread = float(truth.size - 1) if truth.size >= FEWEST else float("nan")
    means = [mean_figure([figure(scores, truth) for scores in trials]) for trials in columns]
    return [_Figure(mean.value, mean.without, spread) for mean in means]


def _by_bootstrap(columns: Sequence[Floats], truth: Floats, *, k: float, seed: int) -> list[_Figure]:
    """Means over trials of P@topK; all estimators see the same resamples."""
    count = top_count(truth.size, k)
    rankings = [[Ranking.of(scores, truth) for scores in trials] for trials in columns]
    blocks = bootstrap_weights(truth.size, BOOTSTRAPS, seed) if count >= FEWEST else ()
    replicates: list[list[Floats]] = [[] for _ in columns]
    for weights in blocks:
        for drawn, trials in zip(replicates, rankings, strict=True):
            drawn.append(np.mean([precision(each, weights, [count])[0, :, 0] for each in trials], axis=0))
    spread = 1.0 if count >= FEWEST else float("nan")
    values = [float(np.mean([precision(each, each.whole(), [count])[0] for each in trials])) for trials in rankings]
    return [
        _Figure(value, np.concatenate([*drawn, []]), spread) for value, drawn in zip(values, replicates, strict=True)
    ]


_JACKKNIFED: dict[str, _Measure] = {
    "kendall_tau": partial(_by_jackknife, figure=_tau),
    "spearman_rho": partial(_by_jackknife, figure=_rho),
}
