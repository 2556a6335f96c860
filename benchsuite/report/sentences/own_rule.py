"""What differentiable methods chose by their own rules: collapse, layer alignment, true accuracies, and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.report.render.table import rows_of
from benchsuite.report.render.words import listed, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_COLLAPSE = 0.5  # share of skip connections from which a choice is said to be collapsed


def choice_words(choices: pd.DataFrame, twins: pd.DataFrame) -> list[str]:
    """Say what the table of choices says.

    Parameters
    ----------
    choices
        The table "choices".
    twins
        The table "twins": what searches share that differ in their regulariser alone.

    Returns
    -------
    list
        Sentences.
    """
    sentences = [_collapse(choices), *_alignments(choices, twins), *_accuracies(choices), *_costs(choices)]
    return [each for each in sentences if each]


def _collapse(choices: pd.DataFrame) -> str:
    """Say whose last choices are mostly skip connections."""
    known = choices[choices["operations"] > 0]
    if known.empty:
        return ""
    counts = known.assign(collapsed=known["skips_last"] >= _COLLAPSE * known["operations"])
    found = rows_of(counts.groupby("supernet", sort=False)["collapsed"].agg(["sum", "size"]).reset_index())
    collapsed = [f"{row['sum']} of {row['size']} searches of {row['supernet']}" for row in found if row["sum"]]
    if collapsed:
        others = ", and in no other search" if len(collapsed) < len(found) else ""
        return f"At least half of the chosen operations are skip connections in {listed(collapsed)}{others}."
    most = rows_of(known.sort_values("skips_last", kind="stable"))[-1]
    return (
        "In no search are half of the chosen operations skip connections; the most are "
        f"{most['skips_last']} of {most['operations']} ({most['supernet']}, seed {most['seed']})."
    )


def _alignments(choices: pd.DataFrame, twins: pd.DataFrame) -> Iterator[str]:
    """Yield the last layer alignments of searches with a regulariser next to those of DARTS."""
    shared = dict(zip(twins["training"], twins["twin"], strict=True))
    known = choices[choices["alignment_last"].notna()]
    darts = known[known["role"] == "darts"]
    for name, found in known[known["role"] == "regularised"].groupby("supernet", sort=False):
        same = darts[darts["training"].map(shared) == shared[found["training"].iloc[0]]]
        without = same if len(same) else darts
        if len(without):
            names = listed(without["supernet"].unique().tolist())
            other = "" if len(same) else ", whose other hyperparameters differ"
            yield (
                f"In the last epoch the layer alignment of {name} is {_ends(found['alignment_last'])}; without the "
                f"regulariser ({names}{other}) it is {_ends(without['alignment_last'])}: "
                f"{_order(found['alignment_last'], without['alignment_last'])}."
            )


def _ends(values: pd.Series) -> str:
    """Return the smallest and the largest of the seeds' values.

    >>> import pandas as pd
    >>> _ends(pd.Series([0.25, 0.314])), _ends(pd.Series([0.25]))
    ('0.25 to 0.31 over 2 seeds', '0.25 with one seed')
    """
    if len(values) == 1:
        return f"{number(values.iloc[0], 2)} with one seed"
    return f"{number(values.min(), 2)} to {number(values.max(), 2)} over {len(values)} seeds"


def _order(of: pd.Series, others: pd.Series) -> str:
    if of.min() > others.max():
        return "every search with it is above every search without"
    return "every search with it is below every search without" if of.max() < others.min() else "the two overlap"


def _accuracies(choices: pd.DataFrame) -> Iterator[str]:
    """Yield whose choice is truly best, by how much, and the means of the methods whose truth is known."""
    known = choices[choices["truth"].notna()].sort_values("truth", ascending=False, kind="stable")
    if known.empty:
        yield "The true accuracy of none of the choices is known."
        return
    best, second = rows_of(known)[0], rows_of(known[known["supernet"] != known["supernet"].iloc[0]])[:1]
    share = f" with known accuracy ({len(known)} of {len(choices)})" if len(known) < len(choices) else ""
    behind = [_ahead(best["truth"] - row["truth"], f"the best of {row['supernet']}") for row in second]
    points = ", ".join([f"{number(best['regret'], 2)} points below the best known architecture", *behind])
    truth = f"{number(best['truth'], 2)} %, above {number(best['percentile'], 1)} % of the known architectures"
    name = f"{best['supernet']} with seed {best['seed']}"
    yield f"Of the choices{share}, that of {name} has the highest true accuracy: {truth}, {points}."
    means = known.groupby("supernet", sort=False)["truth"].mean()[lambda mean: mean.index.isin(_whole(choices))]
    if len(means) > 1:
        each = [f"{name} {number(mean, 2)} %" for name, mean in means.sort_values(ascending=False).items()]
        yield f"Mean true accuracy over seeds: {', '.join(each)}."


def _ahead(points: float, other: str) -> str:
    return f"{number(points, 2)} above {other}" if points > 0 else f"equal to {other}"


def _whole(choices: pd.DataFrame) -> list[str]:
    """Return methods of several searches, all of whose choices have a known accuracy."""
    counts = choices.groupby("supernet")["truth"].agg(["count", "size"])
    return counts.index[(counts["count"] == counts["size"]) & (counts["size"] > 1)].tolist()


def _costs(choices: pd.DataFrame) -> Iterator[str]:
    """Yield what the methods take in relation to DARTS of first order."""
    words = {
        "seconds_to_darts": "CPU seconds of an epoch",
        "memory_to_darts": "Memory of an epoch, above what was held when it began",
    }
    others = choices[choices["role"] != "darts"]
    for column, what in words.items():
        means = others.groupby("supernet", sort=False)[column].mean().dropna()
        if len(means):
            each = [f"{name} {number(ratio, 2)}" for name, ratio in means.items()]
            yield f"{what}, as multiples of the mean of DARTS of first order: {listed(each, len(each))}."
