import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchsuite.analysis.best_subsets import best_subsets
from benchsuite.analysis.complementarity import added_information, agreement, clustered_order, information
from benchsuite.core.errors import BenchsuiteError


def example(n=120, trials=2):
    """Estimators of the truth: two alike, one of its own, one of size, with ties and undefined scores."""
    rng = np.random.default_rng(0)
    names = [f"cell{i:03d}" for i in range(n)]
    size = rng.integers(0, 9, n).astype(float)
    truth, common = size / 4 + rng.normal(size=n), rng.normal(size=n)
    noises = {"snip": common, "grad_norm": common, "nwot": rng.normal(size=n)}
    found = {
        name: [pd.Series((truth + noise + rng.normal(0, 0.4, n)).round(1), names) for _ in range(trials)]
        for name, noise in noises.items()
    }
    found["snip"][0].iloc[:5] = np.nan
    found["params"] = [pd.Series(size, names)]
    return found, pd.Series(truth.round(1), names), pd.Series(size, names)


def ranked(scores):
    return stats.rankdata(scores.fillna(-np.inf))


def test_agreement_is_the_mean_of_scipys_rho_over_pairs_of_trials():
    trials, truth, _ = example()
    matrix = agreement(trials, truth)
    for first, second in itertools.product(trials, repeat=2):
        pairs = itertools.product(range(len(trials[first])), range(len(trials[second])))
        rhos = [
            stats.pearsonr(ranked(trials[first][i]), ranked(trials[second][j])).statistic
            for i, j in pairs
            if first != second or i != j or len(trials[first]) == 1
        ]
        assert matrix.loc[first, second] == pytest.approx(np.mean(rhos)), (first, second)


def test_alike_estimators_stand_side_by_side_whatever_their_order():
    trials, truth, _ = example()
    for names in itertools.permutations(trials):
        order = agreement({name: trials[name] for name in names}, truth).index.tolist()
        assert abs(order.index("snip") - order.index("grad_norm")) == 1


def test_one_estimator_and_constants_can_be_ordered():
    trials, truth, _ = example()
    constant = [pd.Series(0.0, truth.index)]
    matrix = agreement({**trials, "constant": constant}, truth)
    assert matrix["constant"].isna().all()
    assert matrix.drop("constant").drop(columns="constant").notna().all(axis=None)
    assert agreement({"one": trials["nwot"]}, truth).shape == (1, 1)
    assert clustered_order(pd.DataFrame(np.full((4, 4), np.nan), list("abcd"), list("abcd"))) is not None


def residuals(rank, given):
    design = np.column_stack([np.ones(len(rank)), *given])
    return rank - design @ np.linalg.lstsq(design, rank, rcond=None)[0]


def test_added_information_is_the_correlation_of_residuals():
    trials, truth, size = example(trials=1)
    table = added_information(trials, truth, size)
    for first, second in itertools.permutations(["snip", "grad_norm", "nwot"], 2):
        given = [stats.rankdata(size), ranked(trials[second][0])]
        left = [residuals(rank, given) for rank in (ranked(trials[first][0]), stats.rankdata(truth))]
        assert table.loc[first, second] == pytest.approx(stats.pearsonr(*left).statistic)
    left = [residuals(rank, [stats.rankdata(size)]) for rank in (ranked(trials["nwot"][0]), stats.rankdata(truth))]
    assert table.loc["nwot", "nwot"] == pytest.approx(stats.pearsonr(*left).statistic)
    assert table.loc["params"].isna().all()


def test_the_diagonal_of_added_information_is_the_partial_rho_of_the_bias_analysis():
    from benchsuite.analysis.bias import complexity_correlations

    trials, truth, size = example()
    table = added_information(trials, truth, size)
    own = [
        complexity_correlations(each, truth, size).set_index("figure").loc["partial_rho", "value"]
        for each in trials["snip"]
    ]
    assert table.loc["snip", "snip"] == pytest.approx(np.mean(own))


def partial(rank, other, given):
    return stats.pearsonr(residuals(rank, given), residuals(other, given)).statistic


def interval(value, without):
    """Normal interval on Fisher's scale with the standard error of the jackknife."""
    half = stats.norm.ppf(0.975) * np.sqrt((len(without) - 1) * np.var(without)) / (1 - value**2)
    return np.tanh(np.arctanh(value) + np.array([-half, half]))


def test_information_holds_the_figures_of_both_matrices():
    trials, truth, size = example()
    table = information(trials, truth, size).set_index(["estimator", "other"])
    agreed, added = agreement(trials, truth), added_information(trials, truth, size)
    assert len(table) == len(trials) ** 2
    for pair in itertools.product(trials, repeat=2):
        assert table.loc[pair, "agreement"] == pytest.approx(agreed.loc[pair]), pair
        assert table.loc[pair, "added"] == pytest.approx(added.loc[pair], nan_ok=True), pair
    assert (table["n"] == 120).all()


def test_intervals_of_information_are_those_of_the_jackknife_written_out():
    trials, truth, size = example(trials=1)
    table = information(trials, truth, size).set_index(["estimator", "other"])
    columns = [trials["snip"][0].fillna(-99), trials["nwot"][0], truth, size]
    figures = []
    for left_out in [None, *truth.index]:
        snip, nwot, known, sizes = (stats.rankdata(each.drop(left_out) if left_out else each) for each in columns)
        figures.append(
            [stats.pearsonr(snip, nwot).statistic, partial(snip, known, [sizes, nwot]), partial(snip, known, [sizes])]
        )
    (agreed, added, alone), without = figures[0], np.array(figures[1:])
    ends = table.loc[("snip", "nwot"), ["agreement_low", "agreement_high"]].tolist()
    assert ends == pytest.approx(interval(agreed, without[:, 0]), abs=2e-3)  # a part in n of the half-width
    ends = table.loc[("snip", "nwot"), ["added_low", "added_high"]].tolist()
    assert ends == pytest.approx(interval(added, without[:, 1]), abs=2e-3)
    ends = table.loc[("snip", "snip"), ["added_low", "added_high"]].tolist()
    assert ends == pytest.approx(interval(alone, without[:, 2]), abs=2e-3)


def test_intervals_of_held_out_tau_combine_those_of_the_folds():
    trials, truth, _ = example(trials=1)
    row = best_subsets(trials, truth, largest=1, folds=2).iloc[0]
    fold = np.random.default_rng(0).permutation(120) % 2
    taus, squares = [], []
    for part in (0, 1):
        others = {
            name: stats.kendalltau(ranked(each[0])[fold != part], truth[fold != part])[0]
            for name, each in trials.items()
        }
        best = ranked(trials[max(others, key=others.get)][0])[fold == part]
        known = truth.to_numpy()[fold == part]
        taus.append(stats.kendalltau(best, known).statistic)
        without = [stats.kendalltau(np.delete(best, i), np.delete(known, i)).statistic for i in range(60)]
        squares.append(59 * np.var(without))
    half = stats.norm.ppf(0.975) * np.sqrt(np.sum(squares)) / 2 / (1 - np.mean(taus) ** 2)
    expected = np.tanh(np.arctanh(np.mean(taus)) + np.array([-half, half]))
    assert row["held_out"] == pytest.approx(np.mean(taus))
    assert [row["low"], row["high"]] == pytest.approx(expected, abs=2e-3)


def test_best_subsets_are_those_of_an_exhaustive_search():
    trials, truth, _ = example(trials=1)
    table = best_subsets(trials, truth)
    ranks = {name: ranked(each[0]) for name, each in trials.items()}
    for row in table.itertuples():
        taus = {
            " + ".join(names): stats.kendalltau(sum(ranks[name] for name in names), truth).statistic
            for names in itertools.combinations(trials, row.size)
        }
        assert row.estimators == max(taus, key=taus.get)
        assert row.all == pytest.approx(max(taus.values()))
    assert table["size"].tolist() == [1, 2, 3]
    assert table["folds_agreeing"].between(0, 5).all()


def test_held_out_tau_is_not_flattered_by_the_choice():
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(size=200))
    noise = {f"noise {i}": [pd.Series(rng.normal(size=200))] for i in range(20)}
    table = best_subsets(noise, truth)
    assert (table["all"] > 0.07).all()
    assert table["held_out"].max() < 0.03


def test_folds_and_architectures_must_be_enough():
    trials, truth, _ = example()
    with pytest.raises(BenchsuiteError, match="1 folds"):
        best_subsets(trials, truth, folds=1)
    with pytest.raises(BenchsuiteError, match="no architecture"):
        agreement({"a": [trials["nwot"][0].iloc[:3]], "b": [trials["nwot"][0].iloc[3:]]}, truth)
