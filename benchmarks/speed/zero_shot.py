"""CPU seconds of the zero-shot estimators on full-size NAS-Bench-201 networks, one by one and sharing a probe.

    python benchmarks/speed/zero_shot.py --networks 6 --repeats 3

All settings are timed in turn on the same networks in one process with one thread; compare the ratios of one run.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchsuite.core import Dataset
from benchsuite.data.images import minibatch, noise
from benchsuite.estimators.scoring import score_network
from benchsuite.spaces.nasbench201 import NASBench201

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIX = ("grad_norm", "plain", "snip", "fisher", "jacob_cov", "nwot")
ALL = (*SIX, "grasp", "synflow")


def main() -> None:
    """Print a table of CPU seconds and the ratios that matter."""
    options = _options()
    torch.set_num_threads(1)
    space, dataset = NASBench201(), Dataset("cifar10", 10)
    inputs, targets = map(torch.from_numpy, minibatch(noise(dataset), options.batch, seed=0)[0])
    timings: dict[str, list[float]] = defaultdict(list)
    for architecture in space.sample(options.networks, np.random.default_rng(0)):
        network = space.build(architecture, dataset)
        for label, seconds in _times(network, inputs, targets, options.repeats).items():
            timings[label].append(seconds)
    _print(timings, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=6, help="sampled architectures")
    parser.add_argument("--batch", type=int, default=64, help="images, 3x32x32")
    parser.add_argument("--repeats", type=int, default=3, help="of which the median counts")
    return parser.parse_args()


def _times(network: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor, repeats: int) -> dict[str, float]:
    """Median CPU seconds for one network by what is done, all done in turn in each repeat."""

    def forward() -> None:
        network.train()(inputs)

    def scores(*names: str) -> Callable[[], object]:
        return lambda: score_network(network, inputs, targets, names)

    tasks = {"forward": forward} | {name: scores(name) for name in ALL}
    tasks |= {"six, shared": scores(*SIX), "all, shared": scores(*ALL)}
    forward()
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for label, task in tasks.items():
            start = time.process_time()
            task()
            taken[label].append(time.process_time() - start)
    return {label: statistics.median(seconds) for label, seconds in taken.items()}


def _print(timings: dict[str, list[float]], options: argparse.Namespace) -> None:
    mean = {label: statistics.mean(seconds) for label, seconds in timings.items()}
    print(
        f"{options.networks} networks, {options.batch} images, median of {options.repeats}, torch {torch.__version__}"
    )
    print(f"{'':14}{'CPU s':>9}{'forwards':>10}")
    for label, seconds in mean.items():
        print(f"{label:14}{seconds:9.3f}{seconds / mean['forward']:10.1f}")
    for label, names in (("six", SIX), ("all", ALL)):
        print(f"{label}: {_total(mean, names) / mean[f'{label}, shared']:.2f} times faster shared than one by one")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def _total(mean: dict[str, float], names: Sequence[str]) -> float:
    return sum(mean[name] for name in names)


if __name__ == "__main__":
    main()
