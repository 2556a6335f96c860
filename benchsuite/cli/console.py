"""Where the command line prints."""

from __future__ import annotations

from rich.console import Console

output = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
