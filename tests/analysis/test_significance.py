import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tied_columns import NAN

from benchsuite.analysis.comparison import compare
from benchsuite.analysis.significance import architectures_needed, holm, not_significant, rank_intervals


def test_holm_is_the_step_down_test_written_out():
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.random(rng.integers(1, 9)) ** 3
        p[rng.random(p.size) < 0.2] = np.nan
        adjusted = holm(p)
        for level in (0.01, 0.05, 0.2):
            rejected, tests = set(), int(np.isfinite(p).sum())
            for position in np.argsort(p)[:tests]:
                if p[position] > level / (tests - len(rejected)):
                    break
                rejected.add(position)
            assert set(np.flatnonzero(adjusted <= level)) == rejected


def test_ranks_count_the_significantly_better_and_worse():
    nan = float("nan")
    pairs = [("a", "b", 0.01, 0.4), ("a", "c", 0.3, 0.0), ("b", "c", 0.29, 0.0), ("a", "d", nan, nan)]
    table = pd.DataFrame(pairs, columns=["first", "second", "difference", "p_holm"])
    table["significant"] = table["p_holm"] <= 0.05
    ranks = rank_intervals(table).set_index("estimator")
    assert ranks.loc[["a", "b", "c"]].to_numpy().tolist() == [[1, 1, 2], [2, 1, 2], [3, 3, 3]]
    assert ranks.loc["d"].isna().all()
    assert not_significant(table, "a") == ["b"]
    assert not_significant(table, "c") == []
    untested = table.assign(p_holm=nan, significant=False)
    assert not_significant(untested, "a") == []


def test_as_many_architectures_as_needed_separate_with_the_wanted_power():
    rng = np.random.default_rng(1)
    n = 20_000
    truth = rng.normal(size=n)
    scores = {"better": truth + rng.normal(size=n), "worse": truth + 1.2 * rng.normal(size=n)}
    whole = compare({name: [pd.Series(column)] for name, column in scores.items()}, pd.Series(truth))
    needed = round(architectures_needed(whole).iloc[0])
    found = []
    for _ in range(100):
        part = rng.choice(n, needed, replace=False)
        trials = {name: [pd.Series(column[part])] for name, column in scores.items()}
        found.append(compare(trials, pd.Series(truth[part]))["significant"].iloc[0])
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def test_equal_estimators_need_infinitely_many_architectures():
    table = pd.DataFrame({"n": [100, 100], "difference": [0.0, 0.1], "standard_error": [0.01, np.nan]})
    assert architectures_needed(table).iloc[0] == np.inf
    assert np.isnan(architectures_needed(table).iloc[1])


@settings(max_examples=60)
@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 1)), max_size=7))
def test_holm_is_the_largest_of_the_scaled_p_up_to_each(p):
    """p_(i) adjusted = the largest of (m - j + 1) p_(j), j <= i, at most 1; the order of equal ones does not matter."""
    known, adjusted = [value for value in p if not np.isnan(value)], holm(p)
    for value, found in zip(p, adjusted, strict=True):
        if np.isnan(value):
            assert np.isnan(found)
        else:
            steps = [(sum(other >= each for other in known), each) for each in known if each <= value]
            assert found == pytest.approx(min(1, max(number * each for number, each in steps)))


@settings(max_examples=60)
@given(st.integers(2, 5), st.integers(0, 9999))
def test_ranks_are_counted_one_by_one(number, seed):
    rng = np.random.default_rng(seed)
    worth = np.where(rng.random(number) < 0.2, NAN, rng.integers(0, 4, number))
    significant = rng.random((number, number)) < 0.5
    names, pairs = "abcde"[:number], list(itertools.combinations(range(number), 2))
    rows = [(names[i], names[j], worth[i] - worth[j], bool(significant[i, j])) for i, j in pairs]
    table = pd.DataFrame(rows, columns=["first", "second", "difference", "significant"])
    ranks = rank_intervals(table).set_index("estimator")
    known = [i for i in range(number) if not np.isnan(worth[i])]
    for i in range(number):
        if i not in known or len(known) < 2:
            assert ranks.loc[names[i]].isna().all()
            continue
        sure = [j for j in known if j != i and significant[min(i, j), max(i, j)]]
        better, sure_better = ([j for j in found if worth[j] > worth[i]] for found in (known, sure))
        sure_worse = [j for j in sure if worth[j] < worth[i]]
        expected = [1 + len(better), 1 + len(sure_better), len(known) - len(sure_worse)]
        assert ranks.loc[names[i]].tolist() == expected
