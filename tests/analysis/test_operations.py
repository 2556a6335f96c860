import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tied_columns import NAN, as_worst

from benchsuite.analysis.operations import operation_bias, single_operation_pairs
from benchsuite.core.errors import UnsupportedError

OPERATIONS = ("conv", "none", "pool")


def example(number=60, seed=0):
    """A part of all architectures of four positions, with tied truths and undefined scores."""
    rng = np.random.default_rng(seed)
    cells = list(itertools.product(OPERATIONS, repeat=4))
    chosen = {"".join(word[0] for word in cells[i]): cells[i] for i in rng.permutation(len(cells))[:number]}
    truth = pd.Series(rng.integers(0, 9, number).astype(float), chosen)
    scores = pd.Series(np.where(rng.random(number) < 0.1, np.nan, rng.integers(0, 9, number)), chosen)
    return chosen, scores, truth


def differing(first, second):
    return [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]


def enumerated(scores, truth, cells, names):
    """(truth rises, score rises) of every pair among `names`, by exchange."""
    found = {}
    worst = scores.fillna(-np.inf)
    for first, second in itertools.permutations(names, 2):
        places = differing(cells[first], cells[second])
        if len(places) == 1 and cells[first][places[0]] < cells[second][places[0]]:
            exchange = cells[first][places[0]], cells[second][places[0]]
            rises = [float(x[second] > x[first]) + 0.5 * float(x[second] == x[first]) for x in (truth, worst)]
            found.setdefault(exchange, []).append(rises)
    return {exchange: np.array(rises) for exchange, rises in found.items()}


def test_pairs_are_all_that_differ_in_one_operation():
    cells, _, _ = example()
    pairs = single_operation_pairs(cells)
    expected = {
        frozenset(pair) for pair in itertools.combinations(cells, 2) if len(differing(*map(cells.get, pair))) == 1
    }
    assert {frozenset(pair) for pair in zip(pairs["first"], pairs["second"], strict=True)} == expected
    assert len(pairs) == len(expected)
    for row in pairs.itertuples():
        assert (cells[row.first][row.position], cells[row.second][row.position]) == (row.before, row.after)
        assert row.before < row.after


def test_architectures_of_other_lengths_have_no_exchange():
    pairs = single_operation_pairs({"a": ("conv",), "b": ("conv", "pool"), "c": ("conv", "conv")})
    assert pairs[["first", "second"]].to_numpy().tolist() == [["c", "b"]]
    assert single_operation_pairs({"a": ("conv",)}).empty


def test_spaces_whose_architectures_differ_in_edges_too_are_refused():
    with pytest.raises(UnsupportedError, match="have the same operations"):
        single_operation_pairs({"a": ("conv",), "b": ("conv",)})


def test_shares_of_rises_equal_those_counted_pair_by_pair():
    cells, scores, truth = example()
    groups = pd.Series(np.arange(60) % 2 + 1, truth.index)
    table = operation_bias(scores.sample(frac=1, random_state=1), truth, single_operation_pairs(cells), groups=groups)
    for group in (0, 1, 2):
        names = [name for name in cells if group in {0, groups[name]}]
        expected = enumerated(scores, truth, cells, names)
        rows = table[table["group"] == group].set_index(["before", "after"])
        assert set(rows.index) == set(expected)
        for exchange, rises in expected.items():
            row = rows.loc[exchange]
            assert row["n"] == len(rises)
            assert row[["truth_rises", "score_rises"]].tolist() == pytest.approx(rises.mean(axis=0).tolist())
            assert row["bias"] == pytest.approx(rises[:, 1].mean() - rises[:, 0].mean())


def test_interval_is_the_jackknife_over_architectures():
    cells, scores, truth = example()
    table = operation_bias(scores, truth, single_operation_pairs(cells)).set_index(["before", "after"])
    without = []
    for name in cells:
        rises = enumerated(scores, truth, cells, [other for other in cells if other != name])["conv", "pool"]
        without.append((rises[:, 1] - rises[:, 0]).mean())
    error = np.sqrt(59 / 60 * ((without - np.mean(without)) ** 2).sum())
    row = table.loc["conv", "pool"]
    half = 1.959964 * error
    assert row[["bias_low", "bias_high"]].tolist() == pytest.approx([row["bias"] - half, row["bias"] + half])


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 60), st.integers(1, 4), st.integers(0, 999))
def test_pairs_of_a_group_give_what_its_architectures_give_alone(number, highest, seed):
    cells, scores, truth = example(number, seed)
    groups = pd.Series(np.random.default_rng(seed).integers(0, highest + 1, number), truth.index)
    table = operation_bias(scores, truth, single_operation_pairs(cells), groups=groups)
    alone = {group: [name for name in cells if group in {0, groups[name]}] for group in range(highest + 1)}
    expected = {
        (group, *exchange): rises
        for group, members in alone.items()
        for exchange, rises in enumerated(scores, truth, cells, members).items()
    }
    rows = table.set_index(["group", "before", "after"])
    assert set(rows.index) == set(expected)
    for key, rises in expected.items():
        assert rows.loc[key, ["n", "truth_rises", "score_rises"]].tolist() == pytest.approx(
            [len(rises), *rises.mean(axis=0)]
        )
        alike = np.ptp(rises[:, 1] - rises[:, 0]) == 0
        if len(rises) < 10 or alike:
            assert rows.loc[key, ["bias_low", "bias_high"]].isna().all()


def test_pairs_that_all_say_the_same_have_no_interval_however_many_they_are():
    cells, _, _ = example(81)
    truth = pd.Series({name: float(sum(word == "pool" for word in cell)) for name, cell in cells.items()})
    table = operation_bias(-truth, truth, single_operation_pairs(cells)).set_index(["before", "after"])
    assert table.loc[("conv", "pool"), ["n", "bias"]].tolist() == [108, -1]
    assert table[["bias_low", "bias_high"]].isna().all(axis=None)


def test_interval_inside_a_group_is_the_jackknife_over_architectures():
    cells, scores, truth = example(81)
    groups = pd.Series((np.arange(81) < 60) + 1, truth.index)
    table = operation_bias(scores, truth, single_operation_pairs(cells), groups=groups)
    row = table.set_index(["group", "before", "after"]).loc[(2, "conv", "pool")]
    members = groups.index[groups == 2]
    without = []
    for left_out in cells:
        kept = [name for name in members if name != left_out]
        rises = enumerated(scores, truth, cells, kept)["conv", "pool"]
        without.append((rises[:, 1] - rises[:, 0]).mean())
    half = 1.959964 * np.sqrt(80 * np.var(without))
    assert row["n"] >= 10
    assert row[["bias_low", "bias_high"]].tolist() == pytest.approx([row["bias"] - half, row["bias"] + half])


def test_score_that_loves_an_operation_over_estimates_it():
    cells, _, truth = example(81)
    loving = pd.Series({name: float(sum(word == "pool" for word in cell)) for name, cell in cells.items()})
    table = operation_bias(loving, truth, single_operation_pairs(cells)).set_index(["before", "after"])
    assert table.loc[("none", "pool"), "score_rises"] == 1
    assert table.loc[("none", "pool"), "bias_low"] > 0
    assert table.loc[("conv", "none"), "score_rises"] == 0.5


def test_pairs_without_truth_do_not_count_and_none_may_be_left():
    cells, scores, truth = example()
    table = operation_bias(scores, truth.iloc[:1], single_operation_pairs(cells))
    assert table.empty
    assert list(table)[:4] == ["group", "before", "after", "n"]


@st.composite
def few_cells(draw):
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
@given(few_cells(), st.integers(1, 2))
def test_shares_of_rises_are_those_of_all_pairs_one_by_one(data, number):
    """Also inside groups, here those of architectures in alphabetical order."""
    operations, scores, truth = data
    groups = pd.Series({name: 1 + position % number for position, name in enumerate(sorted(operations))})
    table = operation_bias(scores, truth, single_operation_pairs(operations), groups=groups)
    worst = pd.Series(as_worst(scores.to_numpy()), scores.index)
    found = {}
    for one, other in itertools.permutations(operations, 2):
        positions = [i for i in (0, 1) if operations[one][i] != operations[other][i]]
        exchange = tuple(operations[name][positions[0]] for name in (one, other))
        if len(positions) == 1 and exchange[0] < exchange[1]:
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
