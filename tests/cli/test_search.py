"""`benchsuite search` as a user runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchsuite.analysis.standing import true_accuracies
from benchsuite.benchmark import import_table
from benchsuite.cli.app import app
from benchsuite.core.errors import BenchsuiteError
from benchsuite.core.registry import make_space
from benchsuite.estimators.differentiable.trainer import MixedTrainer
from benchsuite.estimators.supernets.folder import TrainingFolder
from benchsuite.running.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from benchsuite.estimators.supernets.epoch import Epoch

SMALL = ("--budget", "12", "--population", "4", "--sizes", "channels=2,cells=1")
ON_DIGITS = ("--dataset", "digits")
CELL = "+".join(["|skip_connect~0|sep_conv_3x3~1|"] * 4)
ONE_EPOCH = ("--parameters", "training={epochs=1, images=256, batch=64}, images=100, readout='loss'")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where the store and the reports go


def search(space: str, estimator: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["search", space, "--estimator", estimator, *arguments])


def found(tmp_path: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(tmp_path / "benchsuite-reports" / name / "evaluated.csv", dtype={"architecture": str})


def test_supernet_is_trained_once_then_searched_and_reported(tmp_path: Path) -> None:
    first = search("nasbench201", "scarlet", *ON_DIGITS, *SMALL, *ONE_EPOCH)
    assert first.exit_code == 0, first.output
    assert "12 architectures evaluated, 12 of them now" in first.output
    folder = tmp_path / "benchsuite-reports" / "search-nasbench201-scarlet-nsga2"
    rows = found(tmp_path, folder.name)
    assert rows["architecture"].is_unique
    assert rows["order"].tolist() == list(range(1, 13))
    assert (rows["score"] < 0).all()  # minus the loss
    front = pd.read_csv(folder / "front.csv")
    assert set(front["architecture"]) <= set(rows["architecture"])
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Reduced networks with channels 2, cells 1" in page
    assert "only 200 architectures of the space have ground truth" in page
    (weights,) = (tmp_path / ".benchsuite" / "trainings").glob("*/epoch_0001.pt")
    written = weights.stat().st_mtime_ns
    again = search("nasbench201", "scarlet", *ON_DIGITS, *SMALL, *ONE_EPOCH)
    assert "12 architectures evaluated, 0 of them now" in again.output
    assert weights.stat().st_mtime_ns == written
    pd.testing.assert_frame_equal(found(tmp_path, folder.name), rows)


def test_supernet_is_loaded_once_for_all_children_of_an_evolution(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int] = []
    weights = TrainingFolder.weights
    monkeypatch.setattr(TrainingFolder, "weights", lambda self, epoch: loaded.append(epoch) or weights(self, epoch))
    result = search("nasbench201", "uniform", *ON_DIGITS, *SMALL, *ONE_EPOCH, "--algorithm", "evolution")
    assert "12 architectures evaluated, 12 of them now" in result.output
    assert loaded == [1]


@pytest.mark.parametrize(("estimator", "algorithm"), [("flops", "random"), ("synflow", "evolution")])
def test_larger_budget_goes_on_from_stored_scores(estimator: str, algorithm: str, tmp_path: Path) -> None:
    arguments = (*ON_DIGITS, *SMALL, "--images", "noise", "--algorithm", algorithm)
    assert search("nasbench201", estimator, *arguments).exit_code == 0
    name = f"search-nasbench201-{estimator}-{algorithm}"
    before = found(tmp_path, name)
    more = search("nasbench201", estimator, *arguments, "--budget", "15")
    assert "15 architectures evaluated, 3 of them now" in more.output
    pd.testing.assert_frame_equal(found(tmp_path, name).head(12), before)


def test_scores_of_size_estimators_are_the_sizes(tmp_path: Path) -> None:
    assert search("nasbench201", "params", *ON_DIGITS, *SMALL).exit_code == 0
    rows = found(tmp_path, "search-nasbench201-params-nsga2")
    assert (rows["score"] == rows["params"]).all()


def test_known_truth_gives_accuracies_and_regret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "data"))
    names = list(make_space("macro").architectures())
    accuracy = np.random.default_rng(0).uniform(50, 90, len(names))
    truth = pd.DataFrame({"architecture": names, "accuracy": accuracy})
    truth.to_csv(tmp_path / "own.csv", index=False)
    import_table(tmp_path / "own.csv", "macro/cifar10", title="made up")
    result = search("macro", "params", "--budget", "12", "--population", "4")
    assert result.exit_code == 0, result.output
    rows = found(tmp_path, "search-macro-params-nsga2").set_index("architecture")
    known = truth.set_index("architecture")["accuracy"]
    np.testing.assert_allclose(rows["accuracy"], known[rows.index])
    curves = pd.read_csv(tmp_path / "benchsuite-reports" / "search-macro-params-nsga2" / "regret.csv")
    own = curves[curves["method"] == "this search"]["regret"].to_numpy()
    assert own[-1] == pytest.approx(known.max() - known[rows["score"].idxmax()])
    page = (tmp_path / "benchsuite-reports" / "search-macro-params-nsga2" / "report.md").read_text(encoding="utf-8")
    assert "regularised evolution on the ground truth" in page
    assert (tmp_path / "benchsuite-reports" / "search-macro-params-nsga2" / "figures" / "regret.svg").is_file()


def test_data_set_without_benchmark_is_searched_without_truth(tmp_path: Path) -> None:
    result = search("scarlet", "flops", "--dataset", "digits", "--budget", "6", "--population", "3")
    assert result.exit_code == 0, result.output
    rows = found(tmp_path, "search-scarlet-flops-nsga2")
    assert "accuracy" not in rows
    assert rows["depth"].between(6, 19).all()
    page = (tmp_path / "benchsuite-reports" / "search-scarlet-flops-nsga2" / "report.md").read_text(encoding="utf-8")
    assert "no benchmark named 'scarlet/digits'" in page.replace("\\", "")
    assert "Ground truth" not in page


def test_estimator_that_always_fails_says_why(tmp_path: Path) -> None:
    plugin = tmp_path / "broken.py"
    plugin.write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "from benchsuite import ZeroShotEstimator\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Broken(ZeroShotEstimator):\n"
        "    name: ClassVar[str] = 'broken_for_search'\n"
        "    def score(self, probe):\n"
        "        raise ValueError('no luck')\n",
        encoding="utf-8",
    )
    result = search(
        "nasbench201", "broken_for_search", *ON_DIGITS, *SMALL, "--images", "noise", "--plugin", str(plugin)
    )
    assert isinstance(result.exception, BenchsuiteError)
    assert str(result.exception) == "broken_for_search scored 0 of 12 architectures: ValueError: no luck"
    with Store(tmp_path / ".benchsuite") as store:
        assert store.counts()["failed"] == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nasbench201", "params", "--algorithm", "nsga3"), r"no algorithm named 'nsga3'. Did you mean 'nsga2'\?"),
        (("nasbench201", "params", "--algorithm", "own"), "params is not one; choose random, evolution or nsga2"),
        (
            ("nasbench201", "darts", "--algorithm", "own", "--parameters", "supernets=2, averaged=2", *ON_DIGITS),
            "only training may be set; remove: averaged, supernets",
        ),
        (("nasbench201", "params", "--budget", "10"), "budget = 10, population = 20; the population must"),
        (("nasbench201", "params", "--objectives", "score,-flops"), "no objective named 'flops'"),
        (("nasbench201", "params", "--parameters", "a=b"), "is not valid TOML"),
        (("nasbench201", "synflow", "--parameters", "lag=true", *ON_DIGITS), "no parameter of estimator 'synflow'"),
        (("nasbench201", "early_accuracy", *ON_DIGITS), "reads the ground truth of trained architectures"),
        (("nasbench101", "fair", *ON_DIGITS), "table of choices"),
        (("nasbench2001", "params"), "no space named 'nasbench2001'. Did you mean 'nasbench201'"),
        (("nasbench201", "params", "--dataset", "digit"), "no image set named 'digit'"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    result = search(*arguments)
    assert isinstance(result.exception, BenchsuiteError), result.output
    assert re.search(message, str(result.exception))
    assert "\n" not in str(result.exception)


SEARCHED = ("--sizes", "channels=4,cells=1", *ON_DIGITS, "--algorithm", "own")
TWO_EPOCHS = "training={epochs=2, images=64, batch=32, augmentation='none', alpha_lr=0.02}"


def test_a_method_chooses_by_its_own_rule_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_epoch = MixedTrainer.run_epoch

    def stopped(trainer: MixedTrainer) -> Epoch:
        if trainer.epoch:
            raise KeyboardInterrupt
        return run_epoch(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(MixedTrainer, "run_epoch", stopped)
        first = search("nasbench201", "pc_darts", *SEARCHED, "--parameters", TWO_EPOCHS)
    assert first.exit_code == 130
    assert "epoch 1: " in first.output
    second = search("nasbench201", "pc_darts", *SEARCHED, "--parameters", TWO_EPOCHS)
    assert second.exit_code == 0, second.output
    assert re.search(r"epoch 1: .*\nepoch 2: ", second.output)
    folder = tmp_path / "benchsuite-reports" / "search-nasbench201-pc_darts-own"
    derived = pd.read_csv(folder / "derived.csv")
    assert derived["epoch"].tolist() == [1, 2]
    assert f"{derived['architecture'].iloc[-1]}" in second.output
    alpha = pd.read_csv(folder / "alpha.csv")
    assert len(alpha) == 2 * 6 * 6  # epochs, edges, operations with the edge's share
    for name in ("cells", "skips", "alignment", "probabilities"):
        assert (folder / "figures" / f"{name}.svg").is_file()
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "alpha frozen for 1 epochs" in page
    third = search("nasbench201", "pc_darts_likelihood", *SEARCHED, "--parameters", TWO_EPOCHS)
    assert third.output.split("report:")[0] == second.output.split("report:")[0]  # the training is read
    read = tmp_path / "benchsuite-reports" / "search-nasbench201-pc_darts_likelihood-own"
    memory = pd.read_csv(read / "curve.csv")["peak_memory"].median()  # of the training, not of what reads it
    said = f"{memory:,.0f} MiB" if memory > 0 else "not known"
    assert f"**memory of an epoch, above what was held**: {said}" in (read / "report.md").read_text(encoding="utf-8")


def test_what_a_method_chose_has_its_true_accuracy_and_percentile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "data"))
    space = make_space("nasbench201")
    names = sorted(space.every_string())
    truth = pd.DataFrame({"architecture": names, "accuracy": np.linspace(10, 90, len(names))})
    truth.to_csv(tmp_path / "own.csv", index=False)
    import_table(tmp_path / "own.csv", "nasbench201/cifar10", title="made up")
    arguments = ("--sizes", "channels=4,cells=1", "--images", "digits", "--algorithm", "own", "--out", "found")
    result = search("nasbench201", "darts", *arguments, "--parameters", TWO_EPOCHS.replace("epochs=2", "epochs=1"))
    assert result.exit_code == 0, result.output
    row = pd.read_csv("found/derived.csv").iloc[-1]
    place = names.index(row["architecture"])
    assert row["accuracy"] == pytest.approx(np.linspace(10, 90, len(names))[place])
    assert f"true accuracy {row['accuracy']:.2f} %, percentile {100 * place / len(names):.1f}" in result.output


def test_a_choice_that_only_the_supernet_knows_has_no_truth_and_no_alignment(tmp_path: Path) -> None:
    """With S4 of RobustDARTS whole cells of noise may be chosen; the one normal cell has none to be aligned with."""
    parameters = "training={epochs=2, images=64, batch=32, augmentation='none', operations='S4'}"
    sizes = ("--sizes", "channels=2,cells=3", *ON_DIGITS, "--algorithm", "own", "--out", "found")
    result = search("nasbench301", "darts", *sizes, "--parameters", parameters)
    assert result.exit_code == 0, result.output
    assert "skips, alignment \N{EN DASH}, |" in result.output
    architecture = pd.read_csv("found/derived.csv")["architecture"].iloc[-1]
    assert "noise" in architecture  # of 16 operations
    text = (tmp_path / "found" / "report.md").read_text(encoding="utf-8")
    assert "it is not an architecture of the space (unknown NAS-Bench-301 operation 'noise'" in text
    assert "The mean layer alignment" not in text
    truth = pd.Series({f"{CELL}/{CELL}": 90.0})
    found = true_accuracies(pd.Series([architecture, f"{CELL}/{CELL}"]), make_space("nasbench301"), truth, truth)
    assert found.isna().tolist() == [True, False]


def test_a_choice_without_training_is_not_said_to_be_trained(tmp_path: Path) -> None:
    result = search("nasbench201", "freedarts_snip", *SEARCHED, "--out", "found")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "found" / "report.md").read_text(encoding="utf-8")
    rule = "the architecture whose operations have the largest saliencies on their edges in the untrained supernet"
    assert text.count(rule) == 2  # at the top and in the protocol
    assert "architecture parameters prefer" not in text
    assert "is trained" not in text


@pytest.mark.parametrize("estimator", ["uniform", "synflow"])
def test_methods_that_choose_nothing_are_refused(estimator: str) -> None:
    result = search("nasbench201", estimator, *SEARCHED)
    assert isinstance(result.exception, BenchsuiteError), result.output
    assert f"{estimator} is not one; choose random, evolution or nsga2" in str(result.exception)
