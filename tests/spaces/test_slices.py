"""Convolutions that use a part of their weights."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from benchsuite.spaces.slices import SlicedConvolution

TRAINS = """
import torch
from torch import nn
from benchsuite.spaces.slices import SlicedConvolution
torch.set_num_threads(1)
torch.manual_seed(0)
network = SlicedConvolution(nn.Conv2d(16, 16, 1, stride=2, bias=False)).to(memory_format=torch.channels_last)
images = torch.randn(64, {channels}, 8, 8).contiguous(memory_format=torch.{layout})
held = []
for _ in range(60):
    network(images).sum().backward()
    held += [torch.randn(3, 7), bytes(33)]  # a damaged heap shows when memory is asked for
print("alive")
"""


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("layout", ["channels_last", "contiguous_format"])
def test_strided_pointwise_convolutions_of_few_channels_train_without_damage_to_the_heap(
    channels: int, layout: str
) -> None:
    code = TRAINS.format(channels=channels, layout=layout)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_outputs_are_those_of_a_strided_convolution_in_both_layouts() -> None:
    torch.manual_seed(0)
    whole = nn.Conv2d(16, 12, 1, stride=2).double()
    images = torch.randn(3, 5, 7, 7, dtype=torch.float64)
    expected = nn.functional.conv2d(images, whole.weight[:, :5], whole.bias, stride=2)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = SlicedConvolution(whole)(images.contiguous(memory_format=layout))
        torch.testing.assert_close(found, expected)
