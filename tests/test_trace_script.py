"""The script that traces a score counts functions of benchsuite, each once, and nothing else."""

from __future__ import annotations

import json

from scripts import script

from benchsuite.core.identity import digest


def test_functions_are_counted_once_and_only_those_of_benchsuite() -> None:
    tracing = script("trace_score")
    codes = tracing.called(lambda: [digest({"a": 1}), digest({"a": 2}), json.dumps({})])
    assert sorted(code.co_name for code in codes) == ["canonical_json", "digest"]
    assert dict(tracing.described(codes)) == {"core/identity.py": 2}
