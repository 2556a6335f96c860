"""The verdict in words, computed from the tables: which estimator leads, how surely, and where it fails."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.comparison import compare
from benchsuite.analysis.uncertainty import FEWEST, quantile_of_normal
from benchsuite.report.behaviour import ranks, repeated_trainings
from benchsuite.report.bias import NAMES, bias_rows
from benchsuite.report.criteria import HEADLINE, SIZE_BASELINES, TRIAL_KEY, trials_of
from benchsuite.report.exchanges import shown_exchanges
from benchsuite.report.pairs import against, needed_beside_all
from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import interval, listed, number
from benchsuite.running.score_files import FAMILY as IMPORTED

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.report.judge import Judgement

_NAMES = {"params": "counting parameters", "flops": "counting multiply-adds"}
_LARGE_BIAS = 5.0  # percent of the architectures; below it no group is worth a warning
_ROUNDING = 1e-9  # of a difference of two taus
_SEEDS = {"zero-shot": "initialisations", "one-shot": "trainings"}  # what the seeds of a family make


def verdict(judgement: Judgement) -> list[str]:
    """Sentences, the most important first; never empty."""
    board = judgement.leaderboard
    ranked = rows_of(board[~board["reference"] & board["kendall_tau"].notna()])
    if not ranked:
        return [_baselines(board), *_gaps(judgement)]
    said = [_best(ranked, judgement), *_next(ranked, judgement), *_among_the_best(ranked[0], judgement)]
    sizes = _sizes(board)
    ahead = any(size["kendall_tau"] > ranked[0]["kendall_tau"] for size in sizes)
    said.insert(1 if ahead else len(said), _size(ranked, sizes, judgement))
    better = [row["estimator"] for row in ranked if row["kendall_tau_low"] > 0]
    favours = []
    if ranked[0]["estimator"] in better:
        said += _inside_sizes(ranked[0], judgement)
        favours = _operations(ranked[0]["estimator"], judgement.exchanges)
    return [*said, _ceiling(ranked[0], judgement), *_bias(judgement, better), *favours, *_gaps(judgement)]


def _baselines(board: pd.DataFrame) -> str:
    """What size alone does where nothing but baselines was judged."""
    known = [_named(row) for row in _sizes(board)]
    said = "No estimator but the baselines has a defined tau here"
    return f"{said}; theirs: {listed(known)}." if known else f"{said}."


def _sizes(board: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the leaderboard of the counts that need no estimator, where they tell architectures apart."""
    return rows_of(board[board["estimator"].isin(list(SIZE_BASELINES)) & board["kendall_tau"].notna()])


def _best(ranked: list[dict[str, Any]], judgement: Judgement) -> str:
    """The highest tau, on the architectures that its estimator has scored; praise only of what beats chance."""
    best, total = ranked[0], len(judgement.truth)
    trials = _trials(judgement, best)
    tau = f"tau-b {number(best['kendall_tau'])} (95 % interval {_interval(best)}{trials})"
    which = f"these {total:,} architectures"
    if best["n"] < total:
        which = f"the {best['n']:,} of {total:,} architectures that it has scored"
    if best["kendall_tau"] <= 0:
        return (
            f"None of the estimators ranks better than chance: {best['estimator']} comes first on {which} with {tau}."
        )
    chance = ", which may be chance" if best["kendall_tau_low"] <= 0 else ""
    if len(ranked) == 1:
        return f"{best['estimator']}, the only estimator beside the baselines, ranks {which} with {tau}{chance}."
    of = f"Of the {len(ranked)} estimators beside the baselines, {best['estimator']}"
    if best["n"] < total:
        return f"{of} has the highest tau, on {which}: {tau}{chance}."
    return f"{of} ranks {which} best: {tau}{chance}."


def _trials(judgement: Judgement, row: dict[str, Any]) -> str:
    """Of how many trials a figure is the mean, and what they differ in; nothing where a score depends on no seed."""
    rows = judgement.scores[judgement.scores["estimator"] == row["estimator"]].drop_duplicates(TRIAL_KEY)
    seeds, batches = (max(rows[key].nunique(), 1) for key in TRIAL_KEY)
    drawn = _SEEDS.get(row["family"], "seeds")
    if len(rows) == 1:
        return f", one {drawn.removesuffix('s')}" if rows["seed"].notna().all() else ""
    if batches == 1:
        return f", mean of {len(rows)} {drawn}"
    if seeds == 1:
        return f", mean of {len(rows)} minibatches"
    return f", mean of {len(rows)} trials: {seeds} {drawn} x {batches} minibatches"


def _among_the_best(best: dict[str, Any], judgement: Judgement) -> list[str]:
    """Who finds most of the best architectures, which the highest tau need not; nothing where these are too few."""
    top, board = HEADLINE[2], judgement.leaderboard
    known = board[board[top.key].notna() & board[f"{top.key}_low"].notna()]
    if best["estimator"] not in set(known["estimator"]):
        return []
    first, own = rows_of(known.sort_values(top.key, ascending=False, kind="stable"))[0], _at_top(best)
    if first[top.key] <= best[top.key]:
        return [f"None finds more of the best 5 % than it: {top.title} {own}."]
    both = judgement.scores["estimator"].isin([best["estimator"], first["estimator"]])
    (pair,) = rows_of(compare(trials_of(judgement.scores[both]), judgement.truth, criterion=top.criterion, k=0.05))
    chance = "" if pair["separable"] else ", which may be chance"
    said = f"Of the best 5 %, {first['estimator']} finds more: {top.title} {_at_top(first)}; it {own}{chance}."
    return [said]


def _at_top(row: dict[str, Any]) -> str:
    key = HEADLINE[2].key
    return f"{number(row[key], 2)} ({interval(row[f'{key}_low'], row[f'{key}_high'])})"


def _next(ranked: list[dict[str, Any]], judgement: Judgement) -> list[str]:
    """Whether the leader can be told from the others by paired differences, each on the architectures of both."""
    best, names = ranked[0], [row["estimator"] for row in ranked[1:]]
    if not names:
        return ["No other estimator is there to compare it with."]
    table = against(judgement.comparisons, best["estimator"]).loc[names]
    tested = table[table["p_holm"].notna()]
    ahead = table[table["difference"] > _ROUNDING]
    equal = table.index[table["difference"].abs() <= _ROUNDING]
    alike = [name for name in equal if _alike(judgement, best["estimator"], name)]
    level = [name for name in tested.index[~tested["separable"].astype(bool)] if name not in alike]
    said = [f"It and {listed(alike)} rank them exactly alike."] if alike else []
    if tested.empty:
        said.append("These are too few architectures to say how sure its lead is.")
    elif level:
        said.append(
            f"It is not separable from {listed(level)}: their paired differences on these architectures may be chance"
            f"{needed_beside_all(judgement.comparisons, best['estimator'], level)}."
        )
    elif ahead.empty and not tested.index.isin(alike).all():
        said.append(_lead(best, tested[~tested.index.isin(alike)].iloc[0], len(tested) < len(table)))
    return [*said, *_behind(ahead)]


def _lead(best: dict[str, Any], nearest: pd.Series, untested: bool) -> str:
    """By how much the leader is above the next, where it is separable from all that were tested."""
    every = "every other that shares enough architectures with it" if untested else "every other"
    shared = f" on the {nearest['n']:,.0f} architectures of both" if nearest["n"] < best["n"] else ""
    return (
        f"It is separable from {every}: it is {number(-nearest['difference'])} of tau-b above the next, {nearest.name}"
        f"{shared} (paired 95 % interval {interval(-nearest['high'], -nearest['low'])})."
    )


def _behind(ahead: pd.DataFrame) -> list[str]:
    """Who is ahead of the leader on the architectures that both have scored."""
    if ahead.empty:
        return []
    first = ahead.iloc[int(ahead["difference"].argmax())]
    ends = interval(first["low"], first["high"])
    sure = f" (paired 95 % interval {ends})" if ends else ""
    others = [str(name) for name in ahead.index if name != first.name]
    also = f"; also ahead of it: {listed(others)}" if others else ""
    said = (
        f"But on the {first['n']:,.0f} architectures that both have scored, {first.name} is ahead of it by "
        f"{number(first['difference'])} of tau-b{sure}{also}."
    )
    return [said]


def _alike(judgement: Judgement, first: str, second: str) -> bool:
    """Whether two estimators put the same architectures in the same order, trial by trial."""
    trials = trials_of(judgement.scores[judgement.scores["estimator"].isin([first, second])])
    pairs = [[each.sort_index() for each in trials[name]] for name in (first, second)]
    return len(pairs[0]) == len(pairs[1]) and all(
        a.index.equals(b.index) and (ranks(a) == ranks(b)).all() for a, b in zip(*pairs, strict=True)
    )


def _size(ranked: list[dict[str, Any]], sizes: list[dict[str, Any]], judgement: Judgement) -> str:
    """Whether the leader knows more than size, and how many do."""
    if not sizes:
        return "Neither parameters nor multiply-adds tell these architectures apart."
    differences = against(judgement.comparisons, ranked[0]["estimator"])
    by_outcome = groupby(sizes, lambda row: _compared(differences.loc[row["estimator"]]))
    said = f"It {' and '.join(outcome.format(listed([_named(row) for row in rows])) for outcome, rows in by_outcome)}"
    if len(ranked) == 1 or differences.loc[[row["estimator"] for row in sizes], "p_holm"].isna().all():
        return f"{said}."
    above = sum(_above(judgement.comparisons, row["estimator"], sizes) for row in ranked)
    verb = "is" if above == 1 else "are"
    return f"{said}; {above} of {len(ranked)} estimators {verb} separably better than {_all_of(sizes)}."


def _all_of(sizes: list[dict[str, Any]]) -> str:
    return "both counts" if len(sizes) > 1 else _NAMES[sizes[0]["estimator"]]


def _above(comparisons: pd.DataFrame, estimator: str, sizes: list[dict[str, Any]]) -> bool:
    """Whether an estimator is separably better than every count of size."""
    differences = against(comparisons, estimator).loc[[size["estimator"] for size in sizes]]
    return bool((differences["separable"].astype(bool) & (differences["difference"] < 0)).all())


def _named(row: dict[str, Any]) -> str:
    return f"{_NAMES[row['estimator']]} ({_tau(row)})"


def _compared(size: pd.Series) -> str:
    """The leader against size, of which `size` is the row; a predicate with a place for the name of the size."""
    if math.isnan(size["p_holm"]):
        return "is not tested against {}, for too few architectures"
    if not size["separable"]:
        return "is not separable from {}"
    return "is separably better than {}" if size["difference"] < 0 else "is separably worse than {}"


def _ceiling(best: dict[str, Any], judgement: Judgement) -> str:
    if judgement.ceiling is None:
        return no_ceiling(judgement)
    if not math.isfinite(judgement.ceiling):
        return "These are too few architectures to say what the noise of the truth leaves to win."
    reached = max(best["kendall_tau"], 0.0)
    share = ""
    if reached < judgement.ceiling:
        share = f", of which the best reaches {100 * reached / judgement.ceiling:.0f} %"
    return (
        f"The truth is noisy: a perfect estimator would reach {number(judgement.ceiling, 2)} (simulated from the "
        f"{repeated_trainings(judgement.results.trials):,} architectures trained more than once){share}."
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
    """The size group that the leader, first of the names, ranks worst, and the worst of all estimators.

    Said if it is large and sure.

    An estimator that ranks no better than chance is no news: it favours some size by the same amount. That none is
    biased is said only where groups are large enough to tell.
    """
    bias = judgement.bias[judgement.bias["estimator"].isin(names)]
    large = _surely_large(bias[bias["low"].notna()])
    if large.empty:
        if bias.empty or bias["low"].isna().any() or (bias["n"] < FEWEST).any():
            return []
        return ["No estimator better than chance surely ranks a whole group of sizes far too high or too low."]
    worst, own = _largest(large), large[large["estimator"] == names[0]]
    said = f"Of the estimators better than chance, {worst['estimator']} has the strongest bias by size: "
    if own.empty or worst["estimator"] == names[0]:
        return [f"{said}{_misranked(worst)}."]
    return [f"By size, {names[0]} is most biased where {_misranked(_largest(own))}. {said}{_misranked(worst)}."]


def _largest(bias: pd.DataFrame) -> pd.Series:
    return bias.iloc[int(bias["rank_difference"].abs().argmax())]


def _misranked(row: pd.Series) -> str:
    side = "too high" if row["rank_difference"] > 0 else "too low"
    return (
        f"architectures with {row['label']} {NAMES[row['complexity']]} are ranked "
        f"{abs(row['rank_difference']):.0f} % of the field {side} on average"
    )


def _surely_large(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose bias is large and surely not chance.

    The largest of several is only sure if its interval, widened for all of them (Bonferroni), is clear of 0.
    """
    wider = quantile_of_normal(1 - 0.05 / max(len(rows), 1)) / quantile_of_normal(0.95)
    excess = rows["rank_difference"].abs()
    return rows[(excess > wider * (rows["high"] - rows["low"]) / 2) & (excess >= _LARGE_BIAS)]


def _inside_sizes(best: dict[str, Any], judgement: Judgement) -> list[str]:
    """Whether the leader still ranks where all architectures are of like size; nothing where groups are too small."""
    rows = bias_rows(judgement, "params")
    rows = rows[rows["estimator"] == best["estimator"]]
    if len(rows) < 2 or rows["tau_low"].isna().any():
        return []
    above = int((rows["tau_low"] > 0).sum())
    sure = "all" if above == len(rows) else "none" if above == 0 else str(above)
    said = (
        f"Inside the {len(rows)} groups of like parameters its tau-b is {number(rows['tau'].min(), 2)} to "
        f"{number(rows['tau'].max(), 2)} (over all sizes {number(best['kendall_tau'], 2)}), surely above chance in "
        f"{sure} of them."
    )
    return [said]


def _operations(estimator: str, exchanges: pd.DataFrame) -> list[str]:
    """The exchange of operations that an estimator over-estimates most, if it is large and surely not chance."""
    shown = shown_exchanges(exchanges)
    sure = _surely_large(shown[(shown["estimator"] == estimator) & shown["low"].notna()])
    if sure.empty:
        return []
    return [_favoured(estimator, sure.iloc[int(sure["rank_difference"].abs().argmax())])]


def _favoured(estimator: str, row: pd.Series) -> str:
    """One exchange in words, read so that the operation that comes in is the over-estimated one."""
    more, less, shares = row["after"], row["before"], [row["score_rises"], row["truth_rises"]]
    if row["rank_difference"] < 0:
        more, less, shares = less, more, [1 - share for share in shares]
    score, truth = (f"{100 * share:.0f} %" for share in shares)
    return (
        f"{estimator} over-estimates “{more}” in the place of “{less}”: its score rises in {score} of the "
        f"{row['n']:,.0f} pairs that differ in this alone, the truth in {truth}."
    )


def _gaps(judgement: Judgement) -> list[str]:
    """What is not there: undefined, failed and missing scores."""
    said, board = [], judgement.leaderboard
    unscored = [name for name in judgement.results.asked if name not in judgement.order]
    if unscored:
        said.append(f"Not scored yet: {listed(unscored)}.")
    for status, words in (("undefined", "undefined (ranked last)"), ("failed", "failed (ranked last)")):
        column = board.set_index("estimator")[f"n_{status}"]
        if column.sum():
            said.append(f"{_scores(column)} {words}: {listed([f'{k} {v:,}' for k, v in column[column > 0].items()])}.")
    missing = board.set_index("estimator")["n_missing"]
    if missing.sum():
        why = "not in the file" if (board["family"] == IMPORTED).any() else "missing, the run is not finished"
        said.append(f"{_scores(missing)} {why}; estimators are judged on what is there.")
    return said or ["Every score asked for is there and defined."]


def _scores(column: pd.Series) -> str:
    total = int(column.sum())
    return f"{total:,} score is" if total == 1 else f"{total:,} scores are"


def _tau(row: dict[str, Any]) -> str:
    return f"{number(row['kendall_tau'])}, {_interval(row)}"


def _interval(row: dict[str, Any]) -> str:
    return interval(row["kendall_tau_low"], row["kendall_tau_high"]) or "unknown"
