import numpy as np
from hypothesis import given
from tied_columns import columns, signs

from benchsuite.analysis.concordance import concordance


@given(columns())
def test_pair_counts_equal_those_of_all_pairs(data):
    scores, truth = data
    counts = concordance(scores, truth)
    assert counts.balance.tolist() == (signs(scores) * signs(truth)).sum(axis=1).tolist()
    assert counts.untied_x.tolist() == np.abs(signs(scores)).sum(axis=1).tolist()
    assert counts.untied_y.tolist() == np.abs(signs(truth)).sum(axis=1).tolist()
