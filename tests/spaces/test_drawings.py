"""Drawings of architectures against what their strings say."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from benchsuite.core.drawing import KINDS, CellDrawing, ChainDrawing, DrawnCell, as_json
from benchsuite.core.errors import InvalidArchitectureError, UnsupportedError
from benchsuite.core.registry import load_space, spaces
from benchsuite.core.space import Space

CELL_201 = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
NODES_301 = "|sep_conv_3x3~0|max_pool_3x3~1|+|dil_conv_5x5~2|skip_connect~0|+|sep_conv_5x5~1|dil_conv_3x3~3|"
CELL_301 = f"{NODES_301}+|avg_pool_3x3~4|none~0|"
SCARLET = "37-65-35-37s-63s-id-63s-33-37s-37-35-37s-33-37s-63s-65s-33s-63s-67s"


def edges(cell: DrawnCell) -> list[tuple[int, int, str]]:
    return [(edge.source, edge.target, edge.operation.name) for edge in cell.edges if edge.operation is not None]


def kinds(architecture: str, space: str) -> dict[str, str]:
    """The kind of each operation of a drawing, by its name."""
    drawing = load_space(space).drawing(architecture)
    if isinstance(drawing, CellDrawing):
        found = [edge.operation for cell in drawing.cells for edge in cell.edges]
        found += [operation for cell in drawing.cells for operation in cell.vertices]
    else:
        found = [block.operation for stage in drawing.stages for block in stage.blocks]
    return {operation.name: operation.kind for operation in found if operation is not None}


@pytest.mark.parametrize("name", spaces())
def test_every_space_draws_its_architectures_in_json_with_known_kinds(name: str) -> None:
    space = load_space(name)
    for architecture in space.sample(20, np.random.default_rng(0)):
        drawing = space.drawing(architecture)
        assert set(kinds(architecture, name).values()) <= set(KINDS)
        written = json.loads(json.dumps(as_json(drawing)))
        if isinstance(drawing, CellDrawing):
            assert written["form"] == "cells"
            for cell in drawing.cells:
                assert all(0 <= edge.source < edge.target < len(cell.vertices) for edge in cell.edges)
        else:
            assert written["form"] == "chain"
            assert all(0 < block.height <= 1 for stage in drawing.stages for block in stage.blocks)


@pytest.mark.parametrize("name", spaces())
def test_a_foreign_string_is_not_drawn(name: str) -> None:
    with pytest.raises(InvalidArchitectureError):
        load_space(name).drawing("resnet50")


def test_a_cell_of_nasbench201_has_its_operations_on_its_edges() -> None:
    drawing = load_space("nasbench201").drawing(CELL_201)
    (cell,) = drawing.cells
    assert cell.vertices == (None,) * 4
    groups = [re.findall(r"(\w+)~(\d)", group) for group in CELL_201.split("+")]
    assert sorted(edges(cell)) == sorted(
        (int(source), target, name) for target, group in enumerate(groups, start=1) for name, source in group
    )
    assert kinds(CELL_201, "nasbench201") == {
        "none": "none",
        "skip_connect": "skip",
        "nor_conv_1x1": "convolution 1x1",
        "nor_conv_3x3": "convolution 3x3",
        "avg_pool_3x3": "average pooling",
    }


def test_both_cells_of_nasbench301_are_drawn_with_two_inputs() -> None:
    architecture = f"{CELL_301}/{CELL_301.replace('sep_conv_3x3', 'skip_connect')}"
    normal, reduction = load_space("nasbench301").drawing(architecture).cells
    assert (normal.name, reduction.name) == ("normal", "reduction")
    assert len(normal.vertices) == len(reduction.vertices) == 6
    assert edges(normal) == [
        (int(source), target, name)
        for target, node in enumerate(CELL_301.split("+"), start=2)
        for name, source in re.findall(r"(\w+)~(\d)", node)
    ]
    assert kinds(architecture, "nasbench301") == {
        "none": "none",
        "skip_connect": "skip",
        "sep_conv_3x3": "convolution 3x3",
        "sep_conv_5x5": "convolution 5x5",
        "dil_conv_3x3": "dilated convolution 3x3",
        "dil_conv_5x5": "dilated convolution 5x5",
        "max_pool_3x3": "max pooling",
        "avg_pool_3x3": "average pooling",
    }


def test_noise_of_an_operation_set_is_drawn_although_it_is_outside_the_space() -> None:
    architecture = f"{CELL_301}/{CELL_301}".replace("avg_pool_3x3", "noise")
    assert kinds(architecture, "nasbench301")["noise"] == "other"


def test_a_module_of_nasbench101_is_drawn_as_it_is_written_with_operations_at_its_vertices() -> None:
    architecture = "conv3x3,maxpool3x3,conv1x1:0-1,1-2,1-4,2-4"  # vertex 3 is on no path
    (cell,) = load_space("nasbench101").drawing(architecture).cells
    names = [operation and operation.name for operation in cell.vertices]
    assert names == [None, "conv3x3", "maxpool3x3", "conv1x1", None]
    assert sorted((edge.source, edge.target) for edge in cell.edges) == [(0, 1), (1, 2), (1, 4), (2, 4)]
    assert all(edge.operation is None for edge in cell.edges)
    assert kinds(architecture, "nasbench101") == {
        "conv3x3": "convolution 3x3",
        "maxpool3x3": "max pooling",
        "conv1x1": "convolution 1x1",
    }


def chain(space: str, architecture: str) -> ChainDrawing:
    drawing = load_space(space).drawing(architecture)
    assert isinstance(drawing, ChainDrawing)
    return drawing


def test_digits_of_nasbench_macro_are_blocks_by_kernel_as_high_as_their_expansion() -> None:
    drawing = chain("macro", "20210112")
    (stage,) = drawing.stages
    by_digit = {"0": ("identity", "skip", 0.06), "1": ("kernel 3", "block 3x3", 0.5), "2": ("kernel 5", "block 5x5", 1)}
    found = [(block.operation.name, block.operation.kind, block.height) for block in stage.blocks]
    assert found == [by_digit[digit] for digit in "20210112"]
    assert stage.caption == ()
    assert drawing.note == "low: expansion 3, high: 6"


def test_codes_of_scarlet_are_blocks_and_squeeze_excite_is_a_mark() -> None:
    drawing = chain("scarlet", SCARLET)
    (stage,) = drawing.stages
    for block, code in zip(stage.blocks, SCARLET.split("-"), strict=True):
        assert block.operation.name == ("identity" if code == "id" else f"kernel {code[1]}")
        assert block.height == (0.06 if code == "id" else int(code[0]) / 6)
        assert block.mark == ("squeeze-excite" if code.endswith("s") else "")
    assert kinds(SCARLET, "scarlet")["kernel 7"] == "block 7x7"
    assert drawing.note == "low: expansion 3, high: 6; dot: squeeze-excite"
    assert chain("scarlet", SCARLET.replace("s", "")).note == "low: expansion 3, high: 6"


def test_stages_of_nds_have_their_depth_in_blocks_and_captions_of_their_choices() -> None:
    drawing = chain("nds_resnext_b", "d2-w64-b0.5-g4/d1-w1024-b1-g16/d4-w128-b0.25-g2")
    assert [len(stage.blocks) for stage in drawing.stages] == [2, 1, 4]
    assert [stage.blocks[0].height for stage in drawing.stages] == [
        pytest.approx(math.log2(w) / 10) for w in (64, 1024, 128)
    ]
    assert [stage.caption for stage in drawing.stages] == [
        ("2×64", "b0.5 g4"),  # noqa: RUF001 - times
        ("1×1024", "b1 g16"),  # noqa: RUF001 - times
        ("4×128", "b0.25 g2"),  # noqa: RUF001 - times
    ]
    assert drawing.note.endswith("; b: width inside as a multiple, g: groups")
    plain = chain("nds_resnet", "d1-w16/d4-w32/d2-w64")
    assert [stage.caption for stage in plain.stages] == [("1×16",), ("4×32",), ("2×64",)]  # noqa: RUF001 - times
    assert plain.note == "blocks×channels, more channels are higher"  # noqa: RUF001 - times


def test_a_space_without_drawings_says_so() -> None:
    @dataclass(frozen=True, slots=True)
    class Words(Space):
        name: ClassVar[str] = "words"

    with pytest.raises(UnsupportedError, match="the space 'words' does not offer drawings of its architectures"):
        Words().drawing("any")
