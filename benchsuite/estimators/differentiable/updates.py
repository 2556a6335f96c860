"""One update of a differentiable search: of the architecture parameters, then of the weights.

With weights w, architecture parameters alpha, losses L_w on the weights' batch and L_alpha on the other batch, learning
rate lr, and the layer alignment Lambda of the module `alignment`:

    first order    alpha gradient = d L_alpha(w, alpha) / d alpha
    second order   alpha gradient = d L_alpha(w', alpha) / d alpha - lr d^2 L_w(w, alpha) / (d alpha dw) v,
                   w' = w - lr d L_w / dw (with momentum and decay), v = d L_alpha(w', alpha) / dw'
    weights        w gradient = d L_w / dw - lambda d Lambda / dw

Liu et al. (DARTS, ICLR 2019) and Movahedi et al. (Lambda-DARTS, ICLR 2023) take the mixed second derivatives from
finite differences of gradients, as is done here.
"""

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
    """What an update saw on the weights' batch.

    Attributes
    ----------
    loss
        Mean loss.
    right
        Share of images that are classified correctly.
    alignment
        Layer alignment ("corr").
    """

    loss: float
    right: float
    alignment: float


class Updates:
    """The updates of a supernet and its architecture parameters, with their optimisers.

    Running statistics of batch normalisation are those of the passes that train weights: other passes do not change
    them. All passes of an update draw the same random numbers, so that noise in a network does not enter their
    differences.

    Parameters
    ----------
    supernet
        Changed in place.
    relaxation
        Its architecture parameters, changed in place.
    training
        Hyperparameters.

    Attributes
    ----------
    lr, strength, seed
        Learning rate of the weights, lambda, and the seed of random numbers in the network, for the next update.
    optimiser, adam
        Of the weights, and of the architecture parameters.
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
        """Update the architecture parameters by the loss on their own batch.

        Parameters
        ----------
        batch, alpha_batch
            Images and classes, for the weights and for the architecture parameters.
        """
        gradients = self.second_order if self.training.order == 2 else self.first_order
        with statistics_kept(self.supernet):
            _give(self._parameters, gradients(batch, alpha_batch))
        self.adam.step()

    def first_order(self, batch: Batch, alpha_batch: Batch) -> Sequence[Tensor]:
        """Return the gradient of the loss on the parameters' batch with respect to the architecture parameters.

        Parameters
        ----------
        batch, alpha_batch
            Images and classes, for the weights (not used) and for the architecture parameters.

        Returns
        -------
        Sequence
            A tensor for each architecture parameter.
        """
        return torch.autograd.grad(self._loss(alpha_batch), self._parameters)

    def second_order(self, batch: Batch, alpha_batch: Batch) -> Sequence[Tensor]:
        """Return the same gradient after a step of the weights, including how that step depends on alpha (DARTS).

        Parameters
        ----------
        batch, alpha_batch
            Images and classes, for the weights and for the architecture parameters.

        Returns
        -------
        Sequence
            A tensor for each architecture parameter.
        """
        weights = self._weights
        with standing_in(weights, self._stepped(torch.autograd.grad(self._loss(batch), weights))):
            found = torch.autograd.grad(self._loss(alpha_batch), [*self._parameters, *weights])
        direct, direction = found[: len(self._parameters)], found[len(self._parameters) :]  # the latter is v

        def gradients(values: Sequence[Tensor]) -> Sequence[Tensor]:
            with standing_in(weights, values):
                return torch.autograd.grad(self._loss(batch), self._parameters)

        # d^2 L_w / (d alpha dw) v, the derivative of d L_w / d alpha along v
        mixed = along(gradients, [weight.detach() for weight in weights], direction, _DISTANCE)
        return [own - self.lr * other for own, other in zip(direct, mixed, strict=True)]

    def weights_step(self, batch: Batch) -> Seen:
        """Update the weights by the loss minus lambda times the layer alignment.

        Parameters
        ----------
        batch
            Images and classes.

        Returns
        -------
        Seen
            On this batch, before the update.
        """
        inputs, targets = batch
        mixtures, shares = self._leaves()
        logits = self._logits(inputs, mixtures, shares)
        loss = functional.cross_entropy(logits, targets)
        found = torch.autograd.grad(loss, [*self._weights, *mixtures])
        gradients, by_mixtures = found[: len(self._weights)], found[len(self._weights) :]
        rows = self._aligned(by_mixtures)
        if self.strength:
            slopes = self.alignment_gradients(batch, mixtures, shares, rows)
            # d (L_w - lambda Lambda) / dw
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
        """Return the gradient of the layer alignment with respect to the weights (Lambda-DARTS).

        It is d Lambda / dw = d^2 L_w / (dw dp) (d Lambda / dg), with p the cells' probabilities and g = d L_w / dp: the
        derivative of d L_w / dw along d Lambda / dg in p, by a finite difference.

        Parameters
        ----------
        batch
            Images and classes.
        mixtures, shares
            Probabilities of operations, and shares of edges, of each cell.
        rows
            Gradients g of the loss with respect to the probabilities of the aligned cells, shape (cells,
            probabilities).

        Returns
        -------
        Sequence
            A tensor for each weight.
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
        """Return a row for each cell of the aligned table, shape (cells, probabilities)."""
        pairs = zip(self.supernet.cells, by_mixtures, strict=True)
        return torch.stack([gradient.flatten() for name, gradient in pairs if name == self.supernet.aligned])

    def _stepped(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Return the weights after a step of their optimiser with these gradients, which are not clipped."""
        found = []
        for weight, gradient in zip(self._weights, gradients, strict=True):  # w - lr (g + decay w + momentum m)
            step = gradient + self.training.weight_decay * weight.detach()
            before = self.optimiser.state[weight].get("momentum_buffer")
            if before is not None:
                step = step + self.training.momentum * before
            found.append(weight.detach() - self.lr * step)
        return found

    def _loss(self, batch: Batch) -> Tensor:
        """Return a loss from which gradients flow back to weights and architecture parameters."""
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
        """Return the probabilities as each cell uses them, each a leaf of its own, and the shares of its edges."""
        edges = self.relaxation.edges()
        mixtures = [value.clone().requires_grad_() for value in self._by_cell(self.relaxation.operations())]
        return mixtures, None if edges is None else self._by_cell(edges)

    def _by_cell(self, tables: Mapping[str, Tensor]) -> list[Tensor]:
        return [tables[name] for name in self.supernet.cells]


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let batch normalisation use batch statistics inside a `with`, without changing its running statistics.

    Parameters
    ----------
    network
        Its batch normalisations are restored at the end.

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
