"""Bias by size: groups of parameters and of multiply-adds, and what scores know beyond either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from benchsuite.analysis.bias import bias_by_complexity, complexity_correlations
from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.groups import quantile_groups
from benchsuite.analysis.ranking import dense_ranks
from benchsuite.analysis.variance import mean_of_trials
from benchsuite.report.criteria import TAU
from benchsuite.report.render.table import Column, Table, matrix, rows_of
from benchsuite.report.render.words import large, listed, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchsuite.report.judge import Judgement

    Trials = Mapping[str, Sequence[pd.Series]]

GROUPS = 5
ALL = 0  # the place of figures over all sizes, before the groups
NAMES = {
    "params": "parameters",
    "macs": "multiply-adds",
    "live_params": "live parameters",
    "live_macs": "live multiply-adds",
}
_TITLES = {"params": "params", "macs": "FLOPs", "live_params": "live params", "live_macs": "live FLOPs"}
_OFFICIAL = ("params", "macs")
_ALIKE = 0.95  # tau of two counts of size from which on a second picture would be the first one again
_ENDS = {
    "rank_difference": ("rank_difference_low", "rank_difference_high"),
    "kendall_tau": ("tau_low", "tau_high"),
}
_FIGURES = {
    "tau_score_complexity": ("τ(score, {})", "1 = the score orders architectures as this count does"),
    "tau_truth_complexity": ("τ(truth, {})", "How far the truth itself goes with this count"),
    "rho_difference_complexity": (
        "Bias with {}",
        "Spearman of rank difference and this count; positive: large too high",
    ),
    "partial_rho": ("Partial, given {}", "Partial rank correlation of score and truth: 0 = nothing beyond this count"),
}


def sizes_of(complexity: pd.DataFrame) -> dict[str, pd.Series]:
    """The counts of size by their column: official ones, and those of the built networks where they are others.

    >>> sizes = pd.DataFrame({"params": [1, 2], "macs": [9, 8], "live_params": [1, 2], "live_macs": [9, 7]})
    >>> list(sizes_of(sizes))
    ['params', 'macs', 'live_macs']
    """
    official = {f"live_{name}": name for name in _OFFICIAL}
    return {
        name: complexity[name]
        for name in NAMES
        if name in _OFFICIAL or (complexity[name] != complexity[official[name]]).any()
    }


def size_groups(size: pd.Series) -> pd.DataFrame:
    """Group of each architecture (1 = smallest) and its label: the least and the greatest size in the group.

    >>> size_groups(pd.Series({"a": 1500, "b": 1500, "c": 90_000})).values.tolist()
    [[1, '1.5k'], [1, '1.5k'], [2, '90k']]
    """
    groups = pd.Series(quantile_groups(size.to_numpy(dtype=float), GROUPS), size.index)
    ends = size.groupby(groups).agg(["min", "max"])
    return pd.DataFrame({"group": groups, "label": groups.map(ends.apply(lambda row: _label(*row), axis=1))})


def _label(least: float, greatest: float) -> str:
    return large(least) if least == greatest else f"{large(least)} to {large(greatest)}"


def bias_table(trials: Trials, truth: pd.Series, sizes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Mean rank difference by size group and estimator, in percent of the architectures, averaged over trials.

    `sizes` is from `sizes_of`; groups are of the official counts alone, and of all architectures, whichever of them an
    estimator has scored. Columns: estimator, complexity (the count that
    makes the groups), group (1 = smallest), label, n, rank_difference (positive = ranked too high), low, high, and tau
    inside the group with tau_low, tau_high.
    """
    groups = {kind: size_groups(sizes[kind]) for kind in _OFFICIAL}
    frames = [
        bias_by_complexity(values, truth, sizes[kind], groups=groups[kind]["group"]).assign(
            estimator=name, complexity=kind
        )
        for kind in _OFFICIAL
        for name, each in trials.items()
        for values in each
    ]
    means = mean_of_trials(pd.concat(frames), ["estimator", "complexity", "group"], _ENDS).reset_index()
    labels = {kind: dict(zip(found["group"], found["label"], strict=True)) for kind, found in groups.items()}
    means["label"] = [labels[kind][group] for kind, group in zip(means["complexity"], means["group"], strict=True)]
    percents = {"rank_difference": "rank_difference", "low": "rank_difference_low", "high": "rank_difference_high"}
    means = means.assign(**{name: 100 * means[column] for name, column in percents.items()})
    taus = means.rename(columns={"kendall_tau": "tau"})
    return taus[["estimator", "complexity", "group", "label", "n", *percents, "tau", "tau_low", "tau_high"]]


def size_table(trials: Trials, truth: pd.Series, sizes: Mapping[str, pd.Series]) -> pd.DataFrame:
    """How scores go with every count of size and what they know beyond it, averaged over trials.

    Columns: estimator, complexity, figure (as `benchsuite.analysis.bias.complexity_correlations` names them), value,
    low, high.
    """
    orders = shown_orders(sizes)
    frames = [
        complexity_correlations(values, truth, sizes[kind]).assign(estimator=name, complexity=kind)
        for kind in orders
        for name, each in trials.items()
        for values in each
    ]
    rows = pd.concat(frames).drop(columns="n")
    means = mean_of_trials(rows, ["estimator", "complexity", "figure"], {"value": ("low", "high")}).reset_index()
    same = [means[means["complexity"] == kind].assign(complexity=also) for kind in orders for also in orders[kind]]
    return pd.concat([means, *same], ignore_index=True)


def shown_orders(sizes: Mapping[str, pd.Series]) -> dict[str, list[str]]:
    """The counts that order architectures differently, each with those that order them exactly as it does.

    >>> first, second = pd.Series([1, 2, 2]), pd.Series([3, 5, 6])
    >>> shown_orders({"params": first, "macs": 9 * first, "live_params": second})
    {'params': ['macs'], 'live_params': []}
    """
    found: dict[str, list[str]] = {}
    for kind, size in sizes.items():
        same = (dense_ranks(size) == dense_ranks(sizes[first]) for first in found)
        first = next((first for first, alike in zip(found, same, strict=True) if alike.all()), None)
        if first is None:
            found[kind] = []
        else:
            found[first].append(kind)
    return found


def pictured(sizes: Mapping[str, pd.Series]) -> list[str]:
    """The official counts that are worth a picture: parameters, and multiply-adds where they order otherwise."""
    return ["params", *(["macs"] if _agreement(sizes) < _ALIKE else [])]


def order_words(sizes: Mapping[str, pd.Series]) -> str:
    """A sentence that says how far the two official counts of size are one."""
    if "macs" in shown_orders(sizes)["params"]:
        return (
            "Multiply-adds order these architectures exactly as parameters do, so that what is said by parameters "
            "holds by multiply-adds, too."
        )
    tau = f"(tau-b {number(_agreement(sizes))})"
    if pictured(sizes) == ["params"]:
        return f"Multiply-adds order these architectures almost as parameters do {tau}; the table by them is folded."
    return (
        f"Multiply-adds order these architectures otherwise than parameters do {tau}: bias by one is not by the other."
    )


def _agreement(sizes: Mapping[str, pd.Series]) -> float:
    """Tau-b of the official counts."""
    return kendall_tau(*(sizes[kind] for kind in _OFFICIAL))


def bias_rows(judgement: Judgement, kind: str) -> pd.DataFrame:
    """The rows of the bias table by one count of size."""
    return judgement.bias[judgement.bias["complexity"] == kind]


def bias_numbers(judgement: Judgement) -> Iterator[Table]:
    """Mean rank difference of every size group in percent of the architectures, a table for each official count."""
    for kind in _official(judgement):
        rows = bias_rows(judgement, kind).rename(columns={"rank_difference": "value"})
        caption = f"Mean rank difference by {NAMES[kind]}, in percent of the architectures; positive = ranked too high"
        yield matrix(Table(f"bias_{kind}", caption, (), ()), rows, "group", _columns(rows), judgement.order, 1)


def inside_numbers(judgement: Judgement) -> Iterator[Table]:
    """Tau inside every size group beside that over all sizes, a table for each official count."""
    board = judgement.leaderboard
    ends = {TAU.key: "value", f"{TAU.key}_low": "low", f"{TAU.key}_high": "high"}
    whole = board[["estimator", *ends]].rename(columns=ends).assign(group=ALL)
    for kind in _official(judgement):
        rows = bias_rows(judgement, kind)[["estimator", "group", "label", "n", "tau", "tau_low", "tau_high"]]
        columns = {ALL: Column("all sizes", TAU.meaning), **_columns(rows)}
        inside = rows.rename(columns={"tau": "value", "tau_low": "low", "tau_high": "high"})
        caption = f"Tau-b inside groups of like {NAMES[kind]}; small print: intervals over architectures"
        table = Table(f"inside_{kind}", caption, (), ())
        yield matrix(table, pd.concat([whole, inside]), "group", columns, judgement.order, 3)


def _official(judgement: Judgement) -> list[str]:
    """The official counts of size, each order once."""
    return [kind for kind in shown_orders(judgement.sizes) if kind in _OFFICIAL]


def _columns(rows: pd.DataFrame) -> dict[Any, Column]:
    """A column for every group of sizes."""
    most = rows.sort_values(["group", "n"], ascending=[True, False])
    groups = rows_of(most.drop_duplicates("group"))
    return {row["group"]: Column(row["label"], f"{row['n']:.0f} architectures") for row in groups}


def size_numbers(judgement: Judgement) -> Iterator[Table]:
    """What the scores know beyond size, a table for every count that orders architectures in a way of its own."""
    for kind, others in shown_orders(judgement.sizes).items():
        columns = {name: Column(title.format(_TITLES[kind]), text) for name, (title, text) in _FIGURES.items()}
        also = f" ({listed([NAMES[other] for other in others])} order these architectures alike)" if others else ""
        caption = f"What the scores know beyond the number of {NAMES[kind]}{also}; small print: intervals"
        rows = judgement.size[judgement.size["complexity"] == kind]
        yield matrix(Table(f"size_{kind}", caption, (), ()), rows, "figure", columns, judgement.order, 3)
