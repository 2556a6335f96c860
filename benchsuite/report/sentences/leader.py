"""Who leads, with its tau and interval, and who finds most of the best architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchsuite.report.criteria import HEADLINE, ranked
from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import interval, listed, number
from benchsuite.report.sentences.size import named, size_baselines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

BEST, AMONG_THE_BEST = 100, 70


def sentences(
    board: pd.DataFrame, estimators: pd.DataFrame, best_at_top: pd.DataFrame, architectures: int
) -> Iterator[tuple[int, str]]:
    """Yield who leads, and who finds most of the best architectures, which the highest tau need not.

    Parameters
    ----------
    board
        The leaderboard.
    estimators
        What is recorded of each estimator.
    best_at_top
        The table of that name.
    architectures
        Number of architectures that are judged.
    """
    known = ranked(board)
    if not known:
        yield BEST, _baselines(board)
        return
    recorded = {row["estimator"]: row for row in rows_of(estimators)}
    best, top = known[0], HEADLINE[2]
    yield BEST, _best(known, _runs(recorded[best["estimator"]]), architectures)
    at_top = board[board[top.key].notna() & board[f"{top.key}_low"].notna()]
    if best["estimator"] in set(at_top["estimator"]):
        yield AMONG_THE_BEST, _among_the_best(best, at_top, best_at_top)


def _baselines(board: pd.DataFrame) -> str:
    """Say what size alone does where nothing but baselines was judged."""
    known = [named(row) for row in size_baselines(board)]
    said = "No estimator other than the baselines has a defined tau-b here"
    return f"{said}; baselines: {listed(known)}." if known else f"{said}."


def _best(known: list[dict[str, Any]], runs: str, total: int) -> str:
    """Say the highest tau, on the architectures that its estimator has scored; praise only what beats chance."""
    best = known[0]
    ends = interval(best["kendall_tau_low"], best["kendall_tau_high"]) or "unknown"
    tau = f"tau-b {number(best['kendall_tau'])} (95% CI {ends}{runs})"
    which = f"these {total:,} architectures"
    if best["n"] < total:
        which = f"the {best['n']:,} of {total:,} architectures that it scored"
    if best["kendall_tau"] <= 0:
        return f"No estimator ranks better than chance: {best['estimator']} has the highest tau-b on {which}, {tau}."
    chance = ", not significantly above 0" if best["kendall_tau_low"] <= 0 else ""
    if len(known) == 1:
        return f"{best['estimator']}, the only estimator besides the baselines, ranks {which} with {tau}{chance}."
    of = f"Of the {len(known)} estimators besides the baselines, {best['estimator']}"
    if best["n"] < total:
        return f"{of} has the highest tau-b, on {which}: {tau}{chance}."
    return f"{of} ranks {which} best: {tau}{chance}."


def _runs(recorded: dict[str, Any]) -> str:
    """Say of how many runs a figure is the mean, and what they differ in; nothing where a score depends on no seed."""
    runs, drawn = recorded["runs"], recorded["seeds_are"]
    seeds, batches = (max(recorded[key], 1) for key in ("seeds", "batch_seeds"))
    if runs == 1:
        return f", one {drawn.removesuffix('s')}" if recorded["seeded"] else ""
    if batches == 1:
        return f", mean of {runs} {drawn}"
    if seeds == 1:
        return f", mean of {runs} minibatches"
    return f", mean of {runs} runs: {seeds} {drawn} x {batches} minibatches"


def _among_the_best(best: dict[str, Any], known: pd.DataFrame, pair: pd.DataFrame) -> str:
    """Say who finds most of the best architectures."""
    own = _at_top(best)
    if pair.empty:
        return f"No estimator recovers more of the true top 5%: P@5% = {own}."
    (tested,) = rows_of(pair)
    (first,) = rows_of(known[known["estimator"] == tested["second"]])
    found = f"{first['estimator']} recovers more of the true top 5% (P@5% = {_at_top(first)}, leader: {own})"
    return f"{found}." if tested["significant"] else f"{found}; the difference is not significant."


def _at_top(row: dict[str, Any]) -> str:
    key = HEADLINE[2].key
    return f"{number(row[key], 2)} (95% CI {interval(row[f'{key}_low'], row[f'{key}_high'])})"
