import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tied_columns import columns

from benchsuite.analysis.extremes import BestScored, extremes
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.resampling import random_halves


def tied(n, *, levels, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n).round(1)
    return rng.integers(0, levels, n) + 0.3 * truth.round(), truth


def expected_first(values, group, certain, loose, drawn):
    """Mean of a value over the first group taken, which is a function of the group and how many of it are taken."""
    total, left = 0.0, loose.size
    chance = 1.0  # that none of an earlier group is drawn
    for number in np.unique(group):
        sure, here = np.count_nonzero(certain == number), np.count_nonzero(loose == number)
        for taken in range(here + 1):
            if sure + taken:
                total += chance * stats.hypergeom.pmf(taken, left, here, drawn) * values(number, sure + taken)
        if sure:
            break
        chance *= stats.hypergeom.pmf(0, left, here, drawn)
        left -= here
        if left < drawn or not chance:
            break
    return total


def written_out(scores, truth, k):
    """BR, WR and regret of one sample from the hypergeometric distribution, one group of equal truth after another."""
    cut = np.sort(scores)[::-1][k - 1]
    certain, loose = scores > cut, scores == cut
    figures = []
    for values in (-truth, truth):  # the best first, then the worst first
        levels, group = np.unique(values, return_inverse=True)
        sizes = np.bincount(group)
        before = np.cumsum(sizes) - sizes

        def place(number, taken, before=before, sizes=sizes):
            return before[number] + (sizes[number] + 1) / (taken + 1)

        lots = (group, group[certain], group[loose], k - int(certain.sum()))
        figures.append(expected_first(place, *lots))
        figures.append(expected_first(lambda number, _, levels=levels: -levels[number], *lots))
    best, highest, worst, _ = figures
    return best / truth.size, (truth.size + 1 - worst) / truth.size, truth.max() - highest


@pytest.mark.parametrize("levels", [1, 4, 40])
def test_lots_among_equal_scores_equal_the_hypergeometric_distribution_written_out(levels):
    scores, truth = tied(150, levels=levels)
    counts = [1, 2, 7, 30, 74]
    kept = next(iter(random_halves(150, 6, seed=1)))
    found = extremes(Ranking.of(scores, truth), kept, counts)
    for sample, rows in enumerate(kept.astype(bool)):
        for column, k in enumerate(counts):
            expected = written_out(scores[rows], truth[rows], k)
            assert found[:, sample, column] == pytest.approx(expected, rel=1e-12, abs=1e-12), (sample, k)


def test_many_subsamples_at_once_are_judged_as_each_alone():
    scores, truth = tied(301, levels=5)
    ranking = Ranking.of(scores, truth)
    kept = next(iter(random_halves(301, 40, seed=0)))
    together = extremes(ranking, kept, [3, 0, 60])
    alone = np.concatenate([extremes(ranking, kept[[sample]], [3, 0, 60]) for sample in range(40)], axis=1)
    assert np.allclose(together, alone, rtol=1e-12, atol=0, equal_nan=True)
    assert np.isnan(together[:, :, 1]).all()


def test_regret_may_be_asked_of_another_k_in_every_subsample():
    scores, truth = tied(200, levels=6)
    kept = next(iter(random_halves(200, 10, seed=0)))
    samples = BestScored.of(Ranking.of(scores, truth), kept, 100)
    wanted = np.arange(5, 105, 10)
    each = [samples.regret(int(k))[sample] for sample, k in enumerate(wanted)]
    assert samples.regret(wanted).tolist() == pytest.approx(each, rel=1e-12)


def test_best_of_thousands_of_lots_is_exact():
    n = 20_000
    truth = np.random.default_rng(0).permutation(n)
    found = extremes(Ranking.of(np.zeros(n), truth), np.ones((1, n), dtype=np.int8), [1, 10, 5000, n])
    for column, k in enumerate([1, 10, 5000, n]):  # the smallest of k drawn from 1..n is expected at (n + 1) / (k + 1)
        assert found[0, 0, column] * n == pytest.approx((n + 1) / (k + 1), rel=1e-12)
        assert found[2, 0, column] + 1 == pytest.approx((n + 1) / (k + 1), rel=1e-12)


@given(columns(largest=10), st.data())
def test_subsample_is_judged_as_if_it_were_alone(data, choice):
    scores, truth = data
    n = len(scores)
    kept = np.array(choice.draw(st.permutations([1] * (n // 2 + 1) + [0] * (n - n // 2 - 1))))
    alone = Ranking.of(scores[kept == 1], truth[kept == 1])
    counts = list(range(1, n // 2 + 2))
    both = extremes(Ranking.of(scores, truth), kept[None, :], counts), extremes(alone, alone.whole(), counts)
    assert np.allclose(*both)
