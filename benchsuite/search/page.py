"""The result of a search on disk: a page, Markdown, tables and figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchsuite.core.files import write_frame, write_text
from benchsuite.report.render import html, markdown
from benchsuite.report.render.parts import Figure
from benchsuite.report.render.svg import standalone
from benchsuite.report.render.table import Cell, Column, Table, rows_of
from benchsuite.report.render.words import interval, large, number, significant
from benchsuite.search import figures
from benchsuite.search.evaluated import REPEATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure as Canvas

    from benchsuite.search.finding import Finding

_TITLES = {"random": "Random search", "evolution": "Regularised evolution", "nsga2": "NSGA-II"}
_FRONT_NOTE = (
    "Ringed: the front, whose architectures no other one dominates. Dots: all evaluated architectures; colour: "
    "parameters, from fewest (blue) to most (yellow)."
)
_REGRET_NOTE = (
    "Accuracy points between the best architecture of the space and the one chosen so far; low is good. The search "
    "sees only scores and is one run. The two others see the true accuracy of what they evaluate, so that each of "
    f"their evaluations costs a training: mean over {REPEATS} seeds, and the range of 95% of the seeds. The y-axis may "
    "be truncated."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page and the Markdown show; `lacking` says why there is no `regret`, where none could be had."""

    title: str
    lead: str
    verdict: list[str]
    facts: dict[str, str]
    caption: str
    trade_off: Figure
    regret: Figure | None
    lacking: str
    table: Table
    protocol: dict[str, str]
    provenance: dict[str, str]
    downloads: list[str]


def write_finding(finding: Finding, folder: Path) -> Path:
    """Write the report of a search: index.html, report.md, evaluated.csv, front.csv, regret.csv if known, and figures.

    Parameters
    ----------
    finding
        What the search found.
    folder
        Where to write.

    Returns
    -------
    Path
        The page.
    """
    tables = {"evaluated.csv": finding.evaluated, "front.csv": finding.front, "regret.csv": finding.curves}
    written = {name: table for name, table in tables.items() if table is not None}
    for name, table in written.items():
        write_frame(folder / name, table)
    shown = _shown(finding, ["report.md", *written])
    for each in filter(None, (shown.trade_off, shown.regret)):
        write_text(folder / "figures" / f"{each.name}.svg", standalone(each.svg))
    write_text(folder / "report.md", _markdown(shown))
    index = folder / "index.html"
    write_text(index, html.render("search.html", shown=shown, downloads=shown.downloads, provenance=shown.provenance))
    return index


def _shown(finding: Finding, downloads: list[str]) -> Shown:
    search, curves = finding.search, finding.curves
    front = partial(figures.front_chart, finding)
    trade_off = _figure("front", "Score against MACs", finding, front, _FRONT_NOTE)
    regret = None
    if curves is not None:
        chart = partial(figures.regret_chart, curves)
        regret = _figure("regret", "Regret against evaluations", finding, chart, _REGRET_NOTE)
    caption = finding.caption
    return Shown(
        title=f"{_TITLES[search.algorithm]} on {search.space} by {search.estimator}",
        lead=f"{finding.protocol['Estimator']} chooses architectures for {search.dataset}: "
        + ", ".join(map(str, search.goals())),
        verdict=_verdict(finding),
        facts=_facts(finding),
        caption=f"{caption[:1].upper()}{caption[1:]}.",
        trade_off=trade_off,
        regret=regret,
        lacking=f"The regret is unknown: {finding.lacking}.",
        table=_table(finding),
        protocol=finding.protocol,
        provenance=finding.provenance,
        downloads=downloads,
    )


def _figure(name: str, title: str, finding: Finding, chart: Callable[[], Canvas], note: str) -> Figure:
    words = f"{title} of {len(finding.evaluated):,} evaluated architectures; the numbers are in {name}.csv."
    return Figure(name, title, words, chart, note)


def _facts(finding: Finding) -> dict[str, str]:
    facts = {"evaluated": f"{len(finding.evaluated):,}", "on the front": f"{len(finding.front):,}"}
    undefined = int(finding.evaluated["score"].isna().sum())
    depths = finding.front["depth"].dropna().astype(int)
    if len(depths):
        facts["depths on the front"] = f"{depths.min()} to {depths.max()}"
    return facts | ({"without a score": f"{undefined:,}"} if undefined else {})


def _verdict(finding: Finding) -> list[str]:
    best, evaluated = rows_of(finding.front)[0], len(finding.evaluated)
    size = f"with {large(best['macs'])} MACs and {large(best['params'])} parameters"
    score = significant(best["score"])
    sentences = [f"The highest-scoring architecture ({score}) is {best['architecture']}, {size}."]
    if math.isfinite(best.get("accuracy", math.nan)):
        known = math.isfinite(finding.best)
        words = f", {number(finding.best - best['accuracy'], 2)} points below the best of the space" if known else ""
        sentences.append(f"Its true accuracy is {number(best['accuracy'], 2)}%{words}.")
    if finding.curves is not None:
        last = finding.curves[(finding.curves["evaluations"] == evaluated) & finding.curves["low"].notna()]
        regrets = [_regret_in_words(row) for row in rows_of(last)]
        sentences.append(f"Regret (accuracy points) after the same number of evaluations: {'; '.join(regrets)}.")
    if len(finding.front) > evaluated / 2:
        sentences.append(
            f"{len(finding.front):,} of {evaluated:,} architectures are on the front: the objectives contradict each "
            "other, for example many parameters and few MACs, which are correlated. Choose others with --objectives."
        )
    if evaluated < finding.search.budget:
        sentences.append("The search ended before its budget was spent, because it found nothing new.")
    return sentences


def _regret_in_words(row: dict[str, Any]) -> str:
    return f"{row['method']} {number(row['regret'], 2)} (95% of seeds {interval(row['low'], row['high'])})"


def _table(finding: Finding) -> Table:
    columns = [
        Column("Architecture", numeric=False),
        Column("Score"),
        Column("MACs"),
        Column("Parameters"),
        Column("Depth", "Operations that are neither skips nor absent"),
        Column("Evaluated as", "Position in the order of evaluations"),
    ]
    known = "accuracy" in finding.front
    if known:
        columns.append(Column("True accuracy", "Percent; a dash where it is not known"))
    rows = tuple(
        (
            Cell(row["architecture"], row["architecture"]),
            Cell(significant(row["score"]), row["score"]),
            Cell(large(row["macs"]), row["macs"]),
            Cell(large(row["params"]), row["params"]),
            Cell(number(row["depth"], 0), row["depth"]),
            Cell(f"{row['order']:,}", row["order"]),
            *([Cell(number(row["accuracy"], 2), row["accuracy"])] if known else []),
        )
        for row in rows_of(finding.front)
    )
    return Table("front", "The front, best score first", tuple(columns), rows, 1)


def _markdown(shown: Shown) -> str:
    parts = [
        f"# {markdown.escaped(shown.title)}",
        markdown.escaped(shown.lead),
        markdown.bullets(shown.verdict),
        markdown.image(shown.trade_off),
        f"{shown.trade_off.note} *{markdown.escaped(shown.caption)}*",
        *([markdown.image(shown.regret)] if shown.regret else []),
        f"{markdown.escaped(shown.regret.note if shown.regret else shown.lacking)} *{markdown.escaped(shown.caption)}*",
        *markdown.titled(shown.table),
        "### Protocol",
        markdown.definitions(shown.protocol),
        "### Provenance",
        markdown.definitions(shown.provenance),
    ]
    return "\n\n".join(parts) + "\n"
