"""Estimators against each other: paired differences of a criterion on the same architectures.

Whether two intervals overlap says little about two estimators that are judged on the same architectures, because their
errors are correlated. Here the difference itself has an interval, from what each architecture (or each resample) does
to both. With several runs the means over runs are compared, and the intervals hold for these runs.
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
from benchsuite.analysis.correlation import rho_without_each, tau_b_without_each
from benchsuite.analysis.precision import precision
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.resampling import BOOTSTRAPS, bootstrap_weights
from benchsuite.analysis.significance import holm
from benchsuite.analysis.top_k import top_count
from benchsuite.analysis.uncertainty import FEWEST, LeaveOneOut, check_confidence, quantile_of_normal
from benchsuite.core.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchsuite.analysis.align import SideBySide, Trials
    from benchsuite.core.arrays import Floats

    _Measure = Callable[[Sequence[Floats], Floats], list["_Replicated"]]

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
    """Test the difference of a criterion between every two estimators, on the architectures that both have scored.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture.
    criterion
        One of `PAIRED`; its mean over an estimator's runs is compared.
    k
        Fraction K of "precision_at_top".
    confidence
        Coverage of the intervals, each by itself; 1 - confidence is the level of the tests.
    seed
        Of the bootstrap of "precision_at_top".

    Returns
    -------
    DataFrame
        A row per pair, in the order of the estimators. Columns: first, second, n (architectures), difference (first
        less second), standard_error, low, high, p (two-sided), p_holm (adjusted for all pairs),
        significant (p_holm is at most 1 - confidence). Normal intervals: correlations with the standard error of the
        paired jackknife, precision with that of the paired bootstrap. All from standard_error on are NaN below ten
        architectures, or ten of the K best.

    Raises
    ------
    BenchsuiteError
        For input that `side_by_side` refuses, another criterion, or a confidence outside (0, 1).

    Examples
    --------
    >>> truth = pd.Series(range(12), dtype=float)
    >>> table = compare({"good": [truth], "bad": [-truth]}, truth)
    >>> table.round(3)[["first", "second", "difference", "significant"]].values.tolist()
    [['good', 'bad', 2.0, True]]
    """
    check_confidence(confidence)
    if criterion not in PAIRED:
        raise UnknownNameError("criterion for pairs", criterion, PAIRED)
    table = side_by_side(trials, truth)
    measure = partial(_by_bootstrap, k=k, seed=seed) if criterion == "precision_at_top" else _JACKKNIFED[criterion]
    measured = _measured(table, measure)
    rows = []
    for first, second in itertools.combinations(table.scores, 2):
        common = table.scored[first] & table.scored[second]
        difference = measured[first, common.tobytes()].less(measured[second, common.tobytes()])
        rows.append((first, second, int(common.sum()), *difference.test(confidence)))
    result = pd.DataFrame(rows, columns=["first", "second", "n", "difference", "standard_error", "low", "high", "p"])
    result["p_holm"] = holm(result["p"])
    result["significant"] = result["p_holm"] <= 1 - confidence
    return result


@dataclass(frozen=True, slots=True)
class _Replicated:
    """A statistic with its replicates; its sampling variance is `spread` times theirs, NaN where it is unknown."""

    value: float
    replicates: Floats
    spread: float

    def less(self, other: _Replicated) -> _Replicated:
        """The difference of two statistics, replicate by replicate, which keeps the correlation of their errors."""
        return _Replicated(self.value - other.value, self.replicates - other.replicates, self.spread)

    def test(self, confidence: float) -> tuple[float, float, float, float, float]:
        """The value, its standard error, the ends of its normal interval, and the two-sided p of its being 0."""
        error = float("nan") if np.isnan(self.spread) else float(np.sqrt(self.spread * np.var(self.replicates)))
        half = quantile_of_normal(confidence) * error
        certain = error == 0  # neither architecture nor resample changes anything
        # p = 2 (1 - Phi(|difference| / standard error))
        p = float(self.value == 0) if certain else float(2 * stats.norm.sf(abs(self.value) / error))
        return self.value, error, self.value - half, self.value + half, p


def _measured(table: SideBySide, measure: _Measure) -> dict[tuple[str, bytes], _Replicated]:
    """The criterion of every estimator on each set of architectures on which it is compared, as bytes of the mask."""
    wanted: dict[bytes, dict[str, Floats]] = defaultdict(dict)
    for pair in itertools.combinations(table.scores, 2):
        common = table.scored[pair[0]] & table.scored[pair[1]]
        for name in pair:
            wanted[common.tobytes()].setdefault(name, table.scores[name])
    found = {}
    for mask, columns in wanted.items():
        rows = np.frombuffer(mask, dtype=bool)
        measured = measure([values[:, rows] for values in columns.values()], table.truth[rows])
        found.update({(name, mask): each for name, each in zip(columns, measured, strict=True)})
    return found


def _tau(scores: Floats, truth: Floats) -> LeaveOneOut:
    return tau_b_without_each(concordance(scores, truth))


def _rho(scores: Floats, truth: Floats) -> LeaveOneOut:
    return rho_without_each(scores, truth, concordance(scores, truth))


def _by_jackknife(
    columns: Sequence[Floats], truth: Floats, *, correlation: Callable[[Floats, Floats], LeaveOneOut]
) -> list[_Replicated]:
    """Means over runs, from the runs of each estimator of shape (runs, n)."""
    spread = float(truth.size - 1) if truth.size >= FEWEST else float("nan")  # as in jackknife_error
    means = [LeaveOneOut.mean([correlation(scores, truth) for scores in runs]) for runs in columns]
    return [_Replicated(mean.value, mean.without, spread) for mean in means]


def _by_bootstrap(columns: Sequence[Floats], truth: Floats, *, k: float, seed: int) -> list[_Replicated]:
    """Means over runs of P@topK; all estimators see the same resamples."""
    count = top_count(truth.size, k)
    rankings = [[Ranking.of(scores, truth) for scores in runs] for runs in columns]
    blocks = bootstrap_weights(truth.size, BOOTSTRAPS, seed) if count >= FEWEST else ()
    replicates: list[list[Floats]] = [[] for _ in columns]
    for weights in blocks:
        for drawn, runs in zip(replicates, rankings, strict=True):
            drawn.append(np.mean([precision(each, weights, [count])[0, :, 0] for each in runs], axis=0))
    spread = 1.0 if count >= FEWEST else float("nan")
    values = [float(np.mean([precision(each, each.whole(), [count])[0] for each in runs])) for runs in rankings]
    return [
        _Replicated(value, np.concatenate([*drawn, []]), spread)
        for value, drawn in zip(values, replicates, strict=True)
    ]


_JACKKNIFED: dict[str, _Measure] = {
    "kendall_tau": partial(_by_jackknife, correlation=_tau),
    "spearman_rho": partial(_by_jackknife, correlation=_rho),
}
