"""CPU seconds of zero-shot estimators per NAS-Bench-201 architecture: sharing a probe, one by one, and as public code.

    python benchmarks/speed/zero_shot.py --repeats 3

Ten fixed architectures from small to large, full-size networks, 64 noise images, one thread. All settings are timed in
turn, on one architecture after the other, in each repeat; compare the ratios of one run. "fast" is shared with --fast:
networks and images channels last. Also shown: floating-point operations per second beside what convolutions reach on
this machine at best, peak memory, and what a second process adds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import public_style
import torch
from torch.nn.functional import conv2d
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import minibatch, noise
from benchsuite.estimators.zero_shot.any_network import score_network
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

    Times = dict[tuple[str, str], list[float]]

SINGLE_FORWARD = ("grad_norm", "snip", "plain", "fisher", "jacob_cov", "epe_nas", "nwot")
TWELVE = (*SINGLE_FORWARD, "grasp", "zico", "zen", "synflow", "synflow_bn")
OTHERS = ("l2_norm", "swap", "meco", "az_expressivity", "az_progressivity", "az_trainability")
WANTED = {"seven": (SINGLE_FORWARD, 3.5, 8.0), "twelve": (TWELVE, 1.8, 5.0)}  # alone / shared, public / shared
DATASET = Dataset("cifar10", 10)
CHANNELS_FIRST = torch.contiguous_format
SHAPES = (
    (16, 32),
    (32, 16),
    (64, 8),
    (256, 16),
)  # channels and side of 3x3 convolutions: the networks', and a wide one


def main() -> None:
    """Print all tables."""
    options = _options()
    torch.set_num_threads(1)
    architectures = fixed_architectures(options.networks)
    _print_scaling(architectures[::2], options)  # first: the system counts this process's peak into its children's
    flops = {label: _flops(architectures, names, options) for label, (names, *_) in WANTED.items()}
    times: Times = defaultdict(list)
    for _ in range(options.repeats):
        repeat: Times = defaultdict(list)
        for architecture in architectures:
            for key, seconds in _timed(architecture, options):
                repeat[key].append(seconds)
        for key, taken in repeat.items():
            times[key].append(statistics.mean(taken))
    _print_times({key: statistics.median(seconds) for key, seconds in times.items()}, flops, options)
    _print_peak()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10, help="architectures, from small to large")
    parser.add_argument("--channels", type=int, default=16, help="of the first stage")
    parser.add_argument("--cells", type=int, default=5, help="per stage")
    parser.add_argument("--batch", type=int, default=64, help="images, 3x32x32")
    parser.add_argument("--repeats", type=int, default=3, help="of which the median counts")
    parser.add_argument("--others", action="store_true", help="time six more estimators too, which public code lacks")
    return parser.parse_args()


def fixed_architectures(number: int) -> list[str]:
    """Strings of the space at equally spaced quantiles of the multiply-adds of their live part."""
    space = NASBench201()
    ordered = sorted(space.every_string(), key=lambda name: (space.complexity(name, DATASET).live_macs, name))
    return [ordered[int(len(ordered) * (position + 0.5) / number)] for position in range(number)]


def _minibatch(options: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, targets = minibatch(noise(DATASET), options.batch, seed=0)[0]
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _shared(
    architecture: str, names: Sequence[str], options: argparse.Namespace, layout: torch.memory_format = CHANNELS_FIRST
) -> dict[str, float]:
    """Scores as a user asks for them: a network is built, all estimators read it."""
    network = NASBench201(options.channels, options.cells).build(architecture, DATASET)
    inputs, targets = _minibatch(options)
    laid_out = convert_conv2d_weight_memory_format(network, layout)
    return score_network(laid_out, inputs.contiguous(memory_format=layout), targets, names)


def _timed(architecture: str, options: argparse.Namespace) -> Iterator[tuple[tuple[str, str], float]]:
    """(what, how) and CPU seconds of all settings for one architecture; one by one, building is not counted."""
    space, (inputs, targets) = NASBench201(options.channels, options.cells), _minibatch(options)
    network = space.build(architecture, DATASET)
    build = partial(space.build, architecture, DATASET, dead="keep")
    state = build().state_dict()
    tasks: dict[tuple[str, str], Callable[[], object]] = {
        ("forward", "alone"): partial(network.train(), inputs),
    }
    for label, (names, *_) in WANTED.items():
        tasks[label, "shared"] = partial(_shared, architecture, names, options)
        tasks[label, "fast"] = partial(_shared, architecture, names, options, torch.channels_last)
    if options.others:
        tasks["eighteen", "shared"] = partial(_shared, architecture, TWELVE + OTHERS, options)
    for name in TWELVE + (OTHERS if options.others else ()):
        tasks[name, "alone"] = partial(score_network, network, inputs, targets, [name])
    for name in TWELVE:
        tasks[name, "public"] = partial(public_style.scores, build, inputs, targets, [name], state)
    for key, task in tasks.items():
        start = time.process_time()
        task()
        yield key, time.process_time() - start


def _flops(architectures: Sequence[str], names: Sequence[str], options: argparse.Namespace) -> float:
    """Floating-point operations of convolutions and matrix products per architecture, twice the multiply-adds."""
    with FlopCounterMode(display=False) as counter:
        for architecture in architectures:
            _shared(architecture, names, options)
    return counter.get_total_flops() / len(architectures)


def _print_times(seconds: dict[tuple[str, str], float], flops: dict[str, float], options: argparse.Namespace) -> None:
    print(f"{options.networks} architectures, {options.batch} images, {options.repeats} repeats, {torch.__version__}")
    print(f"CPU s per architecture: forward pass {seconds['forward', 'alone']:.3f}")
    print(f"{'':18}{'alone':>9}{'public':>9}")
    for name in (key for key, how in seconds if how == "alone" and key != "forward"):
        print(f"{name:18}{seconds[name, 'alone']:9.3f}{seconds.get((name, 'public'), float('nan')):9.3f}")
    print(
        f"{'':18}{'shared':>9}{'alone':>9}{'public':>9}{'alone/sh':>10}{'wanted':>8}{'public/sh':>11}{'wanted':>8}"
        f"{'fast':>9}{'public/fast':>13}"
    )
    for label, (names, alone_wanted, public_wanted) in WANTED.items():
        shared, fast = seconds[label, "shared"], seconds[label, "fast"]
        alone, public = (sum(seconds[name, how] for name in names) for how in ("alone", "public"))
        print(
            f"{label:18}{shared:9.3f}{alone:9.3f}{public:9.3f}{alone / shared:10.2f}{alone_wanted:8.1f}"
            f"{public / shared:11.2f}{public_wanted:8.1f}{fast:9.3f}{public / fast:13.2f}"
        )
    if options.others:
        shared, alone = seconds["eighteen", "shared"], sum(seconds[name, "alone"] for name in TWELVE + OTHERS)
        print(f"{'eighteen':18}{shared:9.3f}{alone:9.3f}{'':9}{alone / shared:10.2f}")
    for label, total in flops.items():
        rate = total / seconds[label, "shared"] / 1e9
        print(f"{label}, shared: {total / 1e9:.1f} GFLOP, {rate:.1f} GFLOP/s")


def _print_peak() -> None:
    """The best rates of forward passes of 3x3 convolutions, batch 64."""
    rates = []
    for channels, side in SHAPES:
        features, weight = torch.randn(64, channels, side, side), torch.randn(channels, channels, 3, 3)
        taken = []
        for _ in range(10):
            start = time.process_time()
            conv2d(features, weight, padding=1)
            taken.append(time.process_time() - start)
        rates.append(f"{channels} channels {2 * features.numel() * channels * 9 / min(taken) / 1e9:.0f}")
    print(f"convolutions at best, GFLOP/s: {', '.join(rates)}")


def _print_scaling(architectures: Sequence[str], options: argparse.Namespace) -> None:
    """How much more two processes score in a second than one; each scores the same architectures."""
    walls: dict[int, list[float]] = defaultdict(list)
    memory = 0.0
    for _ in range(options.repeats):
        for number in (1, 2):
            wall, memory = _workers(number, architectures, options)
            walls[number].append(wall)
    one, two = (statistics.median(walls[number]) for number in (1, 2))
    print(f"two processes: {2 * one / two:.2f} times the throughput of one (wanted 1.8)")
    print(f"peak memory of a process that scores twelve: {memory:.2f} GiB")


def _workers(number: int, architectures: Sequence[str], options: argparse.Namespace) -> tuple[float, float]:
    """Wall seconds until the slowest of some processes is done, and their peak memory in GiB."""
    context = multiprocessing.get_context("spawn")
    results, barrier = context.Queue(), context.Barrier(number)
    workers = [context.Process(target=_work, args=(architectures, options, barrier, results)) for _ in range(number)]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    walls, memory = zip(*found, strict=True)
    return max(walls), max(memory)


def _work(
    architectures: Sequence[str], options: argparse.Namespace, barrier: Barrier, results: Queue[tuple[float, float]]
) -> None:
    torch.set_num_threads(1)
    _shared(architectures[0], TWELVE, options)
    barrier.wait()
    start = time.perf_counter()
    for architecture in architectures:
        _shared(architecture, TWELVE, options)
    wall = time.perf_counter() - start
    results.put((wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))


if __name__ == "__main__":
    main()
