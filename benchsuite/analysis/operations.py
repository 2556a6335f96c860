"""Bias by operation: whether an estimator over-estimates one operation against another.

Pairs of architectures that differ in exactly one operation tell what that operation is worth: in which share of them
the ground truth rises with the exchange, and in which the score does. A score that rises more often over-estimates the
operation that comes in. After Ning et al., "Evaluating Efficient Performance Estimators of Neural Architectures",
NeurIPS 2021, arXiv 2008.03064.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import aligned, arrays
from benchsuite.analysis.ranking import dense_ranks
from benchsuite.analysis.uncertainty import FEWEST, LeaveOneOut, check_confidence, mean_interval
from benchsuite.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from benchsuite.core.arrays import Floats, Integers

_COLUMNS = ["group", "before", "after", "n", "truth_rises", "score_rises", "bias", "bias_low", "bias_high"]


def single_operation_pairs(operations: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Find all pairs of architectures that differ in exactly one operation, in O(n log n) for each position.

    Parameters
    ----------
    operations
        The operation at each position, by architecture.

    Returns
    -------
    DataFrame
        A row per pair. Columns: first, second (architectures), position, before, after (operations, in alphabetical
        order); all but the position are categories.

    Raises
    ------
    UnsupportedError
        If two architectures have the same operations, as where they differ in edges too.

    Examples
    --------
    >>> pairs = single_operation_pairs({"a": ("conv", "conv"), "b": ("conv", "skip"), "c": ("pool", "skip")})
    >>> pairs.values.tolist()
    [['b', 'c', 0, 'conv', 'pool'], ['a', 'b', 1, 'conv', 'skip']]
    """
    names = list(operations)
    words, codes = _coded(list(operations.values()))
    parts = []
    for position in range(codes.shape[1]):
        first, second = _equal_pairs(np.delete(codes, position, axis=1))
        before, after = codes[first, position], codes[second, position]
        swap, real = before > after, (before > 0) & (after > 0)
        columns = {
            "first": np.where(swap, second, first),
            "second": np.where(swap, first, second),
            "position": position,
            "before": np.minimum(before, after),
            "after": np.maximum(before, after),
        }
        parts.append(pd.DataFrame(columns)[real])
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    for name, labels in {"first": names, "second": names, "before": words, "after": words}.items():
        table[name] = pd.Categorical.from_codes(table[name].to_numpy(dtype=np.int64), pd.Index(labels))
    return table


def operation_bias(
    scores: pd.Series[float],
    truth: pd.Series[float],
    pairs: pd.DataFrame,
    *,
    groups: pd.Series[int] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return how often ground truth and score rise when one operation is replaced by another.

    Parameters
    ----------
    scores
        Scores by architecture; NaN = undefined, ranked worst.
    truth
        Ground truth by architecture, finite.
    pairs
        Pairs from `single_operation_pairs`; those with an architecture that lacks score or ground truth do not count.
    groups
        A number from 1 by architecture, such as its complexity group; a pair is in a group if both of its ends are.
    confidence
        Coverage of the intervals, by the jackknife over architectures: leaving one out leaves out all of its pairs.

    Returns
    -------
    DataFrame
        A row per exchange, over all pairs (group 0) and within each group. Columns: group, before, after, n (pairs),
        truth_rises and score_rises (shares of the pairs, ties half), bias (score_rises less truth_rises: positive =
        `after` is over-estimated relative to `before`), bias_low, bias_high (NaN for fewer than ten pairs, and if all
        pairs say the same).

    Raises
    ------
    BenchsuiteError
        For input that `aligned` refuses, or a confidence outside (0, 1).

    Examples
    --------
    >>> pairs = single_operation_pairs({"a": ["pool"], "b": ["skip"]})
    >>> table = operation_bias(pd.Series({"a": 1.0, "b": 2.0}), pd.Series({"a": 90.0, "b": 80.0}), pairs)
    >>> table[["before", "after", "truth_rises", "score_rises", "bias"]].values.tolist()
    [['pool', 'skip', 0.0, 1.0, 1.0]]
    """
    check_confidence(confidence)
    table = aligned(scores, truth)
    first, second = (_positions(pairs[end], table.index) for end in ("first", "second"))
    there = (first >= 0) & (second >= 0)
    first, second = first[there], second[there]
    exchanges, code = _numbered(pairs[there])
    rises = [_rises(dense_ranks(column), first, second) for column in arrays(table)[::-1]]
    group = (pd.Series(0, table.index) if groups is None else groups).reindex(table.index).fillna(0).to_numpy()
    rows, numbers, at = _in_groups(group[first], group[second])
    kinds = exchanges.loc[np.tile(exchanges.index, numbers.size)].assign(group=np.repeat(numbers, len(exchanges)))
    ends = np.array([first[rows], second[rows]])
    within = [column[rows] for column in rises]
    return _shares(at * len(exchanges) + code[rows], ends, within, kinds, len(table), confidence)[_COLUMNS]


def _in_groups(first: NDArray[np.integer], second: NDArray[np.integer]) -> tuple[Integers, Integers, Integers]:
    """Pairs (every one, then once more those within a group), the groups from 0 = all, and where each pair's stands.

    `first` and `second` are the groups of the two ends, 0 = none.
    """
    inside = np.flatnonzero((first == second) & (first > 0))
    rows = np.concatenate([np.arange(first.size), inside])
    groups = np.concatenate([np.zeros(first.size, dtype=np.int64), first[inside]]).astype(np.int64)
    numbers, at = np.unique(groups, return_inverse=True)
    return rows, numbers, at


def _coded(choices: list[Sequence[str]]) -> tuple[list[str], Integers]:
    """Words in alphabetical order after an empty one, and their numbers, shape (n, positions), 0 where none is."""
    if len({tuple(each) for each in choices}) < len(choices):
        raise UnsupportedError(
            "some of these architectures have the same operations and differ in edges; no pair differs in one only"
        )
    words = ["", *sorted({word for each in choices for word in each})]
    number = {word: position for position, word in enumerate(words)}
    length = max(map(len, choices), default=0)
    codes = [[number[word] for word in each] + [0] * (length - len(each)) for each in choices]
    return words, np.array(codes, dtype=np.int64).reshape(len(codes), length)


def _equal_pairs(rows: Integers) -> tuple[Integers, Integers]:
    """Numbers of all pairs of equal rows: sorted by content, equal rows are neighbours 1, 2, ... apart."""
    group = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(group, kind="stable")
    ordered, found = group[order], [np.empty((2, 0), dtype=np.int64)]
    for shift in range(1, int(np.bincount(group).max(initial=1))):
        same = np.flatnonzero(ordered[shift:] == ordered[:-shift])
        found.append(np.array([order[same], order[same + shift]]))
    first, second = np.concatenate(found, axis=1)
    return first, second


def _positions(labels: pd.Series, index: pd.Index) -> Integers:
    """Where each of the categories' labels stands in an index, -1 where it does not."""
    positions: Integers = index.get_indexer(labels.cat.categories)[labels.cat.codes].astype(np.int64)
    return positions


def _numbered(pairs: pd.DataFrame) -> tuple[pd.DataFrame, Integers]:
    """The distinct exchanges, one row each, and the number of each pair's."""
    words = pairs["before"].cat.categories
    both = pairs["before"].cat.codes.to_numpy(dtype=np.int64) * len(words) + pairs["after"].cat.codes
    known, number = np.unique(both, return_inverse=True)
    before, after = (words[part] for part in np.divmod(known, len(words)))
    return pd.DataFrame({"before": before, "after": after}), number


def _rises(ranks: Integers, first: Integers, second: Integers) -> Floats:
    """1 where the second end of a pair ranks higher, 1/2 where both are tied, 0 otherwise."""
    rises: Floats = (np.sign(ranks[second] - ranks[first]) + 1) / 2
    return rises


def _shares(
    code: Integers, ends: Integers, rises: list[Floats], kinds: pd.DataFrame, n: int, confidence: float
) -> pd.DataFrame:
    """The kinds of pairs with n, truth_rises, score_rises, bias and its interval; `code` is the kind of each pair.

    Kinds without a pair are left out. Few pairs, and pairs that all say the same, show no spread to estimate.
    """
    number = len(kinds)
    pairs = np.bincount(code, minlength=number)
    shares = [_ratio(np.bincount(code, column, minlength=number), pairs) for column in rises]
    # bias = sum over pairs of (score rises - truth rises) / pairs; without architecture i, the sum and the number lose
    # those of the pairs that i is an end of
    excess = rises[1] - rises[0]
    total = np.bincount(code, excess, minlength=number)
    members = sum(np.bincount(end, minlength=number * n).reshape(number, n) for end in code * n + ends)
    of_each = sum(np.bincount(end, excess, minlength=number * n).reshape(number, n) for end in code * n + ends)
    without = _ratio(total[:, None] - of_each, pairs[:, None] - members)
    bias = shares[1] - shares[0]
    low, high = (np.full(number, np.nan) for _ in range(2))
    for i in np.flatnonzero((pairs >= FEWEST) & (without.min(axis=1) < without.max(axis=1))):
        low[i], high[i] = mean_interval(LeaveOneOut(float(bias[i]), without[i]), confidence)
    columns = {"n": pairs, "truth_rises": shares[0], "score_rises": shares[1], "bias": bias}
    return kinds.assign(**columns, bias_low=low, bias_high=high)[pairs > 0].reset_index(drop=True)


def _ratio(total: NDArray[np.floating | np.integer], number: Integers) -> Floats:
    ratio: Floats = np.divide(total, number, out=np.full(total.shape, np.nan), where=np.asarray(number) > 0)
    return ratio
