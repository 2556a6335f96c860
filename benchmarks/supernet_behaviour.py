"""What sharing weights does with and without SCARLET's stabiliser: forgetting, gradients, how alike choices are.

    python benchmarks/supernet_behaviour.py --space macro --images cifar10 --sizes channels=8 head=64 --epochs 20

Small supernets are trained on the same images, once for each stabiliser and seed: none, skip (which begins as the
identity), skip:he (drawn as SCARLET's authors draw it). Forgetting: the validation accuracy
of an architecture after an epoch less that right after its own update, mean and variance over some updates of the
epoch. Gradients: the cosine between two architectures, over the pairs of some drawn ones, on one batch, in layers that
both use. Features: the cosine between what the skip (or its stabiliser) and the other choices give for the same
features, and between the others. All of them after the last epoch, means and sample deviations over seeds. Prints
Markdown; --out takes a folder for the tables as CSV, every pair in a row, written after each training: the same command
goes on with those that are missing.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from benchsuite.core.errors import SuiteError
from benchsuite.core.files import write_frame, write_text
from benchsuite.core.registry import make_space
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.one_shot.behaviour import (
    WatchedTrainer,
    feature_similarity,
    forgetting_values,
    gradient_similarity,
)
from benchsuite.estimators.one_shot.training import PathTraining
from benchsuite.estimators.supernets.split import Split
from benchsuite.report.render.markdown import indexed

if TYPE_CHECKING:
    Tables = dict[str, pd.DataFrame]

SINGLE = ("epochs", "batch", "shrink", "augmentation", "sampling", "lr")  # hyperparameters of the training
TABLES = ("curve", "forgetting", "gradients", "features")
PROTOCOL = "protocol.txt"


def main() -> None:
    """Train, measure, write and print."""
    options = _options()
    torch.set_num_threads(1)
    protocol = described(options)
    tables = {} if options.out is None else earlier(options.out, protocol)
    for run in ((name, seed) for name in options.stabilisers for seed in range(options.seeds)):
        if run not in finished(tables):
            tables = joined(tables, labelled(measure(options, *run), *run))
            if options.out is not None:
                write(options.out, protocol, tables)
    print(f"{protocol}; {options.seeds} seeds", end="\n\n")
    for title, found in summaries(tables).items():
        print(f"{title}\n\n{indexed(found)}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="macro", help="a registered space with skips")
    parser.add_argument("--sizes", nargs="*", default=["channels=8", "head=64"], help="of its networks: name=number")
    parser.add_argument("--images", default="digits", help="image set")
    parser.add_argument("--training-images", type=int, default=512, help="of them, to train with")
    parser.add_argument("--validating", type=int, default=200, help="of them, to validate with")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    parser.add_argument("--batch", type=int, default=64, help="images in an update and in the batch of gradients")
    parser.add_argument("--shrink", type=int, default=1, help="images are averaged over so many pixels a side")
    parser.add_argument("--augmentation", default="crop+flip", help="crop+flip, crop or none")
    parser.add_argument("--lr", type=float, default=0.05, help="learning rate")
    parser.add_argument("--sampling", default="uniform", help="uniform, class or fair")
    parser.add_argument("--stabilisers", nargs="+", default=["none", "skip", "skip:he"], help="to compare")
    parser.add_argument("--seeds", type=int, default=2, help="trainings with each")
    parser.add_argument("--watched", type=int, default=4, help="updates of an epoch whose forgetting is measured")
    parser.add_argument("--architectures", type=int, default=10, help="drawn for gradients and features")
    parser.add_argument("--out", type=Path, help="folder for CSV files")
    return parser.parse_args()


def described(options: argparse.Namespace) -> str:
    """What all trainings have in common, and what is measured of them."""
    trained = training(options, "none").words(options.training_images, load_images(options.images).dataset.size)
    return (
        f"{options.space}, {' '.join(options.sizes) or 'full size'}, {options.images}; {trained}; "
        f"{options.validating} validation images, {options.watched} updates of an epoch watched, "
        f"{options.architectures} architectures drawn"
    )


def training(options: argparse.Namespace, stabiliser: str) -> PathTraining:
    """Hyperparameters of one training; the stabiliser's start, if it is no identity, stands after a colon."""
    chosen: dict[str, Any] = {name: getattr(options, name) for name in SINGLE}
    name, _, start = stabiliser.partition(":")
    return PathTraining(
        images=options.training_images,
        stabiliser=name,
        stabiliser_start=start or "identity",
        kept=1,
        accumulation="sum" if options.sampling == "fair" else "mean",
        **chosen,
    )


def measure(options: argparse.Namespace, stabiliser: str, seed: int) -> Tables:
    """The curve, forgetting, gradients and features of one training, a table each."""
    space = make_space(options.space, {name: int(size) for name, _, size in (s.partition("=") for s in options.sizes)})
    images, chosen = load_images(options.images), training(options, stabiliser)
    trainer = WatchedTrainer(space, images, chosen, seed, watched=options.watched, validating=options.validating)
    for _ in range(chosen.epochs):
        trainer.run_epoch()
    rng = np.random.default_rng(0)  # the same architectures for all trainings
    architectures = [space.draw(rng) for _ in range(options.architectures)]
    validation = Split.validation(images, options.validating, options.shrink, "cpu")
    inputs, targets = next(validation.in_order(options.batch))
    return {
        "curve": pd.DataFrame(trainer.curve),
        "forgetting": pd.DataFrame(trainer.seen),
        "gradients": gradient_similarity(trainer.supernet, architectures, inputs, targets),
        "features": feature_similarity(trainer.supernet, space.skips[0], architectures, inputs),
    }


def labelled(tables: Tables, stabiliser: str, seed: int) -> Tables:
    """The tables with two columns more."""
    return {name: table.assign(stabiliser=stabiliser, seed=seed) for name, table in tables.items()}


def joined(tables: Tables, others: Tables) -> Tables:
    """One table of each kind."""
    return {name: pd.concat([*([tables[name]] if tables else []), other]) for name, other in others.items()}


def finished(tables: Tables) -> set[tuple[str, int]]:
    """Stabiliser and seed of the trainings that are in all tables."""
    runs = [set(table[["stabiliser", "seed"]].itertuples(index=False, name=None)) for table in tables.values()]
    return set.intersection(*runs) if runs else set()


def earlier(folder: Path, protocol: str) -> Tables:
    """What an earlier run of the same protocol has written of whole trainings; no tables if there was none."""
    file = folder / PROTOCOL
    if not file.is_file():
        return {}
    if file.read_text(encoding="utf-8") != protocol:
        raise SuiteError(f"{folder} has tables of another protocol, see {PROTOCOL}; choose another folder")
    text = dict.fromkeys(("architecture", "first", "second"), str)  # some strings are digits alone
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=text) for name in TABLES}
    whole = finished(tables)  # the last training may be in some tables alone
    return {
        name: table[[run in whole for run in zip(table["stabiliser"], table["seed"], strict=True)]]
        for name, table in tables.items()
    }


def write(folder: Path, protocol: str, tables: Tables) -> None:
    """Write the tables, and what they are of."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_frame(folder / f"{name}.csv", table)
    write_text(folder / PROTOCOL, protocol)


def summaries(tables: Tables) -> Tables:
    """Tables to print, by title: a column for each stabiliser, mean and deviation over seeds of each figure."""
    gradients = tables["gradients"].assign(part=tables["gradients"]["layer"].map(part))
    features = tables["features"]
    skip = features["first"].iloc[0]
    kind = np.where(features["first"] == skip, f"{skip} and others", "others")
    runs = tables["forgetting"].groupby(["stabiliser", "seed"])
    forgetting = pd.concat({run: forgetting_values(group) for run, group in runs}, names=runs.keys)
    return {
        "Training accuracy, percent": over_seeds(tables["curve"], "epoch", "accuracy"),
        "Forgetting value, percent points, mean over architectures": over_seeds(forgetting, "epoch", "mean"),
        "Forgetting value, variance over architectures": over_seeds(forgetting, "epoch", "variance"),
        "Forgetting value over epochs": over_seeds(
            pd.concat([_over_epochs(forgetting, how) for how in ("mean", "var")]), "over epochs", "value"
        ),
        "Cosine of gradients of two architectures": over_seeds(gradients, "part", "cosine"),
        "Cosine of features": over_seeds(features.assign(choices=features["place"] + ", " + kind), "choices", "cosine"),
        "Cosine of features, all places": over_seeds(features.assign(choices=kind), "choices", "cosine"),
    }


def _over_epochs(forgetting: pd.DataFrame, how: str) -> pd.DataFrame:
    """Mean or variance over the epochs of the mean forgetting value of each run."""
    values = forgetting.groupby(["stabiliser", "seed"])["mean"].agg(how)
    return values.rename("value").reset_index().assign(**{"over epochs": {"mean": "mean", "var": "variance"}[how]})


def part(layer: str) -> str:
    """The part of a network that a layer belongs to: its name to the first number.

    >>> part("network.layers.3.MB3_K3.convolutions.0"), part("network.classifier")
    ('network.layers.3', 'network.classifier')
    """
    return re.sub(r"(\.\d+)\..*", r"\1", layer)


def over_seeds(table: pd.DataFrame, by: str, figure: str) -> pd.DataFrame:
    """Mean and sample deviation over seeds of a figure's means: "mean ± deviation", a column for each stabiliser."""
    means = table.groupby([by, "stabiliser", "seed"], sort=False)[figure].mean()
    found = means.groupby([by, "stabiliser"], sort=False).agg(["mean", "std"])
    text = [f"{row['mean']:.3f} ± {row['std']:.3f}" for _, row in found.iterrows()]
    return pd.Series(text, index=found.index).unstack("stabiliser", fill_value="", sort=False)  # noqa: PD010 - of text


if __name__ == "__main__":
    main()
