import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import benchsuite
from benchsuite.analysis.standing import foreign, percentile, true_accuracies

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|"


def test_an_architecture_has_its_own_accuracy_before_that_of_its_class():
    space = benchsuite.load_space("nasbench201")
    names = pd.Series([CELL, "no architecture", CELL], index=["first", "second", "third"])
    classes = pd.Series({space.canonical(CELL): 91.0})
    own = true_accuracies(names, space, pd.Series({CELL: 93.5}), classes)
    assert own.tolist() == pytest.approx([93.5, math.nan, 93.5], nan_ok=True)
    of_class = true_accuracies(names, space, pd.Series(dtype=float), classes)
    assert of_class.tolist() == pytest.approx([91.0, math.nan, 91.0], nan_ok=True)
    assert of_class.index.tolist() == ["first", "second", "third"]


def test_the_reason_why_a_string_is_foreign_is_given():
    space = benchsuite.load_space("nasbench201")
    assert foreign(space, CELL) == ""
    assert "no architecture" in foreign(space, "no architecture")


def test_percentile_counts_the_strictly_worse():
    known = pd.Series(np.random.default_rng(0).integers(80, 90, 60).astype(float))
    for accuracy in (79.0, 85.0, 89.0, 99.0):
        assert percentile(accuracy, known) == pytest.approx(stats.percentileofscore(known, accuracy, kind="strict"))
    assert math.isnan(percentile(math.nan, known))
