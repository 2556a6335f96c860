import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from tied_columns import example_runs, judged, scipy_ranks, scipy_rho

from benchsuite.analysis.ranked_runs import RankedRuns


@settings(max_examples=30)
@given(judged())
def test_correlations_of_all_runs_are_those_of_scipy(data):
    trials, truth = data
    table = RankedRuns.of(trials, truth)
    columns = [run for runs in trials.values() for run in runs]
    assert [table.names[owner] for owner in table.owner] == [name for name, runs in trials.items() for _ in runs]
    found = table.correlations(extended=True)
    for i, j in itertools.product(range(len(columns) + 1), repeat=2):
        pair = ([*columns, truth][i], [*columns, truth][j])
        assert found[i, j] == pytest.approx(scipy_rho(*pair), abs=1e-9, nan_ok=True)


def test_only_architectures_of_all_estimators_and_of_known_size_are_ranked():
    trials, truth, size = example_runs()
    trials["nwot"][1] = trials["nwot"][1].iloc[:80]
    table = RankedRuns.of(trials, truth, size.iloc[20:])
    names = truth.index[20:80]
    assert table.truth.tolist() == scipy_ranks(truth[names]).tolist()
    assert table.complexity.tolist() == scipy_ranks(size[names]).tolist()
    for ranks, run in zip(table.ranks, [run for runs in trials.values() for run in runs], strict=True):
        assert ranks.tolist() == scipy_ranks(run[names]).tolist()


def test_means_of_an_estimator_with_itself_leave_out_each_run_with_itself():
    trials, truth, _ = example_runs()
    table = RankedRuns.of({"two": trials["snip"], "one": trials["params"]}, truth)
    matrix = np.array([[9.0, 1.0, 4.0], [3.0, 9.0, 6.0], [4.0, 6.0, 8.0]])
    assert table.mean_over_runs(matrix).tolist() == [[2.0, 5.0], [5.0, 8.0]]
