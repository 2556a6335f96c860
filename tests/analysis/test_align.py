import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.align import aligned, arrays, side_by_side
from benchsuite.core.errors import BenchsuiteError

TRUTH = pd.Series({"a": 90.0, "b": 91.0, "c": 92.0})


@given(st.permutations(list("abcd")), st.permutations(list("abc")))
def test_rows_are_joined_by_name_and_sorted_whatever_their_order(scored, known):
    scores = pd.Series({name: float(ord(name)) for name in scored})
    table = aligned(scores, TRUTH[known], size=pd.Series({"c": 3, "b": 2}))
    assert table.to_dict("index") == {
        "b": {"scores": 98.0, "truth": 91.0, "size": 2.0},
        "c": {"scores": 99.0, "truth": 92.0, "size": 3.0},
    }
    assert table.attrs == {"n_dropped": 2, "n_unscored": 1}
    assert [column.tolist() for column in arrays(table)] == [[98.0, 99.0], [91.0, 92.0], [2.0, 3.0]]


def test_undefined_scores_stay_and_other_undefined_values_are_refused():
    scores = pd.Series({"a": np.nan, "b": np.inf})
    assert aligned(scores, TRUTH)["scores"].tolist() == pytest.approx([np.nan, np.inf], nan_ok=True)
    with pytest.raises(BenchsuiteError, match=r"size must be finite but 'b' has nan \(1 such rows\)"):
        aligned(scores, TRUTH, size=pd.Series({"a": 1.0, "b": np.nan}))


def test_runs_are_brought_onto_the_architectures_of_the_truth():
    runs = [pd.Series({"c": 1.0, "a": 2.0, "elsewhere": 3.0}), pd.Series({"b": 5.0, "a": np.nan})]
    table = side_by_side({"snip": runs, "other": runs[:1]}, TRUTH)
    assert table.architectures.tolist() == ["a", "b", "c"]
    assert table.truth.tolist() == [90.0, 91.0, 92.0]
    expected = [[2.0, np.nan, 1.0], [np.nan, 5.0, np.nan]]
    np.testing.assert_array_equal(table.scores["snip"], expected)
    # a row counts as scored in all runs, even where its score is undefined
    assert table.scored["snip"].tolist() == [True, False, False]
    assert table.scored["other"].tolist() == [True, False, True]


def test_a_run_that_repeats_an_architecture_is_named():
    twice = pd.Series([1.0, 2.0], ["a", "a"])
    with pytest.raises(BenchsuiteError, match="a run of snip has the architecture 'a' more than once"):
        side_by_side({"snip": [twice]}, TRUTH)
