"""benchsuite: how far a cheap estimate of an architecture's quality can be trusted, where, and why not.

The names below are loaded when they are first used, so that `import benchsuite` loads neither torch nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from benchsuite.analysis.evaluate import criteria as criteria
    from benchsuite.analysis.evaluate import evaluate as evaluate
    from benchsuite.benchmark import benchmarks as benchmarks
    from benchsuite.benchmark import load_benchmark as load_benchmark
    from benchsuite.core.registry import estimators as estimators
    from benchsuite.core.registry import load_space as load_space
    from benchsuite.core.registry import spaces as spaces
    from benchsuite.core.space import Space as Space
    from benchsuite.core.types import Complexity as Complexity
    from benchsuite.core.types import Dataset as Dataset
    from benchsuite.estimators.baselines.curves import CurveEstimator as CurveEstimator
    from benchsuite.estimators.baselines.family import ArchitectureEstimator as ArchitectureEstimator
    from benchsuite.estimators.supernets.family import OneShotEstimator as OneShotEstimator
    from benchsuite.estimators.zero_shot.any_network import score_network as score_network
    from benchsuite.estimators.zero_shot.family import ZeroShotEstimator as ZeroShotEstimator
    from benchsuite.report.judge import judge as judge
    from benchsuite.report.judge import judge_scores as judge_scores

_HOMES = {
    "ArchitectureEstimator": "benchsuite.estimators.baselines.family",
    "Complexity": "benchsuite.core.types",
    "CurveEstimator": "benchsuite.estimators.baselines.curves",
    "Dataset": "benchsuite.core.types",
    "OneShotEstimator": "benchsuite.estimators.supernets.family",
    "Space": "benchsuite.core.space",
    "ZeroShotEstimator": "benchsuite.estimators.zero_shot.family",
    "benchmarks": "benchsuite.benchmark",
    "criteria": "benchsuite.analysis.evaluate",
    "estimators": "benchsuite.core.registry",
    "evaluate": "benchsuite.analysis.evaluate",
    "judge": "benchsuite.report.judge",
    "judge_scores": "benchsuite.report.judge",
    "load_benchmark": "benchsuite.benchmark",
    "load_space": "benchsuite.core.registry",
    "score_network": "benchsuite.estimators.zero_shot.any_network",
    "spaces": "benchsuite.core.registry",
}
__all__ = [
    "ArchitectureEstimator",
    "Complexity",
    "CurveEstimator",
    "Dataset",
    "OneShotEstimator",
    "Space",
    "ZeroShotEstimator",
    "__version__",
    "benchmarks",
    "criteria",
    "estimators",
    "evaluate",
    "judge",
    "judge_scores",
    "load_benchmark",
    "load_space",
    "score_network",
    "spaces",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'benchsuite' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
