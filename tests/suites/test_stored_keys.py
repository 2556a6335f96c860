"""The keys under which scores and trainings are stored do not change unless what determines them does.

The shipped suites are planned on the embedded ground truth, with whatever space, sizes, minibatches, seeds and
estimators they name, and with options that few of them use. `python tests/suites/test_stored_keys.py` writes
stored_keys.json anew; that is right only after a definition has changed and its version has grown.
"""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from benchsuite.core.identity import digest
from benchsuite.data.home import shipped
from benchsuite.suites.plan import make_plan
from benchsuite.suites.schema import parse_suite, suites

FILE = Path(__file__).with_name("stored_keys.json")
OPTIONS: dict[str, dict[str, Any]] = {"": {}, " common": {"initialisation": "common"}, " fast": {"fast": True}}


def document(suite: str) -> dict[str, Any]:
    """Return a shipped suite that judges against the embedded ground truth, whose images are not shrunken."""
    content = tomllib.loads(shipped("benchmarks", f"{suite}.toml").read_text(encoding="utf-8"))
    for benchmark in content["benchmark"]:
        benchmark["dataset"] = "digits"
        benchmark["architectures"] = {"pool": benchmark.get("architectures", {}).get("pool", "class")}
        benchmark.pop("truth", None)
        benchmark.pop("transfer", None)
    for entry in content["estimator"]:
        if "benchmarks" in entry:
            entry["benchmarks"] = [f"{name.partition('/')[0]}/digits" for name in entry["benchmarks"]]
        entry.get("parameters", {}).get("training", {}).pop("shrink", None)
    return content


def stored_keys(name: str) -> list[dict[str, str]]:
    """Return a digest of the keys of scores and trainings by estimator, for each benchmark of a suite."""
    suite, _, option = name.partition(" ")
    content, options = document(suite), dict(OPTIONS[f" {option}" if option else ""])
    if "initialisation" in options:
        for benchmark in content["benchmark"]:
            benchmark["initialisation"] = options["initialisation"]
        options.pop("initialisation")
    found = []
    for part in make_plan(parse_suite(content, suite, folder=Path()), limit=1, **options).benchmarks:
        keys: dict[str, list[object]] = defaultdict(list)
        for trial in part.trials:
            trainings = [training.key for training in trial.trainings]
            keys[trial.title].append([trial.seed, trial.batch_seed, trial.key, trainings])
        found.append({title: digest(sorted(each, key=str))[:12] for title, each in keys.items()})
    return found


def names() -> list[str]:
    """Return the suites, and the zero-shot ones with each option."""
    return [f"{suite}{option}" for suite in suites() for option in OPTIONS if not option or suite == "zero-shot"]


@pytest.mark.parametrize("name", names())
def test_a_suite_is_stored_under_the_keys_of_earlier_versions(name: str) -> None:
    assert stored_keys(name) == json.loads(FILE.read_text(encoding="utf-8"))[name]


if __name__ == "__main__":
    FILE.write_text(json.dumps({name: stored_keys(name) for name in names()}, indent=0) + "\n", encoding="utf-8")
