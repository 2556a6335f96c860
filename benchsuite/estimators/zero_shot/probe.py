"""The measurements that zero-shot estimators share: one network at initialisation, one minibatch, one forward pass."""

from __future__ import annotations

import math
import time
import traceback
from collections import Counter
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from benchsuite.core.errors import UnknownNameError, UnsupportedError
from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.derivatives import depends, gradients_of, hessian_product, same_first_order
from benchsuite.estimators.torchtools.instruments import (
    Activation,
    Recorder,
    SingleValueError,
    batch_norms,
    repeatable,
    single_values_refused,
    weights_of,
    without_batch_norm,
    works_in_place,
)
from benchsuite.estimators.torchtools.preserve import preserved, seeded
from benchsuite.estimators.zero_shot.blocks import block_pass
from benchsuite.estimators.zero_shot.normalisation import QuickSecondDerivative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from torch import Tensor

    Loss = Callable[[Tensor, Tensor], Tensor]

# All steps, in the order that takes least memory: what only earlier ones need is dropped before the next.
_ORDER = (
    "block_pass", "entropy_pass", "gain_pass", "forward", "input_backward", "loss_backward", "hessian_backward",
    "absolute_pass", "absolute_norm_pass",
)  # fmt: skip
# The steps that each measurement takes.
_STEPS: dict[str, tuple[str, ...]] = {
    "weights": (),
    "block_entropies": ("block_pass", "entropy_pass"),
    "block_gains": ("block_pass", "gain_pass"),
    "logits": ("forward",),
    "loss": ("forward",),
    "relu_codes": ("forward",),
    "input_jacobian": ("forward", "input_backward"),
    "weight_gradients": ("forward", "loss_backward"),
    "activation_gradients": ("forward", "loss_backward"),
    "hessian_gradient": ("forward", "loss_backward", "hessian_backward"),
    "absolute_gradients": ("absolute_pass",),
    "absolute_gradients_with_norm": ("absolute_norm_pass",),
}
_TO_WEIGHTS = frozenset({"loss_backward", "hessian_backward"})
_BACKWARD = _TO_WEIGHTS | {"input_backward"}


class Probe:
    """One network in training mode and one minibatch, on which measurements are taken when they are first read.

    A measurement is taken once and dropped when the last estimator that needs it is done. All of them except those of
    blocks and absolute gradients come from the same forward pass. Measured values do not depend on other measurements.
    On leaving the `with` block the network's state is what it was.

    Parameters
    ----------
    network
        Any module that maps inputs to logits (batch, classes).
    inputs, targets
        The minibatch, on the network's device and in its dtype.
    needs
        For each estimator that will be lent the probe, the measurements that it reads.
    loss
        Function of logits and targets.
    seed
        Of everything random in the network (dropout) or in an estimator.

    Attributes
    ----------
    loss_function
        Function of logits and targets.
    rng
        Generator (on the CPU) for the estimator's own random numbers, fresh for each.
    seconds
        CPU seconds of each step that was taken.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    >>> inputs, targets = torch.ones(3, 1, 2, 2), torch.tensor([0, 1, 1])
    >>> with Probe(network, inputs, targets, [("weight_gradients",)]) as probe:
    ...     with probe.lent(("weight_gradients",)):
    ...         [gradient.shape for gradient in probe.weight_gradients]
    [torch.Size([2, 4])]
    """

    def __init__(
        self,
        network: nn.Module,
        inputs: Tensor,
        targets: Tensor,
        needs: Iterable[Sequence[str]] = (),
        *,
        loss: Loss = cross_entropy,
        seed: int = 0,
    ) -> None:
        self.network = network
        self.inputs = inputs
        self.targets = targets
        self.seed = seed
        self.rng = torch.Generator()
        self.seconds: dict[str, float] = {}
        self.loss_function = loss
        self._has_batch_norm = bool(batch_norms(network))
        self._uses = Counter(name for names in needs for name in self._measured(names))
        self._readable: tuple[str, ...] = ()
        self._values: dict[str, Any] = {}
        self._errors: dict[str, Exception] = {}
        self._graph: dict[str, Any] = {}
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self._exit.enter_context(preserved(self.network))
        self.network.train()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for held in (self._values, self._graph, self._errors):
            held.clear()
        self._exit.close()

    @contextmanager
    def lent(self, needs: Sequence[str]) -> Iterator[None]:
        """Let one estimator read the measurements that it needs; those that later ones do not need are dropped.

        Parameters
        ----------
        needs
            Names of measurements.

        Raises
        ------
        UnknownNameError
            If a measurement does not exist.
        """
        for name in needs:
            if name not in _STEPS:
                raise UnknownNameError("measurement", name, _STEPS)
        seed = seed_of("estimator", self.seed)
        self.rng.manual_seed(seed)
        self._readable = tuple(needs)
        try:
            with seeded(seed, self.inputs.device):
                yield
        finally:
            self._readable = ()
            self._uses.subtract(self._measured(needs))
            for name in [name for name in self._values if self._uses[name] <= 0]:
                del self._values[name]
            if not self._wanted() & _BACKWARD:
                self._graph.clear()

    def cost(self, needs: Sequence[str]) -> float:
        """Return the CPU seconds of all steps that some measurements take.

        Parameters
        ----------
        needs
            Names of measurements.

        Returns
        -------
        float
            What an estimator would take by itself, apart from its own work.
        """
        return sum(self.seconds.get(step, 0.0) for step in _steps(self._measured(needs)))

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Weights of the Conv2d and Linear layers, each once, without graph; frozen ones too."""
        return tuple(weight.detach() for weight in weights_of(self.network))

    @property
    def block_entropies(self) -> tuple[float, ...]:
        """Entropy in nats of the features of each block in the reinitialised network; NaN where it is undefined."""
        value: tuple[float, ...] = self._read("block_entropies")
        return value

    @property
    def block_gains(self) -> tuple[float, ...]:
        """Factor by which gradients grow going back through each block but the first; NaN where it is undefined."""
        value: tuple[float, ...] = self._read("block_gains")
        return value

    @property
    def logits(self) -> Tensor:
        """Logits of the minibatch, shape (batch, classes)."""
        value: Tensor = self._read("logits")
        return value

    @property
    def loss(self) -> Tensor:
        """Loss of the minibatch, a scalar."""
        value: Tensor = self._read("loss")
        return value

    @property
    def relu_codes(self) -> tuple[Tensor, ...]:
        """Whether the inputs are positive, for each call of an nn.ReLU module: bool, of the inputs' shape."""
        value: tuple[Tensor, ...] = self._read("relu_codes")
        return value

    @property
    def input_jacobian(self) -> Tensor:
        """Gradient of the sum of all logits to the inputs, shape of the inputs."""
        value: Tensor = self._read("input_jacobian")
        return value

    @property
    def weight_gradients(self) -> tuple[Tensor, ...]:
        """Gradient of the loss to each of `weights`; zeros where the loss does not depend on it."""
        value: tuple[Tensor, ...] = self._read("weight_gradients")
        return value

    @property
    def activation_gradients(self) -> tuple[Activation, ...]:
        """Output and gradient of the loss to it, for each call of a Conv2d or Linear layer."""
        value: tuple[Activation, ...] = self._read("activation_gradients")
        return value

    @property
    def hessian_gradient(self) -> tuple[Tensor, ...]:
        """H g for each of `weights`: the Hessian of the loss to all weights, times the gradient of the loss."""
        value: tuple[Tensor, ...] = self._read("hessian_gradient")
        return value

    @property
    def absolute_gradients(self) -> tuple[Tensor, ...]:
        """Gradient of the sum of logits to each of `weights` in the linearised network, float64.

        All parameters are replaced by their absolute values, batch normalisation is bypassed, and the input is one
        image of ones.
        """
        value: tuple[Tensor, ...] = self._read("absolute_gradients")
        return value

    @property
    def absolute_gradients_with_norm(self) -> tuple[Tensor, ...]:
        """`absolute_gradients` with batch normalisation, by the statistics of the one image of ones.

        NaN where batch normalisation sees one value per channel, as on maps of one pixel.
        """
        value: tuple[Tensor, ...] = self._read("absolute_gradients_with_norm")
        return value

    def run(self, inputs: Tensor) -> Tensor:
        """Run the network on any inputs; dropout draws the same numbers as in the probe's own forward pass.

        Parameters
        ----------
        inputs
            Of the minibatch's shape, of any number.

        Returns
        -------
        Tensor
            Logits.

        Raises
        ------
        UnsupportedError
            If the network does not return a tensor.
        """
        with repeatable(seed_of("forward", self.seed), inputs.device):
            logits = self.network(inputs.clone())  # a copy, which the network may change in place
        if not isinstance(logits, torch.Tensor):
            raise UnsupportedError(f"the network returns a {type(logits).__name__}; wrap it so that it returns logits")
        return logits

    def _measured(self, names: Iterable[str]) -> list[str]:
        """Return what is measured for some names: without batch normalisation, both absolute passes are the same."""
        plain = {} if self._has_batch_norm else {"absolute_gradients_with_norm": "absolute_gradients"}
        return [plain.get(name, name) for name in names]

    def _read(self, name: str) -> Any:
        if name not in self._readable:
            raise UnsupportedError(f"an estimator reads probe.{name} without declaring it; add {name!r} to its needs")
        [measured] = self._measured([name])
        for step in _STEPS[measured]:
            self._take(step)
        return self._values[measured]

    def _take(self, step: str) -> None:
        """Take a step once; one that failed fails again for every estimator that needs it."""
        if step in self._errors:
            raise self._errors[step]
        if step in self.seconds:
            return
        takes = {
            "block_pass": self._block_pass,
            "entropy_pass": lambda: self._block_pass_of("block_entropies"),
            "gain_pass": lambda: self._block_pass_of("block_gains"),
            "forward": self._forward,
            "input_backward": self._input_backward,
            "loss_backward": self._loss_backward,
            "hessian_backward": self._hessian_backward,
            "absolute_pass": self._absolute_pass,
            "absolute_norm_pass": self._absolute_norm_pass,
        }
        start = time.process_time()
        try:
            with torch.enable_grad():
                takes[step]()
        except Exception as error:
            error.add_note("".join(traceback.format_tb(error.__traceback__)))
            self._errors[step] = error.with_traceback(None)  # which holds the activations of the pass that failed
            raise self._errors[step] from error.__cause__
        finally:
            self.seconds[step] = time.process_time() - start

    def _wanted(self) -> set[str]:
        """Return the steps that later estimators need and that have not been taken."""
        return _steps(name for name, count in self._uses.items() if count > 0) - self.seconds.keys()

    def _keeps_graph(self, step: str) -> bool:
        return bool((self._wanted() - {step}) & _BACKWARD)

    def _block_pass(self) -> None:
        wanted = [name for name in ("block_entropies", "block_gains") if self._uses[name] > 0]
        with suppress(Exception):  # of one measurement, which its own pass raises again
            self._measure_blocks(wanted)

    def _block_pass_of(self, name: str) -> None:
        if name not in self._values:
            self._measure_blocks([name])

    def _measure_blocks(self, names: Sequence[str]) -> None:
        self._values |= block_pass(self.network, self.inputs, names, run=self.run, seed=self.seed)

    def _forward(self) -> None:
        wanted = self._wanted()
        differentiable = bool(wanted & _BACKWARD)
        trained = {id(weight) for weight in weights_of(self.network)} if wanted & _TO_WEIGHTS else set()
        for parameter in self.network.parameters():
            parameter.requires_grad_(id(parameter) in trained)
        leaf = self.inputs.detach().requires_grad_(differentiable)
        quick = QuickSecondDerivative() if "hessian_backward" in wanted else nullcontext()
        with torch.set_grad_enabled(differentiable), repeatable(seed_of("loss", self.seed), leaf.device), quick:
            logits, recorder = self._recorded(leaf, copies=works_in_place(self.network))
            if recorder.overwritten:  # by functions that work in place
                logits, recorder = self._recorded(leaf, copies=True)
            loss = self.loss_function(logits, self.targets)
        self._values |= {"logits": logits.detach(), "loss": loss.detach(), "relu_codes": tuple(recorder.codes)}
        if differentiable:
            self._graph |= {"logits": logits, "leaf": leaf, "outputs": recorder.outputs}
            self._graph["loss"] = loss if depends(logits, leaf) else loss.detach()

    def _recorded(self, leaf: Tensor, *, copies: bool) -> tuple[Tensor, Recorder]:
        recorder = Recorder(self._uses["relu_codes"] > 0, self._uses["activation_gradients"] > 0, copies)
        with recorder.attached(self.network):
            return self.run(leaf), recorder

    def _input_backward(self) -> None:
        keeps = self._keeps_graph("input_backward")
        [jacobian] = gradients_of(self._graph["logits"].sum(), [self._graph["leaf"]], retain_graph=keeps)
        self._values["input_jacobian"] = jacobian

    def _loss_backward(self) -> None:
        loss, outputs = self._graph["loss"], self._graph["outputs"]
        shared = "hessian_backward" in self._wanted() and same_first_order(loss)
        weights = weights_of(self.network) if shared or self._uses["weight_gradients"] > 0 else []
        sources = [*weights, *(output for _, output in outputs)]
        found = gradients_of(loss, sources, retain_graph=self._keeps_graph("loss_backward"), create_graph=shared)
        if shared:
            self._graph["gradients"] = found[: len(weights)]
        gradients = tuple(gradient.detach() for gradient in found)
        self._values["weight_gradients"] = gradients[: len(weights)]
        self._values["activation_gradients"] = tuple(
            Activation.of(layer, output.detach(), gradient)
            for (layer, output), gradient in zip(outputs, gradients[len(weights) :], strict=True)
        )
        outputs.clear()

    def _hessian_backward(self) -> None:
        keeps = self._keeps_graph("hessian_backward")
        gradients = self._graph.pop("gradients", None)
        self._values["hessian_gradient"] = hessian_product(
            self._graph["loss"], weights_of(self.network), gradients, retain_graph=keeps
        )

    def _absolute_pass(self) -> None:
        with without_batch_norm(self.network):
            self._values["absolute_gradients"] = self._absolute_gradients()

    def _absolute_norm_pass(self) -> None:
        try:
            with single_values_refused(self.network):
                gradients = self._absolute_gradients()
        except SingleValueError:
            gradients = tuple(torch.full_like(weight, math.nan, dtype=torch.float64) for weight in self.weights)
        self._values["absolute_gradients_with_norm"] = gradients

    def _absolute_gradients(self) -> tuple[Tensor, ...]:
        """Return the gradients of the sum of logits to the weights; absolute parameters, one image of ones, float64."""
        weights = weights_of(self.network)
        trained = {id(weight) for weight in weights}
        state = {
            name: parameter.detach().double().abs().requires_grad_(id(parameter) in trained)
            for name, parameter in self.network.named_parameters()
        }
        by_id = {id(parameter): state[name] for name, parameter in self.network.named_parameters()}
        for name, buffer in self.network.named_buffers():
            state[name] = buffer.double().abs() if buffer.is_floating_point() else buffer.clone()
        image = torch.ones_like(self.inputs[:1], dtype=torch.float64)
        with repeatable(seed_of("forward", self.seed), image.device):
            total = functional_call(self.network, state, (image,)).sum()
        return gradients_of(total, [by_id[id(weight)] for weight in weights])


def _steps(names: Iterable[str]) -> set[str]:
    return {step for name in names for step in _STEPS.get(name, ())}


def last_step(needs: Iterable[str]) -> int:
    """Return the position of the last step that measurements take; in this order, estimators need least memory.

    Parameters
    ----------
    needs
        Names of measurements.

    Returns
    -------
    int
        0 for none.
    """
    return max((_ORDER.index(step) for step in _steps(needs)), default=0)
