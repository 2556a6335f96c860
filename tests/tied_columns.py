"""Small columns full of ties and undefined values, and references: brute force, and scipy where defined."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy import stats

NAN = float("nan")
LEVELS = [NAN, -1e300, -1.5, 0.0, 0.1, 0.30000000000000004, 2.0, 1e300]


@st.composite
def columns(draw, *, smallest=1, largest=12, undefined=True):
    """Scores and truth of the same length; truth is always defined."""
    n = draw(st.integers(smallest, largest))
    scores = draw(st.lists(st.sampled_from(LEVELS if undefined else LEVELS[1:]), min_size=n, max_size=n))
    truth = draw(st.lists(st.sampled_from(range(90, 97)), min_size=n, max_size=n))
    return np.array(scores), np.array(truth, dtype=float)


@st.composite
def small_columns(draw, *, smallest=1, largest=12):
    """Scores of few levels, undefined ones among them, that no sum of squares loses; and truth."""
    n = draw(st.integers(smallest, largest))
    levels = draw(st.sampled_from([[NAN, -1.0, 0.0, 0.5, 2.0], [1.0], [NAN]]))
    scores = draw(st.lists(st.sampled_from(levels), min_size=n, max_size=n))
    truth = draw(st.lists(st.integers(90, 94), min_size=n, max_size=n))
    return np.array(scores), np.array(truth, dtype=float)


@st.composite
def judged(draw, *, smallest=1, largest=12, runs=2, estimators=3):
    """Some estimators with one or more runs, and the truth; scores may be constant or undefined throughout."""
    n = draw(st.integers(smallest, largest))
    truth = draw(st.lists(st.integers(90, 95), min_size=n, max_size=n))
    levels = st.sampled_from([[NAN, 0.0, 1.0, 2.0, 3.0], [0.0, 1.0], [1.0], [NAN]])
    found = {}
    for name in "abc"[: draw(st.integers(1, estimators))]:
        values = st.sampled_from(draw(levels))
        number = draw(st.integers(1, runs))
        found[name] = [pd.Series(draw(st.lists(values, min_size=n, max_size=n)), dtype=float) for _ in range(number)]
    return found, pd.Series(truth, dtype=float)


def example_runs(n=120, runs=2):
    """Estimators of the truth: two that agree, one that does not, and size, with ties and undefined scores."""
    rng = np.random.default_rng(0)
    names = [f"cell{i:03d}" for i in range(n)]
    size = rng.integers(0, 9, n).astype(float)
    truth, common = size / 4 + rng.normal(size=n), rng.normal(size=n)
    noises = {"snip": common, "grad_norm": common, "nwot": rng.normal(size=n)}
    found = {
        name: [pd.Series((truth + noise + rng.normal(0, 0.4, n)).round(1), names) for _ in range(runs)]
        for name, noise in noises.items()
    }
    found["snip"][0].iloc[:5] = np.nan
    found["params"] = [pd.Series(size, names)]
    return found, pd.Series(truth.round(1), names), pd.Series(size, names)


def as_worst(values):
    """Undefined values below all others, tied: what a comparison by sorting sees."""
    return np.where(np.isnan(values), -np.inf, values)


def varies(*columns):
    """Whether each column has at least two distinct values, undefined ones counted as one."""
    return all(len(np.unique(as_worst(np.asarray(each, dtype=float)))) > 1 for each in columns)


def scipy_ranks(values):
    """Average ranks by scipy, undefined values worst."""
    return stats.rankdata(as_worst(np.asarray(values, dtype=float)))


def scipy_tau(one, other):
    """tau-b by scipy, undefined values worst; NaN for a constant."""
    first, second = (as_worst(np.asarray(each, dtype=float)) for each in (one, other))
    return stats.kendalltau(first, second).statistic if varies(first, second) else NAN


def scipy_rho(one, other):
    """Spearman's rho by scipy, undefined values worst; NaN for a constant."""
    first, second = (as_worst(np.asarray(each, dtype=float)) for each in (one, other))
    return stats.spearmanr(first, second).statistic if varies(first, second) else NAN


def scipy_pearson(scores, truth):
    """Pearson's r by scipy over the defined scores; NaN for a constant."""
    known = ~np.isnan(scores)
    usable = known.sum() > 1 and varies(scores[known], truth[known])
    return stats.pearsonr(scores[known], truth[known]).statistic if usable else NAN


def signs(values):
    """Matrix of the signs of all differences, by comparison so that nothing overflows or cancels."""
    values = as_worst(values)
    return (values[:, None] > values).astype(int) - (values[:, None] < values).astype(int)


def orders(values):
    """All ways to list the items from best to worst."""
    values = as_worst(values)
    items = permutations(range(len(values)))
    return [order for order in items if all(values[a] >= values[b] for a, b in pairwise(order))]


def enumerated(scores, truth, k):
    """P@top, P@bottom, BR, WR and regret averaged over all ways to break the ties of scores and of truth."""
    n, figures = len(scores), []
    for by_score in orders(scores):
        top, bottom = list(by_score[:k]), set(by_score[n - k :])
        for by_truth in orders(truth):
            rank = np.empty(n)
            rank[list(by_truth)] = np.arange(1, n + 1)
            regret = truth.max() - truth[top].max()
            common = len(set(top) & set(by_truth[:k])), len(bottom & set(by_truth[n - k :]))
            figures.append((common[0] / k, common[1] / k, rank[top].min() / n, rank[top].max() / n, regret))
    return np.mean(figures, axis=0)
