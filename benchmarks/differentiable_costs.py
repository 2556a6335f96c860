"""What differentiable searches cost beside DARTS: in memory, multiply-adds and time.

    python benchmarks/differentiable_costs.py
    python benchmarks/differentiable_costs.py --updates 1 --batch 64

The first command tells what partial channels save. The mixed supernet of the DARTS space (16 channels, 8 cells, images
of CIFAR-10's shape) with K = 1, 2, 4 and 8: with K = 1 it is that of DARTS, otherwise that of PC-DARTS, edge
normalisation included. Bytes are those of all tensors that torch's autograd saves in one forward pass in training mode,
a tensor saved twice counted twice. Multiply-adds are those of convolutions, for one image. Expected ratios were
computed from the methods' published code.

The second command, a minute, trains for so many updates in a fresh process for each method, after as many others:
CPU seconds of an update, of architecture parameters and weights, and the largest memory of the process meanwhile, less
what it held before. Networks are reduced (8 channels and one cell a stage, as in
differentiable-cifar10.toml; of the DARTS space, 8 channels and 4 cells), on images of 16x16 pixels; they are noise,
which costs what photographs do. Batches are equal, though PC-DARTS was published with a larger one, which its memory
allows.

Both print Markdown.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.data.images.datasets import dataset
from benchsuite.data.images.minibatches import noise
from benchsuite.estimators.differentiable.training import DARTS, LAMBDA_DARTS, PC_DARTS
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench301.space import NASBench301

PUBLISHED = {1: (1.0, 1.0), 2: (1.81, 2.60), 4: (3.16, 5.31), 8: (5.05, 8.41)}  # K: ratios of bytes, multiply-adds
TOLERANCE = 0.05
METHODS = {
    "DARTS, first order": DARTS,
    "DARTS, second order": replace(DARTS, order=2),
    "PC-DARTS, K = 4": PC_DARTS,
    "Lambda-DARTS": LAMBDA_DARTS,
}
SPACES = {"nasbench201": NASBench201(channels=8, cells=1), "nasbench301": NASBench301(channels=8, cells=4)}
SHRINK = 2  # of 32 pixels a side


@dataclass(frozen=True, slots=True)
class Costs:
    """Weights, bytes that a forward pass saves for the backward pass, multiply-adds of convolutions for one image."""

    params: int
    saved: int
    macs: int


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of an update of a training, and the memory in MiB that the process needs for it."""

    seconds: float
    memory: float


def main() -> None:
    """Print the table."""
    options = _options()
    if options.updates:
        print_updates(options.updates, options.batch)
    else:
        print_ratios(options)


def print_ratios(options: argparse.Namespace) -> None:
    """Print what partial channels save."""
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
        ("updates", 0, "time so many updates of every method; 0: print what partial channels save"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default: %(default)s)")
    return parser.parse_args()


def print_updates(updates: int, batch: int) -> None:
    """Print what updates of every method cost, and how many times that is of what DARTS takes."""
    print(f"Batches of {batch} images of {32 // SHRINK}x{32 // SHRINK} pixels, {updates} updates.\n")
    print("| space | networks | method | CPU seconds an update | of DARTS | MiB | of DARTS |")
    print("|---" * 3 + "|--:" * 4 + "|")
    for name, space in SPACES.items():
        sizes = ", ".join(f"{size} {value}" for size, value in space.sizes.items() if value)
        darts = Spent(1, 1)
        for title in METHODS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
                spent = fresh.submit(train, name, title, updates, batch).result()
            darts = spent if title == next(iter(METHODS)) else darts
            ratios = (spent.seconds / darts.seconds, spent.memory / darts.memory)
            cells = [name, sizes, title, f"{spent.seconds:.2f}", f"{ratios[0]:.2f}"]
            print("| " + " | ".join([*cells, f"{spent.memory:.0f}", f"{ratios[1]:.2f}"]) + " |", flush=True)


def train(space: str, method: str, updates: int, batch: int) -> Spent:
    """What updates cost after as many others, the regulariser at its full strength and nothing frozen."""
    torch.set_num_threads(1)
    training = replace(
        METHODS[method], epochs=2, batch=batch, images=2 * batch * updates, shrink=SHRINK, frozen=0.0, kept=1
    )
    trainer = training.trainer(SPACES[space], noise(dataset("cifar10")), seed=0)
    trainer.run_epoch()
    measured = trainer.run_epoch()
    return Spent(measured.cpu_seconds / updates, measured.peak_memory)


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
