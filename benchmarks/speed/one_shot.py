"""Images that supernets train with per CPU second beside plain networks, and architectures that they evaluate.

    python benchmarks/speed/one_shot.py --cells 1 5

NAS-Bench-201, noise images, one thread. Training: the trainer's updates with uniformly drawn architectures, drawing
and activating included, and the same updates of networks that are built of these architectures alone; both take turns,
on one architecture after the other, and the median of each counts. Evaluation: readouts of sampled architectures
that share what their first steps give, and of the same ones each alone. Compare the ratios of one run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchsuite.core.types import Dataset
from benchsuite.data.images.minibatches import noise
from benchsuite.estimators.one_shot.trainer import PathTrainer
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.readouts import Evaluation
from benchsuite.estimators.supernets.split import Split
from benchsuite.spaces.nasbench201.space import NASBench201

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

WANTED = 0.85  # of the images per second of plain networks
DATASET = Dataset("cifar10", 10)
IMAGES = noise(DATASET)


class SupernetUpdates(PathTrainer):
    """A trainer whose updates are made one by one."""

    def architecture(self, number: int) -> str:
        """The architecture of an update."""
        return self._sampled(number)[0]

    def update(self, number: int, inputs: Tensor, targets: Tensor) -> None:
        """Make an update."""
        self._update(number, inputs, targets)


class PlainUpdates:
    """Updates of a network of one architecture, by the same optimiser."""

    def __init__(self, space: NASBench201, architecture: str, training: PathTraining) -> None:
        self._network = space.build(architecture, DATASET).to(memory_format=torch.channels_last).train()
        self._clip = training.clip
        self._optimiser = torch.optim.SGD(
            self._network.parameters(),
            training.lr,
            training.momentum,
            weight_decay=training.weight_decay,
            nesterov=True,
        )

    def update(self, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
        """Make an update; loss and accuracy."""
        self._optimiser.zero_grad(set_to_none=True)
        logits = self._network(inputs)
        loss = cross_entropy(logits, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._clip)
        self._optimiser.step()
        return float(loss.detach()), float((logits.argmax(1) == targets).float().mean())


def main() -> None:
    """Print the table."""
    options = _options()
    torch.set_num_threads(1)
    print(f"{options.networks} architectures, {options.channels} channels, {options.repeats} repeats")
    print(f"batch {options.batch}, {torch.__version__}; per CPU second:")
    print(f"{'cells':5}{'images, supernet':>18}{'plain':>8}{'ratio':>7}{'worst':>7}{'wanted':>8}", end="")
    print(f"{'architectures, shared':>23}{'alone':>8}{'ratio':>7}")
    for cells in options.cells:
        space = NASBench201(options.channels, cells)
        trainer = SupernetUpdates(space, IMAGES, PathTraining(batch=options.batch), seed=0)
        taken = np.array([_updates(space, trainer, number, options) for number in range(options.networks)])
        supernet, plain = options.networks * options.batch / taken.sum(axis=0)
        worst = (taken[:, 1] / taken[:, 0]).min()
        print(f"{cells:5}{supernet:18.1f}{plain:8.1f}{supernet / plain:7.2f}{worst:7.2f}{WANTED:8.2f}", end="")
        shared, alone = _evaluations(space, trainer, options)
        print(f"{shared:23.2f}{alone:8.2f}{shared / alone:7.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10, help="architectures with which updates are made")
    parser.add_argument("--channels", type=int, default=16, help="of the first stage")
    parser.add_argument("--cells", type=int, nargs="+", default=[1, 5], help="per stage; a row of the table each")
    parser.add_argument("--batch", type=int, default=64, help="images, 3x32x32")
    parser.add_argument("--repeats", type=int, default=5, help="of which the median counts")
    parser.add_argument("--evaluated", type=int, default=50, help="architectures that are evaluated")
    return parser.parse_args()


def _updates(
    space: NASBench201, trainer: SupernetUpdates, number: int, options: argparse.Namespace
) -> tuple[float, float]:
    """CPU seconds of an update of the supernet and of the plain network."""
    training = trainer.training
    inputs, targets = next(Split.training(IMAGES, 0, 1, "cpu").batches(training.batch, seed=number))
    plain = PlainUpdates(space, trainer.architecture(number), training)
    taken = [
        (_seconds(lambda: trainer.update(number, inputs, targets)), _seconds(lambda: plain.update(inputs, targets)))
        for _ in range(1 + options.repeats)
    ]
    supernet, alone = zip(*taken[1:], strict=True)  # the first ones warm up
    return statistics.median(supernet), statistics.median(alone)


def _evaluations(space: NASBench201, trainer: PathTrainer, options: argparse.Namespace) -> tuple[float, float]:
    """Architectures per CPU second, with shared steps and without."""
    validation, training = (part(IMAGES, options.batch, 1, "cpu") for part in (Split.validation, Split.training))
    evaluation = Evaluation(trainer.supernet, validation, training, batch=options.batch)
    architectures = space.sample(options.evaluated, np.random.default_rng(0))
    taken = [
        (
            _seconds(lambda: evaluation.readouts(architectures)),
            _seconds(lambda: [evaluation.readouts([architecture]) for architecture in architectures]),
        )
        for _ in range(options.repeats)
    ]
    shared, alone = (len(architectures) / statistics.median(seconds) for seconds in zip(*taken, strict=True))
    return shared, alone


def _seconds(task: Callable[[], object]) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


if __name__ == "__main__":
    main()
