"""What more validation batches and longer trainings change in the rankings that supernets give.

    python benchmarks/validation_batches.py one-shot.toml --store .benchsuite --architectures 1000

Reads the finished trainings of a suite anew, those of its second stages left out: all kept epochs on the same
validation batches. Prints Markdown, means and sample deviations over seeds: tau and P@top 5 % to the truth of accuracy
and loss on the first 1, 2, ... batches, by the last epoch; tau between the accuracies of every two epochs on all
batches, and P@top 5 % of each with the next one for truth. --out takes a folder for the figures of each seed as CSV.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchsuite.analysis.correlation import kendall_tau
from benchsuite.analysis.top_k import precision_at_top
from benchsuite.analysis.variance import ranking_stability
from benchsuite.data.images.minibatches import load_images
from benchsuite.estimators.supernets.protocols import SHARED
from benchsuite.estimators.supernets.readouts import Evaluation, ValidationReadout
from benchsuite.estimators.supernets.split import Split
from benchsuite.estimators.torchtools.devices import one_thread
from benchsuite.report.render.markdown import indexed
from benchsuite.running.store import Store
from benchsuite.suites.plan import make_plan
from benchsuite.suites.schema import load_suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchsuite.estimators.supernets.task import TrainingTask
    from benchsuite.suites.plan import BenchmarkPlan

    Readouts = Mapping[str, ValidationReadout]  # by architecture

READOUTS = {"accuracy": lambda readout: readout.accuracy, "loss": lambda readout: -readout.loss}
TOP = 0.05


def main() -> None:
    """Read, print and write."""
    options = _options()
    plan = make_plan(load_suite(options.suite), limit=options.architectures)
    tables: dict[str, list[pd.DataFrame]] = defaultdict(list)
    with Store(options.store, create=False) as store, one_thread():
        for part in plan.benchmarks:
            for title, sources in finished(part, store.trainings).items():
                print(f"## {part.benchmark.name}, {title}: {part.sample}, {len(sources)} seeds\n")
                for name, table in compare(part, sources, store.trainings, options).items():
                    print(f"{indexed(over_seeds(table))}\n")
                    tables[name].append(table.assign(benchmark=part.benchmark.name, training=title).reset_index())
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, found in tables.items():
            pd.concat(found).to_csv(options.out / f"{name}.csv", index=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", help="name or file of the suite whose supernets are read")
    parser.add_argument("--store", type=Path, required=True, help="folder of the scores and trainings")
    parser.add_argument("--architectures", type=int, help="only the first ones of each benchmark's sample")
    parser.add_argument("--batch", type=int, default=100, help="validation images in a batch")
    parser.add_argument("--batches", type=int, default=10, help="the largest number of them")
    parser.add_argument("--out", type=Path, help="folder for CSV files")
    return parser.parse_args()


def finished(part: BenchmarkPlan, root: str) -> dict[str, list[TrainingTask]]:
    """Finished trainings of a benchmark that differ in their seeds alone, by the title of an estimator they serve."""
    titles, sources = {}, {}
    for trial in part.trials:
        for source in trial.trainings:
            titles.setdefault(source.training, trial.title)
            sources[source.key] = source
    found: dict[str, list[TrainingTask]] = {}
    for source in sources.values():
        if source.finished(root):
            found.setdefault(titles[source.training], []).append(source)
    return found


def compare(
    part: BenchmarkPlan, sources: Sequence[TrainingTask], root: str, options: argparse.Namespace
) -> dict[str, pd.DataFrame]:
    """A table of figures by batches and one by epochs, a column for each seed."""
    choice = part.choice
    truth = part.benchmark.truth(epochs=choice.truth.epochs, split=choice.truth.split, pool=choice.architectures.pool)
    by_batches, by_epochs = {}, {}
    for source in sources:
        epochs = read(source, root, part.architectures, options)
        by_batches[source.seed] = against_batches(epochs[max(epochs)], truth)
        by_epochs[source.seed] = between_epochs(epochs)
    return {"batches": pd.DataFrame(by_batches), "epochs": pd.DataFrame(by_epochs)}


def read(
    source: TrainingTask, root: str, architectures: Sequence[str], options: argparse.Namespace
) -> dict[int, Readouts]:
    """Readouts of the architectures by the weights of each kept epoch of the first stage."""
    images, training = load_images(source.images), source.training
    validation = Split.validation(images, options.batch * options.batches, training.shrink, "cpu")
    found = {}
    for epoch in (kept for kept in training.kept_epochs() if kept <= training.epochs):
        supernet = source.supernet([source.folder(root).weights(epoch)[SHARED]])
        readouts = Evaluation(supernet, validation, validation, batch=options.batch).readouts(architectures)
        found[epoch] = dict(zip(architectures, readouts, strict=True))
    return found


def against_batches(readouts: Readouts, truth: pd.Series[float]) -> pd.Series[float]:
    """Figures by readout, number of batches and criterion."""
    known = truth.loc[list(readouts)].to_numpy()
    found = {}
    for number in range(1, 1 + min(len(readout.batches) for readout in readouts.values())):
        first = [ValidationReadout(readout.batches[:number], 0.0) for readout in readouts.values()]
        for readout, score in READOUTS.items():
            scores = [score(readout) for readout in first]
            found[readout, number, "tau"] = kendall_tau(scores, known)
            found[readout, number, "P@top 5 %"] = precision_at_top(scores, known, TOP)
    return pd.Series(found).rename_axis(["readout", "batches", "figure"])


def between_epochs(epochs: Mapping[int, Readouts]) -> pd.Series[float]:
    """Tau between the accuracies of every two epochs; P@top of each epoch with the next one for truth."""
    scores = pd.DataFrame({epoch: {name: each.accuracy for name, each in of.items()} for epoch, of in epochs.items()})
    taus = ranking_stability(scores)
    found = {(epoch, f"tau to epoch {other}"): taus.loc[epoch, other] for other in taus for epoch in taus.index}
    for epoch, following in pairwise(epochs):
        found[epoch, "P@top 5 % of the next"] = precision_at_top(scores[epoch], scores[following], TOP)
    return pd.Series(found).rename_axis(["epoch", "figure"])


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and sample deviation over the columns as text, figures side by side."""
    text = [f"{mean:.3f} ± {std:.3f}" for mean, std in zip(table.mean(axis=1), table.std(axis=1), strict=True)]
    shown = pd.Series(text, index=table.index)
    return shown.unstack("figure", fill_value="", sort=False).sort_index()  # noqa: PD010 - of text


if __name__ == "__main__":
    main()
