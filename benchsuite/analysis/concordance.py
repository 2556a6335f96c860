"""Pair counts: with how many others each item is ordered the same way by two variables, in O(n log n), ties exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchsuite.analysis.ranking import dense_ranks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from benchsuite.core.arrays import Integers


@dataclass(frozen=True, slots=True)
class Concordance:
    """Pair counts of each of n items against the n - 1 others.

    Attributes
    ----------
    balance
        Number of concordant minus number of discordant pairs, shape (n,).
    untied_x, untied_y
        Number of pairs that differ in x, and in y, shape (n,).
    """

    balance: Integers
    untied_x: Integers
    untied_y: Integers


def concordance(x: ArrayLike, y: ArrayLike) -> Concordance:
    """Count the concordant minus the discordant pairs of every item, and its untied pairs.

    Parameters
    ----------
    x, y
        Two variables of the same n items; NaN ranks below all other values, tied.

    Returns
    -------
    Concordance
        Counts of each item; tau-a, tau-b and their jackknife follow from them.

    Notes
    -----
    The balance of item i is the sum over j of sgn(x_i - x_j) sgn(y_i - y_j). With [c] = 1 if c holds and 0 otherwise,
    sgn(x_i - x_j) = [x_j < x_i] + [x_j <= x_i] - 1, and likewise for y. Multiplied out and summed over all n items j,
    i itself included, this is

        4 L + 2 e + 2 f + g + n - (number below + number below or tied, in x) - (the same in y)

    where of the items j, L are below i in both, e tied in x and below in y, f below in x and tied in y, and g tied in
    both. Only L needs a sort of both variables; e, f and g follow from dense ranks of the pairs (x, y) and (y, x).

    Examples
    --------
    >>> concordance([1, 2, 3], [1, 3, 2]).balance.tolist()
    [2, 0, 0]
    """
    first, second = dense_ranks(x), dense_ranks(y)
    below_x, upto_x = _below_and_upto(first)
    below_y, upto_y = _below_and_upto(second)
    width, n = int(second.max(initial=0)) + 1, first.size
    both = 4 * _below_in_both(first, second)  # 4 L
    less, _ = _below_and_upto(np.unique(first * width + second, return_inverse=True)[1])
    tied_x_below_y = less - below_x  # e: below i in the order of the pairs (x, y), but not in x
    height = int(first.max(initial=0)) + 1
    less, upto = _below_and_upto(np.unique(second * height + first, return_inverse=True)[1])
    both += 2 * tied_x_below_y + 2 * (less - below_y) + (upto - less)  # 2 e + 2 f + g
    return Concordance(both + n - below_x - upto_x - below_y - upto_y, n - (upto_x - below_x), n - (upto_y - below_y))


def _below_and_upto(dense: Integers) -> tuple[Integers, Integers]:
    """For each item the number of items below it, and below or tied with it."""
    sizes = np.bincount(dense)
    upto = np.cumsum(sizes)
    return (upto - sizes)[dense], upto[dense]


def _below_in_both(x: Integers, y: Integers) -> Integers:
    """For each item the number of items with smaller x and smaller y."""
    # Among equal x the larger y comes first, so that an earlier item with a smaller y has a smaller x too.
    order = np.argsort(x * (int(y.max(initial=0)) + 1) - y)
    counts = np.empty(x.size, dtype=np.int64)
    counts[order] = _earlier_and_smaller(y[order])
    return counts


def _earlier_and_smaller(values: Integers) -> Integers:
    """For each position the number of earlier positions with a smaller value; values are dense ranks.

    A radix sort from the highest bit: inside a bucket of equal higher bits, in the original order, every earlier item
    whose bit is 0 is smaller than an item whose bit is 1.
    """
    n = values.size
    below = np.concatenate([[0], np.cumsum(np.bincount(values))])
    item: Integers = np.arange(n)
    counts = np.zeros(n, dtype=np.int64)
    for bit in reversed(range(int(values.max(initial=0)).bit_length())):
        bucket = below[values >> (bit + 1) << (bit + 1)]  # where the bucket of equal higher bits begins
        ones = (values >> bit & 1).astype(bool)
        zeros_before = np.concatenate([[0], np.cumsum(~ones)])
        smaller = zeros_before[:-1] - zeros_before[bucket]
        counts[item[ones]] += smaller[ones]
        rank = np.where(ones, np.arange(n) - bucket - smaller, smaller)
        position = below[values >> bit << bit] + rank
        item, values = _moved(item, position), _moved(values, position)
    return counts


def _moved(values: Integers, position: Integers) -> Integers:
    moved = np.empty_like(values)
    moved[position] = values
    return moved
