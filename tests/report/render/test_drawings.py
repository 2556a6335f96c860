"""Drawings of architectures packed for a page, unpacked as its script does it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchsuite import load_space
from benchsuite.core.drawing import as_json
from benchsuite.core.errors import UnsupportedError
from benchsuite.report.render.drawings import Drawings

SPACES = ("nasbench101", "nasbench201", "nasbench301", "macro", "scarlet", "nds_resnet", "nds_resnext_b")


def _operation(item):
    return None if item is None else {"name": item[0], "kind": item[1]}


def _unfolded(packed, drawn):
    form, note, parts = packed["shapes"][drawn[0]]
    items = iter([None if number < 0 else packed["items"][number] for number in drawn[1:]])
    if form == "cells":
        cells = []
        for vertices, edges in parts:
            found = [_operation(next(items)) for _ in range(vertices)]
            lines = [{"source": a, "target": b, "operation": _operation(next(items))} for a, b in edges]
            cells.append({"vertices": found, "edges": lines})
        return {"form": form, "cells": cells, "note": note}
    stages = []
    for number, caption in parts:
        blocks = [next(items) for _ in range(number)]
        said = [{"operation": _operation(each), "height": each[2], "mark": each[3]} for each in blocks]
        stages.append({"blocks": said, "caption": caption})
    return {"form": form, "stages": stages, "note": note}


def _expected(drawing):
    said = json.loads(json.dumps(as_json(drawing)))
    for cell in said.get("cells", ()):
        del cell["name"]
    for stage in said.get("stages", ()):
        for block in stage["blocks"]:
            block["height"] = round(block["height"], 4)
    return said


@pytest.mark.parametrize("name", SPACES)
def test_packed_drawings_are_those_of_the_space(name):
    space = load_space(name)
    architectures = space.sample(20, np.random.default_rng(0))
    packed = json.loads(json.dumps(Drawings(space.drawing).packed(architectures)))
    for architecture, drawn in zip(architectures, packed["drawn"], strict=True):
        assert _unfolded(packed, drawn) == _expected(space.drawing(architecture))


def test_what_a_space_does_not_draw_has_no_drawing():
    def draw(architecture):
        raise UnsupportedError(f"no drawing of {architecture}")

    assert Drawings(draw).packed(["a"])["drawn"] == Drawings().packed(["a"])["drawn"] == [None]


def test_all_architectures_of_nasbench201_take_little_room():
    space = load_space("nasbench201")
    packed = Drawings(space.drawing).packed(space.every_string()[:2000])
    assert len(packed["shapes"]) == 1
    assert len(json.dumps(packed, separators=(",", ":"))) < 2000 * 35
