"""Combinations against definitions written out pair by pair, and against scipy's ranks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from benchsuite.analysis import combination
from benchsuite.analysis.combination import COMBINATIONS, copeland, rank_mean, rank_product
from benchsuite.core.errors import BenchsuiteError


@st.composite
def tables(draw):
    """Scores of 1 to 9 architectures by 1 to 4 estimators with many ties and undefined ones."""
    n, k = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    values = st.sampled_from([-1.0, 0.0, 0.5, 2.0, 1e80, math.nan])
    columns = {f"estimator {i}": draw(st.lists(values, min_size=n, max_size=n)) for i in range(k)}
    return pd.DataFrame(columns, index=[f"architecture {i}" for i in range(n)])


def _worst(table):
    """The table with undefined scores replaced by a value below all others."""
    return table.fillna(-1e300)


def _beats(table, one, other):
    """1 if the majority of the estimators prefers one to the other, 1/2 in a draw, 0 otherwise."""
    votes = sum((a > b) - (a < b) for a, b in zip(table.loc[one], table.loc[other], strict=True))
    return 1.0 if votes > 0 else 0.5 if votes == 0 else 0.0


@given(tables())
def test_a_vote_counts_the_pairwise_majorities_that_an_architecture_wins(table):
    filled = _worst(table)
    expected = {one: sum(_beats(filled, one, other) for other in table.index if other != one) for one in table.index}
    assert copeland(table).to_dict() == expected


@given(tables())
def test_ranks_are_those_of_scipy(table):
    ranks = rankdata(_worst(table).to_numpy(), axis=0)
    assert rank_mean(table).tolist() == pytest.approx(ranks.mean(axis=1).tolist())
    expected = [sum(math.log(rank / len(table)) for rank in row) for row in ranks]
    assert rank_product(table).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", COMBINATIONS)
@given(table=tables())
def test_only_the_order_of_each_estimators_scores_counts(name, table):
    moved = table.where(table != 1e80, 3.0) * 2 + 1
    mixed = moved.sample(frac=1, random_state=0)[list(reversed(moved.columns))]
    expected = COMBINATIONS[name](table)
    pd.testing.assert_series_equal(COMBINATIONS[name](mixed).reindex(table.index), expected, check_exact=True)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_what_all_estimators_agree_on_is_kept(name):
    rng = np.random.default_rng(0)
    order = rng.permutation(30)
    table = pd.DataFrame({"a": order, "b": order**3, "c": order - 50.0})
    assert rankdata(COMBINATIONS[name](table)).tolist() == (order + 1).tolist()


def test_the_majority_may_go_in_a_circle_and_then_nobody_wins():
    table = pd.DataFrame({"x": [3, 2, 1], "y": [1, 3, 2], "z": [2, 1, 3]})
    assert copeland(table).tolist() == [1.0, 1.0, 1.0]


def test_equal_products_of_ranks_are_ties():
    # ranks (1, 6), (2, 3), (3, 2), (6, 1) have the product 6
    table = pd.DataFrame({"x": [1, 2, 3, 6, 4, 5], "y": [6, 3, 2, 1, 5, 4]})
    assert len(set(rank_product(table).iloc[:4])) == 1


def test_a_vote_is_the_same_in_one_piece_and_in_many(monkeypatch):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.integers(0, 9, size=(40, 3)))
    whole = copeland(table)
    monkeypatch.setattr(combination, "_COMPARED", 100)
    assert copeland(table).equals(whole)
    assert whole.sum() == len(list(itertools.combinations(range(40), 2)))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_nothing_cannot_be_combined(name):
    with pytest.raises(BenchsuiteError, match="no estimators"):
        COMBINATIONS[name](pd.DataFrame(index=["a"]))
