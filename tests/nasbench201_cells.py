"""Cells of NAS-Bench-201 that several tests need."""

from __future__ import annotations

from hypothesis import strategies as st

from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import OPERATIONS, render

SPACE = NASBench201()
TINY = NASBench201(channels=3, cells=1)
CONVOLUTION_TO_POOL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|skip_connect~2|"
DEAD_CONVOLUTION = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
NO_PATH = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|"
architectures = st.tuples(*[st.sampled_from(OPERATIONS)] * 6).map(render)
