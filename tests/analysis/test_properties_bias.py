"""Bias against brute force and scipy: ties, undefined and constant scores, few architectures, constant complexity."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, as_worst, columns

from benchsuite.analysis.bias import bias_by_complexity, complexity_correlations
from benchsuite.analysis.operations import operation_bias, single_operation_pairs


def varies(*values):
    return all(len(np.unique(as_worst(each))) > 1 for each in values)


def tau(one, other):
    return stats.kendalltau(as_worst(one), as_worst(other)).statistic if varies(one, other) else NAN


def rho(one, other):
    return stats.spearmanr(as_worst(one), as_worst(other)).statistic if varies(one, other) else NAN


@st.composite
def with_sizes(draw, largest=12):
    """Scores, truth and complexity of few levels."""
    scores, truth = draw(columns(largest=largest))
    sizes = draw(st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=len(scores), max_size=len(scores)))
    return scores, truth, np.array(sizes)


def differences(scores, truth):
    """Rank by truth less rank by score, over their number, 1 = best."""
    return (stats.rankdata(as_worst(scores)) - stats.rankdata(truth)) / len(truth)


@settings(max_examples=40)
@given(with_sizes(), st.integers(1, 4))
def test_groups_of_complexity_have_the_mean_difference_and_scipys_tau(data, groups):
    scores, truth, sizes = data
    table = bias_by_complexity(*map(pd.Series, data), groups=groups)
    assert table["n"].sum() == len(scores)
    for row in table.itertuples():
        inside = (sizes >= row.smallest) & (sizes <= row.largest)
        assert inside.sum() == row.n
        assert row.rank_difference == pytest.approx(differences(scores, truth)[inside].mean(), abs=1e-12)
        assert row.kendall_tau == pytest.approx(tau(scores[inside], truth[inside]), abs=1e-12, nan_ok=True)
    if len(scores) < 10:
        assert table[["rank_difference_low", "tau_low"]].isna().all(axis=None)


def partial(scores, truth, sizes):
    """Pearson of the residuals of ranks on the ranks of size; undefined where one of them leaves nothing."""
    if not varies(scores, truth, sizes):
        return NAN
    ranks = [stats.rankdata(as_worst(column)) for column in (scores, truth, sizes)]
    left = [rank - np.polyval(np.polyfit(ranks[2], rank, 1), ranks[2]) for rank in ranks[:2]]
    return stats.pearsonr(*left).statistic if min(np.abs(each).max() for each in left) > 1e-9 else NAN


@settings(max_examples=60)
@given(with_sizes())
def test_correlations_with_complexity_are_scipys(data):
    scores, truth, sizes = data
    table = complexity_correlations(*map(pd.Series, data)).set_index("figure")
    expected = {
        "tau_score_complexity": tau(scores, sizes),
        "tau_truth_complexity": tau(truth, sizes),
        "rho_difference_complexity": rho(differences(scores, truth).round(9), sizes),
        "partial_rho": partial(scores, truth, sizes),
    }
    for name, value in expected.items():
        assert table.loc[name, "value"] == pytest.approx(value, abs=1e-9, nan_ok=True), name
    if len(scores) < 10:
        assert table["low"].isna().all()


@st.composite
def cells(draw):
    """Some of the nine architectures of two positions and three operations, with scores and truth."""
    every = list(itertools.product(("conv", "none", "pool"), repeat=2))
    chosen = draw(st.lists(st.sampled_from(every), min_size=2, unique=True))
    names = ["".join(word[0] for word in cell) for cell in chosen]
    levels = draw(st.sampled_from([[NAN, 0.0, 1.0, 2.0], [1.0], [NAN]]))
    scores = draw(st.lists(st.sampled_from(levels), min_size=len(names), max_size=len(names)))
    truth = draw(st.lists(st.integers(90, 93), min_size=len(names), max_size=len(names)))
    return dict(zip(names, chosen, strict=True)), pd.Series(scores, names), pd.Series(truth, names, dtype=float)


def rise(before, after):
    return (after > before) + (after == before) / 2


@settings(max_examples=40)
@given(cells(), st.integers(1, 2))
def test_shares_of_rises_are_those_of_all_pairs_one_by_one(data, number):
    """Also inside groups, here those of architectures in alphabetical order."""
    operations, scores, truth = data
    groups = pd.Series({name: 1 + place % number for place, name in enumerate(sorted(operations))})
    table = operation_bias(scores, truth, single_operation_pairs(operations), groups=groups)
    worst = pd.Series(as_worst(scores.to_numpy()), scores.index)
    found = {}
    for one, other in itertools.permutations(operations, 2):
        places = [i for i in (0, 1) if operations[one][i] != operations[other][i]]
        exchange = tuple(operations[name][places[0]] for name in (one, other))
        if len(places) == 1 and exchange[0] < exchange[1]:
            for group in {0, groups[one]} if groups[one] == groups[other] else {0}:
                rises = (rise(truth[one], truth[other]), rise(worst[one], worst[other]))
                found.setdefault((group, *exchange), []).append(rises)
    assert len(table) == len(found)
    for row in table.itertuples():
        rises = np.array(found[row.group, row.before, row.after])
        assert row.n == len(rises)
        expected = [*rises.mean(axis=0), rises[:, 1].mean() - rises[:, 0].mean()]
        assert [row.truth_rises, row.score_rises, row.bias] == pytest.approx(expected, abs=1e-12)
    assert table[["bias_low", "bias_high"]].isna().all(axis=None)  # fewer than ten architectures
