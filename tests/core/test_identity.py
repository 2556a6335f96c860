from __future__ import annotations

import subprocess
import sys

import pytest

import benchsuite
from benchsuite.core.errors import UnknownNameError
from benchsuite.core.identity import digest, seed_of


def test_an_unknown_name_is_answered_with_the_closest_known_one() -> None:
    message = str(UnknownNameError("estimator", "synflw", ["snip", "synflow"]))
    assert message == "no estimator named 'synflw'. Did you mean 'synflow'? Known: snip, synflow"


def test_equal_recipes_have_one_identity_whatever_the_order_of_their_keys() -> None:
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": (2, 3), "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_seeds_are_the_same_in_another_process() -> None:
    code = "from benchsuite.core.identity import seed_of; print(seed_of(3, '|none~0|'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == seed_of(3, "|none~0|")


def test_importing_benchsuite_loads_no_heavy_library() -> None:
    code = (
        "import sys, benchsuite; benchsuite.estimators(); benchsuite.spaces();"
        "print([name for name in ('torch', 'pandas', 'scipy', 'matplotlib', 'pydantic') if name in sys.modules])"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "[]"


def test_every_name_of_the_contract_is_there() -> None:
    for name in benchsuite.__all__:
        assert getattr(benchsuite, name) is not None
    with pytest.raises(AttributeError, match="rollout"):
        benchsuite.rollout  # noqa: B018 - the access is what is tested
