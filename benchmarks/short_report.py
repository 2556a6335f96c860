"""Copy what git keeps of a report: verdict and leaderboards as Markdown, leaderboard and comparisons as CSV.

Run: python benchmarks/short_report.py benchsuite-reports/NAME reports/NAME [--section TITLE] [--page]
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.core.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEPT_TABLES = ("leaderboard", "comparisons")
LEADERBOARD = "#### Leaderboard"
NOTE = "*Cut to verdict and leaderboard: the commands in [reports](../README.md) make the whole report.*"


def shortened(report: str, sections: Sequence[str] = ()) -> str:
    """Return a report's title, overview, verdicts and leaderboards, and the sections of the given titles.

    Figures are left out with their captions, because git does not keep them.
    """
    title, *rest = _without_figures(_blocks(report))
    return "\n\n".join([title, NOTE, *_kept(rest, sections)]) + "\n"


def _blocks(report: str) -> list[str]:
    return [block for block in report.strip().split("\n\n") if block.strip()]


def _without_figures(blocks: Sequence[str]) -> Iterator[str]:
    caption = False
    for block in blocks:
        figure = "](figures/" in block
        if not figure and not (caption and not block.startswith(("#", "|"))):
            yield block
        caption = figure


def _kept(blocks: Sequence[str], sections: Sequence[str]) -> Iterator[str]:
    """Yield the blocks that stay: those before a benchmark's first section, its leaderboards, and wanted sections."""
    section, whole, table = "", True, True
    for block in blocks:
        if block.startswith(("# ", "## ")):
            section, whole, table = "", True, True
        elif block.startswith("### "):
            section, whole, table = block, block.removeprefix("### ") in sections, False
        elif block.startswith("#### "):
            table = block.startswith(LEADERBOARD)
        if whole or table:
            if section not in {"", block}:
                yield section
            section = ""
            yield block


def main() -> None:
    """Write the short copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="folder that `benchsuite run` or `report` wrote")
    parser.add_argument("out", type=Path, help="folder of the short copy")
    parser.add_argument("--section", action="append", default=[], metavar="TITLE", help="keep this section, too")
    parser.add_argument("--page", action="store_true", help="keep index.html, too")
    options = parser.parse_args()
    full = (options.report / "report.md").read_text(encoding="utf-8")
    (options.out / "tables").mkdir(parents=True, exist_ok=True)
    write_text(options.out / "report.md", shortened(full, options.section))
    for name in KEPT_TABLES:
        shutil.copyfile(options.report / "tables" / f"{name}.csv", options.out / "tables" / f"{name}.csv")
    if options.page:
        shutil.copyfile(options.report / "index.html", options.out / "index.html")


if __name__ == "__main__":
    main()
