"""One update of a differentiable search: of the architecture parameters, then of the weights."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from benchsuite.estimators.differentiable.alignment import alignment, alignment_slope
from benchsuite.estimators.differentiable.differences import along, standing_in
from benchsuite.estimators.torchtools.instruments import batch_norms
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from benchsuite.core.supernet import MixedSupernet
    from benchsuite.estimators.differentiable.relaxation import Relaxation
    from benchsuite.estimators.differentiable.settings import MixedSettings

_BETA2 = 0.999  # of Adam
_DISTANCE = 0.01  # of second-order DARTS' finite difference

Batch = tuple["Tensor", "Tensor"]


class Seen(NamedTuple):
    """What an update saw on the weights' batch: loss, share of images that are right, layer alignment ("corr")."""

    loss: float
    right: float
    alignment: float


class Updates:
    """The updates of a supernet and its architecture parameters, with their optimisers.

    Running statistics of batch normalisation are those of the passes that train weights: other passes leave them
    alone. All passes of an update draw the same random numbers, so that noise in a network is no difference between
    them.
    """

    def __init__(self, supernet: MixedSupernet, relaxation: Relaxation, training: MixedSettings) -> None:
        self.supernet, self.relaxation, self.training = supernet, relaxation, training
        self.lr, self.strength, self.seed = training.lr, 0.0, 0
        self._weights, self._parameters = list(supernet.parameters()), list(relaxation.parameters())
        self.optimiser = torch.optim.SGD(
            self._weights, training.lr, training.momentum, weight_decay=training.weight_decay
        )
        self.adam = torch.optim.Adam(
            self._parameters,
            training.alpha_lr,
            betas=(training.alpha_momentum, _BETA2),
            weight_decay=training.alpha_decay,
        )

    def parameters_step(self, batch: Batch, alpha_batch: Batch) -> None:
        """Update the architecture parameters by the loss on their own batch."""
        gradients = self.second_order if self.training.order == 2 else self.first_order
        with statistics_kept(self.supernet):
            _give(self._parameters, gradients(batch, alpha_batch))
        self.adam.step()

    def first_order(self, _: Batch, alpha_batch: Batch) -> Sequence[Tensor]:
        """Gradient of the loss on the parameters' batch by the architecture parameters."""
        return torch.autograd.grad(self._loss(alpha_batch), self._parameters)

    def second_order(self, batch: Batch, alpha_batch: Batch) -> Sequence[Tensor]:
        """The same after a step of the weights, whose dependence on the architecture parameters counts (DARTS)."""
        weights = self._weights
        with standing_in(weights, self._stepped(torch.autograd.grad(self._loss(batch), weights))):
            found = torch.autograd.grad(self._loss(alpha_batch), [*self._parameters, *weights])
        direct, direction = found[: len(self._parameters)], found[len(self._parameters) :]

        def gradients(values: Sequence[Tensor]) -> Sequence[Tensor]:
            with standing_in(weights, values):
                return torch.autograd.grad(self._loss(batch), self._parameters)

        mixed = along(gradients, [weight.detach() for weight in weights], direction, _DISTANCE)
        return [own - self.lr * other for own, other in zip(direct, mixed, strict=True)]

    def weights_step(self, batch: Batch) -> Seen:
        """Update the weights by the loss, minus the layer alignment times its factor."""
        inputs, targets = batch
        mixtures, shares = self._leaves()
        logits = self._logits(inputs, mixtures, shares)
        loss = functional.cross_entropy(logits, targets)
        found = torch.autograd.grad(loss, [*self._weights, *mixtures])
        gradients, by_mixtures = found[: len(self._weights)], found[len(self._weights) :]
        rows = self._aligned(by_mixtures)
        if self.strength:
            slopes = self.alignment_gradients(batch, mixtures, shares, rows)
            gradients = tuple(own - self.strength * other for own, other in zip(gradients, slopes, strict=True))
        _give(self._weights, gradients)
        if self.training.clip:
            torch.nn.utils.clip_grad_norm_(self._weights, self.training.clip)
        self.optimiser.param_groups[0]["lr"] = self.lr
        self.optimiser.step()
        right = (logits.detach().argmax(1) == targets).float().mean()
        return Seen(float(loss.detach()), float(right), alignment(rows))

    def alignment_gradients(
        self, batch: Batch, mixtures: Sequence[Tensor], shares: Sequence[Tensor] | None, rows: Tensor
    ) -> Sequence[Tensor]:
        """Gradient of the layer alignment by the weights, by a finite difference along its slope (Lambda-DARTS).

        Parameters
        ----------
        mixtures, shares
            Probabilities of operations, and shares of edges, of each cell.
        rows
            Gradients of the loss by the probabilities of the aligned cells, shape (cells, probabilities).
        """
        inputs, targets = batch
        slopes, table = iter(alignment_slope(rows, self.training.alignment)), self.supernet.aligned
        direction = [
            next(slopes).view_as(mixture) if name == table else torch.zeros_like(mixture)
            for name, mixture in zip(self.supernet.cells, mixtures, strict=True)
        ]

        def gradients(values: Sequence[Tensor]) -> Sequence[Tensor]:
            return torch.autograd.grad(
                functional.cross_entropy(self._logits(inputs, values, shares), targets), self._weights
            )

        with statistics_kept(self.supernet):
            return along(gradients, [mixture.detach() for mixture in mixtures], direction, self.training.epsilon)

    def _aligned(self, by_mixtures: Sequence[Tensor]) -> Tensor:
        """A row for each cell of the aligned table, shape (cells, probabilities)."""
        pairs = zip(self.supernet.cells, by_mixtures, strict=True)
        return torch.stack([gradient.flatten() for name, gradient in pairs if name == self.supernet.aligned])

    def _stepped(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """The weights after a step of their optimiser with these gradients, which are not clipped."""
        found = []
        for weight, gradient in zip(self._weights, gradients, strict=True):
            step = gradient + self.training.weight_decay * weight.detach()
            before = self.optimiser.state[weight].get("momentum_buffer")
            if before is not None:
                step = step + self.training.momentum * before
            found.append(weight.detach() - self.lr * step)
        return found

    def _loss(self, batch: Batch) -> Tensor:
        """Loss from which gradients flow back to weights and architecture parameters."""
        edges = self.relaxation.edges()
        shares = None if edges is None else self._by_cell(edges)
        logits = self._logits(batch[0], self._by_cell(self.relaxation.operations()), shares)
        return functional.cross_entropy(logits, batch[1])

    def _logits(self, inputs: Tensor, mixtures: Sequence[Tensor], shares: Sequence[Tensor] | None) -> Tensor:
        self.supernet.mix(mixtures, shares)
        with seeded(self.seed, inputs.device):
            logits: Tensor = self.supernet(inputs)
        return logits

    @torch.no_grad()
    def _leaves(self) -> tuple[list[Tensor], list[Tensor] | None]:
        """Probabilities as each cell uses them, each a leaf of its own, and the shares of its edges."""
        edges = self.relaxation.edges()
        mixtures = [value.clone().requires_grad_() for value in self._by_cell(self.relaxation.operations())]
        return mixtures, None if edges is None else self._by_cell(edges)

    def _by_cell(self, tables: Mapping[str, Tensor]) -> list[Tensor]:
        return [tables[name] for name in self.supernet.cells]


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Normalise by batches inside, without counting these into the running statistics.

    Examples
    --------
    >>> layer = torch.nn.BatchNorm2d(1)
    >>> with statistics_kept(layer):
    ...     _ = layer(torch.ones(2, 1, 1, 1))
    >>> layer.running_mean.item(), layer.track_running_stats
    (0.0, True)
    """
    layers = [layer for layer in batch_norms(network) if layer.track_running_stats]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True


def _give(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
