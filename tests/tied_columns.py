"""Small columns full of ties and undefined values, and the definitions written out by brute force."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
from hypothesis import strategies as st

NAN = float("nan")
LEVELS = [NAN, -1e300, -1.5, 0.0, 0.1, 0.30000000000000004, 2.0, 1e300]


@st.composite
def columns(draw, *, smallest=1, largest=12, undefined=True):
    """Scores and truth of the same length; truth is always defined."""
    n = draw(st.integers(smallest, largest))
    scores = draw(st.lists(st.sampled_from(LEVELS if undefined else LEVELS[1:]), min_size=n, max_size=n))
    truth = draw(st.lists(st.sampled_from(range(90, 97)), min_size=n, max_size=n))
    return np.array(scores), np.array(truth, dtype=float)


def as_worst(values):
    """Undefined values below all others, tied: what a comparison by sorting sees."""
    return np.where(np.isnan(values), -np.inf, values)


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
