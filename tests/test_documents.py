"""Committed Markdown: its links lead to committed files and to headings that are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchsuite.cli.console import REPORTS

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def committed() -> list[str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


FILES = committed()
DOCUMENTS = [name for name in FILES if name.endswith(".md")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_relative_links_lead_to_committed_files_and_headings(name: str) -> None:
    document = ROOT / name
    known = {ROOT / file for file in FILES}
    known |= {folder for file in known for folder in file.parents}
    for link in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target in known, f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{link} leads to no heading"


def test_reports_that_git_keeps_are_small() -> None:
    rendered = [ROOT / name for name in FILES if name.startswith("reports/")]
    assert len(rendered) < 80
    assert sum(file.stat().st_size for file in rendered) < 6e6
    assert [file.name for file in rendered if file.suffix in {".html", ".parquet", ".tex"}] in ([], ["index.html"])


@pytest.mark.skipif(not FILES, reason="this is not a clone")
@pytest.mark.parametrize("folder", [REPORTS, Path(".benchsuite")])
def test_what_the_first_command_writes_is_ignored(folder: Path) -> None:
    assert subprocess.run(["git", "check-ignore", "-q", folder / "any"], cwd=ROOT, check=False).returncode == 0
