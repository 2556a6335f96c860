"""Correlations of two variables, and each recomputed without every single item for jackknife intervals.

Rank correlations rank undefined values (NaN) below all others, tied; Pearson's r leaves non-finite pairs out. With a
constant, tau-b, rho and r are undefined (NaN), not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from benchsuite.analysis.concordance import Concordance, concordance
from benchsuite.analysis.ranking import average_of_dense, average_ranks, dense_ranks
from benchsuite.analysis.uncertainty import LeaveOneOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Floats, Integers

# A sum of squares this small beside its whole is rounding: what is left without one item is a constant.
ROUNDING = 1e-10


def kendall_tau(x: ArrayLike, y: ArrayLike) -> float:
    """Return Kendall's tau-b, as scipy.stats.kendalltau (Kendall, Biometrika 33, 1945).

    Parameters
    ----------
    x, y
        Two variables of the same n items; NaN ranks lowest, tied.

    Returns
    -------
    float
        tau-b in [-1, 1]; NaN if x or y is constant.

    Examples
    --------
    >>> round(kendall_tau([1, 2, 2, 3], [1, 2, 3, 4]), 4)
    0.9129
    """
    first, second = dense_ranks(x), dense_ranks(y)
    varies = first.any() and second.any()
    return float(stats.kendalltau(first, second).statistic) if varies else float("nan")


def kendall_tau_a(x: ArrayLike, y: ArrayLike) -> float:
    """Return tau-a, concordant less discordant pairs over all pairs: the formula of Ning et al. (NeurIPS 2021).

    Parameters
    ----------
    x, y
        Two variables of the same n items; NaN ranks lowest, tied.

    Returns
    -------
    float
        tau-a in [-1, 1]. A tied pair counts as zero, so that a constant has tau-a 0; NaN below two items.

    Examples
    --------
    >>> round(kendall_tau_a([1, 2, 2], [1, 2, 3]), 4)
    0.6667
    """
    return tau_a_without_each(concordance(x, y)).value


def spearman_rho(x: ArrayLike, y: ArrayLike) -> float:
    """Return Spearman's rho, Pearson's r of the average ranks, as scipy.stats.spearmanr.

    Parameters
    ----------
    x, y
        Two variables of the same n items; NaN ranks lowest, tied.

    Returns
    -------
    float
        rho in [-1, 1]; NaN if x or y is constant.

    Examples
    --------
    >>> round(spearman_rho([1, 2, 3, 4], [1, 3, 2, 4]), 4)
    0.8
    """
    return pearson_r(average_ranks(x), average_ranks(y))


def pearson_r(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's r over the pairs in which both values are finite.

    Parameters
    ----------
    x, y
        Two variables of the same n items.

    Returns
    -------
    float
        r in [-1, 1]; NaN if x or y is constant in these pairs.

    Examples
    --------
    >>> pearson_r([1, 2, float("nan"), 4], [2, 4, 0, 8])
    1.0
    """
    a, b = (_standardised(column) for column in _finite_pairs(x, y))
    return float(np.clip(_inner(a, b), -1, 1)) if a.any() and b.any() else float("nan")


def tau_b_without_each(pairs: Concordance) -> LeaveOneOut:
    """Return tau-b of all items and, exactly, without each of them.

    Parameters
    ----------
    pairs
        Pair counts of x and y, from `concordance`.

    Returns
    -------
    LeaveOneOut
        NaN where x or y is constant.

    Examples
    --------
    >>> tau_b_without_each(concordance([1, 2, 3], [1, 3, 2])).without.tolist()
    [-1.0, 1.0, 1.0]
    """
    # tau-b = (C - D) / sqrt(T_x T_y): C concordant, D discordant pairs, T_x and T_y those untied in x and in y.
    # The counts of items hold every pair twice; leaving item i out takes away its own pairs and no others.
    balance, untied_x, untied_y = (counts.sum() / 2 for counts in (pairs.balance, pairs.untied_x, pairs.untied_y))
    without_x, without_y = untied_x - pairs.untied_x, untied_y - pairs.untied_y
    value = _ratio(balance, untied_x, untied_y)
    return LeaveOneOut(float(value), _ratio(balance - pairs.balance, without_x, without_y))


def tau_a_without_each(pairs: Concordance) -> LeaveOneOut:
    """Return tau-a of all items and, exactly, without each of them.

    Parameters
    ----------
    pairs
        Pair counts of x and y, from `concordance`.

    Returns
    -------
    LeaveOneOut
        NaN where fewer than two items are left.

    Examples
    --------
    >>> tau_a_without_each(concordance([1, 2, 2], [1, 3, 2])).without.tolist()
    [0.0, 1.0, 1.0]
    """
    # tau-a = (C - D) / (n (n - 1) / 2)
    n, balance = pairs.balance.size, pairs.balance.sum() / 2
    every, left = n * (n - 1) / 2, (n - 1) * (n - 2) / 2
    return LeaveOneOut(float(_ratio(balance, every, every)), _ratio(balance - pairs.balance, left, left))


def rho_without_each(x: ArrayLike, y: ArrayLike, pairs: Concordance) -> LeaveOneOut:
    """Return Spearman's rho of all items and, exactly, without each of them and the others ranked anew.

    Parameters
    ----------
    x, y
        Two variables of the same n items; NaN ranks lowest, tied.
    pairs
        Pair counts of x and y, from `concordance`.

    Returns
    -------
    LeaveOneOut
        NaN where x or y is constant.

    Examples
    --------
    >>> x, y = [1, 2, 3, 4], [1, 3, 2, 4]
    >>> rho_without_each(x, y, concordance(x, y)).without.round(9).tolist()
    [0.5, 1.0, 1.0, 0.5]
    """
    return rho_of_ranked(Ranked.of(x), Ranked.of(y), pairs.balance)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A variable of n items, ranked for correlations with many others.

    Attributes
    ----------
    dense
        Dense ranks, shape (n,).
    centred
        Average ranks less their mean, shape (n,).
    square
        Sum of the squares of `centred`.
    squares
        The same sum without each item and the others ranked anew, shape (n,).
    """

    dense: Integers
    centred: Floats
    square: float
    squares: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> Ranked:
        """Rank a variable.

        Parameters
        ----------
        values
            Numbers, shape (n,); NaN ranks lowest, tied.

        Returns
        -------
        Ranked
            Ranks and the sums that correlations need.
        """
        dense = dense_ranks(values)
        centred = average_of_dense(dense) - (dense.size + 1) / 2
        square, untied = _inner(centred, centred), dense.size - np.bincount(dense)[dense]
        # Without item i, a_j becomes a_j - sgn(x_j - x_i) / 2. Summed over j other than i, its square is
        # S - a_i^2 - (sum of a_j over x_j > x_i less that over x_j < x_i) + (number of j not tied with i) / 4.
        return cls(dense, centred, square, square - centred**2 - _above_less_below(dense, centred) + untied / 4)


def rho_of_ranked(x: Ranked, y: Ranked, balance: ArrayLike = 0) -> LeaveOneOut:
    """Return Spearman's rho of two ranked variables, of all items and without each of them.

    Parameters
    ----------
    x, y
        Ranks of the same n items.
    balance
        The balance of their `concordance`, shape (n,). Without it, which takes most of the time, the jackknife's
        standard error is off by a relative error of order 1 / n.

    Returns
    -------
    LeaveOneOut
        NaN where x or y is constant.

    Examples
    --------
    >>> round(rho_of_ranked(Ranked.of([1, 2, 3, 4]), Ranked.of([1, 3, 2, 4])).value, 9)
    0.8
    """
    # rho = sum(a b) / sqrt(sum(a^2) sum(b^2)) of centred average ranks a and b. Without item i, a_j becomes
    # a_j - sgn(x_j - x_i) / 2 and b_j becomes b_j - sgn(y_j - y_i) / 2; the product, summed over j other than i, is
    # sum(a b) - a_i b_i - (sum of b_j sgn(x_j - x_i) + sum of a_j sgn(y_j - y_i)) / 2 + balance_i / 4.
    a, b = x.centred, y.centred
    above = _above_less_below(x.dense, b) + _above_less_below(y.dense, a)
    product = _inner(a, b) - a * b - above / 2 + np.asarray(balance) / 4
    return LeaveOneOut(float(_ratio(_inner(a, b), x.square, y.square)), _ratio(product, x.squares, y.squares))


def pearson_without_each(x: ArrayLike, y: ArrayLike) -> LeaveOneOut:
    """Return Pearson's r over the finite pairs and, exactly, without each of them.

    Parameters
    ----------
    x, y
        Two variables of the same n items.

    Returns
    -------
    LeaveOneOut
        As many values as there are finite pairs; NaN where one item carries the whole spread, because what is left
        without it is a constant.

    Examples
    --------
    >>> pearson_without_each([1, 2, 3, 4], [1, 2, 3, 0]).without.round(9).tolist()
    [-0.654653671, -0.142857143, -0.654653671, 1.0]
    """
    first, second = _finite_pairs(x, y)
    a, b = _standardised(first), _standardised(second)
    # sum over j other than i of (a_j - mean)(b_j - mean), with the mean of those left: sum(a b) - n / (n - 1) a_i b_i
    factor = a.size / max(a.size - 1, 1)
    squares = (_inner(column, column) - factor * column * column for column in (a, b))
    square_a, square_b = (np.where(square > ROUNDING, square, 0.0) for square in squares)
    return LeaveOneOut(pearson_r(first, second), _ratio(_inner(a, b) - factor * a * b, square_a, square_b))


def partial_correlation(between: Floats, first: Floats, second: Floats) -> Floats:
    """Return the correlation of two variables given a third.

    Parameters
    ----------
    between
        Correlation of the two variables.
    first, second
        Correlation of each of them with the third, of shapes that broadcast.

    Returns
    -------
    array
        Partial correlations in [-1, 1]; NaN where the third variable explains one of the others completely.

    Examples
    --------
    >>> partial_correlation(np.array([0.5, 0.5]), np.array([0.5, 1.0]), np.array([0.5, 0.5])).round(3).tolist()
    [0.333, nan]
    """
    # r_xy.z = (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2))
    left = np.minimum(1 - first**2, 1 - second**2)
    scale = np.sqrt(np.maximum(1 - first**2, 0) * np.maximum(1 - second**2, 0))
    product = between - first * second
    partial: Floats = np.divide(product, scale, out=np.full_like(product, np.nan), where=left > ROUNDING)
    return partial.clip(-1, 1)


def partial_without_each(between: LeaveOneOut, first: LeaveOneOut, second: LeaveOneOut) -> LeaveOneOut:
    """Return the partial correlation of two variables given a third, of all items and without each of them.

    Parameters
    ----------
    between
        Correlation of the two variables.
    first, second
        Correlation of each of them with the third.

    Returns
    -------
    LeaveOneOut
        As `partial_correlation`, NaN where nothing is left to explain.

    Examples
    --------
    >>> half = LeaveOneOut(0.5, np.array([0.5, 0.0]))
    >>> partial_without_each(half, half, half).without.round(3).tolist()
    [0.333, 0.0]
    """
    partial = partial_correlation(*(np.append(each.without, each.value) for each in (between, first, second)))
    return LeaveOneOut(float(partial[-1]), partial[:-1])


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
