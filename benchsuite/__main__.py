"""`python -m benchsuite`: the command line."""

from __future__ import annotations

from benchsuite.cli import main

if __name__ == "__main__":
    main()
