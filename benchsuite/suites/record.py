"""A plan as the store keeps it, with its protocol in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchsuite.core import registry
from benchsuite.suites.stored import StoredBenchmark, StoredSuite, StoredTrial

if TYPE_CHECKING:
    from benchsuite.suites.plan import BenchmarkPlan, Plan


def record(plan: Plan, command: str) -> StoredSuite:
    """Return what the store keeps of a plan, so that a report needs neither the suite's file nor its plug-ins.

    Parameters
    ----------
    plan
        A suite made concrete.
    command
        The command that runs it.
    """
    benchmarks = tuple(_record_benchmark(part) for part in plan.benchmarks)
    return StoredSuite(plan.suite.description, command, benchmarks)


def _record_benchmark(part: BenchmarkPlan) -> StoredBenchmark:
    choice = part.choice
    trials = [
        StoredTrial(
            estimator=trial.title,
            family=trial.estimator.family,
            seed=trial.seed,
            batch_seed=trial.batch_seed,
            key=trial.key,
            trainings={training.key: training.seed for training in trial.trainings},
            reference=trial.estimator.reference,
        )
        for trial in part.trials
    ]
    return StoredBenchmark(
        space=choice.space,
        dataset=choice.dataset,
        sizes=dict(part.benchmark.space.sizes),
        truth=choice.truth,
        pool=choice.architectures.pool,
        transfer=choice.transfer,
        architectures=part.architectures,
        sample=part.sample,
        caption=_caption(part),
        protocol=_protocol(part),
        skipped=dict(part.skipped),
        combinations=part.combinations,
        trials=tuple(trials),
    )


def _caption(part: BenchmarkPlan) -> str:
    phrases = [phrase for trial in part.trials for phrase in trial.estimator.caption(part.setting)]
    return "; ".join([_networks(part), *dict.fromkeys(phrases), f"ground truth: {_truth_title(part)}"])


def _truth_title(part: BenchmarkPlan) -> str:
    return str(part.benchmark.card.get("title", part.benchmark.source))


def _networks(part: BenchmarkPlan) -> str:
    space, dataset = part.setting.space, part.setting.dataset
    sizes = ", ".join([f"{key} {value}" for key, value in space.sizes.items()])
    kind = "full-size" if space == registry.load_space(space.name) else "reduced"
    channels, height, width = dataset.shape
    return f"{kind} networks with {sizes} for {dataset.classes} classes of {channels}x{height}x{width} images"


def _protocol(part: BenchmarkPlan) -> dict[str, str]:
    choice, setting, truth = part.choice, part.setting, part.choice.truth
    words = {
        "Architectures": part.sample,
        "Networks": _networks(part),
        "Minibatch": f"{setting.minibatch_words()}; class-balanced, seed {_listed(setting.batch_seeds)}; "
        "the same for every architecture",
        "Initialisation seeds": _listed(setting.seeds)
        + (
            "; common: an operation has the same weights at the same position of every architecture"
            if setting.initialisation == "common"
            else ""
        ),
        "Ground truth": f"{_truth_title(part)}; {truth.split} split, "
        + (f"after {truth.epochs} epochs" if truth.epochs else "after the full training budget")
        + "; mean over trainings"
        + (", then over the members of a string class" if choice.architectures.pool == "class" else ""),
        "Batch normalisation": "batch statistics (train mode)",
    }
    for title, estimator in {trial.title: trial.estimator for trial in part.trials}.items():
        for heading, said in estimator.protocol(setting).items():
            words[f"{heading} of {title}"] = said
    for each in part.combinations:
        words[f"Combination {each.title}"] = f"{each.name} of {', '.join(each.of)}"
    words["Numbers"] = "32-bit floats, 64-bit where a definition needs them; one thread a process" + (
        "; fast: channels last in memory, which rounds otherwise than the default" if setting.fast else ""
    )
    return words


def _listed(seeds: tuple[int, ...]) -> str:
    return ", ".join(map(str, seeds))
