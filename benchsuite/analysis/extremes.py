"""Best and worst true rank among the k best-scored architectures, and the regret, as exact expectations under ties.

Two independent lots are drawn: which of the equally scored architectures at the cut are among the k, and the order of
equally true ones. The first is a hypergeometric draw; of j architectures placed at random among s places, the first is
expected at place (s + 1) / (j + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from benchsuite.analysis.ranking import cumulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchsuite.analysis.ranking import Ranking

    Floats = NDArray[np.float64]
    Integers = NDArray[np.integer]

NEGLIGIBLE = -42.0  # logarithm of a probability that no sum in double precision notices


def extremes(ranking: Ranking, kept: NDArray[np.integer], counts: Sequence[int]) -> Floats:
    """BR and WR (ranks divided by m) and regret of subsamples of m architectures: shape (3, b, len(counts)).

    `kept` has shape (b, n): 1 for a row of the input that is in the subsample, 0 otherwise, equally many in each. NaN
    where k < 1.
    """
    figures = np.full((3, kept.shape[0], len(counts)), np.nan)
    wanted = [(column, k) for column, k in enumerate(counts) if k >= 1]
    if wanted:
        samples = _Samples.of(ranking, kept, max(k for _, k in wanted))
        for column, k in wanted:
            figures[:, :, column] = _of_best_scored(samples, k)
    return figures


@dataclass(frozen=True, slots=True)
class _Samples:
    """b subsamples of `size` architectures, the best-scored of each, best first; arrays of shape (b, width).

    An architecture's places by truth inside its subsample are start..end - 1; `level` numbers the distinct scores. The
    width reaches over the equal scores at the largest k. `best` is the highest truth of each whole subsample.
    """

    size: int
    best: Floats
    start: Integers
    end: Integers
    truth: Floats
    level: Integers

    @classmethod
    def of(cls, ranking: Ranking, kept: NDArray[np.integer], k: int) -> _Samples:
        members, by_score = kept.T[ranking.rows], kept.T[ranking.rows_by_score]
        chosen = np.array([np.flatnonzero(row) for row in np.ascontiguousarray(by_score.T)])
        size = chosen.shape[1]
        tied_until = ranking.score_end[ranking.by_score[chosen[:, k - 1]]]
        width = max(np.searchsorted(row, end) for row, end in zip(chosen, tied_until, strict=True))
        items = ranking.by_score[chosen[:, : max(width, k + 1)]]
        places = np.ascontiguousarray(cumulated(members).T)
        start, end = (np.take_along_axis(places, at[items], axis=1) for at in (ranking.truth_start, ranking.truth_end))
        best = ranking.truth[np.argmax(members, axis=0)]
        return cls(size, best, start, end, ranking.truth[items], ranking.score_start[items])

    def split_at(self, k: int) -> Integers:
        """Subsamples in which equal scores straddle the cut after k."""
        if k == self.size:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(self.level[:, k - 1] == self.level[:, k])


def _of_best_scored(samples: _Samples, k: int) -> Floats:
    """BR, WR and regret at k of every subsample: shape (3, b)."""
    size, start, end = samples.size, samples.start[:, :k], samples.end[:, :k]
    best, worst = _first_place(start, end), _first_place(size - end, size - start)
    regret = samples.best - samples.truth[:, :k].max(axis=1)
    for row in samples.split_at(k):
        best[row], worst[row], regret[row] = _of_lots(samples, int(row), k)
    return np.stack([best / size, (size + 1 - worst) / size, regret])


def _first_place(start: Integers, end: Integers) -> Floats:
    """Expected first place (from 1) that any of the items takes, for every subsample."""
    first, last = start.min(axis=1), end.min(axis=1)
    rivals = np.count_nonzero(start == first[:, None], axis=1)
    place: Floats = first + (last - first + 1) / (rivals + 1)
    return place


def _of_lots(samples: _Samples, row: int, k: int) -> tuple[float, float, float]:
    """Expected first place from the best, from the worst, and regret, where lots decide who is among the k."""
    level = samples.level[row]
    certain, stop = (int(np.searchsorted(level, level[k - 1], side=side)) for side in ("left", "right"))
    start, end, size = samples.start[row, :stop], samples.end[row, :stop], samples.size
    probability, place, item = _first_by_lot(start, end, certain, k - certain)
    regret = probability @ (samples.best[row] - samples.truth[row, item])
    mirrored, from_worst, _ = _first_by_lot(size - end, size - start, certain, k - certain)
    return float(probability @ place), float(mirrored @ from_worst), float(regret)


def _first_by_lot(start: Integers, end: Integers, certain: int, drawn: int) -> tuple[Floats, Floats, Integers]:
    """Possible outcomes of the first place taken: probability, expected place from 1, and an item tied there.

    The first `certain` items are in, `drawn` of the others are drawn. One outcome is: no item of an earlier group of
    equally true ones is in, and of this group all certain ones and `taken` others.
    """
    item = np.zeros(int(start.max()) + 1, dtype=np.int64)
    item[start] = np.arange(start.size)
    sure, loose = (np.bincount(part, minlength=item.size) for part in (start[:certain], start[certain:]))
    groups = _reachable(sure, loose, drawn)
    group = np.repeat(groups, loose[groups] + 1)
    taken = np.arange(group.size) - np.searchsorted(group, group)
    later = (start.size - certain - np.cumsum(loose))[group]
    possible = (sure[group] + taken > 0) & (taken <= drawn) & (drawn - taken <= later)
    group, taken, later = group[possible], taken[possible], later[possible]
    ways = _log_choose(loose[group], taken) + _log_choose(later, drawn - taken)
    probability: Floats = np.exp(ways - ways.max())
    probability /= probability.sum()
    place = group + (end[item[group]] - group + 1) / (sure[group] + taken + 1)
    return probability, place, item[group]


def _reachable(sure: Integers, loose: Integers, drawn: int) -> Integers:
    """Groups in which the first place can fall: up to the first certain item, none of negligible probability."""
    groups = np.flatnonzero(sure + loose)
    first_sure = int(np.argmax(sure[groups] > 0)) + 1 if sure.any() else groups.size
    left = loose.sum() - np.cumsum(loose[groups]) + loose[groups]
    groups, left = groups[:first_sure], left[:first_sure]
    enough = left >= drawn
    none_before = _log_choose(left[enough], drawn) - _log_choose(loose.sum(), drawn)
    reachable: Integers = groups[enough][none_before > NEGLIGIBLE]
    return reachable


def _log_choose(n: Integers, k: Integers | int) -> Floats:
    table = _log_factorials(int(n.max(initial=0)).bit_length())
    ways: Floats = table[n] - table[k] - table[n - k]
    return ways


@lru_cache(maxsize=4)
def _log_factorials(bits: int) -> Floats:
    """Logarithms of 0! to (2^bits - 1)!."""
    return np.asarray(gammaln(np.arange(2**bits) + 1.0))
