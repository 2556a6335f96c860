"""The family of estimators that read one untrained network and a minibatch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from benchsuite.estimators.base import Estimator
from benchsuite.estimators.zero_shot.promises import probe_promises
from benchsuite.estimators.zero_shot.task import ProbeTask

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from benchsuite.estimators.base import Trial
    from benchsuite.estimators.setting import Setting
    from benchsuite.estimators.zero_shot.probe import Probe


@dataclass(frozen=True, slots=True)
class ZeroShotEstimator(Estimator):
    """An estimator that reads one untrained network and one minibatch through the shared Probe.

    Attributes
    ----------
    needs
        Names of the Probe's measurements that `score` reads. An estimator that names none is given the restored
        network and runs after all others.
    """

    family: ClassVar[str] = "zero-shot"
    batched: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def score(self, probe: Probe) -> float:
        """Return the score of the probed network, NaN where it is undefined.

        Parameters
        ----------
        probe
            The network with its measurements.
        """

    @override
    def recipe_parts(self, setting: Setting) -> dict[str, Any]:
        # What is optional is named only where it is chosen, so that keys stay what they were before there was a choice.
        fast = {"fast": True} if setting.fast else {}
        drawn = self.seeded and setting.initialisation != "independent"
        return {"dtype": "float32", **fast, **({"initialisation": setting.initialisation} if drawn else {})}

    @override
    def group_key(self, setting: Setting, trial: Trial) -> Hashable:
        return "probe", *_seeds(setting, trial)

    @override
    def task(self, setting: Setting, trials: Sequence[Trial], architectures: Sequence[str], root: str) -> ProbeTask:
        seed, batch_seed = _seeds(setting, trials[0])
        return ProbeTask(
            space=setting.space,
            dataset=setting.dataset,
            estimators=tuple(trial.estimator for trial in trials),  # type: ignore[misc]  # zero-shot ones, of one key
            seed=seed,
            minibatches=setting.minibatches(batch_seed),
            device=setting.device,
            fast=setting.fast,
            initialisation=setting.initialisation,
        )

    @override
    def promises(self, setting: Setting, architectures: Sequence[str]) -> Iterator[tuple[bool, str]]:
        yield from probe_promises(self)
        yield from Estimator.promises(self, setting, architectures)

    @override
    def caption(self, setting: Setting) -> tuple[str, ...]:
        common = setting.initialisation == "common"
        return setting.minibatch_words(), *(["initialisation common to all architectures"] if common else [])


def _seeds(setting: Setting, trial: Trial) -> tuple[int, int]:
    """Return the seeds of the network and of the minibatch; a run that depends on neither joins the first ones."""
    seed = setting.seeds[0] if trial.seed is None else trial.seed
    return seed, setting.batch_seeds[0] if trial.batch_seed is None else trial.batch_seed
