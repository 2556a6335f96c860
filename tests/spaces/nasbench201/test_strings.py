"""Strings of NAS-Bench-201."""

from __future__ import annotations

import re

from hypothesis import given, settings
from nasbench201_cells import CONVOLUTION_TO_POOL, NO_PATH, SPACE, architectures

from benchsuite.spaces.nasbench201.strings import live_part, parse, render


@given(architectures)
@settings(deadline=None)
def test_strings_and_operations_convert_both_ways(architecture):
    assert render(parse(architecture)) == render(parse(f" \n{architecture}\t")) == architecture
    assert SPACE.every_string()[SPACE.index(architecture)] == architecture
    assert SPACE.operations(architecture) == tuple(re.findall(r"\|?(\w+)~\d", architecture))


def test_live_part_follows_the_operations():
    assert live_part(parse(NO_PATH)) == []
    assert live_part(parse(CONVOLUTION_TO_POOL)) == [
        ((0, 1), "nor_conv_3x3"),
        ((1, 2), "avg_pool_3x3"),
        ((2, 3), "skip_connect"),
    ]
