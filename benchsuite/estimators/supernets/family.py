"""The family of estimators that read a trained supernet, whatever trains it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from annotated_types import Ge
from typing_extensions import override

from benchsuite.core.errors import SuiteError, UnknownNameError, UnsupportedError
from benchsuite.data.images.minibatches import describe_images, load_images
from benchsuite.estimators.base import Estimator
from benchsuite.estimators.setting import NOISE
from benchsuite.estimators.supernets.protocols import ChoosingTraining
from benchsuite.estimators.supernets.readout_task import ReadoutTask
from benchsuite.estimators.supernets.split import sizes
from benchsuite.estimators.supernets.task import TrainingTask

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.types import Dataset
    from benchsuite.estimators.base import Trial
    from benchsuite.estimators.setting import Setting
    from benchsuite.estimators.supernets.protocols import Reader, SupernetTraining

_MEMBERS = ("representative", "all")


@dataclass(frozen=True, slots=True)
class OneShotEstimator(Estimator):
    """An estimator that reads architectures' scores off a supernet, which is trained once for all of them.

    Trainings are shared: estimators that differ in what they read of one do not train it anew.

    Attributes
    ----------
    training
        How the supernet is trained.
    epoch
        Epoch whose checkpoint is read; 0 = the last. It must be one that the training keeps.
    averaged
        Number of kept checkpoints, up to that epoch, whose weights are averaged.
    supernets
        Number n of supernets over which scores are averaged: a run of seed s reads the trainings of the seeds s n to
        s n + n - 1, so that runs share none, and the suite's first seeds are those of n = 1 too.
    members
        "representative", or "all": the score of an isomorphism class is the mean over its strings (post-de-isomorphic
        averaging).
    """

    training: SupernetTraining
    epoch: Annotated[int, Ge(0)] = 0
    averaged: Annotated[int, Ge(1)] = 1
    supernets: Annotated[int, Ge(1)] = 1
    members: Literal["representative", "all"] = "representative"
    family: ClassVar[str] = "one-shot"
    titled_by_differences: ClassVar[bool] = True

    @property
    def validating(self) -> int:
        """Number of images on which an architecture is validated."""
        return 0

    @override
    def check(self) -> None:
        self.training.check()
        self.check_readout()
        if self.members not in _MEMBERS:
            raise UnknownNameError("choice of members", self.members, _MEMBERS)
        if self.supernets < 1:
            raise SuiteError(f"supernets = {self.supernets}; must be a positive integer")
        self.epochs()

    def check_readout(self) -> None:
        """Return nothing if the hyperparameters of a derived class say what to read; the error says what is wrong."""

    def epochs(self) -> tuple[int, ...]:
        """Return the epochs whose checkpoints are read, their weights averaged if there are several.

        Raises
        ------
        SuiteError
            If the training does not keep them.
        """
        kept = self.training.kept_epochs()
        last = self.epoch or kept[-1]
        if last not in kept or not 1 <= self.averaged <= kept.index(last) + 1:
            raise SuiteError(
                f"epoch = {self.epoch}, averaged = {self.averaged}, but the training keeps the epochs "
                f"{', '.join(map(str, kept))}; choose one of these, or keep more with training.kept"
            )
        return tuple(kept[: kept.index(last) + 1][-self.averaged :])

    @abstractmethod
    def readout_key(self) -> Hashable:
        """Return what decides the readouts of a training: estimators that agree in it share them."""

    def seeds(self, seed: int) -> range:
        """Return the seeds of the trainings that a run reads.

        Parameters
        ----------
        seed
            Seed of the run.

        Examples
        --------
        >>> from benchsuite.estimators.one_shot.estimators import Uniform
        >>> list(Uniform(supernets=3).seeds(1))
        [3, 4, 5]
        """
        return range(seed * self.supernets, (seed + 1) * self.supernets)

    def strings(self, space: Space, architecture: str) -> Sequence[str]:
        """Return the strings whose scores are averaged for an architecture.

        Parameters
        ----------
        space
            The architecture's space.
        architecture
            A canonical string.
        """
        return space.members(architecture) if self.members == "all" else (architecture,)

    def copy_of(self, space: Space, architecture: str) -> str:
        """Return the name of the part of a checkpoint that is read for an architecture.

        Parameters
        ----------
        space
            The architecture's space.
        architecture
            Any string.
        """
        return self.training.copy_of(space, architecture)

    def check_space(self, space: Space, dataset: Dataset, architecture: str) -> None:
        """Return nothing for a space on which the estimator works, as far as one architecture can tell.

        Parameters
        ----------
        space
            Search space.
        dataset
            Classes and image shape.
        architecture
            A canonical string of the space.

        Raises
        ------
        UnsupportedError
            If the space lacks what is needed.
        SuiteError
            If it has other positions or operations than the training names.
        """
        self.training.check_space(space, dataset)
        self.strings(space, architecture)

    @override
    def check_benchmark(self, setting: Setting, architecture: str) -> None:
        _check_images(setting)
        self.check_space(setting.space, setting.dataset, architecture)

    @override
    def trainings(self, setting: Setting, seed: int | None) -> tuple[TrainingTask, ...]:
        seeds = () if seed is None else self.seeds(seed)
        return tuple(TrainingTask(setting.space, setting.images, self.training, each) for each in seeds)

    @override
    def group_key(self, setting: Setting, trial: Trial) -> Hashable:
        return "readout", *trial.recipe["sources"], self.readout_key()

    @override
    def task(self, setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str) -> ReadoutTask:
        sources: tuple[TrainingTask, ...] = trials[0].trainings  # type: ignore[assignment]  # its own, see `trainings`
        estimators: tuple[OneShotEstimator, ...] = tuple(trial.estimator for trial in trials)  # type: ignore[misc]  # of one key
        return ReadoutTask(sources, root, estimators, setting.device)

    @override
    def cheapened(self) -> Self:
        short = {"epochs": 1, "kept": 1, "images": 64, "batch": 32, "augmentation": "none", "shrink": 1}
        known = {item.name for item in fields(self.training)}
        return replace(self, training=replace(self.training, **{name: short[name] for name in known & set(short)}))

    @override
    def caption(self, setting: Setting) -> tuple[str, ...]:
        side = load_images(setting.images).dataset.size // self.training.shrink
        return (f"supernets on images of {side}x{side} pixels ({describe_images(setting.images)})",)

    @override
    def protocol(self, setting: Setting) -> Mapping[str, str]:
        images = load_images(setting.images)
        trained, validating = sizes(images)
        return {"Supernet": f"{self.training.words(trained, images.dataset.size)}; {self.words(validating)}"}

    @override
    def own_rule(self, setting: Setting) -> str:
        if not isinstance(self.training, ChoosingTraining):
            return Estimator.own_rule(self, setting)
        _check_images(setting)
        self.training.check()
        self.training.check_space(setting.space, setting.dataset)
        return self.training.rule

    def words(self, images: int) -> str:
        """Return what is read, for a report.

        Parameters
        ----------
        images
            Number of images that there are to validate with.
        """
        epochs = " and ".join(map(str, self.epochs()))
        return (
            f"{self.readout_words(images)}, weights of epoch {epochs}"
            + (f"; mean over {self.supernets} supernets" if self.supernets > 1 else "")
            + ("; mean over the strings of a class" if self.members == "all" else "")
        )

    @abstractmethod
    def readout_words(self, images: int) -> str:
        """Return what is read of one supernet, for a report.

        Parameters
        ----------
        images
            Number of images that there are to validate with.
        """

    @abstractmethod
    def reader(self, source: TrainingTask, states: Sequence[Mapping[str, Tensor]], device: str) -> Reader:
        """Return what reads the mean of some states of a training.

        Parameters
        ----------
        source
            The training.
        states
            Parts of its checkpoints; the untrained supernet is read if there is none.
        device
            Where networks run.
        """

    @abstractmethod
    def score(self, readout: Any) -> float:
        """Return the score of an architecture, NaN where it is undefined.

        Parameters
        ----------
        readout
            What the estimator's reader gave for it.
        """


def _check_images(setting: Setting) -> None:
    if setting.images == NOISE:
        raise UnsupportedError("a supernet is trained on images, and the suite gives this benchmark noise")
