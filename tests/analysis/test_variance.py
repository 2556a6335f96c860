import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.variance import mean_stability, over_seeds, rank_deviation, ranking_stability
from benchsuite.core import BenchsuiteError


def seeds(n=60, number=3):
    rng = np.random.default_rng(0)
    truth = rng.normal(90, 3, n)
    scores = pd.DataFrame({seed: truth + rng.normal(0, 2, n) for seed in range(number)})
    return scores, pd.Series(truth)


def test_stability_is_tau_between_every_two_seeds():
    scores, _ = seeds()
    matrix = ranking_stability(scores)
    expected = [stats.kendalltau(scores[i], scores[j]).statistic for i, j in ((0, 1), (0, 2), (1, 2))]
    assert [matrix.loc[0, 1], matrix.loc[0, 2], matrix.loc[1, 2]] == pytest.approx(expected)
    assert (matrix.to_numpy() == matrix.to_numpy().T).all()
    assert np.diag(matrix).tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert mean_stability(scores) == pytest.approx(np.mean(expected))


def test_single_seed_has_no_stability_and_no_deviation():
    scores, truth = seeds(number=1)
    assert np.isnan(mean_stability(scores))
    assert rank_deviation(scores).isna().all()
    assert over_seeds([evaluate(scores[0], truth)])["deviation"].isna().all()


def test_rank_deviation_is_that_of_scipy_ranks():
    scores, _ = seeds()
    ranks = stats.rankdata(scores, axis=0) / len(scores)
    assert rank_deviation(scores).tolist() == pytest.approx(ranks.std(axis=1, ddof=1).tolist())


def test_figures_over_seeds_are_mean_and_sample_deviation():
    scores, truth = seeds()
    tables = [evaluate(scores[seed], truth) for seed in scores]
    combined = over_seeds(tables)
    taus = [stats.kendalltau(scores[seed], truth).statistic for seed in scores]
    row = combined[combined["criterion"] == "kendall_tau"].iloc[0]
    assert (row["value"], row["deviation"]) == pytest.approx((np.mean(taus), np.std(taus, ddof=1)))
    assert row["low"] == pytest.approx(np.mean([table["low"].iloc[0] for table in tables]))
    assert row["seeds"] == 3
    pd.testing.assert_frame_equal(combined[["criterion", "k"]], tables[0][["criterion", "k"]])


def test_seed_without_the_figure_is_not_counted():
    scores, truth = seeds()
    tables = [evaluate(scores[0], truth), evaluate(scores[1] * 0, truth)]
    row = over_seeds(tables).iloc[0]
    assert (row["value"], row["seeds"]) == (tables[0]["value"].iloc[0], 1)


def test_no_seed_at_all_is_refused():
    with pytest.raises(BenchsuiteError, match="no seed"):
        over_seeds([])
