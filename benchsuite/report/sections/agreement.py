"""Which estimators agree, and what one adds to another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from benchsuite.analysis.complementarity import added_information, agreement, pairwise_information
from benchsuite.report.contract import Schema
from benchsuite.report.render import charts, svg
from benchsuite.report.render.parts import Figure, Folded, Text
from benchsuite.report.render.table import ESTIMATOR, Cell, Column, Table, rows_of
from benchsuite.report.render.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure as Canvas

    from benchsuite.core.arrays import Integers
    from benchsuite.report.contract import Tables
    from benchsuite.report.evidence import Compared, Evidence
    from benchsuite.report.render.parts import Part

TITLE = "Who agrees with whom?"
TAB = "Together"
ORDER = 700
TABLES = {
    "information": Schema(
        {
            "estimator": "Name of an estimator",
            "other": "Name of another, or the same",
            "n": "Architectures that all compared estimators have scored",
            "agreement": "Spearman's rho between their scores, mean over pairs of runs",
            "agreement_low": "Lower end of its 95% CI",
            "agreement_high": "Upper end of it",
            "added": "Partial rank correlation of the estimator with ground truth, given parameters and the other",
            "added_low": "Lower end of its 95% CI",
            "added_high": "Upper end of it",
        }
    ),
    "agreement": Schema(
        {
            "estimator": "Name of an estimator; similar ones follow each other",
            "other": "Name of another, or the same",
            "agreement": "As in the table of information",
            "added": "As in the table of information",
        },
        written=False,
    ),
    "compared": Schema(
        {
            "estimator": "Name of the estimator",
            "scored": "Architectures that it has scored; of those compared, all of them",
            "compared": "Whether it is compared with the others",
        },
        written=False,
    ),
}
_SHADES = 20  # of each colour of a correlation
_AGREEMENT_NOTE = (
    "Spearman's rho between scores, mean over pairs of runs; blue: agreement, orange: disagreement. "
    "On the diagonal the "
    "agreement of an estimator with itself with other seeds, 1 where it has one run."
)
_ADDED_NOTE = (
    "Added: partial rank correlation of the row estimator with accuracy, controlling for parameter count and the "
    "column estimator; on the diagonal controlling for parameter count only; 0 = nothing added."
)


def tables(evidence: Evidence) -> Tables:
    """Return agreement and added information of every two estimators that can be compared, and which those are.

    Parameters
    ----------
    evidence
        What is known of the benchmark.
    """
    compared, truth = evidence.compared, evidence.truth
    params = evidence.sizes.get("params", pd.Series(0.0, truth.index))  # constant: nothing is held against size
    agreeing = agreement(compared.runs, truth)
    added = added_information(compared.runs, truth, params).loc[agreeing.index, agreeing.columns]
    pairs = pd.MultiIndex.from_product([agreeing.index, agreeing.columns], names=["estimator", "other"])
    both = pd.DataFrame({"agreement": agreeing.to_numpy().ravel(), "added": added.to_numpy().ravel()}, index=pairs)
    return {
        "information": pairwise_information(compared.runs, truth, params),
        "agreement": both.reset_index(),
        "compared": _scored(compared),
    }


def _scored(compared: Compared) -> pd.DataFrame:
    rows = [(name, compared.n, True) for name in compared.runs]
    rows += [(name, scored, False) for name, scored in compared.left_out.items()]
    return pd.DataFrame(rows, columns=list(TABLES["compared"].columns))


def parts(tables: Tables) -> Iterator[Part]:
    """Show who is compared, agreement as a chart and a table, and added information as a table.

    Parameters
    ----------
    tables
        The section's tables and those that it reads.
    """
    yield Text(_compared_words(tables["compared"]))
    matrix = _square(tables["agreement"], "agreement")
    yield Figure(
        "agreement",
        "Who agrees with whom",
        "Spearman's rho between the scores of every two estimators, similar ones adjacent; numbers in the table.",
        partial(agreement_chart, matrix),
        _AGREEMENT_NOTE,
    )
    captions = {
        "agreement": "Spearman's rho between the scores of every two estimators",
        "added": "What the row adds to parameter count and the column: partial rank correlation with accuracy",
    }
    for name, caption in captions.items():
        yield Folded(_table(name, caption, tables))
    yield Text(_ADDED_NOTE)


def _compared_words(compared: pd.DataFrame) -> str:
    """Say on what estimators are compared, and which are not."""
    left_out = rows_of(compared[~compared["compared"]])
    missing = ", ".join(f"{row['estimator']} ({row['scored']} scored)" for row in left_out)
    shown = f"On the {compared['scored'].iloc[0]:,} architectures that all of these have scored"
    return f"{shown}; left out, for too few in common with the others: {missing}." if missing else f"{shown}."


def _square(pairs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column of the table "agreement" as a matrix."""
    names = pairs["estimator"].unique()
    return pd.DataFrame(pairs[column].to_numpy().reshape(len(names), -1), names, names)


def _table(name: str, caption: str, tables: Tables) -> Table:
    """Return a figure of every two estimators; the ends of its intervals are for files."""
    values = _square(tables["agreement"], name)
    found = tables["information"].set_index(["estimator", "other"])
    ends = dict(zip(found.index, found[[f"{name}_low", f"{name}_high"]].to_numpy().tolist(), strict=True))
    columns = (ESTIMATOR, *(Column(str(each)) for each in values))
    body = []
    for row, figures in zip(values.index, values.to_numpy().tolist(), strict=True):
        cells = zip(values, figures, strict=True)
        body.append((Cell(row, row), *(Cell(number(each, 2), each, ends=tuple(ends[row, at])) for at, each in cells)))
    return Table(name, f"{caption}; intervals over architectures are in the files", columns, tuple(body))


def agreement_chart(matrix: pd.DataFrame) -> Canvas:
    """Draw the correlation between every two labels: blue squares agree, orange ones disagree, the darker the more.

    Parameters
    ----------
    matrix
        Correlations, its labels in rows and columns.
    """
    names, last = matrix.index.tolist(), len(matrix)
    side = 0.3 + max(0.2 * last, 1.2) + charts.LETTER * max(map(len, names))
    figure, axes = charts.canvas(side, side)
    values = np.nan_to_num(matrix.to_numpy())
    levels = np.rint(_SHADES * np.clip(values, -1, 1)).astype(int)
    for level in np.unique(levels[levels != 0]):  # a path of all squares of one shade: far less text than one for each
        rows, columns = np.nonzero(levels == level)
        colour = svg.UNDER if level > 0 else svg.OVER
        axes.add_patch(
            PathPatch(_squares(columns, rows), facecolor=colour, linewidth=0, alpha=0.85 * abs(level) / _SHADES)
        )
    axes.set_xticks(range(last), names, rotation=90)
    axes.set_yticks(range(last), names)
    axes.tick_params(labelcolor=svg.INK, labelsize=8)
    axes.set(xlim=(-0.5, last - 0.5), ylim=(last - 0.5, -0.5), aspect="equal")
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def _squares(columns: Integers, rows: Integers) -> Path:
    """Return one path of squares around the given places."""
    corners = np.array([[-0.48, -0.48], [0.48, -0.48], [0.48, 0.48], [-0.48, 0.48], [-0.48, -0.48]])
    vertices = (np.column_stack([columns, rows])[:, None] + corners).reshape(-1, 2)
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(rows)
    return Path(vertices, codes)
