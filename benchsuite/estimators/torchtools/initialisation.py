"""Common random numbers: the same operation at the same position of every architecture starts with the same weights."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode  # torch's documented hook; it has no other name

from benchsuite.core.identity import seed_of
from benchsuite.estimators.torchtools.preserve import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Position = tuple[str, list[int]]  # qualified name of a parameter and its shape


def with_common_weights(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a network whose parameters depend on nothing but the seed, their qualified names and their shapes.

    The network is built twice: names are known when the first one is finished, and the second one draws each parameter
    from a stream of its name. So every parameter keeps its distribution, regardless of the code that initialises it.
    Random numbers that go elsewhere first, as those of an orthogonal matrix do, come from the stream of the parameter
    drawn before.

    Parameters
    ----------
    build
        Builds the same network at each call, and draws its weights on the CPU.
    seed
        Seed of the weights.

    Returns
    -------
    Module
        The second network.

    Examples
    --------
    >>> narrow, wide = (with_common_weights(lambda: torch.nn.Sequential(
    ...     torch.nn.Linear(3, width), torch.nn.Linear(width, 2, bias=False), torch.nn.Linear(2, 2)), seed=0)
    ...     for width in (4, 5))
    >>> [torch.equal(narrow[2].weight, wide[2].weight), torch.equal(narrow[0].weight, wide[0].weight[:4])]
    [True, False]
    """
    with _Draws(seed) as first:
        network = build()
    positions = {id(parameter): (name, list(parameter.shape)) for name, parameter in network.named_parameters()}
    with _Draws(seed, [positions.get(id(parameter)) for parameter in first.drawn]):
        return build()


class _Draws(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class has no types
    """Draws parameters that have a position from its stream, and keeps all that are drawn, each once.

    Parameters are identified by their memory, as initialisations draw `weight.data` or parts of it; the memory is not
    used again while the parameters are kept.
    """

    def __init__(self, seed: int, positions: Sequence[Position | None] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.drawn: list[nn.Parameter] = []
        self._seed = seed
        self._positions = positions
        self._known: dict[int, Position | None] = {}  # by memory
        self._current: Position | None = None
        self._draws: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **options)
        if args and isinstance(args[0], torch.Tensor):
            self._turn_to(args[0])
        if self._current is None:
            return func(*args, **options)
        name, shape = self._current
        self._draws[name] += 1  # some initialisations draw several times, such as until all values lie within bounds
        with seeded(seed_of("weights", self._seed, name, shape, self._draws[name]), torch.device("cpu")):
            return func(*args, **options)

    def _turn_to(self, target: torch.Tensor) -> None:
        memory = target.untyped_storage().data_ptr()
        if isinstance(target, nn.Parameter) and memory not in self._known:
            number = len(self.drawn)
            self.drawn.append(target)
            self._known[memory] = self._positions[number] if number < len(self._positions) else None
        self._current = self._known.get(memory, self._current)
