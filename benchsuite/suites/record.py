"""A plan as the store keeps it, with its protocol in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core import registry
from benchsuite.data.images.minibatches import describe_images, load_images
from benchsuite.estimators.base import ZeroShotEstimator
from benchsuite.estimators.one_shot.estimators import OneShotEstimator
from benchsuite.estimators.supernets.split import sizes as split_sizes
from benchsuite.suites.plan import NOISE
from benchsuite.suites.stored import StoredBenchmark, StoredSuite, StoredTrial

if TYPE_CHECKING:
    from benchsuite.suites.plan import BenchmarkPlan, Plan, Trial


def record(plan: Plan, command: str) -> StoredSuite:
    """What the store keeps of a plan so that a report needs neither the suite's file nor its plug-ins."""
    benchmarks = tuple(_record_benchmark(part) for part in plan.benchmarks)
    return StoredSuite(plan.suite.description, command, benchmarks)


def _record_benchmark(part: BenchmarkPlan) -> StoredBenchmark:
    choice = part.choice
    return StoredBenchmark(
        space=choice.space,
        dataset=choice.dataset,
        sizes=dict(part.benchmark.space.sizes),
        truth=choice.truth,
        pool=choice.architectures.pool,
        transfer=choice.transfer,
        architectures=part.architectures,
        sample=part.population,
        caption=_caption(part),
        protocol=_protocol(part),
        skipped=part.skipped,
        combinations=part.combinations,
        trials=tuple(_record_trial(trial) for trial in part.trials),
    )


def _record_trial(trial: Trial) -> StoredTrial:
    trainings = {training.key: training.seed for training in trial.trainings}
    return StoredTrial(trial.title, trial.estimator.family, trial.seed, trial.batch_seed, trial.key, trainings)


def _caption(part: BenchmarkPlan) -> str:
    seen = any(isinstance(trial.estimator, ZeroShotEstimator) for trial in part.trials)
    drawn = ["initialisation common to all architectures"] if part.choice.initialisation == "common" else []
    scored = [_minibatch(part), *drawn] if seen else []
    return "; ".join([_networks(part), *scored, *_supernets(part), f"truth: {_truth_title(part)}"])


def _supernets(part: BenchmarkPlan) -> list[str]:
    """The images on which supernets are trained and read, if there are any."""
    estimators = [trial.estimator for trial in part.trials if isinstance(trial.estimator, OneShotEstimator)]
    if not estimators:
        return []
    side = load_images(part.images).dataset.size
    sides = sorted({side // each.training.shrink for each in estimators})
    pixels = " or ".join(f"{each}x{each}" for each in sides)
    return [f"supernets on images of {pixels} pixels ({describe_images(part.images)})"]


def _truth_title(part: BenchmarkPlan) -> str:
    return str(part.benchmark.card.get("title", part.benchmark.source))


def _networks(part: BenchmarkPlan) -> str:
    space = part.benchmark.space
    sizes = ", ".join(f"{key} {value}" for key, value in space.sizes.items())
    kind = "full-size" if space == registry.load_space(space.name) else "reduced"
    channels, height, width = part.dataset.shape
    return f"{kind} networks with {sizes} for {part.dataset.classes} classes of {channels}x{height}x{width} images"


def _trainings_in_words(part: BenchmarkPlan) -> dict[str, str]:
    """How the supernets are trained, by estimator, and on what they are read."""
    words = {}
    for title, estimator in {trial.title: trial.estimator for trial in part.trials}.items():
        if isinstance(estimator, OneShotEstimator):
            images = load_images(part.images)
            trained, validating = split_sizes(images)
            training, reading = estimator.training.words(trained, images.dataset.size), estimator.words(validating)
            words[f"Supernet of {title}"] = f"{training}; {reading}"
    return words


def _minibatch(part: BenchmarkPlan) -> str:
    batch = part.choice.batch
    kind = "random noise, no images" if part.images == NOISE else describe_images(part.images)
    number = "one minibatch" if batch.number == 1 else f"mean over {batch.number} minibatches"
    return f"{number} of {batch.size} ({kind})"


def _protocol(part: BenchmarkPlan) -> dict[str, str]:
    choice, truth, common = part.choice, part.choice.truth, part.choice.initialisation == "common"
    batch_seeds = ", ".join(map(str, choice.batch.seeds))
    return {
        "Architectures": part.population,
        "Networks": _networks(part),
        "Minibatch": f"{_minibatch(part)}; class-balanced, seed {batch_seeds}; the same for every architecture",
        "Initialisation seeds": ", ".join(map(str, choice.seeds))
        + ("; common: an operation has the same weights at the same position of every architecture" if common else ""),
        "Ground truth": f"{_truth_title(part)}; {truth.split} split, "
        + (f"after {truth.epochs} epochs" if truth.epochs else "after the full training budget")
        + "; mean over trainings"
        + (", then over the members of a string class" if choice.architectures.pool == "class" else ""),
        "Batch normalisation": "batch statistics (train mode)",
        **_trainings_in_words(part),
        **{f"Combination {each.title}": f"{each.name} of {', '.join(each.of)}" for each in part.combinations},
        "Numbers": "32-bit floats, 64-bit where a definition needs them; one thread a process"
        + ("; fast: channels last in memory, which rounds otherwise than the default" if part.fast else ""),
    }
