"""Criteria of one estimator against brute force and scipy: ties, undefined and constant scores, few architectures."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, as_worst, columns, enumerated, signs

from benchsuite.analysis.correlation import kendall_tau, pearson_r
from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.groups import tau_within_ends
from benchsuite.analysis.reliability import ceiling, seed_reliability
from benchsuite.analysis.top_k import FRACTIONS
from benchsuite.analysis.variance import over_seeds
from benchsuite.core.errors import UnsupportedError

ENDS = ("precision_at_top", "precision_at_bottom", "best_rank_at", "worst_rank_at", "regret_at")


def varies(*values):
    return all(len(np.unique(as_worst(each))) > 1 for each in values)


def scipy_tau(scores, truth):
    return stats.kendalltau(as_worst(scores), truth).statistic if varies(scores, truth) else NAN


def scipy_rho(scores, truth):
    return stats.spearmanr(as_worst(scores), truth).statistic if varies(scores, truth) else NAN


def scipy_pearson(scores, truth):
    known = ~np.isnan(scores)
    usable = known.sum() > 1 and varies(scores[known], truth[known])
    return stats.pearsonr(scores[known], truth[known]).statistic if usable else NAN


def tau_a(scores, truth):
    pairs = len(scores) * (len(scores) - 1)
    return (signs(scores) * signs(truth)).sum() / pairs if pairs else NAN


CORRELATIONS = {
    "kendall_tau": scipy_tau,
    "kendall_tau_a": tau_a,
    "spearman_rho": scipy_rho,
    "pearson_r": scipy_pearson,
}


@st.composite
def small_columns(draw, *, smallest=1, largest=12):
    """Scores of few levels, undefined ones among them, that no sum of squares loses; and truth."""
    n = draw(st.integers(smallest, largest))
    levels = draw(st.sampled_from([[NAN, -1.0, 0.0, 0.5, 2.0], [1.0], [NAN]]))
    scores = draw(st.lists(st.sampled_from(levels), min_size=n, max_size=n))
    truth = draw(st.lists(st.integers(90, 94), min_size=n, max_size=n))
    return np.array(scores), np.array(truth, dtype=float)


@settings(max_examples=40)
@given(small_columns(), st.sampled_from(["worst", "drop"]))
def test_every_correlation_of_the_table_is_its_reference(data, undefined):
    table = evaluate(*map(pd.Series, data), undefined=undefined).set_index("criterion")
    kept = ~np.isnan(data[0]) if undefined == "drop" else np.full(len(data[0]), True)
    for name, reference in CORRELATIONS.items():
        expected = reference(data[0][kept], data[1][kept])
        assert table.loc[name, "value"] == pytest.approx(expected, abs=1e-9, nan_ok=True), name


@settings(max_examples=30)
@given(small_columns(largest=5), st.sampled_from(["worst", "drop"]))
def test_both_ends_of_the_table_are_means_over_all_ways_to_break_ties(data, undefined):
    table = evaluate(*map(pd.Series, data), undefined=undefined).set_index(["criterion", "k"])["value"]
    kept = ~np.isnan(data[0]) if undefined == "drop" else np.full(len(data[0]), True)
    for fraction in FRACTIONS:
        k = int(fraction * kept.sum() + 1e-9)
        expected = enumerated(data[0][kept], data[1][kept], k) if k else np.full(5, NAN)
        found = [table[name, fraction] for name in ENDS]
        assert found == pytest.approx(expected.tolist(), abs=1e-9, nan_ok=True), fraction


def chances(values, k):
    """The probability of each item to be among the k best when equal ones draw lots."""
    better = (values[None, :] > values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return np.clip((k - better) / equal, 0, 1)


@settings(max_examples=4)
@given(st.integers(1000, 1400), st.integers(0, 999), st.sampled_from([0.0, 0.3, 1.0]))
def test_every_fraction_of_many_architectures_is_its_reference(n, seed, undefined):
    """Precision with ties in both; rank and regret with ties in truth alone: those of the best-scored by name."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 60, n).astype(float)
    tied = np.where(rng.random(n) < undefined, NAN, rng.integers(0, 30, n) + truth)
    table = evaluate(pd.Series(tied), pd.Series(truth)).set_index(["criterion", "k"])["value"]
    untied = rng.permutation(n) + 10.0 * truth + rng.random(n) / 2
    exact = evaluate(pd.Series(untied), pd.Series(truth)).set_index(["criterion", "k"])["value"]
    by_score, first, last = np.argsort(-untied), stats.rankdata(-truth, "min"), stats.rankdata(-truth, "max")
    for fraction in FRACTIONS:
        k = int(fraction * n + 1e-9)
        top = chances(as_worst(tied), k) @ chances(truth, k) / k
        bottom = chances(-as_worst(tied), k) @ chances(-truth, k) / k
        assert table["precision_at_top", fraction] == pytest.approx(top)
        assert table["precision_at_bottom", fraction] == pytest.approx(bottom)
        chosen = by_score[:k]
        best, worst = truth[chosen].max(), truth[chosen].min()
        # of j among s equally true ones the first is expected at place (s + 1) / (j + 1)
        start, size = first[truth == best][0], (truth == best).sum()
        rank = start - 1 + (size + 1) / ((truth[chosen] == best).sum() + 1)
        end, size = last[truth == worst][0], (truth == worst).sum()
        lowest = end + 1 - (size + 1) / ((truth[chosen] == worst).sum() + 1)
        assert exact["best_rank_at", fraction] * n == pytest.approx(rank)
        assert exact["worst_rank_at", fraction] * n == pytest.approx(lowest)
        assert exact["regret_at", fraction] == truth.max() - best


@settings(max_examples=40)
@given(columns())
def test_pearson_of_the_defined_equals_scipy(data):
    scores = np.where(np.abs(data[0]) > 1e6, np.sign(data[0]) * 7, data[0])  # scipy's squares overflow
    assert pearson_r(scores, data[1]) == pytest.approx(scipy_pearson(scores, data[1]), abs=1e-9, nan_ok=True)


@settings(max_examples=40)
@given(columns(largest=14))
def test_tau_within_ends_is_scipys_on_all_that_no_k_others_beat(data):
    scores, truth = as_worst(data[0]), data[1]
    table = tau_within_ends(*map(pd.Series, data)).set_index(["by", "end", "k"])
    for (by, end, fraction), row in table.iterrows():
        values = (scores if by == "scores" else truth) * (1 if end == "top" else -1)
        k = int(fraction * len(values) + 1e-9)
        inside = np.array([sum(other > value for other in values) < k for value in values])
        assert row["n"] == inside.sum()
        expected = scipy_tau(scores[inside], truth[inside]) if k else NAN
        assert row["kendall_tau"] == pytest.approx(expected, nan_ok=True)


@st.composite
def trainings(draw):
    """Accuracies of 1 to 5 architectures in 1 to 3 trainings, some of them missing, few levels."""
    n, number = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    values = st.sampled_from([NAN, 90.0, 91.0, 92.0])
    drawn = draw(st.lists(values, min_size=n * number, max_size=n * number))
    return pd.DataFrame(np.reshape(drawn, (n, number)))


def rows_trained_twice(accuracy):
    rows = [row[~np.isnan(row)] for row in accuracy.to_numpy()]
    return [row for row in rows if len(row) > 1]


@settings(max_examples=60)
@given(trainings())
def test_reliability_is_one_training_against_the_others_whatever_their_order(accuracy):
    """A sum of products does not depend on which training comes first; tau is that of some order of each row's."""
    rows, number = rows_trained_twice(accuracy), accuracy.shape[1]
    if not rows:
        with pytest.raises(UnsupportedError, match="trained twice"):
            seed_reliability(accuracy, kendall_tau)
        return
    figure = seed_reliability(accuracy, lambda one, others: float((one * others).sum()))
    expected = sum((row.sum() ** 2 - (row**2).sum()) / (len(row) - 1) for row in rows) / number
    assert figure.value == pytest.approx(expected)
    assert figure.n == len(rows)
    if number == 2:
        possible = [
            np.mean([scipy_tau(one, other), scipy_tau(other, one)])
            for order in itertools.product(*(itertools.permutations(row) for row in rows))
            for one, other in [np.transpose(order)]
        ]
        found = seed_reliability(accuracy, kendall_tau).value
        assert any(found == pytest.approx(value, nan_ok=True) for value in possible)


@settings(max_examples=30)
@given(trainings())
def test_ceiling_adds_noise_of_the_means_standard_error(accuracy):
    rows = rows_trained_twice(accuracy)
    if not rows:
        with pytest.raises(UnsupportedError, match="trained twice"):
            ceiling(accuracy, kendall_tau)
        return
    drawn = []
    ceiling(accuracy, lambda scores, truth: drawn.append((scores, truth)) or 0.0, draws=300)
    means, errors = [row.mean() for row in rows], np.array([stats.sem(row) for row in rows])
    assert all(scores.tolist() == pytest.approx(means) for scores, _ in drawn)
    noise = np.array([truth - scores for scores, truth in drawn])
    assert (np.abs(noise.mean(axis=0)) <= 5 * errors / np.sqrt(300)).all()
    assert noise.std(axis=0) == pytest.approx(errors, rel=0.25)
    steady = accuracy[accuracy.nunique(axis=1) < 2]
    if rows_trained_twice(steady):
        means = np.array([row.mean() for row in rows_trained_twice(steady)])
        assert ceiling(steady, kendall_tau, draws=2).value == pytest.approx(scipy_tau(means, means), nan_ok=True)


@settings(max_examples=30)
@given(st.lists(small_columns(smallest=8, largest=8), min_size=1, max_size=3))
def test_figures_over_seeds_are_numpys_where_they_are_defined(seeds):
    truth = pd.Series(seeds[0][1])
    tables = [evaluate(pd.Series(scores), truth) for scores, _ in seeds]
    combined = over_seeds(tables)
    for place, row in enumerate(combined.itertuples()):
        values = np.array([table["value"].iloc[place] for table in tables])
        known = values[~np.isnan(values)]
        assert row.seeds == known.size
        assert row.value == pytest.approx(known.mean() if known.size else NAN, nan_ok=True)
        assert row.deviation == pytest.approx(known.std(ddof=1) if known.size > 1 else NAN, nan_ok=True)
        assert row.n_undefined == np.mean([np.isnan(scores).sum() for scores, _ in seeds])
