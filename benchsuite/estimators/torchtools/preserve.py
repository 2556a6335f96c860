"""How estimators work on a network that is not theirs: its whole state is restored, bit by bit."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn


@contextmanager
def preserved(network: nn.Module) -> Iterator[None]:
    """Restore the state of a network at the end of a `with`, also after an exception.

    The state is everything that its modules hold: parameters and buffers with values and flags, gradients, training
    modes, hooks and other attributes.

    Parameters
    ----------
    network
        Any module.

    Examples
    --------
    >>> network = torch.nn.Linear(1, 1)
    >>> before = network.weight.item()
    >>> with preserved(network), torch.no_grad():
    ...     _ = network.eval().weight.zero_()
    >>> network.training, network.weight.item() == before
    (True, True)
    """
    modules = [_ModuleState.of(part) for part in network.modules()]
    tensors = [_TensorState.of(value) for value in chain(network.parameters(), network.buffers())]
    try:
        yield
    finally:
        for module in modules:
            module.restore()
        for tensor in tensors:
            tensor.restore()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's random state inside a `with`, on the CPU and on the device; outside it stays as it was.

    Parameters
    ----------
    seed
        The seed.
    device
        Where random numbers may be drawn besides the CPU.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True, slots=True)
class _ModuleState:
    module: nn.Module
    attributes: dict[str, Any]
    contents: list[tuple[dict[Any, Any], dict[Any, Any]]]

    @classmethod
    def of(cls, module: nn.Module) -> Self:
        attributes = dict(vars(module))
        # parameters, buffers, children and hooks lie in dictionaries, to which handles of hooks refer
        dictionaries = [value for value in attributes.values() if isinstance(value, dict)]
        return cls(module, attributes, [(dictionary, dictionary.copy()) for dictionary in dictionaries])

    def restore(self) -> None:
        for dictionary, content in self.contents:
            dictionary.clear()
            dictionary.update(content)
        vars(self.module).clear()
        vars(self.module).update(self.attributes)


@dataclass(frozen=True, slots=True)
class _TensorState:
    tensor: Tensor
    memory: Tensor  # the same storage, should the tensor be given another
    value: Tensor
    requires_grad: bool
    grad: Self | None

    @classmethod
    def of(cls, tensor: Tensor) -> Self:
        grad = tensor.grad if tensor.is_leaf else None
        before = None if grad is None else cls.of(grad)
        return cls(tensor, tensor.data, tensor.detach().clone(), tensor.requires_grad, before)

    def restore(self) -> None:
        # through .data, so that graphs that the network's owner holds do not take the copy for a change
        self.memory.copy_(self.value)
        self.tensor.data = self.memory
        if self.tensor.is_leaf:
            self.tensor.requires_grad_(self.requires_grad)
            self.tensor.grad = None
        if self.grad is not None:
            self.grad.restore()
            self.tensor.grad = self.grad.tensor
