"""Whether the leader differs significantly from the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.significance import architectures_needed
from benchsuite.report.criteria import ranked
from benchsuite.report.render.words import interval, listed, number, roughly

if TYPE_CHECKING:
    from collections.abc import Iterator

NEXT = 80
ROUNDING = 1e-9  # of a difference of two taus
_LEVEL = 0.05  # of all tests of a table together
_COUNTLESS = 100_000  # architectures; nobody trains more to distinguish two estimators


def against(comparisons: pd.DataFrame, other: str) -> pd.DataFrame:
    """Return comparisons of every estimator with one: difference (its tau less the other's) and all else.

    Parameters
    ----------
    comparisons
        The table of pairs.
    other
        The one.

    Returns
    -------
    DataFrame
        Columns n, difference, low, high, p_holm, significant, architectures_needed, by estimator.
    """
    after = comparisons[comparisons["second"] == other].set_index("first")
    before = comparisons[comparisons["first"] == other].set_index("second")
    turned = before.assign(difference=-before["difference"], low=-before["high"], high=-before["low"])
    return pd.concat([after, turned])[
        ["n", "difference", "low", "high", "p_holm", "significant", "architectures_needed"]
    ]


def sentences(board: pd.DataFrame, comparisons: pd.DataFrame, same: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield whether the leader can be told from the others by paired differences, each on the architectures of both.

    Parameters
    ----------
    board
        The leaderboard.
    comparisons
        The table of pairs.
    same
        Pairs of exactly the same ranking.
    """
    known = ranked(board)
    if known:
        yield from ((NEXT, sentence) for sentence in _next(known, comparisons, same))


def _next(known: list[dict[str, Any]], comparisons: pd.DataFrame, same: pd.DataFrame) -> list[str]:
    best, names = known[0], [row["estimator"] for row in known[1:]]
    if not names:
        return ["There is no other estimator to compare it with."]
    table = against(comparisons, best["estimator"]).loc[names]
    tested = table[table["p_holm"].notna()]
    ahead = table[table["difference"] > ROUNDING]
    pairs = {frozenset(pair) for pair in same[["first", "second"]].itertuples(index=False, name=None)}
    equal = [name for name in table.index if frozenset((best["estimator"], name)) in pairs]
    level = [name for name in tested.index[~tested["significant"].astype(bool)] if name not in equal]
    said = (
        [f"{listed(equal)} {'produces' if len(equal) == 1 else 'produce'} exactly the same ranking."] if equal else []
    )
    if tested.empty:
        said.append("There are too few architectures to test whether the lead is significant.")
    elif level:
        said.append(
            f"Its lead over {listed(level)} is not significant (paired test, Holm-adjusted)."
            f"{_needed(comparisons, best['estimator'], level)}"
        )
    elif ahead.empty and not tested.index.isin(equal).all():
        said.append(_lead(best, tested[~tested.index.isin(equal)].iloc[0], len(tested) < len(table)))
    return [*said, *_behind(ahead)]


def _needed(comparisons: pd.DataFrame, estimator: str, others: list[str]) -> str:
    """Return a sentence: how many architectures would show the first of the differences that needs more.

    The level is shared among all pairs of the table (Bonferroni); the differences found are taken for the true ones.
    Empty where none needs more than there are.
    """
    confidence = 1 - _LEVEL / comparisons["p"].notna().sum()
    needed = architectures_needed(comparisons, confidence=confidence)
    rows = against(comparisons.assign(architectures_needed=needed), estimator).loc[others]
    more = rows[(rows["architectures_needed"] > rows["n"]) & (rows["architectures_needed"] < math.inf)]
    if more.empty:
        return ""
    count = float(more["architectures_needed"].iloc[0])
    wanted = f"about {roughly(count)}" if count <= _COUNTLESS else f"more than {_COUNTLESS:,}"
    observed = f" If the observed difference from {more.index[0]} is real, {wanted} architectures would be needed"
    return f"{observed} to detect it at 80% power, corrected for all pairs."


def _lead(best: dict[str, Any], nearest: pd.Series, untested: bool) -> str:
    """Say by how much the leader is above the next, where its lead over all that were tested is significant."""
    every = " over all estimators that share enough architectures with it" if untested else ""
    shared = f" on the {nearest['n']:,.0f} architectures scored by both" if nearest["n"] < best["n"] else ""
    return (
        f"Its lead{every} is significant: tau-b is {number(-nearest['difference'])} higher than that of the runner-up, "
        f"{nearest.name}{shared} (paired 95% CI {interval(-nearest['high'], -nearest['low'])})."
    )


def _behind(ahead: pd.DataFrame) -> list[str]:
    """Say who is ahead of the leader on the architectures that both have scored."""
    if ahead.empty:
        return []
    first = ahead.iloc[int(ahead["difference"].argmax())]
    ends = interval(first["low"], first["high"])
    sure = f" (paired 95% CI {ends})" if ends else ""
    others = [str(name) for name in ahead.index if name != first.name]
    also = f"; also higher: {listed(others)}" if others else ""
    said = (
        f"However, on the {first['n']:,.0f} architectures scored by both, {first.name} beats it by "
        f"{number(first['difference'])} tau-b{sure}{also}."
    )
    return [said]
