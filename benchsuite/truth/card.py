"""The card of a ground-truth table: how it was made, what it cost, and how reliable it is."""

from __future__ import annotations

import platform
import statistics
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.analysis.correlation import kendall_tau, spearman_rho
from benchsuite.analysis.reliability import ceiling, seed_reliability
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, SPLIT, TRIAL
from benchsuite.data.images.canvas import TASKS
from benchsuite.data.images.minibatches import load_images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from benchsuite.analysis.reliability import Repeated
    from benchsuite.data.cards import Card
    from benchsuite.truth.making import TruthPlan
    from benchsuite.truth.training import TrainedArchitecture

CRITERIA = {"kendall_tau": kendall_tau, "spearman_rho": spearman_rho}
_PILOT_KEYS = ("title", "images", "task", "sizes", "protocol", "architectures", "seeds", "figures")
_NEAR_CHANCE = 1.2  # an accuracy within this factor of chance is that of a network whose output hardly varies


def card(
    plan: TruthPlan, dataset: str, trainings: Mapping[tuple[str, int], TrainedArchitecture], table: pd.DataFrame
) -> Card:
    """Return what is known about a table, ready for JSON.

    `figures` are those of all architectures, `figures_above_chance` those of the architectures with an accuracy above
    chance: estimators cannot order ties at chance, which lower the former.

    Parameters
    ----------
    plan
        What was trained.
    dataset
        Name of the data set in the benchmark's name.
    trainings
        By architecture and seed.
    table
        The ground-truth table that they make.
    """
    images = load_images(plan.images)
    trials = final_accuracies(table)
    above = trials[trials.mean(axis=1) > _NEAR_CHANCE * 100 / images.dataset.classes]
    seconds = [training.cpu_seconds for training in trainings.values()]
    return {
        "title": f"{plan.space} trained on {images.name}",
        "space": plan.space,
        "sizes": dict(plan.make_space().sizes),
        "dataset": dataset,
        "images": plan.images,
        "image_set": {
            "name": images.dataset.name,
            "classes": images.dataset.classes,
            "channels": images.dataset.channels,
            "size": images.dataset.size,
            "training": len(images.train_targets),
            "test": len(images.test_targets),
            "sha256": images.digest,
        },
        "task": asdict(TASKS[plan.images]) if plan.images in TASKS else None,
        "protocol": asdict(plan.protocol),
        "epochs": "steps of stochastic gradient descent",
        "architectures": plan.architectures,
        "sample_seed": plan.sample_seed,
        "seeds": plan.seeds,
        "cpu_hours": round(sum(seconds) / 3600, 3),
        "cpu_seconds_per_training": round(statistics.fmean(seconds), 2),
        "versions": {name: version(name) for name in ("benchsuite", "torch", "numpy")},
        "machine": f"{platform.machine()}, python {platform.python_version()}",
        "figures": figures(trials),
        "figures_above_chance": {"architectures": len(above), **figures(above)},
    }


def final_accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """Return test accuracies at the end of trainings.

    Parameters
    ----------
    table
        A ground-truth table.

    Returns
    -------
    DataFrame
        In percent, shape (architectures, trials).
    """
    final = table[(table[SPLIT] == "test") & (table[EPOCHS] == table[EPOCHS].max())]
    trials: pd.DataFrame = final.pivot(index=ARCHITECTURE, columns=TRIAL, values=ACCURACY)  # noqa: PD010 - one value each
    return trials


def figures(trials: pd.DataFrame) -> dict[str, Any]:
    """Return spread and reliability of accuracies.

    `spread` is the distance from the 10th to the 90th percentile of the mean accuracies and `seed_deviation` the root
    mean square of the standard deviations over seeds, both in accuracy points. Reliability and ceiling are None with
    one seed or fewer than three architectures.

    Parameters
    ----------
    trials
        Accuracies in percent, shape (architectures, trials).
    """
    means = trials.mean(axis=1)
    if means.empty:
        return {}
    known = len(means) > 2 and trials.shape[1] > 1
    levels = np.percentile(means, [0, 10, 50, 90, 100])
    names = ("lowest", "percentile_10", "median", "percentile_90", "highest")
    return {
        "accuracy": {name: round(float(level), 2) for name, level in zip(names, levels, strict=True)},
        "spread": round(float(levels[3] - levels[1]), 2),
        "seed_deviation": round(float(np.sqrt(trials.var(axis=1, ddof=1).mean())), 3) if known else None,
        "reliability": _rounded(seed_reliability, trials) if known else None,
        "ceiling": _rounded(ceiling, trials) if known else None,
    }


def _rounded(figure: Callable[..., Repeated], trials: pd.DataFrame) -> dict[str, float]:
    return {name: round(figure(trials, criterion).value, 3) for name, criterion in CRITERIA.items()}


def pilots(cards: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what cards of smaller tables say about the choice of task and protocol: the rows of the pilot table.

    Parameters
    ----------
    cards
        As `card` makes them.

    Examples
    --------
    >>> pilots([{"images": "digits", "seeds": 2, "cpu_hours": 0.1}])
    [{'images': 'digits', 'seeds': 2}]
    """
    return [{key: item[key] for key in (*_PILOT_KEYS, "cpu_seconds_per_training") if key in item} for item in cards]
