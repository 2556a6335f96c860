"""Scores of one network: several estimators share one probe, and none depends on which others are chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from torch.nn.functional import cross_entropy

from benchsuite.estimators.outcomes import attempt
from benchsuite.estimators.zero_shot.probe import Probe, last_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from benchsuite.estimators.outcomes import Outcome
    from benchsuite.estimators.zero_shot.probe import Loss


class ProbeReader(Protocol):
    """What scores a probed network: a zero-shot estimator."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the Probe's measurements that `score` reads."""
        ...

    @property
    def batched(self) -> bool:
        """Whether the score depends on the minibatch."""
        ...

    def score(self, probe: Probe) -> float:
        """Return the score of the probed network, NaN where it is undefined.

        Parameters
        ----------
        probe
            The network with its measurements.
        """
        ...


def probe_network(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    estimators: Sequence[ProbeReader],
    *,
    loss: Loss = cross_entropy,
    seed: int = 0,
) -> list[Outcome]:
    """Score a network and a minibatch by several estimators; an exception in one is its own outcome alone.

    Estimators that share the probe come first, cheap measurements before those that take memory; those without needs
    come last, each with the restored network.

    Parameters
    ----------
    network
        Any module that maps inputs to logits.
    inputs, targets
        A minibatch on the network's device, inputs in its dtype.
    estimators
        Zero-shot estimators.
    loss
        Function of logits and targets.
    seed
        Of what is random in the network or in an estimator.

    Returns
    -------
    list of Outcome
        What each estimator gives.
    """
    outcomes: dict[int, Outcome] = {}
    shared = [index for index, estimator in enumerate(estimators) if estimator.needs]
    shared.sort(key=lambda index: last_step(estimators[index].needs))
    alone = [[index] for index, estimator in enumerate(estimators) if not estimator.needs]
    for indices in [shared, *alone] if shared else alone:
        needs = [estimators[index].needs for index in indices]
        with Probe(network, inputs, targets, needs, loss=loss, seed=seed) as probe:
            for index in indices:
                outcomes[index] = _lend(probe, estimators[index])
    return [outcomes[index] for index in range(len(estimators))]


def _lend(probe: Probe, estimator: ProbeReader) -> Outcome:
    measured = sum(probe.seconds.values())
    outcome = attempt(_score, probe, estimator)
    own = outcome.cpu_seconds - (sum(probe.seconds.values()) - measured)
    return replace(outcome, cpu_seconds=own + probe.cost(estimator.needs))


def _score(probe: Probe, estimator: ProbeReader) -> float:
    with probe.lent(estimator.needs):
        return estimator.score(probe)
