from __future__ import annotations

from typing import TYPE_CHECKING

from small import write_suite

from benchsuite.core.types import Score
from benchsuite.running.failures import failed_throughout
from benchsuite.running.store import Store
from benchsuite.suites.plan import make_plan
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from pathlib import Path


def _failed(architecture: str, reason: str) -> Score:
    return Score(architecture, float("nan"), "failed", reason)


def test_only_estimators_that_failed_on_every_architecture_of_the_sample_are_named(tmp_path: Path) -> None:
    plan = make_plan(load_suite(write_suite(tmp_path, number=3, seeds=(0, 1), estimators=("params", "snip", "nwot"))))
    (part,) = plan.benchmarks
    with Store(tmp_path) as store:
        keys: dict[str, list[str]] = {}
        for trial in part.trials:
            keys.setdefault(trial.title, []).append(store.add_recipe(trial.recipe))
        failed = [_failed(name, reason) for name, reason in zip(part.architectures, ("a", "b", "b"), strict=True)]
        scores = [(key, score) for title in ("snip", "nwot") for key in keys[title] for score in failed]
        store.add_scores(scores, {"device": "cpu"})
        store.add_scores([(keys["snip"][0], Score("of another sample", 1.0))], {"device": "cpu"})
        store.add_scores([(keys["nwot"][0], Score(part.architectures[0], 1.0))], {"device": "cpu"})
        assert failed_throughout(plan, store) == [
            "all 6 scores of snip on nasbench201/digits failed, most often with: b"
        ]
