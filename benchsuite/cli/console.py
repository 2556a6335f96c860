"""Where the command line prints, and where it writes reports."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

output = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
REPORTS = Path("benchsuite-reports")  # a name of its own, which a project can ignore; `reports` is often taken
