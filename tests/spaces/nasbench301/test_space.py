"""The DARTS space against published counts and tables, and its networks against counts that torch makes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import combinations
from math import prod

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.errors import BenchsuiteError, InvalidArchitectureError, UnknownNameError, UnsupportedError
from benchsuite.core.types import Dataset
from benchsuite.data.images.datasets import dataset
from benchsuite.spaces.nasbench301.cells import NONE, OPERATIONS, live_part, whole
from benchsuite.spaces.nasbench301.layout import layout
from benchsuite.spaces.nasbench301.space import NASBench301
from benchsuite.spaces.nasbench301.strings import from_genotype, from_pairs, parse, render
from benchsuite.testing import check_space

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


# Strings


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


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("ability", ["validate", "canonical", "operations", "neighbours"])
def test_a_foreign_string_is_refused_in_one_short_line(foreign, ability):
    with pytest.raises(InvalidArchitectureError) as refusal:
        getattr(SPACE, ability)(foreign)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


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


def test_operations_come_node_by_node_normal_cell_first():
    names = SPACE.operations(from_genotype(GENOTYPES["PC_DARTS"]))
    assert names[:3] == ("sep_conv_3x3", "skip_connect", "sep_conv_3x3")
    assert names[8:10] == ("sep_conv_5x5", "max_pool_3x3")
    assert len(names) == 16


# Classes


def graph(cell):
    """The cell as a graph: inputs are told apart, nodes are not."""
    result = nx.DiGraph()
    result.add_nodes_from((node, {"kind": min(node, 2)}) for node in range(6))
    result.add_edges_from((source, node, {"operation": operation}) for source, node, operation in edges_of(cell))
    return result


def isomorphic(one, other):
    return nx.is_isomorphic(
        graph(one),
        graph(other),
        node_match=lambda a, b: a["kind"] == b["kind"],
        edge_match=lambda a, b: a["operation"] == b["operation"],
    )


def rewritten(cell, rng):
    """The same cell: nodes numbered in another order in which each follows its inputs, edges shuffled."""
    ranks = {0: 0, 1: 1}
    while len(ranks) < 6:
        ready = [
            node
            for node, pair in enumerate(cell, start=2)
            if node not in ranks and all(source in ranks for _, source in pair)
        ]
        ranks[int(rng.choice(ready))] = len(ranks)
    nodes = {
        ranks[node]: tuple((pair[at][0], ranks[pair[at][1]]) for at in rng.permutation(2))
        for node, pair in enumerate(cell, start=2)
    }
    return tuple(nodes[number] for number in range(2, 6))


@given(cells(), cells(), st.integers(0, 2**32))
def test_the_order_of_edges_and_nodes_makes_no_other_architecture(normal, reduction, seed):
    rng = np.random.default_rng(seed)
    again = render(rewritten(normal, rng), rewritten(reduction, rng))
    once = SPACE.canonical(render(normal, reduction))
    assert SPACE.canonical(again) == SPACE.canonical(once) == once
    assert all(isomorphic(*pair) for pair in zip(parse(once), (normal, reduction), strict=True))


@given(cells(), cells(), st.integers(0, 2**32))
def test_equivalent_strings_have_isomorphic_cells(normal, reduction, seed):
    other = SPACE.equivalent(render(normal, reduction), np.random.default_rng(seed))
    assert all(isomorphic(*pair) for pair in zip(parse(other), (normal, reduction), strict=True))


def test_nodes_and_edges_of_equivalent_strings_come_in_any_order():
    pair = "|sep_conv_3x3~0|skip_connect~1|", "|max_pool_3x3~0|skip_connect~1|"
    cell = "+".join([pair[0], *[pair[1]] * 3])
    rng = np.random.default_rng(0)
    written = {SPACE.equivalent(f"{cell}/{cell}", rng).partition("/")[0] for _ in range(1000)}
    assert len(written) == 4 * 2**4  # places of the different node, orders of the edges of each


few = cells(("skip_connect", "max_pool_3x3"))


@given(few, few)
@settings(max_examples=300)
def test_cells_have_one_canonical_form_exactly_if_their_graphs_are_isomorphic(one, other):
    same = SPACE.canonical(render(one, one)) == SPACE.canonical(render(other, other))
    assert same == isomorphic(one, other)


def test_the_space_has_the_stated_number_of_strings():
    per_cell = prod(len(OPERATIONS) ** 2 * len(list(combinations(range(node), 2))) for node in range(2, 6))
    assert per_cell == 1_037_664_180
    assert f"{per_cell:,}^2, about {per_cell**2:.2e}".replace("+", "") in NASBench301.__doc__


# Samples and neighbours


def test_a_smaller_sample_is_a_prefix_of_a_larger_one():
    large, small = (SPACE.sample(n, np.random.default_rng(3)) for n in (60, 20))
    assert large[:20] == small
    assert len(set(large)) == 60
    assert all(SPACE.canonical(name) == name for name in large)


def test_operations_and_pairs_of_inputs_are_drawn_with_equal_probability():
    rng = np.random.default_rng(0)
    drawn = [cell for _ in range(1500) for cell in parse(SPACE.draw(rng))]
    operations = Counter(operation for cell in drawn for *_, operation in edges_of(cell))
    pairs = Counter(frozenset(source for _, source in cell[3]) for cell in drawn)
    assert operations.keys() == set(OPERATIONS)
    assert len(pairs) == 10
    for counts in (operations, pairs):
        mean = sum(counts.values()) / len(counts)
        assert all(abs(count - mean) < 5 * mean**0.5 for count in counts.values())


@given(architectures)
def test_the_neighbours_differ_in_one_operation_or_one_input(architecture):
    own = [edge for cell in parse(architecture) for edge in edges_of(cell)]
    neighbours = SPACE.neighbours(architecture)
    assert len(set(neighbours)) == len(neighbours) == 120
    for neighbour in neighbours:
        others = [edge for cell in parse(neighbour) for edge in edges_of(cell)]
        changes = [(one[0] != two[0]) + (one[2] != two[2]) for one, two in zip(own, others, strict=True) if one != two]
        assert changes == [1]


@given(published_strings(), st.integers(0, 2**32))
def test_a_mutation_is_a_neighbour_and_brings_no_none(architecture, seed):
    mutant = SPACE.mutate(architecture, np.random.default_rng(seed))
    assert mutant in SPACE.neighbours(architecture)
    assert SPACE.operations(mutant).count(NONE) <= SPACE.operations(architecture).count(NONE)


# Complexity


@pytest.mark.parametrize(
    ("genotype", "channels", "number", "params"),
    [
        ("DARTS_V1", 36, 20, 3_169_414),
        ("DARTS_V2", 36, 20, 3_349_342),
        ("DARTS_V2", 16, 8, 246_106),
        ("PC_DARTS", 36, 20, 3_634_678),
    ],
)
def test_published_genotypes_have_the_published_parameters(genotype, channels, number, params):
    closed = NASBench301(channels, number).complexity(from_genotype(GENOTYPES[genotype]), "cifar10")
    assert closed.params == closed.live_params == params


def normalised(cell, reduction):
    """Normalisations of a cell's edges (source below 2, number)."""
    numbers = {"sep": 2, "dil": 1}
    for source, _, operation in edges_of(cell):
        shrinks = reduction and source < 2 and operation == "skip_connect"
        yield source < 2, numbers.get(operation[:3], int(shrinks))


def stage_sums(space):
    """Channels, and channels times pixels, of all normal and of all reduction cells."""
    shapes = layout(space.channels, space.cells, dataset("cifar10"))
    chosen = [[shape for shape in shapes if shape.reduction == kind] for kind in (False, True)]
    return [(sum(it.width for it in kind), sum(it.width * it.side**2 for it in kind)) for kind in chosen]


def pools(cell, kind):
    return sum(operation.startswith(kind) for *_, operation in edges_of(cell))


def test_parameters_and_multiply_adds_agree_with_the_545_trained_genotypes(shared):
    table = pd.read_parquet(shared / "data" / "darts_trained545.parquet")
    space = NASBench301(channels=36, cells=20)
    names = table["architecture"].map(from_genotype)
    closed = [space.complexity(name, "cifar10") for name in names]
    assert [it.params for it in closed] == (table["params"] * 1e6).round().tolist()
    # that table adds 4 per value that is normalised, 1 per averaged one, 64 + 1 per channel of the global average
    sums = stage_sums(space)
    frame = 4 * sum(2 * it.width * it.input_side**2 for it in layout(36, 20, dataset("cifar10")))
    frame += 4 * 3 * 36 * 32**2 + 65 * 4 * 144
    for name, ours, theirs in zip(names, closed, (table["flop"] * 1e6).round(), strict=True):
        extra = frame
        for cell, (_, values), reduction in zip(parse(name), sums, (False, True), strict=True):
            extra += values * (4 * sum(number for _, number in normalised(cell, reduction)) + pools(cell, "avg"))
        assert ours.macs + extra == theirs


def test_parameters_and_multiply_adds_agree_with_the_1218_surrogate_rows(shared):
    table = pd.read_parquet(shared / "data" / "nasbench301_surrogate.parquet")
    sums = stage_sums(SPACE)
    frame = 2 * 3 * 32 * 32**2 + 81 * 4 * 128
    for shape in layout(SPACE.channels, SPACE.cells, dataset("cifar10")):
        sides = (shape.input_side * (1 + shape.after_reduction), shape.input_side)
        frame += 2 * 2 * shape.width * shape.input_side**2
        frame += sum(channels * side**2 for channels, side in zip(shape.inputs, sides, strict=True))
    for row in table.itertuples():
        name = from_pairs(row.architecture)
        ours, params, macs = SPACE.complexity(name, "cifar10"), 0, frame
        for cell, (widths, values), reduction in zip(parse(name), sums, (False, True), strict=True):
            # no weights of normalisations on edges; 1 for each value normalised there and each that enters a ReLU,
            # 9 + 1 for each that is pooled, 2 normalised after the stem and the inputs, 81 per channel of the average
            found = list(normalised(cell, reduction))
            params += 2 * widths * sum(number for _, number in found)
            macs += values * (sum(2 * number for _, number in found) + 10 * (pools(cell, "avg") + pools(cell, "max")))
            macs += values * 3 * reduction * sum(first and number > 0 for first, number in found)
        assert (ours.params - params, ours.macs + macs) == (round(row.params * 1e6), round(row.flops * 1e6))


def counted(network, images):
    """Parameters, and multiply-adds that torch counts for one image."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, *images.shape))
    return sum(it.numel() for it in network.parameters()), counter.get_total_flops() // 2


@given(published_strings(), st.integers(1, 3), st.integers(3, 6))
@settings(max_examples=12)
@example(DEAD[3], 1, 6)
@example(DEAD[4], 2, 5)
def test_the_closed_form_counts_the_built_networks(architecture, channels, number):
    space = NASBench301(channels, number)
    closed = space.complexity(architecture, IMAGES)
    assert counted(space.build(architecture, IMAGES), IMAGES) == (closed.live_params, closed.live_macs)
    assert counted(space.build(architecture, IMAGES, dead="keep"), IMAGES) == (closed.params, closed.macs)


def test_the_closed_form_counts_the_full_network():
    name = from_genotype(GENOTYPES["PC_DARTS"])
    closed = SPACE.complexity(name, "cifar10")
    assert counted(SPACE.build(name, "cifar10"), dataset("cifar10")) == (closed.params, closed.macs)


# Networks


@pytest.mark.parametrize("space", [TINY, NASBench301(channels=1, cells=4)])
def test_the_space_keeps_its_promises_on_small_images(space):
    check_space(space, dataset=IMAGES, number=2)


@pytest.mark.parametrize("architecture", DEAD)
@pytest.mark.parametrize("number", [3, 5])
def test_what_none_cuts_off_changes_no_output_and_is_not_built(architecture, number):
    space = NASBench301(channels=2, cells=number)
    kept, dropped = (space.build(architecture, IMAGES, dead=dead) for dead in ("keep", "drop"))
    dropped.load_state_dict({name: kept.state_dict()[name] for name in dropped.state_dict()})
    images = torch.randn(4, 1, 12, 12)
    logits = dropped(images)
    torch.testing.assert_close(logits, kept(images))
    assert len(list(dropped.parameters())) < len(list(kept.parameters()))
    parameters = list(dropped.parameters())
    assert None not in torch.autograd.grad(logits.sum(), parameters, allow_unused=True)


def test_a_cell_whose_output_nothing_reads_is_not_built():
    network = NASBench301(channels=2, cells=6).build(f"{FIRST_ONLY}/{FIRST_ONLY}", IMAGES)
    assert list(network.cells) == ["1", "3", "5"]


def test_without_none_everything_is_live():
    name = from_genotype(GENOTYPES["DARTS_V1"])
    for cell in parse(name):
        assert live_part(cell) == whole(cell)
    kept, dropped = (TINY.build(name, IMAGES, dead=dead) for dead in ("keep", "drop"))
    assert kept.state_dict().keys() == dropped.state_dict().keys()


def shuffled_half(module, features):
    """A factorised reduction by its definition: even and odd pixels, each to half of the channels."""
    positive = features.clamp(min=0)
    halves = [
        torch.einsum("oc,nchw->nohw", convolution.weight[:, :, 0, 0], positive[:, :, start::2, start::2])
        for start, convolution in enumerate((module.even, module.odd))
    ]
    return module.normalisation(torch.cat(halves, 1))


def separable(module, features, dilation=1):
    _, depthwise, pointwise, normalisation = module
    padding = dilation * (depthwise.weight.shape[-1] // 2)
    padded = functional.pad(features.clamp(min=0), [padding] * 4)
    patches = functional.unfold(padded, depthwise.kernel_size, dilation, stride=depthwise.stride)
    patches = patches.unflatten(1, (features.shape[1], -1))
    filtered = torch.einsum("nckp,ck->ncp", patches, depthwise.weight.flatten(1))
    mixed = torch.einsum("oc,ncp->nop", pointwise.weight[:, :, 0, 0], filtered)
    return normalisation(mixed.unflatten(2, (-1, int(mixed.shape[2] ** 0.5))))


def operation_by_definition(name, module, features, stride):
    """What an operation gives, written with other functions than the modules are."""
    if name == "skip_connect":
        return features if stride == 1 else shuffled_half(module, features)
    if name == "max_pool_3x3":
        patches = functional.unfold(functional.pad(features, [1] * 4, value=-torch.inf), 3, stride=stride)
        return patches.unflatten(1, (-1, 9)).amax(2).unflatten(2, (features.shape[2] // stride, -1))
    if name == "avg_pool_3x3":
        sums, ones = (functional.avg_pool2d(it, 3, stride, 1) for it in (features, torch.ones_like(features)))
        return sums / ones
    if name.startswith("dil"):
        return separable(module, features, dilation=2)
    return separable(module[1], separable(module[0], features))


def network_by_definition(network, architecture, images, reductions):
    """The forward pass as the paper tells it."""
    states = [network.stem(images)] * 2
    for position, cell in enumerate(network.cells.values()):
        nodes = [
            shuffled_half(it, state) if hasattr(it, "odd") else it[2](it[1](state.clamp(min=0)))
            for it, state in zip((cell.input_0, cell.input_1), states, strict=True)
        ]
        for node, pair in enumerate(parse(architecture)[position in reductions], start=2):
            total = 0
            for name, source in pair:
                stride = 2 if position in reductions and source < 2 else 1
                module = getattr(cell, f"edge_{node}_{source}", None)
                total = total + operation_by_definition(name, module, nodes[source], stride)
            nodes.append(total)
        states = [states[1], torch.cat(nodes[2:], 1)]
    return network.classifier(states[1].flatten(2).mean(2))


@given(architectures)
@settings(max_examples=8)
@example(f"{PLAIN}/{PLAIN}")
def test_networks_compute_what_the_paper_defines(architecture):
    network = NASBench301(channels=2, cells=4).build(architecture, IMAGES)
    images = torch.randn(3, 1, 12, 12)
    torch.testing.assert_close(
        network(images), network_by_definition(network, architecture, images, {1, 2}), rtol=1e-3, atol=1e-4
    )


def test_networks_have_the_published_layout():
    network = SPACE.build(from_genotype(GENOTYPES["DARTS_V1"]), "cifar100")
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 100)
    assert network.stem[0].out_channels == 96
    widths = [cell.input_1[1].out_channels for cell in network.cells.values()]
    assert widths == [32, 32, 64, 64, 64, 128, 128, 128]
    halving = [number for number, cell in network.cells.items() if hasattr(cell.input_0, "odd")]
    assert halving == ["3", "6"]
    normalisations = [it for it in network.modules() if isinstance(it, nn.BatchNorm2d)]
    assert all(it.affine and it.track_running_stats for it in normalisations)


def test_the_auxiliary_classifier_is_counted_and_kept_but_not_among_the_logits():
    name, plain, helped = f"{PLAIN}/{PLAIN}", NASBench301(2, 3), NASBench301(2, 3, auxiliary=1)
    kept = helped.build(name, "cifar10", dead="keep")
    extra = sum(it.numel() for it in kept.auxiliary.parameters())
    features = 4 * 8
    assert extra == features * 128 + 2 * 128 + 128 * 768 * 4 + 2 * 768 + 7690
    assert helped.complexity(name, "cifar10").params == plain.complexity(name, "cifar10").params + extra
    assert helped.complexity(name, "cifar10").live_params == plain.complexity(name, "cifar10").params
    images = torch.randn(2, 3, 32, 32)
    logits, auxiliary = kept(images), kept.both_logits(images)
    torch.testing.assert_close(auxiliary[0], logits)
    assert auxiliary[1].shape == (2, 10)
    assert not hasattr(helped.build(name, "cifar10"), "auxiliary")


# Refusals


def test_images_whose_side_cannot_be_halved_twice_are_refused():
    for ability in (SPACE.build, SPACE.complexity):
        with pytest.raises(UnsupportedError, match="side is 30; use a side that is a multiple of 4"):
            ability(f"{PLAIN}/{PLAIN}", Dataset("odd", classes=2, size=30))


@pytest.mark.parametrize("sizes", [{"channels": 0}, {"cells": 2}, {"auxiliary": 2}])
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(UnsupportedError, match="cells at least 3"):
        NASBench301(**sizes).build(f"{PLAIN}/{PLAIN}", IMAGES)


def test_images_too_small_for_the_auxiliary_classifier_are_refused():
    with pytest.raises(UnsupportedError, match="set auxiliary = 0"):
        NASBench301(2, 3, auxiliary=1).complexity(f"{PLAIN}/{PLAIN}", IMAGES)


def test_an_unknown_treatment_of_dead_operations_is_refused():
    with pytest.raises(UnknownNameError, match="Known: drop, keep"):
        SPACE.build(f"{PLAIN}/{PLAIN}", IMAGES, dead="droop")


def test_the_space_is_too_large_to_list():
    for ability in (SPACE.architectures, SPACE.every_string):
        with pytest.raises(UnsupportedError):
            ability()
    with pytest.raises(BenchsuiteError, match="choose 0 or more"):
        SPACE.sample(-1, np.random.default_rng(0))


def test_strings_and_complexity_load_no_torch():
    code = (
        "import sys, numpy; from benchsuite.spaces.nasbench301.space import NASBench301 as S; "
        "S().complexity(S().sample(1, numpy.random.default_rng(0))[0], 'cifar10'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
