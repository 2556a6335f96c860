"""NAS-Bench-101 (Ying et al., ICML 2019): modules that are any small graph of convolutions and max-pooling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, ClassVar, overload

import numpy as np

from benchsuite.core.errors import InvalidArchitectureError, UnsupportedError
from benchsuite.core.space import Space
from benchsuite.core.types import Complexity, Dataset
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import drops_dead
from benchsuite.spaces.nasbench101.enumeration import all_modules
from benchsuite.spaces.nasbench101.graphs import LABELS, MOST_EDGES, MOST_VERTICES, Module, edges_of, graph_of, widths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

    from benchsuite.core.supernet import Supernet

OPERATIONS = ("conv3x3", "conv1x1", "maxpool3x3")  # in the order of the benchmark, which its hash depends on
_AREAS = (9, 1, 0)  # of their kernels; max-pooling has no weights
_FORM = r"([a-z0-9,]*):([0-6]-[0-6](?:,[0-6]-[0-6])*)"
_EXAMPLE = "conv3x3,maxpool3x3:0-1,1-2,2-3"
_MOST_FEEDING = 4  # vertices with an edge to the output: one more would take ten edges


def parse(architecture: str) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]:
    """Adjacency matrix and operations of the inner vertices, as they are written: nothing is pruned.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form, an unknown operation, more than 7 vertices, an edge that is repeated or does
        not go forwards; white space around it does not matter.

    Examples
    --------
    >>> parse("conv3x3:0-1,0-2,1-2")
    (((0, 1, 1), (0, 0, 1), (0, 0, 0)), ('conv3x3',))
    """
    module = _read(architecture)
    edges = set(module.edges)
    size = range(module.vertices)
    matrix = tuple(tuple(int((source, target) in edges) for target in size) for source in size)
    return matrix, _names(module)


def render(matrix: Sequence[Sequence[int]], operations: Sequence[str]) -> str:
    """The string of a module as it is, neither pruned nor canonical.

    Parameters
    ----------
    matrix
        Rows of 0 and 1: an edge from the row's to the column's vertex; the input is first and the output last.
    operations
        Of the inner vertices, in the benchmark's words ("conv3x3-bn-relu") or in ours ("conv3x3").

    Raises
    ------
    InvalidArchitectureError
        If the matrix is not strictly upper triangular or larger than 7 by 7, or an operation is unknown.

    Examples
    --------
    >>> render([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["conv3x3-bn-relu"])
    'conv3x3:0-1,0-2,1-2'
    """
    vertices = len(operations) + 2
    edges = [(source, target) for source, row in enumerate(matrix) for target, entry in enumerate(row) if entry]
    if [len(row) for row in matrix] != [vertices] * vertices or {entry for row in matrix for entry in row} - {0, 1}:
        raise InvalidArchitectureError(
            f"the matrix of a module with {len(operations)} operations has {vertices} rows of {vertices} numbers 0 or 1"
        )
    names = ",".join(operation.removesuffix("-bn-relu") for operation in operations)
    architecture = f"{names}:{','.join(f'{source}-{target}' for source, target in edges)}"
    _read(architecture)
    return architecture


def _read(architecture: str) -> Module:
    """The module that a string names, as it is written."""
    text = str(architecture).strip()
    match = re.fullmatch(_FORM, text)
    if match is None:
        raise InvalidArchitectureError(f"{text[:120]!r} is no NAS-Bench-101 architecture; write it like {_EXAMPLE}")
    return Module(_read_edges(match[2], len(_read_labels(match[1])) + 2), _read_labels(match[1]))


@lru_cache(maxsize=1 << 12)
def _read_labels(text: str) -> tuple[int, ...]:
    operations = text.split(",") if text else []
    for operation in operations:
        if operation not in OPERATIONS:
            allowed = ", ".join(OPERATIONS)
            raise InvalidArchitectureError(f"no NAS-Bench-101 operation {operation[:40]!r}; allowed: {allowed}")
    if len(operations) > MOST_VERTICES - 2:
        raise InvalidArchitectureError(
            f"{len(operations)} operations; a NAS-Bench-101 module has at most {MOST_VERTICES - 2} of them"
        )
    return tuple(OPERATIONS.index(operation) for operation in operations)


@lru_cache(maxsize=1 << 12)
def _read_edges(text: str, vertices: int) -> int:
    edges = [(int(edge[0]), int(edge[2])) for edge in text.split(",")]
    if len(set(edges)) < len(edges) or not all(source < target < vertices for source, target in edges):
        raise InvalidArchitectureError(
            f"the edges {text[:120]!r} do not fit a NAS-Bench-101 module of {vertices} vertices; "
            f"write each once, from a lower to a higher number below {vertices}"
        )
    return graph_of(edges)


def _names(module: Module) -> tuple[str, ...]:
    return tuple(OPERATIONS[label] for label in module.labels)


def _live(module: Module) -> Module | None:
    """The pruned module; None if it is not in the space."""
    pruned = module.pruned()
    return None if pruned is None or len(pruned.edges) > MOST_EDGES else pruned


def live_module(architecture: str) -> Module:
    """The pruned module that a string names; InvalidArchitectureError for a foreign string."""
    live = _live(_read(architecture))
    if live is None:
        raise InvalidArchitectureError(
            f"{str(architecture)[:120]!r} is no NAS-Bench-101 architecture: its output must be reached from the input, "
            f"by at most {MOST_EDGES} edges on paths between them"
        )
    return live


def _text(module: Module) -> str:
    return f"{_label_text(module.labels)}:{_edge_text(module.graph)}"


@lru_cache(maxsize=1 << 12)
def _label_text(labels: tuple[int, ...]) -> str:
    return ",".join(OPERATIONS[label] for label in labels)


@lru_cache(maxsize=1 << 12)
def _edge_text(graph: int) -> str:
    return ",".join(f"{source}-{target}" for source, target in edges_of(graph))


@lru_cache
def _list() -> _Architectures:
    return _Architectures()


class _Architectures(Sequence[str]):
    """The canonical strings of all modules, made when they are asked for: three numbers stand for each."""

    def __init__(self) -> None:
        parts = [(vertices - 2, *all_modules(vertices)) for vertices in range(2, MOST_VERTICES + 1)]
        self._graphs = np.concatenate([graphs for _, graphs, _ in parts])
        self._labels = np.concatenate([labels for *_, labels in parts])
        self._inner = np.repeat(
            np.array([inner for inner, *_ in parts], dtype=np.uint8), [len(graphs) for _, graphs, _ in parts]
        )

    def __len__(self) -> int:
        return len(self._graphs)

    @overload
    def __getitem__(self, position: int) -> str: ...
    @overload
    def __getitem__(self, position: slice) -> list[str]: ...
    def __getitem__(self, position: int | slice) -> str | list[str]:
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        return _listed(int(self._graphs[position]), int(self._labels[position]), int(self._inner[position]))

    def __iter__(self) -> Iterator[str]:
        return map(_listed, self._graphs.tolist(), self._labels.tolist(), self._inner.tolist())


def _listed(graph: int, number: int, inner: int) -> str:
    return f"{_label_text(_labels(number, inner))}:{_edge_text(graph)}"


@lru_cache(maxsize=1 << 9)
def _labels(number: int, inner: int) -> tuple[int, ...]:
    return tuple(number // LABELS**place % LABELS for place in reversed(range(inner)))


def _cell_cost(module: Module, inputs: int, outputs: int) -> tuple[int, int]:
    """Weights of the convolutions in one cell, and channels of the normalisations that follow them."""
    wide = widths(module.edges, outputs)
    channels = sum(wide[target] for source, target in module.edges if source == 0)
    weights = inputs * channels  # projections of the input
    for width, label in zip(wide[1:], module.labels, strict=False):
        if area := _AREAS[label]:
            weights += area * width**2
            channels += width
    return weights, channels


@dataclass(frozen=True, slots=True)
class NASBench101(Space):
    """The 423,624 modules of NAS-Bench-101, each in a network of `stacks` stacks of `cells` cells.

    The first stack is `channels` wide; max-pooling halves the image before each further stack, which is twice as wide.
    A string names the operations of the inner vertices, then the edges: vertex 0 is the module's input, the last its
    output. As in the benchmark, vertices on no path from input to output are pruned before anything is counted or
    built, and the limit of 9 edges holds for what is left; so nothing is ever dead, official and live complexity are
    one, and `dead="keep"` builds what "drop" builds.

    A class holds the modules that differ in the numbering of their vertices; its representative is the benchmark's own
    matrix. Numbering decides which vertices get the channels that are left over when the output's are divided, so the
    complexity of another member can differ slightly. The space lists representatives alone: strings with dead vertices
    and other numberings are valid too, and too many.

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

    def architectures(self) -> Sequence[str]:
        """The representatives of the 423,624 classes in the benchmark's order, from the fewest vertices on."""
        return _list()

    def draw(self, rng: np.random.Generator) -> str:
        """A random representative, all alike in probability."""
        return _list()[int(rng.integers(len(_list())))]

    def canonical(self, architecture: str) -> str:
        """The representative of the architecture's class; InvalidArchitectureError for a foreign string."""
        return _text(live_module(architecture).least())

    def validate(self, architecture: str) -> None:
        """Return nothing for an architecture of the space, raise InvalidArchitectureError otherwise."""
        live_module(architecture)

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """The architecture's pruned module with its vertices in a random order."""
        return _text(live_module(architecture).renumbered(rng))

    def module_hash(self, architecture: str) -> str:
        """The name of the module's class in the benchmark's files.

        Examples
        --------
        >>> module = "conv3x3,maxpool3x3,conv3x3,conv3x3,conv1x1:0-1,0-4,0-5,1-2,2-3,2-6,3-5,4-5,5-6"
        >>> NASBench101().module_hash(module)
        '00005c142e6f48ac74fdcf73e3439874'
        """
        return live_module(architecture).digest()

    def neighbours(self, architecture: str) -> list[str]:
        """The canonical modules that differ in one operation or edge, or in a vertex with one edge in and one out.

        An edge is removed, with the vertices that lose their paths, or added in any direction that makes no cycle;
        vertices are inserted, because no change of an edge leads to a module with more of them.
        """
        module = live_module(architecture)
        live = [live for change in module.changes() if (live := _live(change)) is not None]
        found = dict.fromkeys(_text(each.least()) for each in live)
        found.pop(_text(module.least()), None)
        return list(found)

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The operation of each inner vertex."""
        return _names(live_module(architecture))

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state as the benchmark initialises.

        Raises
        ------
        UnknownNameError
            If `dead` is neither "drop" nor "keep"; both build the same network, see the class.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench101.network import Cell, ModuleNetwork  # noqa: PLC0415

        module, data = live_module(architecture), describe(dataset)
        drops_dead(dead)  # another word is refused
        return ModuleNetwork(partial(Cell, module.edges, _names(module)), self._layout(), data)

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """The supernet, initialised from torch's current random state.

        Parameters
        ----------
        substitute
            Modules in the place of operations, made from the cell's number of channels; narrower vertices use slices
            of their convolutions (of one group), normalisations and linear layers.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench101.supernet import NASBench101Supernet  # noqa: PLC0415

        return NASBench101Supernet(self._layout(), describe(dataset), substitute or {})

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters as the benchmark counts them, multiply-adds of convolutions and classifier without its bias.

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
        """Input and output channels of the cells of each stack."""
        if min(self.cells, self.stacks) < 1 or self.channels < _MOST_FEEDING:
            raise UnsupportedError(
                f"NAS-Bench-101 needs cells and stacks of at least 1 and {_MOST_FEEDING} channels, which a module may "
                f"divide, not {dict(self.sizes)}"
            )
        wide = [self.channels << stack for stack in range(self.stacks)]
        before = [self.channels, *wide]
        return [
            [(inputs, width), *[(width, width)] * (self.cells - 1)] for inputs, width in zip(before, wide, strict=False)
        ]
