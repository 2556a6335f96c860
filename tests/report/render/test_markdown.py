"""Tables in Markdown."""

from __future__ import annotations

from benchsuite.report.render import latex, markdown
from benchsuite.report.render.table import Cell, Column, Table


def test_code_in_markdown_and_rows_of_latex_survive_what_would_end_or_change_them():
    def shown(cell):
        return Table("t", "c", (Column("[N]", numeric=False),), ((cell,), (Cell("*x", 0),)))

    line = markdown.table(shown(Cell("a", 0, architecture="b``c|d`"))).splitlines()[2]
    assert line == r"| a ``` b``c\|d` ``` |"
    rows = [line for line in latex.table(shown(Cell("[2pt]", 0))).splitlines() if line.endswith(r"\\")]
    assert rows == [r"{}[N] \\", r"{}[2pt] \\", r"{}*x \\"]
