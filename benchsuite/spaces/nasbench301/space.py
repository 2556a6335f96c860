"""NAS-Bench-301 (Siems et al., 2020): the cells of DARTS (Liu, Simonyan and Yang, ICLR 2019), two per architecture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from benchsuite.core.errors import UnsupportedError
from benchsuite.core.types import Complexity
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.base import SampledSpace, check_halves_twice, drops_dead
from benchsuite.spaces.nasbench301.cells import (
    NODES,
    NOISE,
    OPERATIONS,
    canonical_cell,
    live_part,
    neighbouring_cells,
    random_cell,
    shuffled,
    whole,
)
from benchsuite.spaces.nasbench301.drawing import drawing
from benchsuite.spaces.nasbench301.layout import auxiliary_params, layout, plan, plan_cost
from benchsuite.spaces.nasbench301.strings import READ, cell_string, checked_cell, parse, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from torch import nn

    from benchsuite.core.drawing import CellDrawing
    from benchsuite.core.supernet import MixedSupernet, Supernet
    from benchsuite.core.types import Dataset
    from benchsuite.spaces.nasbench301.layout import CellShape


@dataclass(frozen=True, slots=True)
class NASBench301(SampledSpace):
    """Two cells of four nodes, each the sum of two of seven operations on two earlier nodes or input cells.

    There are (7^8 * 180)^2 = 1,037,664,180^2, about 1.08e18 choices of operations and pairs of inputs; architectures
    are equal if their cells differ only in the order of edges or the numbers of nodes. Strings may also hold the
    operation 'none', as published genotypes do; it is neither drawn nor brought in by mutation.

    The defaults are the macro network of NAS-Bench-301; DARTS evaluates with channels=36, cells=20. Parameters are
    those of DARTS's evaluation networks; NASLib's table of 1,218 surrogate accuracies leaves out the weights of batch
    normalisations on edges. MACs are those of convolutions and classifier without its bias; published tables
    add normalisations and pools, each in its own way.

    Attributes
    ----------
    channels
        Channels of each node in the first third; the reduction cells double them.
    cells
        Cells, at least 3; numbers cells // 3 and 2 * cells // 3, counted from 0, are reduction cells.
    auxiliary
        1 for the auxiliary classifier after the second reduction cell, only in networks with dead="keep" (the logits
        do not depend on it) and in `params`, never in MACs.

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

    @override
    def canonical(self, architecture: str) -> str:
        normal, reduction = parse(architecture)
        return render(canonical_cell(normal), canonical_cell(reduction))

    @override
    def validate(self, architecture: str) -> None:
        parse(architecture)

    @override
    def draw(self, rng: np.random.Generator) -> str:
        return render(random_cell(rng), random_cell(rng))

    @override
    def equivalent(self, architecture: str, rng: np.random.Generator) -> str:
        normal, reduction = parse(architecture)
        return render(shuffled(normal, rng), shuffled(reduction, rng))

    @override
    def neighbours(self, architecture: str) -> list[str]:
        """Return the 120 strings that differ in one operation or one input (more or fewer if it has "none").

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        list
            Strings, not necessarily canonical.
        """
        normal, reduction = parse(architecture)
        before, after = cell_string(normal), cell_string(reduction)
        return [f"{cell_string(other)}/{after}" for other in neighbouring_cells(normal)] + [
            f"{before}/{cell_string(other)}" for other in neighbouring_cells(reduction)
        ]

    @override
    def operations(self, architecture: str) -> tuple[str, ...]:
        """Return the operation on each of 16 edges: the normal cell's node by node, then the reduction cell's.

        Parameters
        ----------
        architecture
            Any string of the space.

        Returns
        -------
        tuple
            Names.
        """
        return tuple(operation for cell in parse(architecture) for node in cell for operation, _ in node)

    @override
    def operation_choices(self) -> tuple[tuple[str, ...], ...]:
        return (OPERATIONS,) * (4 * NODES)

    @override
    def with_operations(self, architecture: str, operations: Sequence[str]) -> str:
        sources = [source for cell in parse(architecture) for node in cell for _, source in node]
        edges = list(zip(operations, sources, strict=True))
        return render(checked_cell(edges[:8]), checked_cell(edges[8:]))

    @override
    def drawing(self, architecture: str) -> CellDrawing:
        normal, reduction = parse(architecture, (*READ, NOISE))
        return drawing({"normal": normal, "reduction": reduction})

    @override
    def build(self, architecture: str, dataset: str | Dataset, *, dead: str = "drop") -> nn.Module:
        """Build the untrained network, initialised from torch's current random state.

        Parameters
        ----------
        architecture
            Any string of the space.
        dataset
            Name or description of the data set.
        dead
            "drop" leaves out what the logits do not depend on: edges, inputs and cells cut off by "none", and the
            auxiliary classifier; "keep" builds it as the official network does. Both compute the same function as
            long as batch normalisation maps zeros to zeros, as it does untrained. Modules have the same names.

        Returns
        -------
        Module
            Takes images (batch, channels, height, width) to logits (batch, classes).
        """
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench301.network import NASBench301Network  # noqa: PLC0415

        normal, reduction = parse(architecture)
        data = describe(dataset)
        drop, shapes = drops_dead(dead), self._shapes(data)
        if drop:
            return NASBench301Network(plan(shapes, live_part(normal), live_part(reduction)), data)
        return NASBench301Network(plan(shapes, whole(normal), whole(reduction)), data, heads=self.auxiliary)

    @override
    def supernet(
        self, dataset: str | Dataset, *, substitute: Mapping[str, Callable[[int], nn.Module]] | None = None
    ) -> Supernet:
        """Build the network that shares weights among all architectures, without auxiliary classifier.

        Parameters
        ----------
        dataset
            Name or description of the data set.
        substitute
            Modules in the place of operations, on edges that keep the size, made from the number of channels.

        Returns
        -------
        Supernet
            Initialised from torch's current random state.
        """
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench301.supernet import NASBench301Supernet  # noqa: PLC0415

        data = describe(dataset)
        return NASBench301Supernet(self._shapes(data), data, substitute or {})

    @override
    def mixed(self, dataset: str | Dataset, *, operations: str = "all", partial: int = 1) -> MixedSupernet:
        """Build the supernet that mixes operations by weights, initialised from torch's current random state.

        Parameters
        ----------
        dataset
            Name or description of the data set.
        operations
            "all" operations of DARTS, "none" too, or a set of RobustDARTS, "S1" to "S4".
        partial
            Operations see 1 / `partial` of the channels (PC-DARTS).

        Returns
        -------
        MixedSupernet
            Tables "normal" and "reduction".
        """
        # torch takes a second to load, and reports and listings need only the strings
        from benchsuite.spaces.nasbench301.mixed import NASBench301MixedSupernet  # noqa: PLC0415

        data = describe(dataset)
        return NASBench301MixedSupernet(self._shapes(data), data, operations=operations, partial=partial)

    @override
    def pools(self) -> Mapping[str, Callable[[], nn.Module]]:
        # torch takes a second to load, and reports and listings need only the strings
        from torch.nn import MaxPool2d  # noqa: PLC0415

        from benchsuite.spaces.layers import SameAveragePool  # noqa: PLC0415

        return {"max_pool_3x3": partial(MaxPool2d, 3, 1, padding=1), "avg_pool_3x3": SameAveragePool}

    @override
    def complexity(self, architecture: str, dataset: str | Dataset) -> Complexity:
        """Count parameters, and MACs of convolutions and classifier without its bias.

        Parameters
        ----------
        architecture
            Any string of the space.
        dataset
            Name or description of the data set.

        Returns
        -------
        Complexity
            Of both whole cells (and the auxiliary classifier's parameters), and of their live parts.

        Examples
        --------
        >>> cell = "+".join(4 * ["|sep_conv_3x3~0|skip_connect~1|"])
        >>> NASBench301().complexity(f"{cell}/{cell}", "cifar10")
        Complexity(params=1040106, macs=164729856, live_params=1040106, live_macs=164729856)
        """
        normal, reduction = parse(architecture)
        data = describe(dataset)
        shapes = self._shapes(data)
        every = plan_cost(plan(shapes, whole(normal), whole(reduction)), data)
        live = plan_cost(plan(shapes, live_part(normal), live_part(reduction)), data)
        params = every.params + self.auxiliary * auxiliary_params(shapes, data)
        return Complexity(params, every.macs, live.params, live.macs)

    def _shapes(self, data: Dataset) -> tuple[CellShape, ...]:
        """Return the shapes of the cells; UnsupportedError if a size is not allowed, or images cannot be halved."""
        if self.channels < 1 or self.cells < 3 or self.auxiliary not in {0, 1}:
            raise UnsupportedError(
                f"{self}: channels must be at least 1, cells at least 3 (a normal and two reduction cells), "
                "auxiliary 0 or 1"
            )
        check_halves_twice(self.name, data)
        if self.auxiliary and not 8 <= data.size // 4 <= 10:
            raise UnsupportedError(
                f"{self}: the auxiliary classifier needs images of side 32 to 40, not {data.size}; set auxiliary = 0"
            )
        return layout(self.channels, self.cells, data)
