"""Conformance suites for authors of plug-ins: whether a space or an estimator keeps what benchsuite relies on."""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import BenchsuiteError, InvalidArchitectureError, UnsupportedError
from benchsuite.core.identity import canonical_json
from benchsuite.core.settings import from_parameters
from benchsuite.core.space import Space
from benchsuite.core.types import ACCURACY, EPOCHS, LOSS, SPLIT, TRIAL, Dataset
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.setting import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.estimators.base import Estimator

_EQUIVALENTS = 10  # strings of an architecture's class that are looked at
_IMAGES = Dataset("conformance", classes=7, size=16)


class ConformanceError(BenchsuiteError, AssertionError):
    """A promise that a space or an estimator does not keep."""


def check_space(space: Space, *, dataset: Dataset = _IMAGES, number: int = 4) -> None:
    """Return nothing for a space that keeps the promises of `Space`, raise at the first broken one.

    Abilities that the space refuses with UnsupportedError are left out.

    Parameters
    ----------
    space
        Any space.
    dataset
        For which networks are built: small images.
    number
        How many random architectures are looked at; the smallest networks of the space make it quick.

    Raises
    ------
    ConformanceError
        Says which promise is broken, for which architecture.

    Examples
    --------
    >>> from benchsuite.spaces.nasbench201.space import NASBench201
    >>> check_space(NASBench201(channels=4, cells=1), number=2)
    """
    _check_identity(space)
    architectures = _check_sample(space, number)
    with suppress(UnsupportedError):
        _check_list(space, architectures)
    for architecture in architectures:
        for check in (_check_strings, _check_equivalents, _check_neighbours):
            with suppress(UnsupportedError):
                check(space, architecture)
    for architecture in [*architectures, *_mutants(space, architectures)]:
        for build_check in (_check_network, _check_complexity, _check_dead):
            with suppress(UnsupportedError):
                build_check(space, architecture, dataset)


def _require(holds: bool, promise: str) -> None:
    if not holds:
        raise ConformanceError(promise)


def _check_identity(space: Space) -> None:
    _require(isinstance(space, Space), f"{type(space).__name__} does not derive from benchsuite.Space")
    _require(pickle.loads(pickle.dumps(space)) == space, f"{space.name}: a pickled copy differs from the space")  # noqa: S301 - our own bytes
    again = type(space)(**space.sizes)
    _require(again == space and again.sizes == space.sizes, f"{space.name}: its sizes do not make the same space")


def _check_sample(space: Space, number: int) -> list[str]:
    sample = space.sample(number, np.random.default_rng(0))
    _require(len(set(sample)) == number, f"{space.name}: {number} different architectures asked, sample gave {sample}")
    fewer = space.sample(number - 1, np.random.default_rng(0))
    _require(fewer == sample[:-1], f"{space.name}: a smaller sample with the same seed is not a prefix")
    return sample


def _mutants(space: Space, architectures: Sequence[str]) -> list[str]:
    """Neighbours of the architectures: rarely canonical, so that all strings of a class are looked at."""
    rng = np.random.default_rng(0)
    with suppress(UnsupportedError):
        return [space.mutate(architecture, rng) for architecture in architectures]
    return []


def _check_list(space: Space, sample: Sequence[str]) -> None:
    architectures = space.architectures()
    _require(len(set(architectures)) == len(architectures), f"{space.name}: architectures() repeats itself")
    _require(set(sample) <= set(architectures), f"{space.name}: sample() gave what architectures() does not list")
    _require(set(architectures) <= set(space.every_string()), f"{space.name}: every_string() lacks architectures")


def _check_strings(space: Space, architecture: str) -> None:
    _require(
        space.canonical(architecture) == architecture, f"{space.name}: {architecture} is sampled but not canonical"
    )
    space.validate(architecture)
    try:
        space.validate("no architecture")
    except InvalidArchitectureError as error:
        _require("\n" not in str(error), f"{space.name}: the error for a foreign string has more than one line")
    else:
        raise ConformanceError(f"{space.name}: validate accepts the string 'no architecture'")


def _check_equivalents(space: Space, architecture: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(_EQUIVALENTS):
        other = space.equivalent(architecture, rng)
        found = space.canonical(other)
        _require(
            found == architecture,
            f"{space.name}: {other} is equivalent to {architecture}, but its representative is {found}",
        )


def _check_neighbours(space: Space, architecture: str) -> None:
    neighbours = space.neighbours(architecture)
    where = f"{space.name}: neighbours of {architecture}"
    _require(len(set(neighbours)) == len(neighbours), f"{where} are repeated")
    _require(architecture not in neighbours, f"{where} contain the architecture itself")
    for neighbour in neighbours:
        canonical = space.canonical(neighbour)
        _require(space.canonical(canonical) == canonical, f"{space.name}: canonical({neighbour}) is not canonical")
    mutants = [space.mutate(architecture, np.random.default_rng(0)) for _ in range(2)]
    _require(mutants[0] == mutants[1], f"{space.name}: mutate depends on more than its generator")
    _require(mutants[0] in neighbours, f"{space.name}: mutate({architecture}) is not a neighbour: {mutants[0]}")


def _build(space: Space, architecture: str, dataset: Dataset, *, dead: str = "drop") -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return space.build(architecture, dataset, dead=dead)


def _check_network(space: Space, architecture: str, dataset: Dataset) -> None:
    where = f"{space.name}: the network of {architecture}"
    network, again = (_build(space, architecture, dataset) for _ in range(2))
    same = all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    _require(same, f"{where} depends on more than torch's random state")
    in_place = [name for name, module in network.named_modules() if getattr(module, "inplace", False)]
    _require(not in_place, f"{where} works in place in {in_place}; probes read what goes into a module")
    logits = network(torch.randn(2, *dataset.shape, generator=torch.Generator().manual_seed(0)))
    _require(tuple(logits.shape) == (2, dataset.classes), f"{where} gives logits of shape {tuple(logits.shape)}")
    _require(bool(logits.isfinite().all()), f"{where} gives logits that are not finite")
    names, parameters = zip(*network.named_parameters(), strict=True)
    loss = nn.functional.cross_entropy(logits, torch.tensor([0, 1]))
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    unused = [name for name, gradient in zip(names, gradients, strict=True) if gradient is None]
    _require(not unused, f"{where} holds parameters on no live path: {unused[:3]}")


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _check_complexity(space: Space, architecture: str, dataset: Dataset) -> None:
    closed, network = space.complexity(architecture, dataset), _build(space, architecture, dataset).eval()
    where, params = f"{space.name}: complexity of {architecture}", _parameters(network)
    _require(
        closed.live_params == params, f"{where} says {closed.live_params} live parameters, the network has {params}"
    )
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *dataset.shape))
    macs = counter.get_total_flops() // 2  # the counter leaves out biases; a benchmark may count the classifier's
    agrees = 0 <= closed.live_macs - macs <= dataset.classes
    _require(agrees, f"{where} says {closed.live_macs} live MACs, torch counts {macs}")
    fewer = closed.live_params <= closed.params and closed.live_macs <= closed.macs
    _require(fewer, f"{where} has more live than official ones")


def _check_dead(space: Space, architecture: str, dataset: Dataset) -> None:
    official = _parameters(_build(space, architecture, dataset, dead="keep"))
    params = space.complexity(architecture, dataset).params
    where = f"{space.name}: with dead='keep' the network of {architecture}"
    _require(official == params, f"{where} has {official} parameters, complexity says {params}")
    try:
        space.build(architecture, dataset, dead="no such treatment")
    except BenchsuiteError:
        return
    raise ConformanceError(f"{space.name}: build accepts dead='no such treatment'")


def check_estimator(estimator: Estimator) -> None:
    """Return nothing for an estimator that keeps the promises of its family, raise at the first broken one.

    It scores some architectures of NAS-Bench-201 as small networks for digits, twice; what must be trained before is
    trained for one epoch. Families have promises of their own, see `Estimator.promises`: a zero-shot estimator must
    give other networks, too, the same score with and without other estimators.

    Parameters
    ----------
    estimator
        Any estimator; registered or not.

    Raises
    ------
    ConformanceError
        Says which promise is broken.
    UnsupportedError
        If it does not work on that benchmark, for its reason.

    Examples
    --------
    >>> from benchsuite.core.registry import make_estimator
    >>> check_estimator(make_estimator("snip"))
    """
    from benchsuite.spaces.nasbench201.space import NASBench201  # noqa: PLC0415 - what is checked here needs this one space

    estimator.check()
    _check_parameters(estimator)
    space = NASBench201(channels=4, cells=1)
    setting = Setting(space, load_images("digits").dataset, "digits", _Curves(), batch_size=20)
    architectures = space.sample(3, np.random.default_rng(0))
    estimator.check_benchmark(setting, architectures[0])
    for kept, promise in estimator.promises(setting, architectures):
        _require(kept, f"{estimator.name}: {promise}")


class _Curves:
    """Learning curves that are the same for every architecture."""

    def curve(self, architecture: str) -> pd.DataFrame:
        epochs = np.arange(1, 201)
        splits = [
            pd.DataFrame({TRIAL: 0, EPOCHS: epochs, SPLIT: split, ACCURACY: 100.0 - 90.0 / epochs, LOSS: 2.0 / epochs})
            for split in ("train", "valid", "test")
        ]
        return pd.concat(splits, ignore_index=True)

    def curves(self, architectures: Sequence[str]) -> dict[str, pd.DataFrame]:
        return {architecture: self.curve(architecture) for architecture in architectures}

    def digest(self) -> str:
        return "conformance"


def _check_parameters(estimator: Estimator) -> None:
    parameters = estimator.parameters()
    try:
        again = from_parameters(f"estimator {estimator.name!r}", type(estimator), parameters)
        canonical_json(parameters)
    except (BenchsuiteError, TypeError, ValueError) as error:
        raise ConformanceError(f"{estimator.name}: its parameters do not make the same estimator: {error}") from error
    _require(again == estimator, f"{estimator.name}: its parameters do not make the same estimator")
