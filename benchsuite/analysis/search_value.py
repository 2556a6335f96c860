"""What an estimator is worth in a search: train the k best-scored architectures and keep the best of them.

The regret is how far that one stays behind the best of all, in units of the ground truth. Its bootstrap would be
inconsistent, as that of every extreme: values stand with their range over the whole and random halves of the
architectures (no confidence interval), where the share of trained architectures in a half is that of the whole. The
range is hidden below ten trainings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.extremes import BestScored
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.resampling import HALVES, random_halves
from benchsuite.analysis.uncertainty import FEWEST, check_confidence
from benchsuite.core.errors import BenchsuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchsuite.analysis.align import SideBySide, Trials
    from benchsuite.analysis.ranking import Weights
    from benchsuite.core.arrays import Booleans, Floats, Integers

    _Measure = Callable[[BestScored, int], Floats]

RANDOM = "random choice"
REGRETS = (1.0, 0.5, 0.2)  # points of accuracy: a search that ends nearer to the best hardly pays more trainings
PART = 8  # of the architectures, an eighth
ROUNDING = 1e-9  # of a difference of two accuracies


def training_counts(n: int) -> list[int]:
    """Return numbers of architectures to train: 1, 2, 5, 10, 20, 50 ..., and all of them.

    Parameters
    ----------
    n
        Number of architectures, at least 1.

    Returns
    -------
    list
        Ascending numbers from 1 to n.

    Examples
    --------
    >>> training_counts(30)
    [1, 2, 5, 10, 20, 30]
    """
    decades = [step * 10**power for power in range(len(str(n))) for step in (1, 2, 5)]
    return [*(count for count in decades if count < n), n]


def search_value(
    trials: Trials,
    truth: pd.Series[float],
    *,
    counts: Sequence[int] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the regret of training the k best-scored architectures, by estimator and k, and of a random choice.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, chosen last.
    truth
        Ground truth by architecture.
    counts
        Numbers k; by default `training_counts`. Those above an estimator's number of architectures are left out.
    confidence
        Share of the random halves between low and high.
    seed
        Of the random halves; all estimators see the same ones.

    Returns
    -------
    DataFrame
        Columns: estimator, k, n (architectures to choose from), regret (mean over runs, to the best of the
        architectures that the estimator has scored), low, high (means over runs; NaN below ten trainings),
        standard_deviation (over runs, NaN for one). Rows of `RANDOM` are the exact expectation over all choices among
        all architectures. Equal scores are broken in every way with equal probability, so that a constant is a random
        choice.

    Raises
    ------
    BenchsuiteError
        For input that `side_by_side` refuses, a k below 1, or a confidence outside (0, 1).

    Examples
    --------
    >>> truth = pd.Series({"a": 90.0, "b": 80.0})
    >>> search_value({"good": [truth]}, truth)[["estimator", "k", "regret"]].values.tolist()
    [['good', 1, 0.0], ['good', 2, 0.0], ['random choice', 1, 5.0], ['random choice', 2, 0.0]]
    """
    table = side_by_side(trials, truth)
    wanted = training_counts(table.truth.size) if counts is None else list(counts)
    if min(wanted, default=1) < 1:
        raise BenchsuiteError(f"number of trained architectures = {min(wanted)}; must be at least 1")
    parts = []
    for name, columns, known in _choices(table):
        possible = [count for count in wanted if count <= known.size]
        measure = partial(_regrets, shares=np.array(possible) / known.size)
        measured = [_WithHalves.of(column, known, measure, seed) for column in columns]
        shown = [np.array(possible) >= FEWEST] * len(measured)
        parts.append(_over_runs(measured, shown, confidence).assign(estimator=name, k=possible, n=known.size))
    found = pd.concat(parts, ignore_index=True).rename(columns={"value": "regret"})
    return found[["estimator", "k", "n", "regret", "low", "high", "standard_deviation"]]


def trainings_needed(
    trials: Trials,
    truth: pd.Series[float],
    *,
    regrets: Sequence[float] = REGRETS,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how many of the best-scored architectures to train until the expected regret is at most the wanted one.

    Parameters
    ----------
    trials
        By estimator, the scores by architecture of each of its runs; NaN = undefined, chosen last.
    truth
        Ground truth by architecture.
    regrets
        Wanted regrets, in units of the ground truth.
    confidence
        Share of the random halves between both ends.
    seed
        Of the random halves; all estimators see the same ones.

    Returns
    -------
    DataFrame
        Columns: estimator, regret (the wanted one), n (architectures to choose from), trainings (the smallest k, mean
        over runs), low, high, standard_deviation (over runs), saved, saved_low, saved_high (1 - k /
        k of a random choice among the same architectures: the share of trainings saved, negative where the estimator
        needs more). Ends are NaN below ten trainings. Rows of `RANDOM` are a random choice among all architectures.

    Raises
    ------
    BenchsuiteError
        For input that `side_by_side` refuses, or a confidence outside (0, 1).

    Examples
    --------
    >>> truth = pd.Series(range(1, 101), dtype=float)
    >>> table = trainings_needed({"oracle": [truth]}, truth, regrets=[9])
    >>> table[["estimator", "trainings", "saved"]].round(2).values.tolist()
    [['oracle', 1.0, 0.9], ['random choice', 10.0, 0.0]]
    """
    table = side_by_side(trials, truth)
    by_chance: dict[bytes, _WithHalves] = {}
    parts = []
    for name, columns, known in _choices(table):
        measure = partial(_trainings, regrets=regrets, n=known.size)
        key = known.tobytes()
        if key not in by_chance:
            by_chance[key] = _WithHalves.of(np.zeros(known.size), known, measure, seed)
        chance = by_chance[key]
        measured = [_WithHalves.of(column, known, measure, seed) if name != RANDOM else chance for column in columns]
        shown = [each.value >= FEWEST for each in measured]
        needed = _over_runs(measured, shown, confidence).rename(columns={"value": "trainings"})
        saved = _over_runs([each.saved(chance) for each in measured], shown, confidence)[["value", "low", "high"]]
        saved = saved.set_axis(["saved", "saved_low", "saved_high"], axis=1)
        parts.append(pd.concat([needed, saved], axis=1).assign(estimator=name, regret=regrets, n=known.size))
    names = ["trainings", "low", "high", "standard_deviation", "saved", "saved_low", "saved_high"]
    return pd.concat(parts, ignore_index=True)[["estimator", "regret", "n", *names]]


def _choices(table: SideBySide) -> Iterator[tuple[str, Floats, Floats]]:
    """The runs of each estimator on what it has scored, with the ground truth; last a random choice among all."""
    for name, values in table.scores.items():
        scored = table.scored[name]
        if scored.any():
            yield name, values[:, scored], table.truth[scored]
    yield RANDOM, np.zeros((1, table.truth.size)), table.truth


def _measured(ranking: Ranking, kept: Weights, size: int, measure: _Measure) -> Floats:
    """The measure of subsamples of a size; for most of them a part is enough, which takes half the time."""
    part = -(-size // PART)
    samples = BestScored.of(ranking, kept, part)
    measured, lacking = measure(samples, size), ~samples.are_enough(part)
    if lacking.any():
        measured[lacking] = measure(BestScored.of(ranking, kept[lacking], size), size)
    return measured


def _regrets(samples: BestScored, size: int, *, shares: Floats) -> Floats:
    """Regret of training shares of subsamples of a size, at least one architecture: shape (b, len(shares))."""
    # k in a subsample of m architectures = round(k m / n)
    counts = np.maximum(np.rint(shares * size), 1).astype(int)
    found = [samples.regret(min(int(count), samples.chosen.shape[1])) for count in counts]
    return np.array(found).reshape(len(counts), len(samples.best)).T


def _trainings(samples: BestScored, size: int, *, regrets: Sequence[float], n: int) -> Floats:
    """Trainings that leave at most such a regret in subsamples of a size, scaled to n: shape (b, len(regrets))."""
    return np.array([_smallest(samples, regret + ROUNDING) for regret in regrets]).T * n / size


def _smallest(samples: BestScored, regret: float) -> Integers:
    """Smallest k whose regret is at most the wanted one, of each subsample; with all trained the regret is 0.

    The first architecture that is good enough and those with equal scores are at the ranks short + 1 to enough: with k
    = short none of them is trained and the regret is too large, with k = enough all are and it is not. Between these,
    the expected regret falls with k, so that the smallest k is found by bisection.
    """
    short, enough = samples.tied_with(np.argmax(samples.highest[:, 1:] >= samples.best - regret, axis=1))
    while np.any(enough - short > 1):
        middle = np.maximum((short + enough) // 2, 1)
        reached = samples.regret(middle) <= regret
        short, enough = np.where(reached, short, middle), np.where(reached, middle, enough)
    return enough


@dataclass(frozen=True, slots=True)
class _WithHalves:
    """A measure of all architectures, shape (f,), and of random halves of them, shape (draws, f)."""

    value: Floats
    halves: Floats

    @classmethod
    def of(cls, scores: Floats, truth: Floats, measure: _Measure, seed: int) -> _WithHalves:
        """The measure of a run; with less than ten architectures that of halves is unknown."""
        ranking = Ranking.of(scores, truth)
        n, half = ranking.size, ranking.size // 2
        value = _measured(ranking, ranking.whole(), n, measure)
        if n < FEWEST:
            return cls(value[0], np.full_like(value, np.nan))
        blocks = random_halves(n, HALVES, seed)
        return cls(value[0], np.concatenate([_measured(ranking, kept, half, measure) for kept in blocks]))

    def saved(self, chance: _WithHalves) -> _WithHalves:
        """Shares that are saved of the trainings of a random choice."""
        return _WithHalves(1 - self.value / chance.value, 1 - self.halves / chance.halves)

    def ends(self, confidence: float) -> Floats:
        """Range over the whole and the middle of the halves: shape (2, f)."""
        low, high = np.quantile(self.halves, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        return np.array([np.minimum(low, self.value), np.maximum(high, self.value)])


def _over_runs(measured: Sequence[_WithHalves], shown: Sequence[Booleans], confidence: float) -> pd.DataFrame:
    """Means over runs of the values and of the ends that are shown, and standard deviations: as columns."""
    check_confidence(confidence)
    values = np.array([each.value for each in measured])
    ends = np.mean(
        [np.where(seen, each.ends(confidence), np.nan) for each, seen in zip(measured, shown, strict=True)], 0
    )
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.nan
    return pd.DataFrame({"value": values.mean(axis=0), "low": ends[0], "high": ends[1], "standard_deviation": spread})
