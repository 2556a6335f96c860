"""What several benchmarks say together: which estimator is best on the whole, by how much, and how significantly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.report.criteria import TAU
from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import interval, listed, number
from benchsuite.report.runs import SIZE_BASELINES
from benchsuite.report.sentences.differences import against

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from benchsuite.analysis.critical_difference import CriticalDifference
    from benchsuite.report.evidence import Evidence

_EQUAL = 1e-9  # means of tau that differ by less differ by rounding alone
_BETTER, _WORSE, _UNTESTED = "significantly better than both", "significantly worse than one", "not tested"


def sentences(benchmarks: Mapping[str, Evidence], taus: pd.DataFrame, ranked: CriticalDifference | None) -> list[str]:
    """Say which estimator is best on the whole, by how much, and how significantly.

    Parameters
    ----------
    benchmarks
        Evidence on each benchmark, by its name.
    taus
        Tau-b, estimators x benchmarks.
    ranked
        Mean ranks over benchmarks, if they could be tested.

    Returns
    -------
    list
        Sentences, the most important first; never empty.
    """
    boards = [evidence.leaderboard for evidence in benchmarks.values()]
    references = {row["estimator"] for board in boards for row in rows_of(board) if row["reference"]}
    means = taus.dropna().mean(axis=1).sort_values(ascending=False, kind="stable")
    everywhere = f"all {len(benchmarks)} benchmarks"
    baselines = [f"{name} ({number(value)})" for name, value in means.items() if name in references]
    means = means.drop(list(references), errors="ignore")
    if means.empty:
        best = f"; of these, {baselines[0]} has the highest mean tau-b" if baselines else ""
        return [f"No estimator other than the baselines has a defined tau-b on {everywhere}{best}."]
    leaders = [str(name) for name in means.index[means >= means.iloc[0] - _EQUAL]]
    said = [_headline(means, leaders, everywhere)]
    for leader in leaders:
        said += [_against_size(benchmarks, leader), _lowest(benchmarks, leader)]
        said += [mean_rank(ranked, leader)] if ranked else []
    return said


def _headline(means: pd.Series, leaders: Sequence[str], everywhere: str) -> str:
    """Say who has the highest mean tau, and who comes next; `means` are the highest first."""
    highest = number(means.iloc[0])
    if len(means) == 1:
        return (
            f"{leaders[0]}, the only estimator besides the baselines judged on {everywhere}, has mean tau-b {highest}."
        )
    others = [f"{name} ({number(value)})" for name, value in means.iloc[len(leaders) :].items()]
    after = f", before {listed(others[:3])}" if others else ""
    best = f"{leaders[0]} ({highest}) has the highest mean tau-b"
    if len(leaders) > 1:
        best = f"{listed(leaders)} share the highest mean tau-b ({highest})"
    return f"Of the {len(means)} estimators judged on {everywhere}, {best}{after}."


def _against_size(benchmarks: Mapping[str, Evidence], leader: str) -> str:
    """Say on which benchmarks a leader significantly beats both size baselines, and on which one of them beats it."""
    sides = {name: _side(against(each.comparisons, leader)) for name, each in benchmarks.items()}
    outcomes = {side: [name for name in sides if sides[name] == side] for side in (_BETTER, _WORSE, _UNTESTED)}
    said = [f"{side} on {listed(names)}" for side, names in outcomes.items() if names]
    if len(outcomes[_UNTESTED]) == len(sides):
        said = [f"{_UNTESTED} on any benchmark"]
    elif not outcomes[_BETTER] + outcomes[_WORSE]:
        return f"{leader} does not differ significantly from both parameter count and MAC count on any benchmark."
    return f"Compared with parameter count and MAC count, {leader} is {listed(said)}."


def _side(others: pd.DataFrame) -> str:
    """Return what the tests of an estimator against both size baselines say; empty if they leave it open."""
    found = others.loc[list(SIZE_BASELINES)]  # the counts' tau less the estimator's
    sure = found["significant"].astype(bool)
    if found["p_holm"].isna().all():
        return _UNTESTED
    if (sure & (found["difference"] < 0)).all():
        return _BETTER
    return _WORSE if (sure & (found["difference"] > 0)).any() else ""


def _lowest(benchmarks: Mapping[str, Evidence], leader: str) -> str:
    """Say where a leader ranks worst, next to the best there that is not a baseline."""
    boards = [  # the best tau comes first
        (rows_of(each.leaderboard[~each.leaderboard["reference"]]), name) for name, each in benchmarks.items()
    ]
    rows = [(row, board[0], name) for board, name in boards for row in board if row["estimator"] == leader]
    row, first, where = min(rows, key=lambda each: float(each[0][TAU.key]))
    ends = interval(row[f"{TAU.key}_low"], row[f"{TAU.key}_high"])
    known = f" (95% CI {ends})" if ends else ""
    other = "" if first is row else f"; the best there is {first['estimator']} ({number(first[TAU.key])})"
    return f"The lowest tau-b of {leader} is {number(row[TAU.key])}{known}, on {where}{other}."


def mean_rank(found: CriticalDifference, leader: str) -> str:
    """Say a leader's mean rank, and from how many estimators the test of mean ranks tells it, on which side.

    Parameters
    ----------
    found
        Mean ranks with their critical difference.
    leader
        Name of the estimator.
    """
    ranks = found.ranks.set_index("estimator")["mean_rank"]
    others = ranks.drop(leader) - ranks[leader]
    ahead, behind = int((others >= found.difference).sum()), int((others <= -found.difference).sum())
    return (
        f"The mean rank of {leader} is {number(ranks[leader], 1)} of {len(ranks)}. Nemenyi test over "
        f"{found.benchmarks} benchmarks: significantly better than {ahead} and worse than {behind} of {len(others)} "
        f"other{'' if len(others) == 1 else 's'} (critical difference {number(found.difference, 1)} ranks)."
    )
