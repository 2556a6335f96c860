"""Networks that lie channels last in memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from benchsuite.estimators.torchtools.layout import lay_channels_last

TRAINS = """
import torch
from torch import nn
from benchsuite.estimators.torchtools.layout import lay_channels_last
torch.set_num_threads(1)
torch.manual_seed(0)
network = nn.Conv2d({inputs}, 16, 1, stride={stride}, bias=False)
lay_channels_last(network)
images = torch.randn(64, {inputs}, 8, 8).contiguous(memory_format=torch.channels_last)
held = []
for _ in range(60):
    network(images).sum().backward()
    held += [torch.randn(3, 7), bytes(33)]  # a damaged heap shows when memory is asked for
print("alive")
"""


@pytest.mark.parametrize("inputs", [1, 3, 6, 8])
@pytest.mark.parametrize("stride", [2, (1, 2)])
def test_strided_pointwise_convolutions_of_few_channels_train_without_damage_to_the_heap(
    inputs: int, stride: int | tuple[int, int]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAINS.format(inputs=inputs, stride=stride)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize("size", [1, 8])
def test_the_layout_changes_neither_outputs_nor_gradients(size: int) -> None:
    def network() -> nn.Sequential:
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 12, 1, stride=2), nn.Conv2d(12, 4, 1)).double()

    images = torch.randn(5, 3, size, size, dtype=torch.float64)
    usual, last = network(), network()
    lay_channels_last(last)
    outputs = [usual(images), last(images.contiguous(memory_format=torch.channels_last))]
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    for first, second in zip(usual.parameters(), last.parameters(), strict=True):
        torch.testing.assert_close(first.grad, second.grad)
    assert last[0].weight.is_contiguous(memory_format=torch.channels_last)
