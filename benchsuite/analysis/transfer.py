"""Transfer: how well scores on one data set order the accuracies on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.align import side_by_side
from benchsuite.analysis.concordance import concordance
from benchsuite.analysis.correlation import mean_figure, tau_b_without_each
from benchsuite.analysis.uncertainty import check_confidence, correlation_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.analysis.align import Trials


TRUTH = "ground truth"


def transfer(
    trials: Mapping[str, Trials], truths: Mapping[str, pd.Series[float]], *, confidence: float = 0.95
) -> pd.DataFrame:
    """tau-b of scores made on one data set with the truth of another, for all pairs of data sets of one search space.

    Parameters
    ----------
    trials : by data set, the scores by architecture of every trial of an estimator; NaN = undefined, ranked worst
    truths : by data set, accuracies by architecture
    confidence : of the intervals

    Returns
    -------
    Columns estimator, scored_on, judged_on, n, kendall_tau (mean over trials), low, high (jackknife over
    architectures). Rows of the estimator `TRUTH` say how far the truth of one data set orders that of the other: what a
    perfect estimator of the first would reach. A pair with no architecture in common has no row. Raises BenchsuiteError
    for unusable input.

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
                    figures = [tau_b_without_each(concordance(each[scored], table.truth[scored])) for each in values]
                    figure = mean_figure(figures)
                    bounds = correlation_interval(figure, confidence)
                    rows.append((name, scored_on, judged_on, int(scored.sum()), figure.value, *bounds))
    return pd.DataFrame(rows, columns=["estimator", "scored_on", "judged_on", "n", "kendall_tau", "low", "high"])
