"""Scores of any network, of a space or not, by the estimators that read networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy

from benchsuite.core import registry
from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.estimators.zero_shot.family import ZeroShotEstimator
from benchsuite.estimators.zero_shot.scoring import probe_network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from benchsuite.estimators.zero_shot.probe import Loss


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
    """Score a network by estimators that read it.

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

    Returns
    -------
    dict of float
        Scores by name of the estimator; higher is better, NaN is undefined.

    Raises
    ------
    UnknownNameError
        If an estimator or a parameter is unknown.
    UnsupportedError
        If an estimator does not read networks, or the network lacks what it reads.

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
                f"{name} ({estimator.family}) does not score networks; use a zero-shot estimator such as snip"
            )
        chosen.append(estimator)
    return chosen
