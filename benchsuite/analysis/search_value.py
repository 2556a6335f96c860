"""What an estimator is worth in a search: train the k best-scored architectures and keep the best of them.

The regret is how far that one stays behind the best of all, in units of the truth. Its bootstrap would be inconsistent,
as that of every extreme: figures stand with their range over the whole and random halves of the architectures (no
confidence interval), where the share of trained architectures in a half is that of the whole. It is hidden below ten
trainings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.evaluate import HALVES
from benchsuite.analysis.extremes import BestScored
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.uncertainty import FEWEST, check_confidence, random_halves
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
ROUNDING = 1e-9  # of a difference of two truths


def training_counts(n: int) -> list[int]:
    """Numbers of architectures to train, 1 to n: 1, 2, 5, 10, 20, 50 ..., and n itself.

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
    """Regret of training the k best-scored architectures by estimator and k, and of a random choice.

    Parameters
    ----------
    trials : scores by architecture of every trial of an estimator; NaN = undefined, chosen last
    truth : accuracies by architecture
    counts : numbers k; default `training_counts`. Those above an estimator's number of architectures are left out
    confidence : share of the random halves inside low and high
    seed : of the random halves; all estimators see the same ones

    Returns
    -------
    Columns estimator, k, n (architectures to choose from), regret (mean over trials), low, high (means over trials; NaN
    below ten trainings), deviation (over trials, NaN for one). The regret is to the best of the architectures that the
    estimator has scored. The rows of `RANDOM` are the exact expectation over all choices among all architectures.
    Equal scores are broken in every way alike, so that a constant is a random choice. Raises BenchsuiteError for
    unusable input.

    >>> truth = pd.Series({"a": 90.0, "b": 80.0})
    >>> search_value({"good": [truth]}, truth)[["estimator", "k", "regret"]].values.tolist()
    [['good', 1, 0.0], ['good', 2, 0.0], ['random choice', 1, 5.0], ['random choice', 2, 0.0]]
    """
    table = side_by_side(trials, truth)
    wanted = training_counts(table.truth.size) if counts is None else list(counts)
    if min(wanted, default=1) < 1:
        raise BenchsuiteError(f"{min(wanted)} architectures cannot be trained; give 1 or more")
    parts = []
    for name, columns, known in _choices(table):
        possible = [count for count in wanted if count <= known.size]
        measure = partial(_regrets, shares=np.array(possible) / known.size)
        figures = [_Figures.of(column, known, measure, seed) for column in columns]
        shown = [np.array(possible) >= FEWEST] * len(figures)
        parts.append(_over_trials(figures, shown, confidence).assign(estimator=name, k=possible, n=known.size))
    found = pd.concat(parts, ignore_index=True).rename(columns={"value": "regret"})
    return found[["estimator", "k", "n", "regret", "low", "high", "deviation"]]


def trainings_needed(
    trials: Trials,
    truth: pd.Series[float],
    *,
    regrets: Sequence[float] = REGRETS,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """How many of the best-scored architectures to train until the expected regret is at most the wanted one.

    Parameters
    ----------
    trials, truth, confidence, seed : as for `search_value`
    regrets : wanted ones, in units of the truth

    Returns
    -------
    Columns estimator, regret (the wanted one), n (architectures to choose from), trainings (the least k, mean over
    trials), low, high, deviation, saved, saved_low, saved_high: the share of the trainings of a random choice among
    the same architectures that the estimator saves, negative where it needs more. Ends are NaN below ten trainings. The
    rows of `RANDOM` are a random choice among all architectures. Raises BenchsuiteError for unusable input.

    >>> truth = pd.Series(range(1, 101), dtype=float)
    >>> table = trainings_needed({"oracle": [truth]}, truth, regrets=[9])
    >>> table[["estimator", "trainings", "saved"]].round(2).values.tolist()
    [['oracle', 1.0, 0.9], ['random choice', 10.0, 0.0]]
    """
    table = side_by_side(trials, truth)
    by_chance: dict[bytes, _Figures] = {}
    parts = []
    for name, columns, known in _choices(table):
        measure = partial(_trainings, regrets=regrets, n=known.size)
        key = known.tobytes()
        if key not in by_chance:
            by_chance[key] = _Figures.of(np.zeros(known.size), known, measure, seed)
        chance = by_chance[key]
        figures = [_Figures.of(column, known, measure, seed) if name != RANDOM else chance for column in columns]
        shown = [each.value >= FEWEST for each in figures]
        needed = _over_trials(figures, shown, confidence).rename(columns={"value": "trainings"})
        saved = _over_trials([each.saved(chance) for each in figures], shown, confidence)[["value", "low", "high"]]
        saved = saved.set_axis(["saved", "saved_low", "saved_high"], axis=1)
        parts.append(pd.concat([needed, saved], axis=1).assign(estimator=name, regret=regrets, n=known.size))
    names = ["trainings", "low", "high", "deviation", "saved", "saved_low", "saved_high"]
    return pd.concat(parts, ignore_index=True)[["estimator", "regret", "n", *names]]


def _choices(table: SideBySide) -> Iterator[tuple[str, Floats, Floats]]:
    """The trials of each estimator on what it has scored, and its truth; last those of a random choice among all."""
    for name, values in table.scores.items():
        scored = table.scored[name]
        if scored.any():
            yield name, values[:, scored], table.truth[scored]
    yield RANDOM, np.zeros((1, table.truth.size)), table.truth


def _measured(ranking: Ranking, kept: Weights, size: int, measure: _Measure) -> Floats:
    """Figures of subsamples of a size; for most of them a part is enough, which takes half the time."""
    part = -(-size // PART)
    samples = BestScored.of(ranking, kept, part)
    figures, lacking = measure(samples, size), ~samples.are_enough(part)
    if lacking.any():
        figures[lacking] = measure(BestScored.of(ranking, kept[lacking], size), size)
    return figures


def _regrets(samples: BestScored, size: int, *, shares: Floats) -> Floats:
    """Regret of training shares of subsamples of a size, at least one architecture: shape (b, len(shares))."""
    counts = np.maximum(np.rint(shares * size), 1).astype(int)
    found = [samples.regret(min(int(count), samples.chosen.shape[1])) for count in counts]
    return np.array(found).reshape(len(counts), len(samples.best)).T


def _trainings(samples: BestScored, size: int, *, regrets: Sequence[float], n: int) -> Floats:
    """Trainings that leave at most such a regret in subsamples of a size, scaled to n: shape (b, len(regrets))."""
    return np.array([_least(samples, regret + ROUNDING) for regret in regrets]).T * n / size


def _least(samples: BestScored, regret: float) -> Integers:
    """Least k by which the regret of each subsample falls to the wanted one, which it does where all are trained.

    That k is among the equal scores of the first architecture that is good enough: if all of these are trained, so is
    it, and of those before none is.
    """
    short, enough = samples.level(np.argmax(samples.highest[:, 1:] >= samples.best - regret, axis=1))
    while np.any(enough - short > 1):
        middle = np.maximum((short + enough) // 2, 1)
        reached = samples.regret(middle) <= regret
        short, enough = np.where(reached, short, middle), np.where(reached, middle, enough)
    return enough


@dataclass(frozen=True, slots=True)
class _Figures:
    """Figures of all architectures, shape (f,), and of random halves of them, shape (draws, f)."""

    value: Floats
    halves: Floats

    @classmethod
    def of(cls, scores: Floats, truth: Floats, measure: _Measure, seed: int) -> _Figures:
        """Figures of a trial; with less than ten architectures those of halves are unknown."""
        ranking = Ranking.of(scores, truth)
        n, half = ranking.size, ranking.size // 2
        value = _measured(ranking, ranking.whole(), n, measure)
        if n < FEWEST:
            return cls(value[0], np.full_like(value, np.nan))
        blocks = random_halves(n, HALVES, seed)
        return cls(value[0], np.concatenate([_measured(ranking, kept, half, measure) for kept in blocks]))

    def saved(self, chance: _Figures) -> _Figures:
        """Shares that are saved of the figures of a random choice."""
        return _Figures(1 - self.value / chance.value, 1 - self.halves / chance.halves)

    def ends(self, confidence: float) -> Floats:
        """Range over the whole and the middle of the halves: shape (2, f)."""
        low, high = np.quantile(self.halves, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        return np.array([np.minimum(low, self.value), np.maximum(high, self.value)])


def _over_trials(figures: Sequence[_Figures], shown: Sequence[Booleans], confidence: float) -> pd.DataFrame:
    """Means over trials of figures and of the ends that are shown, and the sample deviation: value, low, high, ..."""
    check_confidence(confidence)
    values = np.array([each.value for each in figures])
    ends = np.mean(
        [np.where(seen, each.ends(confidence), np.nan) for each, seen in zip(figures, shown, strict=True)], 0
    )
    deviation = values.std(axis=0, ddof=1) if len(values) > 1 else np.nan
    return pd.DataFrame({"value": values.mean(axis=0), "low": ends[0], "high": ends[1], "deviation": deviation})
