"""What partial channels save: weights, bytes kept for the backward pass and multiply-adds of searches beside DARTS's.

    python benchmarks/differentiable_costs.py

The mixed supernet of the DARTS space (16 channels, 8 cells, images of CIFAR-10's shape) with K = 1, 2, 4 and 8: with
K = 1 it is that of DARTS, otherwise that of PC-DARTS, edge normalisation included. Bytes are those of all tensors that
torch's autograd saves in one forward pass in training mode, a tensor saved twice counted twice. Multiply-adds are those
of convolutions, for one image. Expected ratios were computed from the methods' published code. Prints Markdown.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.data.datasets import dataset
from benchsuite.spaces.nasbench301 import NASBench301

PUBLISHED = {1: (1.0, 1.0), 2: (1.81, 2.60), 4: (3.16, 5.31), 8: (5.05, 8.41)}  # K: ratios of bytes, multiply-adds
TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Costs:
    """Weights, bytes that a forward pass saves for the backward pass, multiply-adds of convolutions for one image."""

    params: int
    saved: int
    macs: int


def main() -> None:
    """Print the table."""
    options = _options()
    space = NASBench301(options.channels, options.cells)
    print("| K | weights | saved MiB | ratio | expected | million multiply-adds | ratio | expected | within 5 % |")
    print("|" + "--:|" * 9)
    darts = measure(space, 1, options.batch)
    for partial, expected in PUBLISHED.items():
        costs = darts if partial == 1 else measure(space, partial, options.batch)
        ratios = (darts.saved / costs.saved, darts.macs / costs.macs)
        close = all(abs(found / known - 1) <= TOLERANCE for found, known in zip(ratios, expected, strict=True))
        cells = [f"{partial}", f"{costs.params:,}", f"{costs.saved / 2**20:.1f}", f"1/{ratios[0]:.2f}"]
        cells += [f"1/{expected[0]:.2f}", f"{costs.macs / 1e6:.1f}", f"1/{ratios[1]:.2f}", f"1/{expected[1]:.2f}"]
        print("| " + " | ".join([*cells, "yes" if close else "no"]) + " |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
        ("channels", 16, "channels of the first cells"),
        ("cells", 8, "number of cells"),
        ("batch", 8, "images in the minibatch"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default: %(default)s)")
    return parser.parse_args()


def measure(space: NASBench301, partial: int, batch: int) -> Costs:
    """What the space's mixed supernet costs with 1 / `partial` of the channels mixed."""
    data = dataset("cifar10")
    supernet = space.mixed(data, partial=partial)
    tables = supernet.tables
    weights = {name: torch.full((len(edges), 8), 1 / 8, requires_grad=True) for name, edges in tables.items()}
    scales = {name: torch.full((len(edges),), 1 / 2, requires_grad=True) for name, edges in tables.items()}
    supernet.mix(
        [weights[name] for name in supernet.cells],
        None if partial == 1 else [scales[name] for name in supernet.cells],
    )
    saved = 0

    def note(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal saved
        saved += tensor.nbytes
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor), FlopCounterMode(display=False) as counter:
        supernet(torch.zeros(batch, *data.shape))
    convolutions = counter.get_flop_counts()["Global"][torch.ops.aten.convolution]
    return Costs(sum(weight.numel() for weight in supernet.parameters()), saved, convolutions // 2 // batch)


if __name__ == "__main__":
    main()
