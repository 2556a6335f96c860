"""Scores of one network: several estimators share one probe, and none depends on which others are chosen."""

from __future__ import annotations

import math
import time
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy

from benchsuite.core import registry
from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.estimators.base import ZeroShotEstimator
from benchsuite.estimators.zero_shot.probe import Probe, last_step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from benchsuite.estimators.zero_shot.probe import Loss


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one estimator gave: its value (NaN = undefined or failed), CPU seconds, the exception if it failed.

    CPU seconds are those that the estimator takes alone: its own, and all of every measurement that it read, shared
    ones such as the forward pass included.
    """

    value: float
    cpu_seconds: float
    error: Exception | None = None


def score_network(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    names: Sequence[str],
    *,
    loss: Loss = cross_entropy,
    seed: int = 0,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, float]:
    """Scores of a network by estimator; higher is better, NaN is undefined.

    Weights, buffers, gradients, flags and mode of the network are afterwards what they were.

    Parameters
    ----------
    network
        Any module that maps inputs to logits, untrained as a rule; measured in training mode.
    inputs, targets
        A minibatch; taken to the network's device, inputs to its dtype too.
    names
        Zero-shot estimators; those that share measurements cost little more than one.
    loss
        Function of logits and targets; cross-entropy averaged over the minibatch.
    seed
        Of what is random in the network (dropout) or in an estimator.
    parameters
        Hyperparameters by estimator.

    Raises
    ------
    UnknownNameError
        If an estimator or a parameter is unknown.
    UnsupportedError
        If an estimator reads no network, or the network lacks what it reads.

    Examples
    --------
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2, bias=False)).double()
    >>> _ = torch.nn.init.ones_(network[1].weight)
    >>> scores = score_network(network, torch.ones(3, 1, 2, 2), torch.tensor([0, 1, 1]), ["synflow", "grad_norm"])
    >>> scores["synflow"], round(scores["grad_norm"], 3)
    (8.0, 0.471)
    """
    chosen = _estimators(names, parameters or {})
    example = next((tensor for tensor in network.parameters() if tensor.is_floating_point()), torch.zeros(0))
    inputs, targets = torch.as_tensor(inputs).to(example), torch.as_tensor(targets).to(example.device)
    outcomes = probe_network(network, inputs, targets, chosen, loss=loss, seed=seed)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return {estimator.name: outcome.value for estimator, outcome in zip(chosen, outcomes, strict=True)}


def _estimators(names: Sequence[str], parameters: Mapping[str, Mapping[str, Any]]) -> list[ZeroShotEstimator]:
    for name in parameters:
        if name not in names:
            raise UnknownNameError("chosen estimator", name, names)
    chosen = []
    for name in dict.fromkeys(names):
        estimator = registry.make_estimator(name, parameters.get(name))
        if not isinstance(estimator, ZeroShotEstimator):
            raise UnsupportedError(
                f"{name} ({estimator.family}) reads no network that it is given; name estimators that do, such as snip"
            )
        chosen.append(estimator)
    return chosen


def probe_network(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    estimators: Sequence[ZeroShotEstimator],
    *,
    loss: Loss = cross_entropy,
    seed: int = 0,
) -> list[Outcome]:
    """What each estimator gives for a network and a minibatch; an exception in one is its own outcome alone.

    Estimators that share the probe come first, cheap measurements before those that take memory; those without needs
    come last, each with the restored network.
    """
    outcomes: dict[int, Outcome] = {}
    shared = [index for index, estimator in enumerate(estimators) if estimator.needs]
    shared.sort(key=lambda index: last_step(estimators[index].needs))
    alone = [index for index, estimator in enumerate(estimators) if not estimator.needs]
    for indices in [shared, *([index] for index in alone)]:
        needs = [estimators[index].needs for index in indices]
        with Probe(network, inputs, targets, needs, loss=loss, seed=seed) as probe:
            for index in indices:
                outcomes[index] = _lend(probe, estimators[index])
    return [outcomes[index] for index in range(len(estimators))]


def _lend(probe: Probe, estimator: ZeroShotEstimator) -> Outcome:
    def score() -> float:
        with probe.lent(estimator.needs):
            return estimator.score(probe)

    measured = sum(probe.seconds.values())
    outcome = attempt(score)
    own = outcome.cpu_seconds - (sum(probe.seconds.values()) - measured)
    return replace(outcome, cpu_seconds=own + probe.cost(estimator.needs))


def attempt(score: Callable[[], float]) -> Outcome:
    """What a scoring function gives: values that are not finite become NaN, exceptions are kept."""
    start = time.process_time()
    error: Exception | None = None
    try:
        value = float(score())
    except Exception as caught:  # an estimator can be a user's code and raise anything
        free_memory(caught)
        value, error = math.nan, caught
    return Outcome(value if math.isfinite(value) else math.nan, time.process_time() - start, error)


def free_memory(error: Exception) -> None:
    """Let go what the failed functions hold, if they failed for lack of memory: what is scored next gets a chance."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        traceback.clear_frames(error.__traceback__)
        torch.cuda.empty_cache()  # nothing where CUDA is not used
