"""The verdict in words, computed from the tables: which estimator leads, how surely, and where it fails."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from benchsuite.report.behaviour import repeated_trainings
from benchsuite.report.criteria import SIZE_BASELINES, TRIAL_KEY, rows_of
from benchsuite.report.pairs import against, not_separable
from benchsuite.report.words import interval, listed, number

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.report.judge import Judgement

_NAMES = {"params": "counting parameters", "flops": "counting multiply-adds"}
_LARGE_BIAS = 5.0  # percent of the architectures; below it no group is worth a warning


def verdict(judgement: Judgement) -> list[str]:
    """Sentences, the most important first; never empty."""
    board = judgement.leaderboard
    ranked = rows_of(board[~board["reference"] & board["kendall_tau"].notna()])
    if not ranked:
        return [_baselines(board), *_gaps(board)]
    said = [
        _best(ranked[0], judgement),
        _next(ranked, judgement),
        _size(ranked, judgement),
        _ceiling(ranked[0], judgement),
    ]
    return [*said, *_bias(judgement, [row["estimator"] for row in ranked if row["kendall_tau_low"] > 0]), *_gaps(board)]


def _baselines(board: pd.DataFrame) -> str:
    """What size alone does where nothing but baselines was judged."""
    known = rows_of(board[board["estimator"].isin(list(SIZE_BASELINES)) & board["kendall_tau"].notna()])
    said = "No estimator but the baselines has a defined tau here"
    return f"{said}; theirs: {listed([_named(row) for row in known])}." if known else f"{said}."


def _best(best: dict[str, Any], judgement: Judgement) -> str:
    trials = f", mean of {_trials(judgement, best['estimator'])}" if best["trials"] > 1 else ""
    return (
        f"{best['estimator']} ranks these {len(judgement.truth):,} architectures best: "
        f"tau-b {number(best['kendall_tau'])} (95 % interval {_interval(best)}{trials})."
    )


def _trials(judgement: Judgement, estimator: str) -> str:
    """How many trials an estimator has, and what they differ in."""
    rows = judgement.scores[judgement.scores["estimator"] == estimator].drop_duplicates(TRIAL_KEY)
    seeds, batches = (max(rows[key].nunique(), 1) for key in TRIAL_KEY)
    if batches == 1:
        return f"{len(rows)} initialisations"
    if seeds == 1:
        return f"{len(rows)} minibatches"
    return f"{len(rows)} trials: {seeds} initialisations x {batches} minibatches"


def _next(ranked: list[dict[str, Any]], judgement: Judgement) -> str:
    """Whether the leader can be told from the others by paired differences."""
    best, others = ranked[0], ranked[1:]
    if not others:
        return "No other estimator is there to compare it with."
    names = [row["estimator"] for row in others]
    table = against(judgement.comparisons, best["estimator"]).reindex(names)
    if table["p_holm"].isna().all():
        return "These are too few architectures to say how sure its lead is."
    level = [name for name in names if name in not_separable(judgement.comparisons, best["estimator"])]
    if level:
        return (
            f"It is not separable from {listed(level)}: their paired differences on these architectures may be chance."
        )
    nearest = table.iloc[0]
    return (
        f"It is separable from every other: it is {number(-nearest['difference'])} of tau-b above the next, {names[0]} "
        f"(paired 95 % interval {interval(-nearest['high'], -nearest['low'])})."
    )


def _size(ranked: list[dict[str, Any]], judgement: Judgement) -> str:
    """Whether the leader knows more than size, and how many others do."""
    best, board = ranked[0], judgement.leaderboard
    sizes = rows_of(board[board["estimator"].isin(list(SIZE_BASELINES)) & board["kendall_tau"].notna()])
    if not sizes:
        return "Neither parameters nor multiply-adds tell these architectures apart."
    differences = against(judgement.comparisons, best["estimator"])
    by_outcome = groupby(sizes, lambda row: _compared(differences.loc[row["estimator"]]))
    compared = [f"{outcome} {listed([_named(row) for row in rows])}" for outcome, rows in by_outcome]
    above = sum(row["kendall_tau"] > max(size["kendall_tau"] for size in sizes) for row in ranked)
    return f"It is {' and '.join(compared)}; {above} of {len(ranked)} estimators rank better than size alone does."


def _named(row: dict[str, Any]) -> str:
    return f"{_NAMES[row['estimator']]} ({_tau(row)})"


def _compared(size: pd.Series) -> str:
    """The leader against size, of which `size` is the row."""
    if not size["separable"]:
        return "not separable from"
    return "separably better than" if size["difference"] < 0 else "separably worse than"


def _ceiling(best: dict[str, Any], judgement: Judgement) -> str:
    if judgement.ceiling is None:
        return no_ceiling(judgement)
    if not math.isfinite(judgement.ceiling):
        return "These are too few architectures to say what the noise of the truth leaves to win."
    share = 100 * max(best["kendall_tau"], 0.0) / judgement.ceiling
    again = repeated_trainings(judgement.results.trials)
    return (
        f"The truth is noisy: a perfect estimator would reach {number(judgement.ceiling, 2)} (simulated from the "
        f"{again:,} architectures trained more than once), of which the best reaches {share:.0f} %."
    )


def no_ceiling(judgement: Judgement) -> str:
    """Sentence that says why the truth has no ceiling; empty where it has one."""
    if repeated_trainings(judgement.results.trials):
        return ""
    return (
        "The truth holds one accuracy of each architecture, so its noise is unknown and no ceiling can be given; "
        "part of what every estimator misses is that noise."
    )


def _bias(judgement: Judgement, names: list[str]) -> list[str]:
    """The estimator and the parameter group with the largest mean rank difference, if it is large and sure.

    An estimator that ranks no better than chance is no news: it favours some size by the same amount.
    """
    bias = judgement.bias[judgement.bias["estimator"].isin(names)]
    if bias["low"].isna().all():  # also where no estimator is left
        return []
    sure = bias[(bias["low"] > 0) | (bias["high"] < 0)]
    large = sure[sure["rank_difference"].abs() >= _LARGE_BIAS]
    if large.empty:
        return ["No estimator better than chance ranks a whole group of sizes far too high or too low."]
    worst = large.iloc[int(large["rank_difference"].abs().argmax())]
    side = "too high" if worst["rank_difference"] > 0 else "too low"
    said = (
        f"Of the estimators better than chance, {worst['estimator']} has the strongest bias by size: "
        f"architectures with {worst['label']} parameters are ranked "
        f"{abs(worst['rank_difference']):.0f} % of the field {side} on average."
    )
    return [said]


def _gaps(board: pd.DataFrame) -> list[str]:
    """What is not there: undefined, failed and missing scores."""
    said = []
    for status, words in (("undefined", "undefined (ranked last)"), ("failed", "failed (ranked last)")):
        column = board.set_index("estimator")[f"n_{status}"]
        if column.sum():
            said.append(f"{_scores(column)} {words}: {listed([f'{k} {v:,}' for k, v in column[column > 0].items()])}.")
    missing = board.set_index("estimator")["n_missing"]
    if missing.sum():
        said.append(f"{_scores(missing)} missing, the run is not finished; estimators are judged on what is there.")
    return said or ["Every score asked for is there and defined."]


def _scores(column: pd.Series) -> str:
    total = int(column.sum())
    return f"{total:,} score is" if total == 1 else f"{total:,} scores are"


def _tau(row: dict[str, Any]) -> str:
    return f"{number(row['kendall_tau'])}, {_interval(row)}"


def _interval(row: dict[str, Any]) -> str:
    return interval(row["kendall_tau_low"], row["kendall_tau_high"]) or "unknown"
