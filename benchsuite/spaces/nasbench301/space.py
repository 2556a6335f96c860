"""NAS-Bench-301 (Siems et al., 2020): the cells of DARTS (Liu, Simonyan and Yang, ICLR 2019), two per architecture."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import permutations
from operator import index
from typing import TYPE_CHECKING, ClassVar

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.core.types import Complexity
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import SampledSpace, drops_dead
from benchsuite.spaces.nasbench301.layout import NODES, Part, auxiliary_params, layout, plan, plan_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.supernet import MixedSupernet, Supernet
    from benchsuite.core.types import Dataset

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NONE = "none"  # passes nothing on; read in strings because tables of trained genotypes have it, never drawn
READ = (*OPERATIONS, NONE)
Choice = tuple[str, int]  # operation, input
Node = tuple[Choice, Choice]
Cell = tuple[Node, Node, Node, Node]

_CHOICE = r"(\w+)~(\d)"
_CELL = r"\+".join([rf"\|{_CHOICE}\|{_CHOICE}\|"] * NODES)
_CONCATENATIONS = {"range(2, 6)", "[2, 3, 4, 5]", "(2, 3, 4, 5)"}
_NUMBERED = dict(enumerate(OPERATIONS))
_UNREADABLE = (SyntaxError, ValueError, TypeError, AttributeError, MemoryError, RecursionError)


def parse(architecture: str, allowed: Collection[str] = READ) -> tuple[Cell, Cell]:
    """The normal and the reduction cell: four nodes of two (operation, input) each, as they are written.

    Raises
    ------
    InvalidArchitectureError
        If the string has another form, an operation that is not allowed, or a node whose inputs are not two different
        earlier ones; white space around it does not matter.

    Examples
    --------
    >>> node = "|sep_conv_3x3~0|skip_connect~1|"
    >>> normal, reduction = parse("+".join([node] * 4) + "/" + "+".join([node] * 4))
    >>> normal[3]
    (('sep_conv_3x3', 0), ('skip_connect', 1))
    """
    match = re.fullmatch(f"{_CELL}/{_CELL}", str(architecture).strip())
    if match is None:
        raise _foreign(architecture, "write |op~0|op~1|+|op~0|op~2|+|op~1|op~2|+|op~0|op~4|/ and four nodes more")
    words = match.groups()
    choices = [(operation, int(source)) for operation, source in zip(words[::2], words[1::2], strict=True)]
    return _cell(choices[:8], allowed), _cell(choices[8:], allowed)


def render(normal: Cell, reduction: Cell) -> str:
    """The string of two cells, nodes and edges in the order given.

    Examples
    --------
    >>> cell = 4 * ((("skip_connect", 0), ("max_pool_3x3", 1)),)
    >>> render(cell, cell)[:45]
    '|skip_connect~0|max_pool_3x3~1|+|skip_connect'
    """
    return f"{_cell_string(normal)}/{_cell_string(reduction)}"


def from_genotype(text: str) -> str:
    """The architecture string of a genotype as DARTS prints it.

    Raises
    ------
    InvalidArchitectureError
        If the text is no genotype of the space: two cells of four nodes whose outputs are all concatenated.

    Examples
    --------
    >>> edges = [("skip_connect", 0), ("max_pool_3x3", 1)] * 4
    >>> genotype = f"Genotype(normal={edges}, normal_concat=range(2, 6), reduce={edges}, reduce_concat=[2, 3, 4, 5])"
    >>> from_genotype(genotype)[:31]
    '|skip_connect~0|max_pool_3x3~1|'
    """
    try:
        call = ast.parse(str(text).strip(), mode="eval").body
        parts = {keyword.arg: keyword.value for keyword in call.keywords}  # type: ignore[attr-defined]  # else refused
        cells = [ast.literal_eval(parts[name]) for name in ("normal", "reduce")]
        outputs = {ast.unparse(parts[f"{name}_concat"]) for name in ("normal", "reduce")}
    except (*_UNREADABLE, KeyError) as error:
        raise _foreign(text, "write Genotype(normal=..., normal_concat=..., reduce=..., reduce_concat=...)") from error
    if not outputs <= _CONCATENATIONS:
        raise _foreign(text, "normal_concat and reduce_concat must be range(2, 6)")
    return _from_lists(text, cells)


def from_pairs(text: str) -> str:
    """The architecture string of two tuples of eight pairs (input, number of the operation), as NASLib writes them.

    Raises
    ------
    InvalidArchitectureError
        If the text is nothing of that form.

    Examples
    --------
    >>> from_pairs(str((((0, 3), (1, 2)) * 4, ((0, 0), (1, 6)) * 4)))[:31]
    '|sep_conv_3x3~0|skip_connect~1|'
    """
    try:
        cells = [[(_NUMBERED[number], source) for source, number in cell] for cell in ast.literal_eval(str(text))]
    except (*_UNREADABLE, KeyError) as error:
        raise _foreign(text, "write (((input, operation), ... eight pairs), (... eight pairs))") from error
    return _from_lists(text, cells)


def _from_lists(text: str, cells: Sequence[Sequence[Choice]]) -> str:
    try:
        normal, reduction = ([(str(operation), index(source)) for operation, source in cell] for cell in cells)
        eight = len(normal) == len(reduction) == 2 * NODES
    except (TypeError, ValueError):
        eight = False
    if not eight:
        raise _foreign(text, "it must have two cells of eight pairs of an operation and an input")
    return render(_cell(normal), _cell(reduction))


def _cell(choices: Sequence[Choice], allowed: Collection[str] = READ) -> Cell:
    """Eight choices as four nodes; InvalidArchitectureError unless they are a cell."""
    for position, (operation, source) in enumerate(choices):
        node = 2 + position // 2
        if operation not in allowed:
            raise InvalidArchitectureError(
                f"no NAS-Bench-301 operation {operation[:40]!r}; allowed: {', '.join(allowed)}"
            )
        if not 0 <= source < node or source == choices[position ^ 1][1]:
            raise InvalidArchitectureError(
                f"input {source} at node {node} of a NAS-Bench-301 cell; allowed: two different ones of 0 to {node - 1}"
            )
    cell = _grouped(choices)
    if not live_part(cell).edges:
        raise InvalidArchitectureError("a NAS-Bench-301 cell in which 'none' cuts every path has no output")
    return cell


def _grouped(choices: Sequence[Choice]) -> Cell:
    one, two, three, four = zip(choices[::2], choices[1::2], strict=True)
    return one, two, three, four


def _foreign(text: object, allowed: str) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"{str(text)[:120]!r} is no NAS-Bench-301 architecture; {allowed}")


def _cell_string(cell: Cell) -> str:
    return "+".join(f"|{first}~{one}|{second}~{two}|" for (first, one), (second, two) in cell)


def whole(cell: Cell) -> Part:
    """The cell as the official network has it: both inputs, and operations 'none' as edges."""
    edges = tuple((source, node, operation) for node, pair in enumerate(cell, start=2) for operation, source in pair)
    return Part(edges, (0, 1))


def live_part(cell: Cell) -> Part:
    """The edges that bring on something of an input, and the inputs that they read.

    Every node is part of the output, so that only 'none' makes an edge or an input useless.

    Examples
    --------
    >>> nothing = (("none", 0), ("none", 1))
    >>> live_part((nothing, (("sep_conv_3x3", 2), ("skip_connect", 1)), nothing, nothing))
    Part(edges=((1, 3, 'skip_connect'),), inputs=(1,))
    """
    reached = {0, 1}
    edges = []
    for source, target, operation in whole(cell).edges:
        if operation != NONE and source in reached:
            reached.add(target)
            edges.append((source, target, operation))
    return Part(tuple(edges), tuple(number for number in (0, 1) if any(source == number for source, *_ in edges)))


@lru_cache(maxsize=4096)
def _canonical_cell(cell: Cell) -> Cell:
    """The first in lexical order of all cells that differ in the order of edges and the numbers of nodes alone."""
    return min(_renumbered(cell, order) for order in _orders(cell))


def _orders(cell: Cell) -> list[tuple[int, ...]]:
    """All new numbers of the nodes with which every node comes after those that it reads."""
    reads = [(node, source - 2) for node, pair in enumerate(cell) for _, source in pair if source >= 2]
    orders = permutations(range(2, 2 + NODES))
    return [order for order in orders if all(order[source] < order[node] for node, source in reads)]


def _shuffled(cell: Cell, rng: np.random.Generator) -> Cell:
    """The cell with random numbers of its nodes, the edges of a node in a random order."""
    orders = _orders(cell)
    nodes = _renumbered(cell, orders[rng.integers(len(orders))])
    return _grouped([node[place] for node in nodes for place in rng.permutation(2)])


def _renumbered(cell: Cell, order: Sequence[int]) -> Cell:
    """The cell with new numbers of its nodes, the edges of a node by input."""
    numbers = (0, 1, *order)
    nodes = [sorted((numbers[source], operation) for operation, source in pair) for pair in cell]
    by_number = [nodes[order.index(number)] for number in range(2, 2 + NODES)]
    return _grouped([(operation, source) for node in by_number for source, operation in node])


@dataclass(frozen=True, slots=True)
class NASBench301(SampledSpace):
    """Two cells of four nodes, each the sum of two of seven operations on two earlier nodes or input cells.

    There are (7^8 * 180)^2 = 1,037,664,180^2, about 1.08e18 choices of operations and pairs of inputs; architectures
    are equal if their cells differ in the order of edges or the numbers of nodes alone. Strings may also hold the
    operation 'none', as published genotypes do; it is neither drawn nor brought in by mutation.

    The defaults are the macro network of NAS-Bench-301; DARTS evaluates with channels=36, cells=20. Parameters are
    those of DARTS's evaluation networks; NASLib's table of 1,218 surrogate accuracies leaves out the weights of batch
    normalisations on edges. Multiply-adds are those of convolutions and classifier without its bias; published tables
    add normalisations and pools, each in its own way.

    Parameters
    ----------
    channels
        Channels of each node in the first third; the reduction cells double them.
    cells
        Cells, at least 3; numbers cells // 3 and 2 * cells // 3, counted from 0, are reduction cells.
    auxiliary
        1 for the auxiliary classifier after the second reduction cell, in networks with dead="keep" alone (the logits
        do not depend on it) and in `params`, never in multiply-adds.

    Examples
    --------
    >>> import numpy as np
    >>> space = NASBench301(channels=4, cells=3)
    >>> architecture, = space.sample(1, np.random.default_rng(0))
    >>> space.complexity(architecture, "digits").params == space.complexity(architecture, "digits").live_params
    True
    """

    channels: int = 32
    cells: int = 8
    auxiliary: int = 0
    name: ClassVar[str] = "nasbench301"
    datasets: ClassVar[tuple[str, ...]] = ("cifar10", "digits")
    skips: ClassVar[tuple[str, ...]] = ("skip_connect",)

    def canonical(self, architecture: str) -> str:
        """The string with each cell's nodes and edges in lexical order; InvalidArchitectureError if it is foreign."""
        normal, reduction = parse(architecture)
        return render(_canonical_cell(normal), _canonical_cell(reduction))

    def validate(self, architecture: str) -> None:
        """Return nothing for an architecture of the space, raise InvalidArchitectureError otherwise."""
        parse(architecture)

    def draw(self, rng: np.random.Generator) -> str:
        """A random string, all with the same probability: operations, and pairs of different inputs."""
        return render(_draw_cell(rng), _draw_cell(rng))

    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        """The architecture's cells with their nodes and edges in a random order."""
        normal, reduction = parse(architecture)
        return render(_shuffled(normal, rng), _shuffled(reduction, rng))

    def neighbours(self, architecture: str) -> list[str]:
        """The 120 strings that differ in one operation or one input (a few more or fewer if it has 'none')."""
        normal, reduction = parse(architecture)
        before, after = _cell_string(normal), _cell_string(reduction)
        return [f"{_cell_string(other)}/{after}" for other in _neighbours(normal)] + [
            f"{before}/{_cell_string(other)}" for other in _neighbours(reduction)
        ]

    def operations(self, architecture: str) -> tuple[str, ...]:
        """The operation on each of 16 edges: those of the normal cell node by node, then the reduction cell's."""
        return tuple(operation for cell in parse(architecture) for node in cell for operation, _ in node)

    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        """The seven operations, for each of 16 edges."""
        return (OPERATIONS,) * (4 * NODES)

    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        """The architecture's edges with other operations, in the order of `operations`."""
        sources = [source for cell in parse(architecture) for node in cell for _, source in node]
        choices = list(zip(operations, sources, strict=True))
        return render(_cell(choices[:8]), _cell(choices[8:]))

    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """The untrained network, initialised from torch's current random state.

        Parameters
        ----------
        dead
            "drop" leaves out what the logits do not depend on: edges, inputs and cells cut off by 'none', and the
            auxiliary classifier; "keep" builds it as the official network does. Both compute the same function as
            long as batch normalisation maps zeros to zeros, as it does untrained. Modules have the same names.

        Raises
        ------
        UnsupportedError
            If the side of the images is no multiple of 4.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench301.network import CellNetwork  # noqa: PLC0415

        normal, reduction = parse(architecture)
        data = describe(dataset)
        drop, places = drops_dead(dead), layout(self, data)
        if drop:
            return CellNetwork(plan(places, live_part(normal), live_part(reduction)), data)
        return CellNetwork(plan(places, whole(normal), whole(reduction)), data, heads=self.auxiliary)

    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """The supernet, initialised from torch's current random state; without auxiliary classifier.

        Parameters
        ----------
        substitute
            Modules in the place of operations that keep the size, made from the number of channels.
        """
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench301.supernet import NASBench301Supernet  # noqa: PLC0415

        data = describe(dataset)
        return NASBench301Supernet(layout(self, data), data, substitute or {})

    def mixed(self, dataset: str | Dataset, *, operations: str = "all", partial: int = 1) -> MixedSupernet:
        """The supernet that mixes "all" operations of DARTS, "none" too, or a set of RobustDARTS, "S1" to "S4"."""
        # torch takes a second to load, and reports and listings need the strings alone
        from benchsuite.spaces.nasbench301.mixed import NASBench301MixedSupernet  # noqa: PLC0415

        data = describe(dataset)
        return NASBench301MixedSupernet(layout(self, data), data, operations=operations, partial=partial)

    def pools(self) -> Mapping[str, Callable[[], nn.Module]]:
        """How the two poolings are made."""
        # torch takes a second to load, and reports and listings need the strings alone
        from torch.nn import MaxPool2d  # noqa: PLC0415

        from benchsuite.spaces.layers import SameAveragePool  # noqa: PLC0415

        return {"max_pool_3x3": partial(MaxPool2d, 3, 1, padding=1), "avg_pool_3x3": SameAveragePool}

    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Parameters, and multiply-adds of convolutions and classifier (without its bias).

        Examples
        --------
        >>> cell = "+".join(4 * ["|sep_conv_3x3~0|skip_connect~1|"])
        >>> NASBench301().complexity(f"{cell}/{cell}", "cifar10")
        Complexity(params=1040106, macs=164729856, live_params=1040106, live_macs=164729856)
        """
        normal, reduction = parse(architecture)
        data = describe(dataset)
        places = layout(self, data)
        every = plan_cost(plan(places, whole(normal), whole(reduction)), data)
        live = plan_cost(plan(places, live_part(normal), live_part(reduction)), data)
        params = every.params + auxiliary_params(self, places, data)
        return Complexity(params, every.macs, live.params, live.macs)


def _draw_cell(rng: np.random.Generator) -> Cell:
    operations = rng.integers(len(OPERATIONS), size=2 * NODES)
    sources = [int(source) for node in range(2, 2 + NODES) for source in sorted(rng.permutation(node)[:2])]
    return _grouped([(OPERATIONS[number], source) for number, source in zip(operations, sources, strict=True)])


def _neighbours(cell: Cell) -> list[Cell]:
    """Cells with another operation or another input on one edge, some path left by 'none'."""
    choices = [choice for node in cell for choice in node]
    found = []
    for position, (operation, source) in enumerate(choices):
        taken = {source, choices[position ^ 1][1]}
        others = [(other, source) for other in OPERATIONS if other != operation]
        others += [(operation, other) for other in range(2 + position // 2) if other not in taken]
        found += [[*choices[:position], other, *choices[position + 1 :]] for other in others]
    return [cell for cell in map(_grouped, found) if live_part(cell).edges]
