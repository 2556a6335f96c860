"""Strings and genotypes of the DARTS space."""

from __future__ import annotations

import pytest
from darts_cells import FOREIGN, GENOTYPES, architectures, cells
from hypothesis import given

from benchsuite.core.errors import InvalidArchitectureError
from benchsuite.spaces.nasbench301.cells import OPERATIONS
from benchsuite.spaces.nasbench301.strings import from_genotype, from_pairs, parse, render


@given(architectures)
def test_strings_and_cells_convert_both_ways(architecture):
    assert render(*parse(architecture)) == render(*parse(f"\n {architecture} ")) == architecture


def test_a_genotype_gives_its_edges_in_the_order_written():
    assert from_genotype(GENOTYPES["DARTS_V2"]).startswith(
        "|sep_conv_3x3~0|sep_conv_3x3~1|+|sep_conv_3x3~0|sep_conv_3x3~1|+|sep_conv_3x3~1|skip_connect~0|+"
        "|skip_connect~0|dil_conv_3x3~2|/|max_pool_3x3~0|"
    )


@given(cells(), cells())
def test_pairs_hold_an_input_and_the_number_of_an_operation(normal, reduction):
    pairs = tuple(
        tuple((source, OPERATIONS.index(operation)) for node in cell for operation, source in node)
        for cell in (normal, reduction)
    )
    assert from_pairs(str(pairs)) == render(normal, reduction)


EIGHT = [("skip_connect", 0), ("max_pool_3x3", 1)] * 4


@pytest.mark.parametrize(
    "foreign",
    [
        *FOREIGN,
        "Genotype()",
        "(" * 99_999,
        "__import__('os').abort()",
        f"Genotype(normal=exit(), normal_concat=range(2, 6), reduce={EIGHT}, reduce_concat=range(2, 6))",
        f"Genotype(normal={EIGHT}, normal_concat=range(2, 6), reduce={EIGHT}, reduce_concat=[3, 4, 5])",
        f"Genotype(normal={EIGHT}, normal_concat=range(2, 6), reduce={EIGHT})",
        f"Genotype(normal={EIGHT[:6]}, normal_concat=range(2, 6), reduce={EIGHT}, reduce_concat=range(2, 6))",
        f"Genotype(normal=3, normal_concat=range(2, 6), reduce={EIGHT}, reduce_concat=range(2, 6))",
        f"Genotype(normal={[1] * 8}, normal_concat=range(2, 6), reduce={EIGHT}, reduce_concat=range(2, 6))",
        "3",
        "((), ())",
        str((((0, 3), (1, 2)) * 4,)),
        str((((0, 3), (1, 7)) * 4,) * 2),
        str((((0, 3), (1, -1)) * 4,) * 2),
        str((((0.5, 3), (1, 3)) * 4,) * 2),
        str((((0, 3), (0, 2)) * 4,) * 2),
    ],
)
@pytest.mark.parametrize("reader", [from_genotype, from_pairs])
def test_a_foreign_genotype_is_refused_and_never_run(reader, foreign):
    with pytest.raises(InvalidArchitectureError) as refusal:
        reader(foreign)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400
