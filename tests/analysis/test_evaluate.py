import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, as_worst, columns, enumerated, scipy_pearson, scipy_rho, scipy_tau, signs, small_columns

import benchsuite
from benchsuite.analysis.evaluate import CRITERIA, INTERVALS, evaluate
from benchsuite.analysis.top_k import FRACTIONS, best_rank_at, precision_at_bottom, precision_at_top
from benchsuite.core.errors import BenchsuiteError


def series(values):
    return pd.Series(values, index=[f"architecture {i}" for i in range(len(values))], dtype=float)


def sample(n, *, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(90, 3, n)
    return series(truth + noise * rng.normal(0, 3, n)), series(truth)


def figure(table, criterion, k=None):
    at_k = table["k"].isna() if k is None else table["k"] == k
    return table[(table["criterion"] == criterion) & at_k].iloc[0]


def test_table_has_the_contracts_columns_and_one_row_per_criterion_and_k():
    table = evaluate(*sample(40))
    assert list(table.columns) == ["criterion", "k", "value", "low", "high", "n", "n_undefined"]
    assert table["criterion"].unique().tolist() == list(CRITERIA) == benchsuite.criteria()
    assert len(table) == 4 + 5 * len(FRACTIONS) == len(table.drop_duplicates(["criterion", "k"]))
    assert set(table.attrs["intervals"]) == set(CRITERIA) == set(INTERVALS)


@settings(max_examples=25)
@given(columns(largest=40), st.randoms(use_true_random=False))
def test_shuffled_rows_change_no_figure_and_no_interval(data, random):
    scores, truth = map(series, data)
    table = evaluate(scores, truth)
    orders = [random.sample(list(scores.index), len(scores)) for _ in range(2)]
    pd.testing.assert_frame_equal(evaluate(scores[orders[0]], truth[orders[1]]), table)


@settings(max_examples=25)
@given(columns(largest=40))
def test_intervals_hold_their_figure(data):
    table = evaluate(*map(series, data)).dropna(subset=["low"])
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()


def test_values_equal_those_of_the_single_criteria_and_of_scipy():
    scores, truth = sample(300)
    table = evaluate(scores, truth)
    assert figure(table, "kendall_tau")["value"] == pytest.approx(stats.kendalltau(scores, truth).statistic)
    assert figure(table, "spearman_rho")["value"] == pytest.approx(stats.spearmanr(scores, truth).statistic)
    assert figure(table, "pearson_r")["value"] == pytest.approx(stats.pearsonr(scores, truth).statistic)
    for criterion in (precision_at_top, precision_at_bottom, best_rank_at):
        assert figure(table, criterion.__name__, 0.05)["value"] == pytest.approx(criterion(scores, truth, 0.05))


def test_undefined_scores_rank_worst_or_are_dropped_and_are_counted():
    scores, truth = sample(60)
    scores.iloc[:10] = NAN
    worst, drop = evaluate(scores, truth), evaluate(scores, truth, undefined="drop")
    lowest = stats.kendalltau(scores.fillna(-1e9), truth).statistic
    defined = stats.kendalltau(scores.iloc[10:], truth.iloc[10:]).statistic
    assert figure(worst, "kendall_tau")["value"] == pytest.approx(lowest)
    assert figure(drop, "kendall_tau")["value"] == pytest.approx(defined)
    assert (worst["n_undefined"] == 10).all()
    assert (drop["n_undefined"] == 10).all()
    assert figure(worst, "kendall_tau")["n"] == 60
    assert figure(worst, "pearson_r")["n"] == figure(drop, "kendall_tau")["n"] == 50
    assert figure(worst, "pearson_r")["value"] == figure(drop, "pearson_r")["value"]


def test_infinite_scores_are_ordered_by_rank_criteria_and_left_out_of_pearson():
    scores, truth = sample(30)
    scores.iloc[[truth.argmax(), truth.argmin()]] = [np.inf, -np.inf]
    table = evaluate(scores, truth)
    ordered = scores.clip(scores[np.isfinite(scores)].min() - 1, scores[np.isfinite(scores)].max() + 1)
    assert figure(table, "kendall_tau")["value"] == pytest.approx(stats.kendalltau(ordered, truth).statistic)
    assert figure(table, "pearson_r")["n"] == 28
    assert figure(table, "pearson_r")["n_undefined"] == 0


def test_rows_without_partner_are_dropped_and_counted():
    scores, truth = sample(30)
    table = evaluate(scores.iloc[:25], truth.iloc[5:])
    assert (table["n"] == 20).all()
    assert (table.attrs["n_dropped"], table.attrs["n_unscored"]) == (5, 5)


def test_constant_and_wholly_undefined_scores_get_figures_without_a_warning():
    _, truth = sample(50)
    for constant in (truth * 0, truth * NAN):
        table = evaluate(constant, truth)
        assert np.isnan(figure(table, "kendall_tau")["value"])
        assert figure(table, "precision_at_top", 0.1)["value"] == pytest.approx(0.1)
    nothing = evaluate(truth * NAN, truth, undefined="drop")
    assert nothing["value"].isna().all()
    assert (nothing["n"] == 0).all()


def test_range_over_halves_of_the_best_rank_is_scaled_to_the_whole():
    _, truth = sample(400)
    row = figure(evaluate(truth * 0, truth), "best_rank_at", 0.1)
    assert row["value"] == pytest.approx(401 / 41 / 400)  # the smallest of 40 drawn from 1..400
    assert [row["low"], row["high"]] == pytest.approx([row["value"]] * 2, rel=0.05)


def test_single_architecture_has_no_correlation():
    table = evaluate(series([1.0]), series([90.0]))
    assert table.loc[table["k"].isna(), "value"].isna().all()


def test_intervals_of_few_architectures_are_hidden():
    table = evaluate(*sample(150))
    ends = table[table["k"].notna()]
    assert ends.loc[ends["k"] < 0.1, "low"].isna().all()
    assert ends.loc[ends["k"] >= 0.1, "low"].notna().all()
    assert evaluate(*sample(9))["low"].isna().all()


def test_intervals_widen_with_confidence_and_repeat_with_the_seed():
    scores, truth = sample(300)
    tables = [evaluate(scores, truth, confidence=confidence) for confidence in (0.5, 0.95)]
    widths = [table["high"] - table["low"] for table in tables]
    assert (widths[0] <= widths[1])[widths[0].notna()].all()
    pd.testing.assert_frame_equal(tables[1], evaluate(scores, truth))
    assert not tables[1].equals(evaluate(scores, truth, seed=1))


def test_jackknife_intervals_agree_with_the_bootstrap():
    scores, truth = sample(250)
    scores = scores.round()
    table, rng = evaluate(scores, truth), np.random.default_rng(0)
    draws = rng.integers(0, 250, size=(600, 250))
    for criterion, reference in (
        ("kendall_tau", stats.kendalltau),
        ("spearman_rho", stats.spearmanr),
        ("pearson_r", stats.pearsonr),
    ):
        replicates = [reference(scores.to_numpy()[rows], truth.to_numpy()[rows]).statistic for rows in draws]
        row = figure(table, criterion)
        assert (row["high"] - row["low"]) / (2 * 1.96) == pytest.approx(np.std(replicates), rel=0.12)


def test_intervals_cover_what_a_larger_sample_shows():
    """Bivariate normal scores of correlation .7: tau = 2 / pi asin .7; P@top 10 % from a hundred thousand draws."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=100_000)
    scores = 0.7 * truth + np.sqrt(1 - 0.49) * rng.normal(size=100_000)
    expected = {"kendall_tau": (None, 2 / np.pi * np.arcsin(0.7)), "pearson_r": (None, 0.7)}
    expected["precision_at_top"] = (0.1, precision_at_top(scores, truth, 0.1))
    covered = dict.fromkeys(expected, 0)
    for part in range(100):
        rows = slice(100 * part, 100 * (part + 1))
        table = evaluate(series(scores[rows]), series(truth[rows]))
        for criterion, (k, value) in expected.items():
            row = figure(table, criterion, k)
            covered[criterion] += row["low"] <= value <= row["high"]
    assert min(covered.values()) >= 88  # of 100 intervals of confidence .95


def test_types_of_extension_arrays_are_numbers():
    scores, truth = sample(20)
    plain = evaluate(scores.where(scores > 88), truth)
    nullable = scores.where(scores > 88).astype("Float64")
    pd.testing.assert_frame_equal(evaluate(nullable, truth), plain)


GOOD = series([1.0, 2.0, 3.0])


TWICE = pd.Series([1.0, 2.0], index=["a", "a"])


@pytest.mark.parametrize(
    ("scores", "truth", "options", "message"),
    [
        (TWICE, GOOD, {}, "scores has the architecture 'a' more than once"),
        (GOOD, TWICE, {}, "truth has the architecture 'a' more than once"),
        (GOOD.astype(str), GOOD, {}, "scores has the type"),
        (GOOD.astype(complex), GOOD, {}, "scores has the type complex128"),
        ([1.0, 2.0], GOOD, {}, "scores is a list"),
        (GOOD, GOOD.where(GOOD > 1), {}, "truth must be finite but 'architecture 0' has nan"),
        (GOOD, GOOD * np.inf, {}, "truth must be finite but 'architecture 0' has inf"),
        (GOOD, GOOD.add_prefix("other "), {}, "no architecture in common"),
        (GOOD.iloc[:0], GOOD, {}, "no architecture in common"),
        (GOOD, GOOD, {"confidence": 1.0}, "confidence = 1.0; must lie between 0 and 1"),
        (GOOD, GOOD, {"confidence": NAN}, "confidence = nan"),
        (GOOD, GOOD, {"undefined": "best"}, "undefined = 'best'; must be 'worst' or 'drop'"),
    ],
)
def test_unusable_input_is_refused_in_one_line(scores, truth, options, message):
    with pytest.raises(BenchsuiteError, match=message) as refusal:
        evaluate(scores, truth, **options)
    assert "\n" not in str(refusal.value)


ENDS = ("precision_at_top", "precision_at_bottom", "best_rank_at", "worst_rank_at", "regret_at")


def tau_a(scores, truth):
    pairs = len(scores) * (len(scores) - 1)
    return (signs(scores) * signs(truth)).sum() / pairs if pairs else NAN


CORRELATIONS = {
    "kendall_tau": scipy_tau,
    "kendall_tau_a": tau_a,
    "spearman_rho": scipy_rho,
    "pearson_r": scipy_pearson,
}


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
        # of j among s equally true ones the first is expected at rank (s + 1) / (j + 1)
        start, size = first[truth == best][0], (truth == best).sum()
        rank = start - 1 + (size + 1) / ((truth[chosen] == best).sum() + 1)
        end, size = last[truth == worst][0], (truth == worst).sum()
        lowest = end + 1 - (size + 1) / ((truth[chosen] == worst).sum() + 1)
        assert exact["best_rank_at", fraction] * n == pytest.approx(rank)
        assert exact["worst_rank_at", fraction] * n == pytest.approx(lowest)
        assert exact["regret_at", fraction] == truth.max() - best
