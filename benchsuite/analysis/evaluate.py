"""All criteria of one estimator against the ground truth, each with its interval: `evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from benchsuite.analysis.align import aligned, arrays
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import (
    CORRELATIONS,
    pearson_without_each,
    rho_without_each,
    tau_a_without_each,
    tau_b_without_each,
)
from benchsuite.analysis.extremes import extremes
from benchsuite.analysis.precision import precision
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.resampling import BOOTSTRAPS, HALVES, bootstrap_weights, percentile_interval, random_halves
from benchsuite.analysis.top_k import FRACTIONS, top_count
from benchsuite.analysis.uncertainty import FEWEST, UNKNOWN, Interval, check_confidence, correlation_interval
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.core.arrays import Floats


Undefined = Literal["worst", "drop"]
PRECISIONS = ("precision_at_top", "precision_at_bottom")
EXTREMES = ("best_rank_at", "worst_rank_at", "regret_at")
CRITERIA: tuple[str, ...] = (*CORRELATIONS, *PRECISIONS, *EXTREMES)

_JACKKNIFE = "jackknife over architectures, on Fisher's scale"
_BOOTSTRAP = f"percentiles of {BOOTSTRAPS} bootstrap samples of the architectures; hidden where k < {FEWEST}"
_HALF = f"range over the whole and {HALVES} random halves of the architectures, no confidence interval"
# How the interval of each criterion was made: a caption must say it.
INTERVALS: dict[str, str] = {
    **dict.fromkeys(CORRELATIONS, _JACKKNIFE),
    **dict.fromkeys(PRECISIONS, _BOOTSTRAP),
    "best_rank_at": f"{_HALF}, scaled to the whole; hidden where k < {FEWEST}",
    "worst_rank_at": f"{_HALF}; hidden where k < {FEWEST}",
    "regret_at": f"{_HALF}; hidden where k < {FEWEST}",
}


def criteria() -> list[str]:
    """Return the names of all criteria, in the order in which `evaluate` lists them.

    Examples
    --------
    >>> criteria()[:2]
    ['kendall_tau', 'kendall_tau_a']
    """
    return list(CRITERIA)


class Row(NamedTuple):
    """One line of the table that `evaluate` returns; its names are the columns."""

    criterion: str
    k: float
    value: float
    low: float
    high: float
    n: int
    n_undefined: int


def evaluate(
    scores: pd.Series[float],
    truth: pd.Series[float],
    *,
    undefined: Undefined = "worst",
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Judge scores by ground truth: every criterion with its interval, a row per criterion and K.

    Parameters
    ----------
    scores
        Scores by architecture, higher is better; NaN = undefined, infinite values are ordered.
    truth
        Ground truth by architecture, higher is better, finite.
    undefined
        "worst" ranks undefined scores below all others, tied; "drop" leaves their architectures out.
    confidence
        Coverage of the intervals.
    seed
        Of the resamples; two estimators on the same architectures see the same resamples.

    Returns
    -------
    DataFrame
        Columns: criterion, k (the fraction K; NaN for correlations), value, low, high, n (architectures behind the
        value: those with a finite score for pearson_r), n_undefined (NaN scores among the joined ones). Ends are NaN
        where too few architectures are behind a value. ``attrs``: n_dropped (scores without ground truth), n_unscored
        (ground truth without score), intervals (method by criterion).

    Raises
    ------
    BenchsuiteError
        If an argument is not a Series of numbers, repeats an architecture or is not finite where it must be, if scores
        and truth have no architecture in common, or for an option that is not allowed.

    Notes
    -----
    Definitions: Ning et al., "Evaluating Efficient Performance Estimators of Neural Architectures", NeurIPS 2021
    (arXiv 2008.03064); regret is not among them.

    Examples
    --------
    >>> truth = pd.Series({"a": 90.0, "b": 91.0, "c": 92.0, "d": 93.0})
    >>> table = evaluate(pd.Series({"a": 1.0, "b": 3.0, "c": 2.0, "d": 4.0}), truth)
    >>> print(round(table.set_index("criterion").loc["kendall_tau", "value"], 3))
    0.667
    """
    check_confidence(confidence)
    if undefined not in get_args(Undefined):
        raise BenchsuiteError(f"undefined = {undefined!r}; must be 'worst' or 'drop'")
    table = aligned(scores, truth)
    n_undefined = int(table["scores"].isna().sum())
    used, known = arrays(table.dropna() if undefined == "drop" else table)
    rows = [*_correlations(used, known, confidence), *_ends(used, known, confidence, seed)]
    result = pd.DataFrame([row._replace(n_undefined=n_undefined) for row in rows], columns=list(Row._fields))
    result.attrs = {**table.attrs, "intervals": INTERVALS}
    return result


def _correlations(scores: Floats, truth: Floats, confidence: float) -> Iterator[Row]:
    pairs = concordance(scores, truth)
    statistics = {
        "kendall_tau": tau_b_without_each(pairs),
        "kendall_tau_a": tau_a_without_each(pairs),
        "spearman_rho": rho_without_each(scores, truth, pairs),
        "pearson_r": pearson_without_each(scores, truth),
    }
    for criterion, each in statistics.items():
        interval = correlation_interval(each, confidence)
        yield Row(criterion, np.nan, each.value, *interval, each.without.size, 0)


def _ends(scores: Floats, truth: Floats, confidence: float, seed: int) -> Iterator[Row]:
    ranking = Ranking.of(scores, truth)
    counts = [top_count(ranking.size, fraction) for fraction in FRACTIONS]
    values = np.concatenate([part(ranking, ranking.whole(), counts)[:, 0] for part in (precision, extremes)])
    intervals = _intervals(ranking, confidence, seed)
    for criterion, at_fractions in zip((*PRECISIONS, *EXTREMES), values, strict=True):
        for fraction, value in zip(FRACTIONS, at_fractions, strict=True):
            low, high = intervals.get((criterion, fraction), UNKNOWN)
            ends = min(low, float(value)), max(high, float(value))  # halves are often worse than the whole
            yield Row(criterion, fraction, float(value), *ends, ranking.size, 0)


def _intervals(ranking: Ranking, confidence: float, seed: int) -> dict[tuple[str, float], Interval]:
    """Intervals by criterion and K, for the K that reach enough architectures."""
    shown = [fraction for fraction in FRACTIONS if top_count(ranking.size, fraction) >= FEWEST]
    if not shown:
        return {}
    replicates = [*bootstrapped_precision(ranking, shown, seed), *halved_extremes(ranking, shown, seed)]
    return {
        (criterion, fraction): percentile_interval(draws, confidence)
        for criterion, columns in zip((*PRECISIONS, *EXTREMES), replicates, strict=True)
        for fraction, draws in zip(shown, columns.T, strict=True)
    }


def bootstrapped_precision(ranking: Ranking, fractions: list[float], seed: int) -> Floats:
    """Return P@top and P@bottom of bootstrap samples.

    Parameters
    ----------
    ranking
        The architectures.
    fractions
        Values of K.
    seed
        Of the samples.

    Returns
    -------
    array
        Shape (2, draws, len(fractions)).
    """
    counts = [top_count(ranking.size, fraction) for fraction in fractions]
    blocks = bootstrap_weights(ranking.size, BOOTSTRAPS, seed)
    return np.concatenate([precision(ranking, weights, counts) for weights in blocks], axis=1)


def halved_extremes(ranking: Ranking, fractions: list[float], seed: int) -> Floats:
    """Return BR, WR and regret of random halves, at the same fractions of each half.

    The best rank among the k best-scored, counted in architectures, hardly depends on the size of the sample, so that
    BR, which is divided by the size, is scaled from the half to the whole: BR (n // 2) / n. WR and regret have no such
    rate and stay as they are.

    Parameters
    ----------
    ranking
        The architectures.
    fractions
        Values of K.
    seed
        Of the halves.

    Returns
    -------
    array
        Shape (3, draws, len(fractions)).
    """
    half = ranking.size // 2
    counts = [top_count(half, fraction) for fraction in fractions]
    blocks = random_halves(ranking.size, HALVES, seed)
    found = np.concatenate([extremes(ranking, kept, counts) for kept in blocks], axis=1)
    found[0] *= half / ranking.size
    return found
