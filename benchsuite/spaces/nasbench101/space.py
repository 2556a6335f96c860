"""NAS-Bench-101 (Ying et al., ICML 2019): modules that are any small graph of convolutions and max-pooling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.space import Space
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import drops_dead
from benchsuite.spaces.nasbench101.drawing import drawing
from benchsuite.spaces.nasbench101.enumeration import ModuleStrings
from benchsuite.spaces.nasbench101.graphs import ModuleGraph, widths
from benchsuite.spaces.nasbench101.strings import (
    live_module,
    operations_of,
    pruned_module,
    string_of,
    written_module,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.drawing import CellDrawing
    from benchsuite.core.supernet import Supernet

_AREAS = (9, 1, 0)  # of the operations' kernels; max-pooling has no weights
_MOST_FEEDING = 4  # vertices with an edge to the output: one more would take ten edges


@dataclass(frozen=True, slots=True)
class NASBench101(Space):
    """The 423,624 modules of NAS-Bench-101, each in a network of `stacks` stacks of `cells` cells.

    The first stack is `channels` wide; max-pooling halves the image before each further stack, which is twice as wide.
    A string names the operations of the inner vertices, then the edges: vertex 0 is the module's input, the last its
    output. As in the benchmark, vertices on no path from input to output are pruned before anything is counted or
    built, and the limit of 9 edges holds for what is left; so nothing is ever dead, official and live complexity are
    one, and `dead="keep"` builds what "drop" builds.

    An isomorphism class holds the modules that differ in the numbering of their vertices; the canonical one is the
    benchmark's own matrix. Numbering decides which vertices get the channels that are left over when the output's are
    divided, so the complexity of another member can differ slightly. The space lists only canonical architectures:
    strings with dead vertices and other numberings are valid too, and too many.

    Attributes
    ----------
    channels
        Channels of the first stack.
    cells
        Cells in each stack.
    stacks
        Number of stacks.

    Examples
    --------
    >>> space = NASBench101()
    >>> len(space.architectures())
    423624
    >>> space.canonical("conv1x1,conv3x3:0-1,0-2,1-3,2-3")
    'conv3x3,conv1x1:0-1,0-2,1-3,2-3'
    """

    channels: int = 128
    cells: int = 3
    stacks: int = 3
    name: ClassVar[str] = "nasbench101"
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "digits")

    @override
    def architectures(self) -> Sequence[str]:
        """Return the 423,624 canonical architectures in the benchmark's order, from the fewest vertices on."""
        return _list()

    @override
    def draw(self, rng: np.random.Generator) -> str:
        return _list()[int(rng.integers(len(_list())))]

    @override
    def canonical(self, architecture: str) -> str:
        return _text(live_module(architecture).least())

    @override
    def validate(self, architecture: str) -> None:
        live_module(architecture)

    @override
    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        return _text(live_module(architecture).renumbered(rng))

    def module_hash(self, architecture: str) -> str:
        """Return the name of the module's isomorphism class in the benchmark's files.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        str
            32 hexadecimal digits.

        Examples
        --------
        >>> module = "conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1:0-1,0-4,0-5,1-2,2-3,2-6,3-5,4-5,5-6"
        >>> NASBench101().module_hash(module)
        '00005c142e6f48ac74fdcf73e3439874'
        """
        return live_module(architecture).digest()

    @override
    def neighbours(self, architecture: str) -> list[str]:
        """Return the modules that differ in one operation or edge, or in a vertex with one edge in and one out.

        An edge is removed, with the vertices that lose their paths, or added in any direction that makes no cycle;
        vertices are inserted, because no change of an edge leads to a module with more of them.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        list
            Canonical strings.
        """
        module = live_module(architecture)
        live = [live for change in module.changes() if (live := pruned_module(change)) is not None]
        found = dict.fromkeys(_text(each.least()) for each in live)
        found.pop(_text(module.least()), None)
        return list(found)

    @override
    def operations(self, architecture: str) -> tuple[str, ...]:
        """Return the operation of each inner vertex.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        tuple
            Names, as many as the pruned module has inner vertices.
        """
        return operations_of(live_module(architecture))

    @override
    def drawing(self, architecture: str) -> CellDrawing:
        self.validate(architecture)
        return drawing(written_module(architecture))

    @override
    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench101.network import NASBench101Cell, NASBench101Network  # noqa: PLC0415

        module, data = live_module(architecture), describe(dataset)
        drops_dead(dead)  # another word is refused
        return NASBench101Network(partial(NASBench101Cell, module.edges, operations_of(module)), self._layout(), data)

    @override
    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """Build the network that shares weights among all architectures.

        Parameters
        ----------
        dataset
            Name or description of the data set.
        substitute
            Modules in the place of operations, made from the cell's number of channels; narrower vertices use slices
            of their convolutions (of one group), normalisations and linear layers.

        Returns
        -------
        Supernet
            Initialised from torch's current random state.
        """
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench101.supernet import NASBench101Supernet  # noqa: PLC0415

        return NASBench101Supernet(self._layout(), describe(dataset), substitute or {})

    @override
    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters as the benchmark does, and MACs of convolutions and classifier without its bias.

        Parameters
        ----------
        architecture
            Any string of the space.
        dataset
            Name or description of the data set.

        Returns
        -------
        Complexity
            Nothing is ever dead: both counts are equal.

        Examples
        --------
        >>> module = "conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1:0-1,0-4,0-5,1-2,2-3,2-6,3-5,4-5,5-6"
        >>> NASBench101().complexity(module, "cifar10").params
        8555530
        """
        module, data = live_module(architecture), describe(dataset)
        layout, side = self._layout(), data.size
        macs = layout[-1][-1][1] * data.classes
        params = macs + data.classes
        parts = [[(9 * data.channels * self.channels, self.channels)]]  # the stem, then each stack
        parts += [[_cell_cost(module, inputs, outputs) for inputs, outputs in stack] for stack in layout]
        parts[0] += parts.pop(1)  # the first stack works at the stem's size
        for part in parts:
            params += sum(weights + 2 * channels for weights, channels in part)
            macs += side**2 * sum(weights for weights, _ in part)
            side = -(-side // 2)  # max-pooling keeps the remainder of an odd side
        return Complexity(params, macs, params, macs)

    def _layout(self) -> list[list[tuple[int, int]]]:
        """Return input and output channels of the cells of each stack."""
        if min(self.cells, self.stacks) < 1 or self.channels < _MOST_FEEDING:
            raise UnsupportedError(
                f"{self}: cells and stacks must be at least 1, channels at least {_MOST_FEEDING}, the number of parts "
                "into which a module may divide them"
            )
        wide = [self.channels << stack for stack in range(self.stacks)]
        before = [self.channels, *wide]
        return [
            [(inputs, width), *[(width, width)] * (self.cells - 1)] for inputs, width in zip(before, wide, strict=False)
        ]


@lru_cache
def _list() -> ModuleStrings:
    return ModuleStrings()


def _text(module: ModuleGraph) -> str:
    return string_of(module.labels, module.graph)


def _cell_cost(module: ModuleGraph, inputs: int, outputs: int) -> tuple[int, int]:
    """Return weights of the convolutions in one cell, and channels of the normalisations that follow them."""
    wide = widths(module.edges, outputs)
    channels = sum(wide[target] for source, target in module.edges if source == 0)
    weights = inputs * channels  # projections of the input
    for width, label in zip(wide[1:], module.labels, strict=False):
        if area := _AREAS[label]:
            weights += area * width**2
            channels += width
    return weights, channels
