"""What one score crosses: files and functions of benchsuite between the command line, the store and the page.

`benchsuite run --jobs 1` scores one small NAS-Bench-201 network by synflow in this process, and every function of
benchsuite that is called meanwhile is counted once, by its code: nested functions, lambdas and comprehensions that
have code of their own count, the bodies of modules and classes do not, and neither do generated methods of
dataclasses. A file counts if one of its functions is called. Imports are done before, so that what runs once a
process is not counted with the score.

    python benchmarks/trace_score.py             # numbers
    python benchmarks/trace_score.py --names     # and every function, by file
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import benchsuite
from benchsuite.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

SUITE = """
schema = 1
seeds = [0]
[[benchmark]]
space = "nasbench201"
dataset = "digits"
sizes = {channels = 2, cells = 1}
architectures = {number = 1}
batch = {size = 8}
[[estimator]]
name = "synflow"
"""
PACKAGE = str(Path(benchsuite.__file__).parent)
IMPORTING = "<module>"


def called(act: Callable[[], object]) -> set[CodeType]:
    """Return the code of the functions of benchsuite that are called while `act` runs."""
    found: set[CodeType] = set()

    def seen(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found.add(frame.f_code)

    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(None)
    return {code for code in found if code.co_filename.startswith(PACKAGE) and is_function(code)}


def is_function(code: CodeType) -> bool:
    """Return whether code is that of a function, not of a module or a class."""
    return code.co_name != IMPORTING and bool(code.co_flags & inspect.CO_OPTIMIZED)


def scored(folder: Path, *, written: bool) -> set[CodeType]:
    """Return what one score crosses from the command line to the store, or to the finished page."""
    suite = folder / "one.toml"
    suite.write_text(SUITE, encoding="utf-8")
    arguments = ["run", str(suite), "--jobs", "1", "--store", str(folder / "store"), "--out", str(folder / "report")]
    return called(lambda: run(arguments, written=written))


def run(arguments: list[str], *, written: bool) -> None:
    """Run the command, up to the store or to the page."""
    end = contextlib.nullcontext() if written else patch("benchsuite.cli.run._write")
    arguments = ["benchsuite", *arguments]
    with end, patch("sys.argv", arguments), contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main()


def described(codes: set[CodeType]) -> Counter[str]:
    """Return the number of functions by file."""
    return Counter(str(Path(code.co_filename).relative_to(PACKAGE)) for code in codes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", action="store_true", help="name every function, by file")
    names = parser.parse_args().names
    with tempfile.TemporaryDirectory() as made:
        warm = Path(made) / "warm"
        warm.mkdir()
        scored(warm, written=True)
        for number, (what, written) in enumerate({"store": False, "page": True}.items()):
            folder = Path(made) / str(number)
            folder.mkdir()
            codes = scored(folder, written=written)
            files = described(codes)
            print(f"to the {what}: {len(files)} files, {len(codes)} functions")
            if names:
                for file, count in sorted(files.items()):
                    inside = sorted(code.co_qualname for code in codes if code.co_filename.endswith(f"/{file}"))
                    print(f"  {file}: {count}\n    " + ", ".join(inside))
