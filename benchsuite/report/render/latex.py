"""Tables for a paper: LaTeX that needs the package booktabs."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchsuite.report.render.table import Cell, Table

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: f"\\{letter}" for letter in "&%$#_"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MICRO SIGN}": r"$\mu$",
    "τ": r"$\tau$",
    "\N{GREEK SMALL LETTER RHO}": r"$\rho$",
}


def table(content: Table) -> str:
    """Return the table as a `tabular` below its caption as a comment; intervals stand behind their numbers.

    Parameters
    ----------
    content
        The table.
    """
    alignment = "".join("r" if column.numeric else "l" for column in content.columns)
    lines = [
        f"% {' '.join(content.caption.split())}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        _row([escaped(column.title) for column in content.columns]),
        r"\midrule",
        *(_row([_cell(cell) for cell in row]) for row in content.rows),
        *([r"\midrule"] if content.summary else []),
        *(_row([_cell(cell) for cell in row]) for row in content.summary),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    r"""Return the text with everything replaced that LaTeX would read as a command.

    Parameters
    ----------
    text
        Any text.

    Examples
    --------
    >>> escaped("50% of x_1"), escaped("τ-b"), escaped("É♥")
    ('50\\% of x\\_1', '$\\tau$-b', 'É[U+2665]')
    """
    return "".join(
        _ESCAPES.get(letter, letter if _known(letter) else _named(letter)) for letter in " ".join(text.split())
    )


def _known(letter: str) -> bool:
    """Whether pdflatex prints the letter without a further package: ASCII, and Latin-1 letters with an accent."""
    plain = unicodedata.normalize("NFD", letter)[0]
    return letter.isprintable() and plain.isascii() and ord(letter) < 256


def _named(letter: str) -> str:
    return f"[U+{ord(letter):04X}]"


def _cell(cell: Cell) -> str:
    mark = rf" \textit{{({escaped(cell.mark)})}}" if cell.mark else ""
    note = rf" {{\scriptsize ({escaped(cell.note)})}}" if cell.note else ""
    name = rf" {{\scriptsize\texttt{{{escaped(cell.architecture)}}}}}" if cell.architecture else ""
    return f"{escaped(cell.text)}{mark}{note}{name}"


def _row(cells: list[str]) -> str:
    r"""One line; `\\` and `\toprule` before it would take a star or a bracket at its beginning as their argument."""
    line = " & ".join(cells) + r" \\"
    return f"{{}}{line}" if line.startswith(("[", "*")) else line
