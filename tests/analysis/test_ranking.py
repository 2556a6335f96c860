import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from tied_columns import as_worst, columns

from benchsuite.analysis.ranking import Ranking, average_of_dense, average_ranks, cumulated, dense_ranks


@given(columns())
def test_ranks_are_those_of_scipy_with_undefined_values_lowest(data):
    values, _ = data
    assert dense_ranks(values).tolist() == (stats.rankdata(as_worst(values), "dense") - 1).tolist()
    assert average_ranks(values).tolist() == stats.rankdata(as_worst(values)).tolist()
    assert average_of_dense(dense_ranks(values)).tolist() == average_ranks(values).tolist()


@given(columns())
def test_tied_architectures_share_the_ranks_from_their_first_to_their_last(data):
    scores, truth = as_worst(data[0]), data[1]
    ranking = Ranking.of(*data)
    assert ranking.truth.tolist() == sorted(truth, reverse=True)
    for position, row in enumerate(ranking.rows):
        better, as_good = (truth > truth[row]).sum(), (truth >= truth[row]).sum()
        assert (ranking.truth_start[position], ranking.truth_end[position]) == (better, as_good)
        better, as_good = (scores > scores[row]).sum(), (scores >= scores[row]).sum()
        assert (ranking.score_start[position], ranking.score_end[position]) == (better, as_good)
    assert scores[ranking.rows_by_score].tolist() == sorted(scores, reverse=True)


@given(columns(undefined=False))
def test_the_ranking_from_the_worst_is_that_of_the_opposite_columns(data):
    scores, truth = data
    turned, opposite = Ranking.of(scores, truth).from_worst(), Ranking.of(-scores, -truth)
    assert turned.truth.tolist() == opposite.truth.tolist()
    for side in ("truth_start", "truth_end"):
        assert getattr(turned, side).tolist() == getattr(opposite, side).tolist()
    # equal ones may stand in another order, but their scores and ranks are the same
    assert scores[turned.rows_by_score].tolist() == scores[opposite.rows_by_score].tolist()
    assert turned.score_start[turned.by_score].tolist() == opposite.score_start[opposite.by_score].tolist()


def test_cumulated_sums_start_with_nothing():
    weights = np.random.default_rng(0).integers(0, 9, (7, 3)).astype(np.int8)
    assert cumulated(weights).tolist() == np.vstack([np.zeros((1, 3)), np.cumsum(weights, axis=0)]).tolist()
    assert Ranking.of([1.0, 2.0], [1.0, 2.0]).whole().tolist() == [[1, 1]]


def test_no_architecture_has_a_ranking_of_size_zero():
    assert Ranking.of([], []).size == 0
    assert average_ranks([]).tolist() == pytest.approx([])
