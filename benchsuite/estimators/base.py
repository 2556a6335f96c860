"""What every family of estimators answers: frozen dataclasses whose fields are hyperparameters, never data or seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self

from benchsuite.core import registry
from benchsuite.core.errors import UnsupportedError
from benchsuite.core.identity import digest, label

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from benchsuite.estimators.setting import Setting
    from benchsuite.estimators.task import Task, TrainingJob


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of an estimator on a benchmark: one seed and one minibatch, whose scores the store holds under a key.

    Attributes
    ----------
    title
        Name that reports give the estimator.
    estimator
        The estimator.
    seed, batch_seed
        Seeds of the run and of its minibatch; None where a score does not depend on them.
    recipe
        Everything that determines a score but the architecture.
    key
        Digest of the recipe.
    trainings
        Trainings that are read.
    """

    title: str
    estimator: Estimator
    seed: int | None
    batch_seed: int | None
    recipe: dict[str, Any] = field(repr=False)
    key: str
    trainings: tuple[TrainingJob, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Estimator(ABC):
    """Base of all families: what a suite's plan, the runner, the store, a report and a search ask of an estimator.

    A family derives from this class and defines `task`; whatever else it does not say is answered here. An estimator
    derives from a family, has a `name`, and its fields are its hyperparameters.

    Attributes
    ----------
    registered_as
        Kind under which the registry keeps the classes.
    name
        Name under which the estimator is registered.
    version
        Grows when a score's definition changes, so that stored scores of the old one are not taken for the new.
    family
        Name of the family, for reports.
    seeded, batched
        Whether a score depends on the seed and on the minibatch; if so, they belong to its recipe.
    reference
        Whether other estimators must beat it: a baseline.
    reads_truth
        Whether it reads the ground truth that it is judged against, so that a search cannot use it.
    titled_by_differences
        Whether its title in a report leaves out the hyperparameters in which all estimators of its name agree.
    """

    registered_as: ClassVar[str] = "estimator"
    name: ClassVar[str]
    version: ClassVar[int] = 1
    family: ClassVar[str]
    seeded: ClassVar[bool] = True
    batched: ClassVar[bool] = False
    reference: ClassVar[bool] = False
    reads_truth: ClassVar[bool] = False
    titled_by_differences: ClassVar[bool] = False

    def parameters(self) -> dict[str, Any]:
        """Return all hyperparameters by name; those of a training are a table of their own."""
        return asdict(self)

    def label(self) -> str:
        """Return the name with the hyperparameters that are not at their default."""
        return label(self.name, self.changed())

    def changed(self) -> dict[str, Any]:
        """Return the hyperparameters that are not at their default; training.epochs is one of a training."""
        found: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if is_dataclass(value) and is_dataclass(item.default):
                before = asdict(item.default)  # type: ignore[arg-type]  # no class
                now = asdict(value)  # type: ignore[arg-type]  # no class
                found |= {f"{item.name}.{name}": new for name, new in now.items() if new != before[name]}
            elif item.default is MISSING or value != item.default:
                found[item.name] = value
        return found

    def check(self) -> None:  # noqa: B027 - a family without rules has nothing to check
        """Return nothing for hyperparameters that are allowed; the error says what is wrong with others.

        Raises
        ------
        BenchsuiteError
            If a hyperparameter has a value that is not allowed, alone or with the others.
        """

    def check_benchmark(self, setting: Setting, architecture: str) -> None:  # noqa: B027 - as above
        """Return nothing if the estimator works on a benchmark, as far as that can be said before the run.

        Parameters
        ----------
        setting
            The benchmark.
        architecture
            One of its architectures, to try.

        Raises
        ------
        UnsupportedError
            With the reason why it does not; it is then left out of that benchmark, and the report says why.
        """

    def recipe_parts(self, setting: Setting) -> dict[str, Any]:
        """Return what determines the family's scores besides what determines those of all estimators.

        Parameters
        ----------
        setting
            The benchmark.
        """
        return {}

    def trainings(self, setting: Setting, seed: int | None) -> tuple[TrainingJob, ...]:
        """Return the trainings that a run reads; they end before it begins.

        Parameters
        ----------
        setting
            The benchmark.
        seed
            Seed of the run.
        """
        return ()

    def trial(self, title: str, setting: Setting, seed: int | None, batch_seed: int | None) -> Trial:
        """Return a run of the estimator, with the recipe that identifies its scores.

        Parameters
        ----------
        title
            Name that reports give the estimator.
        setting
            The benchmark.
        seed, batch_seed
            Seeds of the run and of its minibatch; None where a score does not depend on them.
        """
        dataset, trainings = setting.dataset, self.trainings(setting, seed)
        recipe: dict[str, Any] = {
            "estimator": self.name,
            "version": self.version,
            "parameters": self.parameters(),
            "space": setting.space.name,
            "sizes": dict(setting.space.sizes),
            "dataset": [dataset.name, dataset.classes, *dataset.shape],
            **self.recipe_parts(setting),
        }
        optional = {
            "plugin": registry.plugin_digest("estimator", self.name),
            "space_plugin": registry.plugin_digest("space", setting.space.name),
            "seed": seed,
            "batch": None if batch_seed is None else setting.batch_recipe(batch_seed),
            "sources": [training.key for training in trainings] or None,
        }
        recipe |= {name: value for name, value in optional.items() if value is not None}
        return Trial(title, self, seed, batch_seed, recipe, digest(recipe), trainings)

    def group_key(self, setting: Setting, trial: Trial) -> Hashable:
        """Return what trials have in common that share a job, because they share most of its work.

        Parameters
        ----------
        setting
            The benchmark.
        trial
            A run of this estimator.
        """
        return trial.key

    @abstractmethod
    def task(self, setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str) -> Task:
        """Return what a worker runs for trials that share a job.

        Parameters
        ----------
        setting
            The benchmark.
        trials
            Runs of one group key, the first of which is this estimator's.
        architectures
            All that will be scored, in one job or several.
        root
            Folder of all trainings.
        """

    def caption(self, setting: Setting) -> tuple[str, ...]:
        """Return what the caption of a report must say where the estimator is judged; the same phrases are said once.

        Parameters
        ----------
        setting
            The benchmark.
        """
        return ()

    def protocol(self, setting: Setting) -> Mapping[str, str]:
        """Return what the protocol of a report says of the estimator, by headings that its title completes.

        Parameters
        ----------
        setting
            The benchmark.
        """
        return {}

    def own_rule(self, setting: Setting) -> str:
        """Return in words how the estimator's method chooses an architecture by itself.

        Parameters
        ----------
        setting
            The benchmark.

        Raises
        ------
        UnsupportedError
            If the method scores architectures only, or cannot be trained here.
        """
        raise UnsupportedError(
            f"algorithm 'own' needs a differentiable method, such as darts or pc_darts; {self.name} is not one; "
            "choose random, evolution or nsga2"
        )

    def cheapened(self) -> Self:
        """Return the estimator with hyperparameters that make it quick to try, for `promises`."""
        return self

    def promises(self, setting: Setting, architectures: Sequence[str]) -> Iterator[tuple[bool, str]]:
        """Yield whether the estimator keeps what its family promises, and the promise: `benchsuite check` asks.

        Parameters
        ----------
        setting
            A small benchmark.
        architectures
            Some of its architectures.
        """
        cheap = self.cheapened()
        seed, batch_seed = setting.seeds[0], setting.batch_seeds[0]
        trial = cheap.trial(self.name, setting, seed if self.seeded else None, batch_seed if self.batched else None)
        with TemporaryDirectory() as root:
            for training in trial.trainings:
                training.run(root, setting.device)
            task = cheap.task(setting, [trial], architectures, root)
            first, second = ([score for _, score in task.scores(architectures)] for _ in range(2))
        reasons = [score.reason for score in first if score.status == "failed"]
        failed = [reason for reason in reasons if not reason.startswith(UnsupportedError.__name__)]
        yield not failed, f"scoring a small network fails: {failed[:1]}"
        differing = [pair for pair in zip(first, second, strict=True) if repr(pair[0].value) != repr(pair[1].value)]
        yield not differing, f"scores differ when repeated: {differing[:1]}; take random numbers from rng alone"


_FAMILIES = {
    "ArchitectureEstimator": "benchsuite.estimators.baselines.family",
    "CurveEstimator": "benchsuite.estimators.baselines.curves",
    "ZeroShotEstimator": "benchsuite.estimators.zero_shot.family",
}


def __getattr__(name: str) -> Any:
    """Families' classes, for plug-ins written when they lay here; import them from benchsuite instead."""
    if name not in _FAMILIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_FAMILIES[name]), name)
