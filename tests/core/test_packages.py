from __future__ import annotations

import subprocess
import sys


def test_names_are_listed_before_and_after_the_packages_of_their_names_are_imported() -> None:
    code = (
        "import benchsuite\n"
        "before = benchsuite.spaces(), benchsuite.estimators()\n"
        "benchsuite.load_space('macro')\n"
        "import benchsuite.estimators.base, benchsuite.spaces.macro.space\n"
        "assert (benchsuite.spaces(), benchsuite.estimators()) == before\n"
        "from benchsuite import estimators, spaces\n"
        "assert (spaces(), estimators()) == before\n"
        "assert benchsuite.spaces.macro.space.Macro.name in before[0]\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
