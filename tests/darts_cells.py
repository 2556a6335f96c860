"""Cells and genotypes of the DARTS space that several tests need."""

from __future__ import annotations

from itertools import combinations

from hypothesis import assume
from hypothesis import strategies as st

from benchsuite.core.types import Dataset
from benchsuite.spaces.nasbench301.cells import NONE, OPERATIONS, live_part
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.strings import render

SPACE = NASBench301()
TINY = NASBench301(channels=2, cells=3)
IMAGES = Dataset("canvas", classes=10, channels=1, size=12)
GENOTYPES = {
    "DARTS_V1": "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])",
    "DARTS_V2": "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])",
    "PC_DARTS": "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], normal_concat=range(2, 6), "
    "reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], reduce_concat=range(2, 6))",
}
PLAIN = "|sep_conv_3x3~0|max_pool_3x3~1|+|skip_connect~0|dil_conv_5x5~2|+|avg_pool_3x3~1|sep_conv_5x5~2|+"
PLAIN += "|skip_connect~1|dil_conv_3x3~3|"
FIRST_ONLY = "|sep_conv_3x3~0|none~1|+|none~1|skip_connect~2|+|none~1|max_pool_3x3~0|+|none~1|skip_connect~3|"
SECOND_ONLY = FIRST_ONLY.replace("~1|", "~x|").replace("~0|", "~1|").replace("~x|", "~0|")
EMPTY_NODE = "|none~0|none~1|+|sep_conv_3x3~0|dil_conv_3x3~2|+|max_pool_3x3~1|none~0|+|skip_connect~2|skip_connect~3|"
DEAD = [f"{cell}/{cell}" for cell in (FIRST_ONLY, SECOND_ONLY, EMPTY_NODE)]
DEAD += [f"{FIRST_ONLY}/{SECOND_ONLY}", f"{SECOND_ONLY}/{FIRST_ONLY}", f"{PLAIN}/{FIRST_ONLY}"]


def cells(operations=OPERATIONS):
    """Strategy: cells as parse gives them."""

    def node(number):
        inputs = st.sampled_from([order for pair in combinations(range(number), 2) for order in (pair, pair[::-1])])
        words = st.tuples(st.sampled_from(operations), st.sampled_from(operations))
        return st.builds(lambda names, sources: tuple(zip(names, sources, strict=True)), words, inputs)

    return st.tuples(*(node(number) for number in range(2, 6)))


architectures = st.builds(render, cells(), cells())


@st.composite
def published_strings(draw):
    """Strategy: strings that may hold 'none', as tables of trained genotypes do."""
    pair = [draw(cells((*OPERATIONS, NONE, NONE))) for _ in range(2)]
    assume(all(live_part(cell).edges for cell in pair))
    return render(*pair)


def edges_of(cell):
    return [(source, node, operation) for node, pair in enumerate(cell, start=2) for operation, source in pair]


FOREIGN = [
    "",
    "darts",
    PLAIN,
    f"{PLAIN}/{PLAIN}/{PLAIN}",
    f"{PLAIN}/{PLAIN}".replace("+", " + "),
    f"{PLAIN}/{PLAIN}".replace("sep_conv_3x3", "sep_conv_7x7"),
    f"{PLAIN}/{PLAIN}".replace("~3", "~5"),
    f"{PLAIN}/{PLAIN}".replace("~2", "~0"),
    f"{PLAIN}/" + "+".join(["|none~0|none~1|"] * 4),
    f"{PLAIN}/|none~0|none~1|+" + "+".join(["|skip_connect~2|none~1|"] * 3),
    "line\nbreak" * 1000,
    float("nan"),
]
