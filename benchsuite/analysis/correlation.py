"""Correlations of two variables, and each recomputed without every single item for jackknife intervals.

The rank correlations rank undefined values (NaN) below all others, tied; Pearson leaves non-finite pairs out. With a
constant, tau-b, rho and Pearson are undefined (NaN), never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from benchsuite.analysis.concordance import Concordance, concordance
from benchsuite.analysis.ranking import average_of_dense, average_ranks, dense_ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Floats, Integers


# A sum of squares this small beside its whole is rounding: what is left without one item is a constant.
ROUNDING = 1e-10


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """A figure on all n items, and the same figure without each of them in turn (shape (n,))."""

    value: float
    without: Floats


def mean_figure(figures: Sequence[LeaveOneOut]) -> LeaveOneOut:
    """Mean of a figure over trials, such as seeds, on the same items; at least one.

    >>> mean_figure([LeaveOneOut(0.5, np.zeros(2)), LeaveOneOut(1.0, np.ones(2))])
    LeaveOneOut(value=0.75, without=array([0.5, 0.5]))
    """
    mean = float(np.mean([each.value for each in figures]))
    return LeaveOneOut(mean, np.mean([each.without for each in figures], axis=0))


def kendall_tau(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau-b in [-1, 1], as scipy.stats.kendalltau; NaN if x or y is constant (Kendall 1945).

    >>> round(kendall_tau([1, 2, 2, 3], [1, 2, 3, 4]), 4)
    0.9129
    """
    first, second = dense_ranks(x), dense_ranks(y)
    varies = first.any() and second.any()
    return float(stats.kendalltau(first, second).statistic) if varies else float("nan")


def kendall_tau_a(x: ArrayLike, y: ArrayLike) -> float:
    """Concordant less discordant pairs over all pairs: the formula of Ning et al. (NeurIPS 2021), arXiv 2008.03064.

    A tied pair counts as zero, so that a constant has tau-a 0; NaN below two items.

    >>> round(kendall_tau_a([1, 2, 2], [1, 2, 3]), 4)
    0.6667
    """
    return tau_a_without_each(concordance(x, y)).value


def spearman_rho(x: ArrayLike, y: ArrayLike) -> float:
    """Pearson correlation of the average ranks, as scipy.stats.spearmanr; NaN if x or y is constant.

    >>> round(spearman_rho([1, 2, 3, 4], [1, 3, 2, 4]), 4)
    0.8
    """
    return pearson_r(average_ranks(x), average_ranks(y))


def pearson_r(x: ArrayLike, y: ArrayLike) -> float:
    """Pearson correlation over the pairs in which both values are finite; NaN if x or y is constant there.

    >>> pearson_r([1, 2, float("nan"), 4], [2, 4, 0, 8])
    1.0
    """
    a, b = (_standardised(column) for column in _finite_pairs(x, y))
    return float(np.clip(_inner(a, b), -1, 1)) if a.any() and b.any() else float("nan")


def tau_b_without_each(pairs: Concordance) -> LeaveOneOut:
    """tau-b, exact without each item: leaving an item out takes away its own pairs and no others."""
    balance, untied_x, untied_y = (counts.sum() / 2 for counts in (pairs.balance, pairs.untied_x, pairs.untied_y))
    without_x, without_y = untied_x - pairs.untied_x, untied_y - pairs.untied_y
    value = _ratio(balance, untied_x, untied_y)
    return LeaveOneOut(float(value), _ratio(balance - pairs.balance, without_x, without_y))


def tau_a_without_each(pairs: Concordance) -> LeaveOneOut:
    """tau-a with the exact values without each item; NaN where fewer than two items are left."""
    n, balance = pairs.balance.size, pairs.balance.sum() / 2
    value = _ratio(balance, _pairs_of(n), _pairs_of(n))
    return LeaveOneOut(float(value), _ratio(balance - pairs.balance, _pairs_of(n - 1), _pairs_of(n - 1)))


def rho_without_each(x: ArrayLike, y: ArrayLike, pairs: Concordance) -> LeaveOneOut:
    """Spearman's rho with the exact values without each item, ranks anew: `pairs` is the concordance of x and y.

    Without item i, the centred rank a_j of item j loses sgn(x_j - x_i) / 2; products of such ranks sum to known sums of
    a and b over the items above and below i and to the balance of its pairs.
    """
    return rho_of_ranked(Ranked.of(x), Ranked.of(y), pairs.balance)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A column ranked for correlations with many others: dense and centred average ranks, shape (n,).

    `square` is the sum of the squared centred ranks, `squares` the same without each item, ranked anew.
    """

    dense: Integers
    centred: Floats
    square: float
    squares: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> Ranked:
        """The ranks of a column."""
        dense = dense_ranks(values)
        centred = average_of_dense(dense) - (dense.size + 1) / 2
        square, untied = _inner(centred, centred), dense.size - np.bincount(dense)[dense]
        return cls(dense, centred, square, square - centred**2 - _above_less_below(dense, centred) + untied / 4)


def rho_of_ranked(x: Ranked, y: Ranked, balance: ArrayLike = 0) -> LeaveOneOut:
    """Spearman's rho of two ranked columns with the values without each item.

    These are exact with the balance of the columns' `concordance`; without it, which takes most of the time, their
    deviation is wrong by no more than a part in the number of items.
    """
    a, b = x.centred, y.centred
    above = _above_less_below(x.dense, b) + _above_less_below(y.dense, a)
    product = _inner(a, b) - a * b - above / 2 + np.asarray(balance) / 4
    return LeaveOneOut(float(_ratio(_inner(a, b), x.square, y.square)), _ratio(product, x.squares, y.squares))


def pearson_without_each(x: ArrayLike, y: ArrayLike) -> LeaveOneOut:
    """Pearson's r over the finite pairs with the exact values without each of them.

    The value is NaN where one item carries the whole spread: what is left without it is a constant.
    """
    first, second = _finite_pairs(x, y)
    a, b = _standardised(first), _standardised(second)
    factor = a.size / max(a.size - 1, 1)  # leaving one out moves the mean too
    squares = (_inner(column, column) - factor * column * column for column in (a, b))
    square_a, square_b = (np.where(square > ROUNDING, square, 0.0) for square in squares)
    return LeaveOneOut(pearson_r(first, second), _ratio(_inner(a, b) - factor * a * b, square_a, square_b))


def partial_correlation(between: Floats, first: Floats, second: Floats) -> Floats:
    """Correlation between two variables given a third, from those of each with it; NaN where nothing is left.

    >>> partial_correlation(np.array([0.5, 0.5]), np.array([0.5, 1.0]), np.array([0.5, 0.5])).round(3).tolist()
    [0.333, nan]
    """
    left = np.minimum(1 - first**2, 1 - second**2)
    scale = np.sqrt(np.maximum(1 - first**2, 0) * np.maximum(1 - second**2, 0))
    product = between - first * second
    partial: Floats = np.divide(product, scale, out=np.full_like(product, np.nan), where=left > ROUNDING)
    return partial.clip(-1, 1)


def partial_without_each(between: LeaveOneOut, first: LeaveOneOut, second: LeaveOneOut) -> LeaveOneOut:
    """Partial correlation from the three correlations, with all items and without each."""
    partial = partial_correlation(*(np.append(figure.without, figure.value) for figure in (between, first, second)))
    return LeaveOneOut(float(partial[-1]), partial[:-1])


def _pairs_of(n: int) -> float:
    return n * (n - 1) / 2


def _ratio(product: ArrayLike, square_x: ArrayLike, square_y: ArrayLike) -> Floats:
    """Product over the root of two sums of squares, within [-1, 1]; NaN where a square is not positive."""
    scale = np.sqrt(np.maximum(square_x, 0)) * np.sqrt(np.maximum(square_y, 0))
    undefined = np.full(np.broadcast(product, scale).shape, np.nan)
    ratio: Floats = np.divide(product, scale, out=undefined, where=scale > 0)
    return np.clip(ratio, -1, 1)


def _finite_pairs(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    both = np.isfinite(first) & np.isfinite(second)
    return first[both], second[both]


def _standardised(values: Floats) -> Floats:
    """Values less their mean, of unit norm; zeros for a constant. Scaled first, so that no square overflows."""
    if values.size == 0 or values.min() == values.max():
        return np.zeros_like(values)
    scaled = values / np.abs(values).max()
    centred = scaled - scaled.mean()
    centred /= np.abs(centred).max()
    unit: Floats = centred / np.sqrt(_inner(centred, centred))
    return unit


def _above_less_below(dense: Integers, weights: Floats) -> Floats:
    """For each item the sum of weights over the items with a higher dense rank less that over those with a lower."""
    of_rank = np.bincount(dense, weights).astype(np.float64)  # integers where there is no item
    upto = np.cumsum(of_rank)
    difference: Floats = (upto[-1:] - 2 * upto + of_rank)[dense]
    return difference


def _inner(a: Floats, b: Floats) -> float:
    """Inner product in one thread: for columns as short as these, starting several takes longer than all the work."""
    return float(np.add.reduce(a * b))


CORRELATIONS: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "kendall_tau": kendall_tau,
    "kendall_tau_a": kendall_tau_a,
    "spearman_rho": spearman_rho,
    "pearson_r": pearson_r,
}
