"""Transfer: how well scores on one data set order the accuracies on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import tau_b_without_each
from benchsuite.analysis.uncertainty import LeaveOneOut, check_confidence, correlation_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.analysis.align import Trials


TRUTH = "ground truth"


def transfer(
    trials: Mapping[str, Trials], truths: Mapping[str, pd.Series[float]], *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return tau-b of scores made on one data set with the ground truth of another, for all pairs of data sets.

    Parameters
    ----------
    trials
        By data set and estimator, the scores by architecture of each of its runs; NaN = undefined, ranked worst.
    truths
        By data set, ground truth by architecture; all data sets share one search space.
    confidence
        Coverage of the intervals: jackknife over architectures.

    Returns
    -------
    DataFrame
        Columns: estimator, scored_on, judged_on, n, kendall_tau (mean over runs), low, high. Rows of the estimator
        `TRUTH` say how well the ground truth of one data set orders that of the other: what a perfect estimator of the
        first would reach. A pair without common architectures has no row.

    Raises
    ------
    BenchsuiteError
        For input that `side_by_side` refuses, or a confidence outside (0, 1).

    Examples
    --------
    >>> truths = {"cifar10": pd.Series([1.0, 2.0, 3.0]), "digits": pd.Series([1.0, 3.0, 2.0])}
    >>> table = transfer({"cifar10": {"snip": [truths["cifar10"]]}}, truths)
    >>> table.query("estimator == 'snip'")[["scored_on", "judged_on", "kendall_tau"]].round(3).values.tolist()
    [['cifar10', 'cifar10', 1.0], ['cifar10', 'digits', 0.333]]
    """
    check_confidence(confidence)
    rows = []
    for scored_on, known in truths.items():
        columns = {**trials.get(scored_on, {}), TRUTH: [known]}
        for judged_on, truth in truths.items():
            table = side_by_side(columns, truth)
            for name, values in table.scores.items():
                scored = table.scored[name]
                if scored.any() and (name != TRUTH or scored_on != judged_on):
                    runs = [tau_b_without_each(concordance(each[scored], table.truth[scored])) for each in values]
                    mean = LeaveOneOut.mean(runs)
                    ends = correlation_interval(mean, confidence)
                    rows.append((name, scored_on, judged_on, int(scored.sum()), mean.value, *ends))
    return pd.DataFrame(rows, columns=["estimator", "scored_on", "judged_on", "n", "kendall_tau", "low", "high"])
