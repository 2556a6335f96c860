import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tied_columns import NAN, columns

from benchsuite.analysis.precision import precision
from benchsuite.analysis.ranking import Ranking


@given(columns(largest=10), st.data())
def test_weighted_rows_count_as_repeated_rows(data, choice):
    scores, truth = data
    n = len(scores)
    chosen = np.array(choice.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n)))
    ranking, repeated = Ranking.of(scores, truth), Ranking.of(scores[chosen], truth[chosen])
    weights = np.bincount(chosen, minlength=n)[None, :]
    counts = list(range(1, n + 1))
    assert np.allclose(precision(ranking, weights, counts), precision(repeated, repeated.whole(), counts))


@pytest.mark.parametrize("drawn", ["anywhere", "among the worst"])
def test_many_weighted_samples_of_many_rows_count_as_repeated_rows(drawn):
    rng = np.random.default_rng(0)
    n = 2000
    truth = rng.normal(size=n).round(1)
    scores = np.where(rng.random(n) < 0.2, NAN, (truth + rng.normal(size=n)).round(1))
    rows = np.arange(n) if drawn == "anywhere" else np.argsort(truth)[:100]
    chosen = rng.choice(rows, size=(4, n))
    weights = np.array([np.bincount(each, minlength=n) for each in chosen])
    found = precision(Ranking.of(scores, truth), weights, [1, 20, 400])
    for sample, each in enumerate(chosen):
        alone = Ranking.of(scores[each], truth[each])
        assert np.allclose(found[:, sample], precision(alone, alone.whole(), [1, 20, 400])[:, 0])
