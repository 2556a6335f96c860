"""The supernet of NAS-Bench-Macro: every layer has its three blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchsuite.spaces.chains import ChainSupernet, Choice
from benchsuite.spaces.macro import OPERATIONS, layers
from benchsuite.spaces.macro_network import make_block, make_network
from benchsuite.spaces.supernet import checked_substitutes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchsuite.core import Dataset
    from benchsuite.spaces.macro import Layer, Macro
    from benchsuite.spaces.supernet import Substitute


def _choice(layer: Layer, substitute: Mapping[str, Substitute]) -> Choice:
    """The three blocks of a layer, those with a substitute replaced where they keep the shape."""
    modules = {}
    for digit, name in enumerate(OPERATIONS):
        replaced = name in substitute and layer.stride == 1
        module = substitute[name](layer.outputs) if replaced else make_block(str(digit), layer)
        modules[name] = module or nn.Identity()
    return Choice(modules)


def make_supernet(space: Macro, dataset: Dataset, substitute: Mapping[str, Substitute] | None) -> ChainSupernet:
    """The supernet; its batch normalisations have scale and shift, as in the networks of the space."""
    known = checked_substitutes(substitute, OPERATIONS)
    body = (_choice(layer, known) for layer in layers(space.channels))
    return ChainSupernet(make_network(space, dataset, body), space.operations)
