import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from scipy import stats
from tied_columns import NAN, as_worst, columns, judged, scipy_rho, scipy_tau

from benchsuite.analysis.comparison import compare
from benchsuite.analysis.significance import rank_intervals
from benchsuite.core.errors import BenchsuiteError

NAMES = [f"architecture {i}" for i in range(400)]


def example(n=200, noise=(1.0, 1.2, 4.0), trials=1):
    """Truth, and estimators that err together: their noise is partly the same."""
    rng = np.random.default_rng(0)
    truth = rng.normal(90, 1, n).round(1)
    common = rng.normal(size=n)
    scores = {
        f"noise {scale}": [
            pd.Series((truth + scale * (common + rng.normal(0, 0.3, n))).round(1), NAMES[:n]) for _ in range(trials)
        ]
        for scale in noise
    }
    return scores, pd.Series(truth, NAMES[:n])


def deleted(figure, trials, truth):
    """The mean over trials of a figure without each architecture, computed anew by deleting it."""
    rows = range(len(truth))
    return np.array([np.mean([figure(np.delete(x, i), np.delete(truth, i)) for x in trials]) for i in rows])


@pytest.mark.parametrize(("criterion", "figure"), [("kendall_tau", scipy_tau), ("spearman_rho", scipy_rho)])
def test_paired_difference_equals_the_delete_one_jackknife_written_out(criterion, figure):
    scores, truth = example(n=60, trials=3)
    table = compare(scores, truth, criterion=criterion)
    pairs = itertools.combinations(scores.values(), 2)
    for row, (first, second) in zip(table.itertuples(), pairs, strict=True):
        difference = np.mean([figure(x, truth) for x in first]) - np.mean([figure(x, truth) for x in second])
        without = deleted(figure, first, truth) - deleted(figure, second, truth)
        error = np.sqrt(59 / 60 * ((without - without.mean()) ** 2).sum())
        bounds = stats.norm.interval(0.95, difference, error)
        assert (row.difference, row.low, row.high) == pytest.approx((difference, *bounds), abs=1e-9)
        assert row.p == pytest.approx(2 * stats.norm.sf(abs(difference / error)), rel=1e-6)


@settings(max_examples=25)
@given(columns(smallest=10), columns(smallest=10))
def test_differences_are_right_with_ties_undefined_and_constant_scores(data, other):
    n = min(len(data[0]), len(other[0]))
    first, second, truth = data[0][:n], other[0][:n], data[1][:n]
    row = compare({"a": [pd.Series(first)], "b": [pd.Series(second)]}, pd.Series(truth)).iloc[0]
    expected = scipy_tau(first, truth) - scipy_tau(second, truth)
    assert row["difference"] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    without = deleted(scipy_tau, [first], truth) - deleted(scipy_tau, [second], truth)
    half = 1.959964 * np.sqrt((n - 1) * np.var(without))
    assert row["high"] - row["low"] == pytest.approx(2 * half, abs=1e-6, nan_ok=True)


def test_estimators_that_err_together_differ_significantly_though_their_own_intervals_overlap():
    from benchsuite.analysis.evaluate import evaluate

    scores, truth = example()
    own = [evaluate(each[0], truth).iloc[0] for each in list(scores.values())[:2]]
    assert own[1]["high"] > own[0]["low"]
    assert compare(scores, truth)["significant"].all()


def test_paired_bootstrap_of_precision_equals_one_written_out():
    from benchsuite.analysis.resampling import BOOTSTRAPS, bootstrap_weights
    from benchsuite.analysis.top_k import precision_at_top

    scores, truth = example(trials=2)
    ordered = truth.sort_index()
    (weights,) = [np.concatenate(list(bootstrap_weights(200, BOOTSTRAPS, 0)))]
    draws = {}
    for name, trials in scores.items():
        columns = [trial.reindex(ordered.index).to_numpy() for trial in trials]
        repeated = [(np.repeat(x, w), np.repeat(ordered.to_numpy(), w)) for w in weights for x in columns]
        draws[name] = np.reshape([precision_at_top(*each, 0.05) for each in repeated], (BOOTSTRAPS, 2)).mean(axis=1)
    for row in compare(scores, truth, criterion="precision_at_top").itertuples():
        error = np.std(draws[row.first] - draws[row.second])
        assert row.high - row.low == pytest.approx(2 * 1.959964 * error, rel=1e-5)


def test_precision_of_fewer_than_ten_best_has_no_interval():
    scores, truth = example(n=100)
    table = compare(scores, truth, criterion="precision_at_top")
    assert table["difference"].notna().all()
    assert table[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert not table["significant"].any()


def test_each_pair_is_compared_where_both_have_scores():
    scores, truth = example()
    names = list(scores)
    scores[names[0]] = [scores[names[0]][0].iloc[:120]]
    scores[names[1]] = [scores[names[1]][0].iloc[60:].sample(frac=1, random_state=0)]
    table = compare(scores, truth)
    assert table["n"].tolist() == [60, 120, 140]
    taus = [
        stats.kendalltau(scores[name][0].reindex(NAMES[60:120]), truth.iloc[60:120]).statistic for name in names[:2]
    ]
    assert table["difference"].iloc[0] == pytest.approx(taus[0] - taus[1])


def test_estimators_without_common_architectures_are_not_compared():
    scores, truth = example()
    first, second, _ = scores
    parts = {first: [scores[first][0].iloc[:100]], second: [scores[second][0].iloc[100:]]}
    row = compare(parts, truth).iloc[0]
    assert row["n"] == 0
    assert np.isnan(row["difference"])
    assert not row["significant"]


def test_few_architectures_give_differences_without_a_test():
    scores, truth = example(n=9)
    table = compare(scores, truth)
    assert table["difference"].notna().all()
    assert table["p"].isna().all()
    assert rank_intervals(table)[["rank_low", "rank_high"]].to_numpy().tolist() == [[1, 3]] * 3


def test_equal_estimators_never_differ_significantly():
    scores, truth = example()
    same = next(iter(scores.values()))
    row = compare({"one": same, "two": same}, truth).iloc[0]
    assert (row["difference"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)


def test_unknown_criterion_and_repeated_architecture_are_refused():
    scores, truth = example(n=20)
    with pytest.raises(BenchsuiteError, match="no criterion for pairs named 'tau'"):
        compare(scores, truth, criterion="tau")
    twice = pd.concat([scores["noise 1.0"][0]] * 2)
    with pytest.raises(BenchsuiteError, match="more than once"):
        compare({"a": [twice], "b": [twice]}, truth)


def precision(scores, truth):
    """Share of the better half by score in that by truth, in expectation over lots."""
    k = len(truth) // 2
    chances = []
    for column in (as_worst(np.asarray(scores)), np.asarray(truth)):
        better, equal = (
            (column[None, :] > column[:, None]).sum(axis=1),
            (column[None, :] == column[:, None]).sum(axis=1),
        )
        chances.append(np.clip((k - better) / equal, 0, 1))
    return chances[0] @ chances[1] / k if k else NAN


@pytest.mark.parametrize(
    ("criterion", "reference"),
    [("kendall_tau", scipy_tau), ("spearman_rho", scipy_rho), ("precision_at_top", precision)],
)
@settings(max_examples=25)
@given(data=judged())
def test_difference_of_two_estimators_is_that_of_means_of_references(criterion, reference, data):
    trials, truth = data
    table = compare(trials, truth, criterion=criterion, k=0.5)
    figures = {name: np.mean([reference(each, truth) for each in column]) for name, column in trials.items()}
    pairs = list(itertools.combinations(trials, 2))
    assert table[["first", "second"]].to_numpy().tolist() == [list(pair) for pair in pairs]
    for row in table.itertuples():
        expected = figures[row.first] - figures[row.second]
        assert row.difference == pytest.approx(expected, abs=1e-9, nan_ok=True)
        if len(truth) < 10:
            assert np.isnan([row.standard_error, row.low, row.high, row.p, row.p_holm]).all()
            assert not row.significant
