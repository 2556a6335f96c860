"""The networks of NAS-Bench-201 against their definition."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nasbench201_cells import CONVOLUTION_TO_POOL, DEAD_CONVOLUTION, NO_PATH, SPACE, TINY, architectures
from torch import nn

from benchsuite.spaces.nasbench201.strings import EDGES, parse, render


@given(architectures, st.booleans())
@settings(max_examples=15, deadline=None)
def test_dropping_dead_operations_changes_no_output(architecture, training):
    kept = TINY.build(architecture, "digits", dead="keep").train(training)
    dropped = TINY.build(architecture, "digits").train(training)
    dropped.load_state_dict({name: kept.state_dict()[name] for name in dropped.state_dict()})
    images = torch.randn(4, 1, 8, 8)
    torch.testing.assert_close(dropped(images), kept(images))


def reference_cell(cell, architecture, features):
    """The definition of a cell: every node sums the operations on all earlier ones, dead or not."""
    nodes = [features]
    for node in (1, 2, 3):
        total = torch.zeros_like(features)
        for (source, target), operation in zip(EDGES, parse(architecture), strict=True):
            if target == node and operation == "skip_connect":
                total = total + nodes[source]
            elif target == node and operation == "avg_pool_3x3":
                ones = nn.functional.avg_pool2d(torch.ones_like(features), 3, 1, 1)
                total = total + nn.functional.avg_pool2d(nodes[source], 3, 1, 1) / ones
            elif target == node and operation != "none":
                _, convolution, normalisation = getattr(cell, f"edge_{target}_{source}")
                total = total + normalisation(convolution(nodes[source].clamp(min=0)))
        nodes.append(total)
    return nodes[3]


@given(architectures)
@settings(max_examples=15, deadline=None)
def test_a_cell_computes_the_sum_over_its_edges(architecture):
    cell = TINY.build(architecture, "digits", dead="keep").layers[0]
    features = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(cell(features), reference_cell(cell, architecture, features))


def test_a_cell_without_a_path_gives_constant_logits_and_zero_gradients():
    network = TINY.build(NO_PATH, "digits")
    images = torch.randn(3, 1, 8, 8, requires_grad=True)
    logits = network(images)
    torch.testing.assert_close(logits, network.classifier.bias.expand(3, 10))
    logits.sum().backward()
    assert not images.grad.any()


def test_dead_operations_are_neither_built_nor_run():
    def convolutions(dead):
        return sum(isinstance(it, nn.Conv2d) for it in TINY.build(DEAD_CONVOLUTION, "digits", dead=dead).modules())

    assert convolutions("drop") == 1 + 2 * 3
    assert convolutions("keep") == 1 + 2 * 3 + 3 * 2


def test_skip_connections_are_free():
    skips = render(["skip_connect"] * 6)
    assert not list(TINY.build(skips, "digits").layers[0].children())
    features = torch.ones(1, 3, 8, 8)
    torch.testing.assert_close(TINY.build(skips, "digits").layers[0](features), 4 * features)


def test_networks_have_the_published_layout():
    network = SPACE.build(CONVOLUTION_TO_POOL, "cifar100")
    widths = [it.out_channels for it in network.modules() if isinstance(it, nn.Conv2d)]
    assert widths == [16] * 6 + [32] * 3 + [32] * 5 + [64] * 3 + [64] * 5
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 100)
    normalisations = [it for it in network.modules() if isinstance(it, nn.BatchNorm2d)]
    assert all(it.affine and it.track_running_stats for it in normalisations)
