"""How weight sharing works out: what sub-networks forget, how alike are their gradients and what choices compute.

All measurements leave the supernet as it is. They are made with batch statistics, as in training.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from benchsuite.core.errors import SuiteError, UnsupportedError
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.supernets.readouts import Evaluation
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.torchtools.preserve import preserved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from benchsuite.core.space import Space
    from benchsuite.core.supernet import Supernet
    from benchsuite.data.images.minibatches import Images
    from benchsuite.estimators.one_shot.settings import PathSettings
    from benchsuite.estimators.supernets.epoch import Epoch

    Gradients = dict[str, Tensor]  # of a loss, by layer


class Watched(NamedTuple):
    """Validation accuracy (percent) of an architecture after its update, `updates` before the end, and at the end."""

    epoch: int
    architecture: str
    updates: int
    after_update: float
    after_epoch: float


class WatchedTrainer(PathTrainer):
    """A trainer that measures what architectures forget; it trains as one that does not, bit for bit.

    Parameters
    ----------
    watched
        Number of updates in an epoch, at equal distances, whose first architecture is measured.
    validating
        Validation images; 0 = all.

    Examples
    --------
    >>> from benchsuite.data.images.minibatches import load_images
    >>> from benchsuite.estimators.one_shot.training import PathTraining
    >>> from benchsuite.spaces.nasbench201.space import NASBench201
    >>> training = PathTraining(epochs=1, images=64, batch=16)
    >>> trainer = WatchedTrainer(NASBench201(2, 1), load_images("digits"), training, 0, watched=2, validating=20)
    >>> done = trainer.run_epoch()
    >>> [(each.epoch, each.updates) for each in trainer.seen]
    [(1, 2), (1, 0)]
    """

    def __init__(
        self, space: Space, images: Images, training: PathSettings, seed: int, *, watched: int, validating: int
    ) -> None:
        super().__init__(space, images, training, seed)
        number = self.updates_per_epoch
        if not 1 <= watched <= number:
            raise SuiteError(f"watched = {watched}, but an epoch has {number} updates; choose 1 to {number}")
        self.seen: list[Watched] = []
        self._validation = Split.validation(images, validating, training.shrink, "cpu")
        self._steps = {int((part + 0.5) * number / watched) for part in range(watched)}
        self._measured: list[tuple[int, str, float]] = []

    def run_epoch(self) -> Epoch:
        """One pass over the training images, after which the watched architectures are measured again."""
        self._measured.clear()
        done = super().run_epoch()
        last = self.updates_per_epoch - 1
        at_the_end = self._accuracies([architecture for _, architecture, _ in self._measured])
        for (step, architecture, before), after in zip(self._measured, at_the_end, strict=True):
            self.seen.append(Watched(done.epoch, architecture, last - step, before, after))
        return done

    def after_update(self, number: int, architectures: Sequence[str]) -> None:
        """Measure the update's first architecture, if the update is watched."""
        step = number % self.updates_per_epoch
        if step in self._steps:
            first = architectures[0]
            self._measured.append((step, first, self._accuracies([first])[0]))

    def _accuracies(self, architectures: Sequence[str]) -> list[float]:
        with preserved(self.supernet):
            evaluation = Evaluation(self.supernet, self._validation, self._validation, batch=100)
            return [readout.accuracy for readout in evaluation.readouts(architectures)]


def forgetting_values(seen: Sequence[Watched] | pd.DataFrame, by: str = "epoch") -> pd.DataFrame:
    """Mean, variance and number of forgetting values, a row for each epoch.

    A forgetting value is the accuracy after an epoch less that right after the architecture's own update, in percent
    points: negative if later updates, of other architectures, spoilt the weights (Ning et al., NeurIPS 2021).

    Parameters
    ----------
    seen
        What a trainer has seen, or a table of it.
    by
        "epoch"; or "architecture", a row for each of them, over the epochs in which it was watched.

    Examples
    --------
    >>> seen = [Watched(1, "a", 5, 60.0, 50.0), Watched(1, "b", 2, 60.0, 64.0)]
    >>> forgetting_values(seen).loc[1].tolist()
    [-3.0, 98.0, 2.0]
    """
    table = pd.DataFrame(seen, columns=list(Watched._fields))
    values = (table["after_epoch"] - table["after_update"]).groupby(table[by])
    return pd.DataFrame({"mean": values.mean(), "variance": values.var(), "n": values.size()})


def gradient_similarity(
    supernet: Supernet, architectures: Sequence[str], inputs: Tensor, targets: Tensor
) -> pd.DataFrame:
    """Cosine of the gradients of the loss of every two architectures, in each layer whose weights both use.

    Columns layer (name of the module that has the weights), first, second (architectures), cosine; NaN if one of the
    gradients is 0. Ning et al. (NeurIPS 2021) take it as a measure of how architectures disturb each other.

    Parameters
    ----------
    inputs, targets
        One batch: normalised images (batch, channels, height, width) and their classes.
    """
    with preserved(supernet):
        supernet.train()
        gradients = {name: _gradients(supernet, name, inputs, targets) for name in dict.fromkeys(architectures)}
    rows = [
        (layer, first, second, _cosine(gradients[first][layer], gradients[second][layer]))
        for layer in dict.fromkeys(name.rpartition(".")[0] for name, _ in supernet.named_parameters())
        for first, second in combinations(gradients, 2)
        if layer in gradients[first] and layer in gradients[second]
    ]
    return pd.DataFrame(rows, columns=["layer", "first", "second", "cosine"])


def _gradients(supernet: Supernet, architecture: str, inputs: Tensor, targets: Tensor) -> Gradients:
    """Gradients of an architecture's loss, those of a layer's weights in one row."""
    supernet.activate(architecture)
    named = dict(supernet.named_parameters())
    loss = functional.cross_entropy(supernet(inputs), targets)
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    layers: dict[str, list[Tensor]] = {}
    for name, gradient in zip(named, found, strict=True):
        if gradient is not None:
            layers.setdefault(name.rpartition(".")[0], []).append(gradient.flatten())
    return {layer: torch.cat(parts) for layer, parts in layers.items()}


def _cosine(one: Tensor, other: Tensor) -> float:
    """Cosine of two vectors; NaN if one is 0, where torch's own function gives 0."""
    return float(one @ other / (one.norm() * other.norm()))


@torch.no_grad()
def feature_similarity(supernet: Supernet, skip: str, architectures: Sequence[str], inputs: Tensor) -> pd.DataFrame:
    """Cosine of what every two choices of a place give for the same features, at each place that has a plain skip.

    Columns place, architecture (whose features reach the place), first, second (operations; the skip is first in its
    pairs), cosine: the mean over the images, of all channels and positions. A place is a layer of a chain or an edge
    of a cell. Places without the skip, or where it changes the shape, are left out. Chu et al. (SCARLET-NAS, ICCV
    workshops 2021) find skips to be unlike all other choices, and their stabiliser to be like them.

    Parameters
    ----------
    skip
        Name of the operation; its module is the stabiliser if the supernet has one, the identity otherwise.
    inputs
        Normalised images (batch, channels, height, width).

    Raises
    ------
    UnsupportedError
        If the supernet has no place with such a choice.
    """
    rows = []
    with preserved(supernet):
        supernet.train()
        places = _places(supernet, skip)
        for architecture in architectures:
            supernet.activate(architecture)
            for place, features in _reached(supernet, places, inputs).items():
                outputs = {name: module(features) for name, module in places[place].items()}
                if outputs[skip].shape == features.shape:
                    rows += [
                        (place, architecture, first, second, _mean_cosine(outputs[first], outputs[second]))
                        for first, second in combinations(outputs, 2)
                    ]
    order = {place: position for position, place in enumerate(places)}
    rows.sort(key=lambda row: order[row[0]])
    return pd.DataFrame(rows, columns=["place", "architecture", "first", "second", "cosine"])


def _places(supernet: Supernet, skip: str) -> dict[str, dict[str, nn.Module]]:
    """The modules at each place that has the skip, which comes first."""
    alternatives = supernet.alternatives().items()
    found = {place: {skip: modules[skip], **modules} for place, modules in alternatives if skip in modules}
    if not found:
        raise UnsupportedError(f"{type(supernet).__name__} has no layers or edges with {skip!r} to choose")
    return found


def _reached(supernet: Supernet, places: Mapping[str, Mapping[str, nn.Module]], inputs: Tensor) -> dict[str, Tensor]:
    """The features that reach each place where the active architecture runs a module."""
    found: dict[str, Tensor] = {}
    handles = [
        module.register_forward_pre_hook(lambda _, given, place=place: found.update({place: given[0]}))
        for place, modules in places.items()
        for module in modules.values()
    ]
    supernet(inputs)
    for handle in handles:
        handle.remove()
    return found


def _mean_cosine(one: Tensor, other: Tensor) -> float:
    return float(functional.cosine_similarity(one.flatten(1), other.flatten(1)).mean())
