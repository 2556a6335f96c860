"""How weight sharing behaves: what sub-networks forget, how similar their gradients and their operations' outputs are.

All measurements leave the supernet as it is. They use batch statistics, as in training.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

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

    LayerGradients = dict[str, Tensor]  # of a loss, by layer


class Watched(NamedTuple):
    """Validation accuracy of an architecture after its own update and at the end of the epoch.

    Attributes
    ----------
    epoch
        Number of the epoch.
    architecture
        An architecture that an update used.
    updates
        Number of updates between that update and the end of the epoch.
    after_update, after_epoch
        Accuracies in percent.
    """

    epoch: int
    architecture: str
    updates: int
    after_update: float
    after_epoch: float


class WatchedTrainer(PathTrainer):
    """A trainer that measures what architectures forget; its weights are those of a plain trainer, bit for bit.

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
    watched
        Number of updates in an epoch, at equal distances, whose first architecture is measured.
    validating
        Number of validation images; 0 = all.

    Raises
    ------
    SuiteError
        If an epoch has fewer updates than are watched.

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
            raise SuiteError(f"watched = {watched}; must be 1 to {number}, the number of updates in an epoch")
        self.seen: list[Watched] = []
        self._validation = Split.validation(images, validating, training.shrink, "cpu")
        self._steps = {int((part + 0.5) * number / watched) for part in range(watched)}
        self._measured: list[tuple[int, str, float]] = []

    @override
    def run_epoch(self) -> Epoch:
        """Train for one epoch, and measure the watched architectures again at its end."""
        self._measured.clear()
        done = super().run_epoch()
        last = self.updates_per_epoch - 1
        at_the_end = self._accuracies([architecture for _, architecture, _ in self._measured])
        for (step, architecture, before), after in zip(self._measured, at_the_end, strict=True):
            self.seen.append(Watched(done.epoch, architecture, last - step, before, after))
        return done

    @override
    def after_update(self, number: int, architectures: Sequence[str]) -> None:
        step = number % self.updates_per_epoch
        if step in self._steps:
            first = architectures[0]
            self._measured.append((step, first, self._accuracies([first])[0]))

    def _accuracies(self, architectures: Sequence[str]) -> list[float]:
        with preserved(self.supernet):
            evaluation = Evaluation(self.supernet, self._validation, self._validation, batch=100)
            return [readout.accuracy for readout in evaluation.readouts(architectures)]


def forgetting_values(seen: Sequence[Watched] | pd.DataFrame, by: str = "epoch") -> pd.DataFrame:
    """Return mean, variance and number of forgetting values.

    A forgetting value is the accuracy after an epoch minus that right after the architecture's own update, in
    percentage points: negative if later updates, of other architectures, spoilt the weights (Ning et al., NeurIPS
    2021).

    Parameters
    ----------
    seen
        What a trainer has seen, or a table of it.
    by
        "epoch"; or "architecture", for a row per architecture, over the epochs in which it was watched.

    Returns
    -------
    DataFrame
        Columns mean, variance, n.

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
    """Return the cosine of the loss gradients of every two architectures, in each layer whose weights both use.

    Ning et al. (NeurIPS 2021) take it as a measure of how architectures interfere with each other.

    Parameters
    ----------
    supernet
        A trained supernet.
    architectures
        Strings of the space.
    inputs, targets
        One batch: normalised images (batch, channels, height, width) and their classes.

    Returns
    -------
    DataFrame
        Columns layer (name of the module that has the weights), first, second (architectures), cosine; NaN if one of
        the gradients is 0.
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


def _gradients(supernet: Supernet, architecture: str, inputs: Tensor, targets: Tensor) -> LayerGradients:
    """Return the gradients of an architecture's loss, those of a layer's weights in one vector."""
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
    """Return the cosine of two vectors; NaN if one is 0, where torch's own function returns 0."""
    return float(one @ other / (one.norm() * other.norm()))


@torch.no_grad()
def feature_similarity(supernet: Supernet, skip: str, architectures: Sequence[str], inputs: Tensor) -> pd.DataFrame:
    """Return the cosine of the outputs of every two operations for the same features, at each place with a plain skip.

    A place is a layer of a chain or an edge of a cell. Places without the skip, or where it changes the shape, are left
    out. Chu et al. (SCARLET-NAS, ICCV workshops 2021) find outputs of skips to be dissimilar to those of all other
    operations, and outputs of their stabiliser to be similar.

    Parameters
    ----------
    supernet
        A trained supernet.
    skip
        Name of the operation; its module is the stabiliser if the supernet has one, the identity otherwise.
    architectures
        Strings of the space.
    inputs
        Normalised images (batch, channels, height, width).

    Returns
    -------
    DataFrame
        Columns place, architecture (whose features reach the place), first, second (operations; the skip comes first in
        its pairs), cosine: of all channels and positions, the mean over the images.

    Raises
    ------
    UnsupportedError
        If the supernet lacks such a place.
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
    """Return the modules at each place that has the skip, which comes first."""
    alternatives = supernet.alternatives().items()
    found = {place: {skip: modules[skip], **modules} for place, modules in alternatives if skip in modules}
    if not found:
        raise UnsupportedError(f"{type(supernet).__name__} lacks layers or edges that can choose {skip!r}")
    return found


def _reached(supernet: Supernet, places: Mapping[str, Mapping[str, nn.Module]], inputs: Tensor) -> dict[str, Tensor]:
    """Return the features that reach each place where the active architecture runs a module."""
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
    """Return the cosine of each image's features in two tensors, the mean over the images."""
    return float(functional.cosine_similarity(one.flatten(1), other.flatten(1)).mean())
