"""How much of FreeDARTS's scores is the random size of its architecture parameters.

    python benchmarks/freedarts_alpha.py --images cifar10 --draws 16

One mixed supernet of NAS-Bench-201 at its initialisation and one batch, so that nothing but alpha differs. The columns:
Kendall's tau over all 15,625 strings between scores of two draws of alpha from the normal distribution (deviation
0.001, as was published); between the means of two halves of the draws; between scores of normal alpha and the sum of
its absolute values alone; between scores of the mean of all draws and of constant alpha. Prints Markdown.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from benchsuite.analysis.correlation import kendall_tau
from benchsuite.core.supernet import NONE
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.differentiable.saliency import SALIENCIES
from benchsuite.estimators.differentiable.saliency_training import SaliencyTraining
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.spaces.nasbench201.strings import EDGES, OPERATIONS

Array = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    options = _options()
    torch.set_num_threads(1)
    space, images = NASBench201(options.channels, options.cells), load_images(options.images)
    print(f"{options.images}, {options.channels} channels, {options.cells} cells a stage, {options.draws} draws\n")
    print("| saliency | two draws | means of half the draws | draw and its sizes | all draws and constant alpha |")
    print("|---" + "|--:" * 4 + "|")
    for name in SALIENCIES:
        training = SaliencyTraining(saliency=name, alpha="normal", draws=options.draws, batch=options.batch)
        drawn = training.trainer(space, images, 0)
        alphas = [alpha["cell"].double().numpy() for alpha in drawn.alphas]
        found = [SALIENCIES[name](drawn.supernet, alpha, drawn.batch)["cell"].numpy() for alpha in drawn.alphas]
        ones = {"cell": torch.ones(len(EDGES), len(OPERATIONS))}
        constant = SALIENCIES[name](drawn.supernet, ones, drawn.batch)["cell"].numpy()
        print(f"| {name} | " + " | ".join(f"{tau:.2f}" for tau in compare(alphas, found, constant)) + " |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", default="digits", help="image set (default: %(default)s)")
    for name, default, text in (
        ("draws", 16, "draws of normal alpha, an even number"),
        ("channels", 16, "channels of the first stage"),
        ("cells", 1, "cells a stage"),
        ("batch", 64, "images in the batch"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default: %(default)s)")
    return parser.parse_args()


def compare(alphas: list[Array], found: list[Array], constant: Array) -> tuple[float, float, float, float]:
    """The four taus, from draws of alpha, the saliencies that each gives and those of constant alpha.

    All are of shape (edges, operations).
    """
    scores = [string_scores(table) for table in found]
    halves = [np.mean(found[start::2], axis=0) for start in (0, 1)]
    counts = np.array([float(name != NONE) for name in OPERATIONS])
    sizes = [string_scores(np.abs(alpha) * counts) for alpha in alphas]
    return (
        fmean(kendall_tau(one, other) for one, other in pairwise(scores)),
        kendall_tau(*map(string_scores, halves)),
        fmean(kendall_tau(score, size) for score, size in zip(scores, sizes, strict=True)),
        kendall_tau(string_scores(np.mean(found, axis=0)), string_scores(constant)),
    )


def string_scores(table: Array) -> Array:
    """Sum of the saliencies of each of the 15,625 strings, in the order of their operations."""
    places = np.indices((len(OPERATIONS),) * len(EDGES)).reshape(len(EDGES), -1)
    total: Array = table[np.arange(len(EDGES))[:, None], places].sum(0)
    return total


if __name__ == "__main__":
    main()
