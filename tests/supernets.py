"""What tests of all supernets share."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from filelock import FileLock
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from torch import Tensor

    from benchsuite.core.supernet import Supernet


@contextmanager
def held_elsewhere(lock: Path) -> Iterator[None]:
    """A lock that a process of another machine holds."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        lock.with_name("lock.json").write_text(json.dumps({"host": "elsewhere", "pid": 1}), encoding="utf-8")
        yield


def touched(supernet: Supernet, images: Tensor) -> set[str]:
    """Names of the weights that get a gradient."""
    supernet.zero_grad(set_to_none=True)
    supernet(images).sum().backward()
    return {name for name, weight in supernet.named_parameters() if weight.grad is not None}


def modules_called(network: nn.Module, images: Tensor) -> list[str]:
    """Names of the modules that compute something and are called by a forward pass, sorted, each as often as called."""
    called: list[str] = []
    hooks = [
        module.register_forward_hook(lambda *_, name=name: called.append(name))
        for name, module in network.named_modules()
        if not any(True for _ in module.children()) and not isinstance(module, nn.Identity)
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    return sorted(called)


def shared_steps(supernet: Supernet, architectures: Iterable[str], images: Tensor) -> int:
    """How often a step has the key of one run before, after equal steps; all of these must give equal values."""
    found: dict[tuple[object, ...], list[Tensor]] = {}
    repeated = 0
    for architecture in architectures:
        supernet.activate(architecture)
        value: object = images
        keys: tuple[object, ...] = ()
        for step in supernet.steps():
            value, keys = step.run(value), (*keys, step.key)
            tensors = _tensors(value)
            before = found.setdefault(keys, tensors)
            assert len(before) == len(tensors)
            assert all(torch.equal(one, other) for one, other in zip(before, tensors, strict=True)), keys
            repeated += before is not tensors
        assert torch.equal(supernet(images), value)
    return repeated


def _tensors(value: object) -> list[Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [tensor for part in (value.values() if isinstance(value, dict) else value) for tensor in _tensors(part)]
