"""A training with its stages: shared epochs, then, if it has a second stage, tuned copies of the weights."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from benchsuite.core.identity import seed_of
from benchsuite.estimators.one_shot.settings import CANDIDATES, VALIDATING
from benchsuite.estimators.one_shot.subspaces import Subspace, subspaces
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.supernets.epoch import Epoch
from benchsuite.estimators.supernets.protocols import SHARED
from benchsuite.estimators.supernets.readouts import Evaluation
from benchsuite.estimators.supernets.split import Split, sizes
from benchsuite.estimators.torchtools.preserve import preserved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.one_shot.settings import PathSettings

_BATCH = 100  # validation images, which batch normalisation sees together


class StagedTrainer:
    """A training, an epoch at a time: first a supernet on the whole space, then copies of it, each on a part.

    The copies are tuned side by side: an epoch is a pass of each over the training images. They start from the same
    weights, with momentum and schedule anew, and see the same images in the same order. `state_dict` has all that the
    next epoch depends on, the parts of the space included, so that a training that goes on from it gives the weights
    of one that was never stopped, bit for bit.

    Parameters
    ----------
    space
        Search space.
    images
        Training and validation images.
    training
        Hyperparameters.
    seed
        Seed of the training.
    device
        Where the supernet is trained.

    Raises
    ------
    SuiteError
        If there are too few images for a batch, or hyperparameters do not make a training.
    UnsupportedError
        If the space lacks what the training needs.
    """

    def __init__(self, space: Space, images: Images, training: PathSettings, seed: int, device: str = "cpu") -> None:
        self.training = training
        self.curve: list[Epoch] = []
        self._space, self._images, self._seed, self._device = space, images, seed, device
        self.copies = {SHARED: PathTrainer(space, images, training, seed, device)}
        self._parts: dict[str, Subspace] = {}
        self._tuned = training.copies(space)  # what cannot be tuned is refused before the first epoch

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.curve)

    def run_epoch(self) -> Epoch:
        """Train each copy for one pass over the training images; loss and accuracy are the means of the copies."""
        start = time.process_time()
        if self.epoch == self.training.epochs:
            self._tune(subspaces(self.training, self._space, self._accuracies))
        done = [trainer.run_epoch() for trainer in self.copies.values()]
        loss, accuracy, lr = (fmean(getattr(each, name) for each in done) for name in ("loss", "accuracy", "lr"))
        memory = max(each.peak_memory for each in done)
        self.curve.append(Epoch(self.epoch + 1, loss, accuracy, lr, time.process_time() - start, memory))
        return self.curve[-1]

    def checkpoint(self) -> dict[str, dict[str, Tensor]]:
        """Return the weights of each copy, as they are read."""
        return {name: trainer.supernet.state_dict() for name, trainer in self.copies.items()}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return what each epoch left behind, as "curve"."""
        return {"curve": [asdict(point) for point in self.curve]}

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on, and the curve so far."""
        return {
            "parts": {name: part.state() for name, part in self._parts.items()},
            "copies": {name: trainer.state_dict() for name, trainer in self.copies.items()},
            "curve": [asdict(point) for point in self.curve],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        state
            What `state_dict` returned.
        """
        if state["parts"]:
            self._tune({name: Subspace(self._space, **part) for name, part in state["parts"].items()})
        for name, trainer in self.copies.items():
            trainer.load_state_dict(state["copies"][name])
        self.curve = [Epoch(**point) for point in state["curve"]]

    def seconds_to_go(self, done: int) -> float:
        """Return the CPU seconds of the epochs to come, from a few updates; then the trainer is of no other use.

        Parameters
        ----------
        done
            Number of epochs that have been trained.

        Returns
        -------
        float
            An estimate.
        """
        shared = max(self.training.epochs - done, 0)
        tuned = min(self.training.last_epoch - done, self.training.tuning)
        return self.copies[SHARED].seconds_per_epoch() * (shared + tuned * len(self._tuned))

    def _tune(self, parts: dict[str, Subspace]) -> None:
        """Begin the second stage."""
        training = replace(self.training, epochs=self.training.tuning, lr=self.training.tuning_lr)
        shared, seed = self.copies[SHARED], seed_of("tuning", self._seed)
        self.copies = {name: shared.fork(training, part, seed) for name, part in parts.items()}
        self._parts = parts

    def _accuracies(self) -> dict[str, float]:
        """Return the validation accuracy in percent of candidates with the shared weights, which stay as they are."""
        shared, available = self.copies[SHARED], sizes(self._images)[1]
        validation = Split.validation(self._images, min(VALIDATING, available), self.training.shrink, self._device)
        candidates = shared.upcoming(CANDIDATES)
        with preserved(shared.supernet):
            readouts = Evaluation(shared.supernet, validation, validation, batch=_BATCH).readouts(candidates)
        return {name: readout.accuracy for name, readout in zip(candidates, readouts, strict=True)}
