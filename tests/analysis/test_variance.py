import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tied_columns import NAN, small_columns

from benchsuite.analysis.evaluate import evaluate
from benchsuite.analysis.variance import (
    between_pairs,
    crossed_factors,
    over_seeds,
    rank_standard_deviation,
    ranking_stability,
)
from benchsuite.core.errors import BenchsuiteError


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
    assert between_pairs(matrix).tolist() == pytest.approx(expected)


def test_single_seed_has_no_stability_and_no_deviation():
    scores, truth = seeds(number=1)
    assert between_pairs(ranking_stability(scores)).size == 0
    assert rank_standard_deviation(scores).isna().all()
    assert over_seeds([evaluate(scores[0], truth)])["standard_deviation"].isna().all()


def test_rank_deviation_is_that_of_scipy_ranks():
    scores, _ = seeds()
    ranks = stats.rankdata(scores, axis=0) / len(scores)
    assert rank_standard_deviation(scores).tolist() == pytest.approx(ranks.std(axis=1, ddof=1).tolist())


def test_figures_over_seeds_are_mean_and_sample_deviation():
    scores, truth = seeds()
    tables = [evaluate(scores[seed], truth) for seed in scores]
    combined = over_seeds(tables)
    taus = [stats.kendalltau(scores[seed], truth).statistic for seed in scores]
    row = combined[combined["criterion"] == "kendall_tau"].iloc[0]
    assert (row["value"], row["standard_deviation"]) == pytest.approx((np.mean(taus), np.std(taus, ddof=1)))
    assert row["low"] == pytest.approx(np.mean([table["low"].iloc[0] for table in tables]))
    assert row["seeds"] == 3
    pd.testing.assert_frame_equal(combined[["criterion", "k"]], tables[0][["criterion", "k"]])


def test_seed_without_the_figure_is_not_counted():
    scores, truth = seeds()
    tables = [evaluate(scores[0], truth), evaluate(scores[1] * 0, truth)]
    row = over_seeds(tables).iloc[0]
    assert (row["value"], row["seeds"]) == (tables[0]["value"].iloc[0], 1)


def test_ends_are_undefined_where_a_trial_that_counts_in_the_figure_has_none():
    table = pd.DataFrame({"criterion": ["tau"], "k": [np.nan], "value": [0.5], "low": [0.4], "high": [0.6]})
    table = table.assign(n=[20], n_undefined=[0])
    without_ends = table.assign(value=0.7, low=np.nan, high=np.nan)
    row = over_seeds([table, without_ends]).iloc[0]
    assert (row["value"], row["seeds"]) == (pytest.approx(0.6), 2)
    assert row[["low", "high"]].isna().all()
    undefined = over_seeds([table, without_ends.assign(value=np.nan)]).iloc[0]
    assert undefined[["value", "low", "high"]].tolist() == [0.5, 0.4, 0.6]


def test_no_seed_at_all_is_refused():
    with pytest.raises(BenchsuiteError, match="no seed"):
        over_seeds([])


GRID = pd.MultiIndex.from_product([[0, 1, 2], [5, 7]])


def trials(effects, columns=GRID, n=60):
    """Scores of n architectures with normal effects of the given deviations: architecture, seed, batch, both."""
    rng = np.random.default_rng(0)
    seeds, batches = columns.levshape
    shapes = ((n, 1, 1), (n, seeds, 1), (n, 1, batches), (n, seeds, batches))
    scores = sum(deviation * rng.normal(size=shape) for deviation, shape in zip(effects, shapes, strict=True))
    return pd.DataFrame(np.broadcast_to(scores, shapes[3]).reshape(n, -1), columns=columns)


def analysis_of_variance(ranks):
    """Mean components of shape (architectures, seeds, batches) from two-way tables, one per architecture."""
    _, seeds, batches = ranks.shape
    components = []
    for table in ranks:
        rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
        residual = table - rows[:, None] - columns + mean
        square_seed = batches * ((rows - mean) ** 2).sum() / (seeds - 1)
        square_batch = seeds * ((columns - mean) ** 2).sum() / (batches - 1)
        square = (residual**2).sum() / ((seeds - 1) * (batches - 1))
        components.append(((square_seed - square) / batches, (square_batch - square) / seeds, square))
    return np.mean(components, axis=0)


def ranks_of(scores):
    ranks = stats.rankdata(scores.fillna(-np.inf), axis=0)
    return ranks, ranks.reshape(len(scores), *scores.columns.levshape)


def test_shares_are_those_of_an_analysis_of_variance_of_the_ranks_of_each_architecture():
    scores = trials((1.0, 0.7, 0.4, 0.5))
    n = len(scores)
    expected = analysis_of_variance(ranks_of(scores)[1] / n) / ((n**2 - 1) / 12 / n**2)  # by the variance of 1/n..n/n
    shares = crossed_factors(scores)["value"]
    assert shares[["seed", "batch", "both"]].tolist() == pytest.approx(expected.tolist())
    assert shares["architecture"] == pytest.approx(1 - expected.sum())


@settings(max_examples=30)
@given(st.data())
def test_shares_with_ties_and_undefined_scores_are_those_of_standardised_ranks(data):
    seeds, batches, n = (data.draw(st.integers(2, high)) for high in (4, 3, 12))
    value = st.sampled_from([0.0, 1.0, 2.0, np.nan])
    drawn = data.draw(st.lists(value, min_size=n * seeds * batches, max_size=n * seeds * batches))
    columns = pd.MultiIndex.from_product([range(seeds), range(batches)])
    scores = pd.DataFrame(np.reshape(drawn, (n, -1)), columns=columns)
    shares = crossed_factors(scores)["value"][["architecture", "seed", "batch", "both"]]
    ranks, table = ranks_of(scores)
    deviations = ranks.std(axis=0)
    if deviations.all():
        expected = analysis_of_variance((table - (n + 1) / 2) / deviations.reshape(seeds, batches))
        assert shares.tolist() == pytest.approx([1 - expected.sum(), *expected], abs=1e-12)
    else:
        assert np.isnan(shares["both"])


def test_known_normal_effects_are_found_within_their_intervals():
    architecture, seed, batch = 0.5, 0.3, 0.0  # variances; that of both together is the rest
    effects = np.array([architecture, seed, batch, 0.2])
    columns = pd.MultiIndex.from_product([range(3), range(3)])
    table = crossed_factors(trials(np.sqrt(effects), columns, n=2000), confidence=0.999)
    # rho and tau of two normal variables of correlation r (Kruskal 1958)
    same_seed, neither = (6 / np.pi * np.arcsin(r / 2) for r in (architecture + seed, architecture))
    expected = {
        "architecture": neither,
        "seed": same_seed - neither,
        "batch": batch,
        "both": 1 - same_seed,
        "tau_other_seed": 2 / np.pi * np.arcsin(architecture + batch),
        "tau_other_batch": 2 / np.pi * np.arcsin(architecture + seed),
        "tau_other_both": 2 / np.pi * np.arcsin(architecture),
    }
    assert list(table.index) == list(expected)
    wanted = pd.Series(expected)
    assert ((table["low"] < wanted) & (wanted < table["high"])).all()
    assert (table["high"] - table["low"] < 0.15).all()


def test_taus_are_means_of_scipys_over_the_pairs_that_share_a_factor():
    scores = trials((1.0, 0.7, 0.4, 0.5))
    scores.iloc[:4] = np.nan
    scores.iloc[7, 2] = np.nan
    taus = {"tau_other_seed": [], "tau_other_batch": [], "tau_other_both": []}
    for (one, x), (other, y) in itertools.combinations(scores.fillna(-1e9).items(), 2):
        name = "seed" if one[1] == other[1] else "batch" if one[0] == other[0] else "both"
        taus[f"tau_other_{name}"].append(stats.kendalltau(x, y).statistic)
    assert [len(each) for each in taus.values()] == [6, 3, 6]
    table = crossed_factors(scores).loc[list(taus)]
    assert table["value"].tolist() == pytest.approx([np.mean(each) for each in taus.values()])


def test_interval_of_a_share_is_the_jackknife_with_ranks_anew():
    scores = trials((1.0, 0.7, 0.4, 0.5), n=20).round(1)
    scores.iloc[3:5, 1:4] = np.nan
    table = crossed_factors(scores)
    without = np.array([crossed_factors(scores.drop(index=row))["value"] for row in scores.index])
    error = np.sqrt(19 / 20 * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    half = (table["high"] - table["low"]) / 2
    assert half.iloc[:4].tolist() == pytest.approx((stats.norm.ppf(0.975) * error[:4]).tolist())


@pytest.mark.parametrize(("known", "other"), [("seed", "batch"), ("batch", "seed")])
@pytest.mark.parametrize("single", [0, None])
def test_with_one_level_of_a_factor_the_other_takes_all_that_is_not_the_architectures(known, other, single):
    scores = trials((1.0, 0.7, 0.0, 0.0))[[(0, 5), (1, 5), (2, 5)]]
    scores.columns = pd.MultiIndex.from_tuples([(i, single) if known == "seed" else (single, i) for i in range(3)])
    table = crossed_factors(scores)["value"]
    rho = stats.spearmanr(scores).statistic[np.triu_indices(3, 1)].mean()
    assert table[["architecture", known]].tolist() == pytest.approx([rho, 1 - rho])
    assert table[[other, "both", f"tau_other_{other}", "tau_other_both"]].isna().all()
    assert table[f"tau_other_{known}"] == pytest.approx(between_pairs(ranking_stability(scores)).mean())


def test_what_trials_cannot_tell_is_undefined():
    scores = trials((1.0, 0.7, 0.4, 0.5))
    diagonal = crossed_factors(scores[[(0, 5), (1, 7)]])["value"]
    assert diagonal.dropna().index.tolist() == ["architecture", "tau_other_both"]
    for few in (scores[[(0, 5)]], scores * 0, scores.iloc[:1], scores.iloc[:0]):
        assert crossed_factors(few).isna().all(axis=None)


def test_trials_without_two_labels_of_their_own_are_refused():
    scores = trials((1.0, 0.7, 0.4, 0.5))
    with pytest.raises(BenchsuiteError, match="seed, batch seed"):
        crossed_factors(scores.droplevel(1, axis=1))
    with pytest.raises(BenchsuiteError, match="seed, batch seed"):
        crossed_factors(scores[[(0, 5), (0, 5)]])


@settings(max_examples=40)
@given(st.integers(2, 8), st.integers(1, 3), st.integers(0, 999))
def test_stability_and_rank_deviation_equal_scipy_with_ties_undefined_and_constant_scores(n, number, seed):
    rng = np.random.default_rng(seed)
    values = rng.choice([np.nan, 0.0, 1.0, 2.0], size=(n, number))
    worst = np.where(np.isnan(values), -np.inf, values)
    scores = pd.DataFrame(values)
    matrix = ranking_stability(scores).to_numpy()
    for i, j in itertools.product(range(number), repeat=2):
        varies = all(len(np.unique(worst[:, column])) > 1 for column in (i, j))
        expected = stats.kendalltau(worst[:, i], worst[:, j]).statistic if varies else np.nan
        assert matrix[i, j] == pytest.approx(expected, nan_ok=True)
    ranks = stats.rankdata(worst, axis=0) / n
    expected = ranks.std(axis=1, ddof=1) if number > 1 else np.full(n, np.nan)
    assert rank_standard_deviation(scores).tolist() == pytest.approx(expected.tolist(), nan_ok=True)


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
        assert row.standard_deviation == pytest.approx(known.std(ddof=1) if known.size > 1 else NAN, nan_ok=True)
        assert row.n_undefined == np.mean([np.isnan(scores).sum() for scores, _ in seeds])
