from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from judged import judge
from scipy import stats
from scripts import FOLDER, script
from small import write_table

from benchsuite.benchmark import import_table, load_benchmark
from benchsuite.core.errors import DataCorruptError, DataMissingError, SuiteError, UnknownNameError
from benchsuite.report.collect import collect
from benchsuite.running.score_files import import_scores
from benchsuite.running.store import Store
from benchsuite.spaces.nasbench201.space import NASBench201
from benchsuite.suites.plan import make_plan
from benchsuite.suites.schema import TruthChoice, load_suite
from benchsuite.suites.stored import StoredSuite

BENCHMARK = "nasbench201/digits"
CORRELATIONS = (
    ("kendall_tau", stats.kendalltau),
    ("spearman_rho", stats.spearmanr),
    ("pearson_r", stats.pearsonr),
)


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TruthChoice:
    """The made-up accuracies of 40 classes."""
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "data"))
    return TruthChoice(table=str(write_table(tmp_path)))


@pytest.fixture
def names(truth: TruthChoice) -> list[str]:
    """The classes in the order of their accuracies."""
    return load_benchmark("nasbench201", "digits", table=truth.table).truth().sort_values().index.tolist()


def score_file(folder: Path, rows: list[tuple[object, ...]], *, columns: str = "estimator architecture score") -> Path:
    file = folder / "mine.csv"
    pd.DataFrame(rows, columns=columns.split()).assign(benchmark=BENCHMARK).to_csv(file, index=False)
    return file


def test_a_file_of_scores_is_judged_like_an_estimator(tmp_path: Path, truth: TruthChoice, names: list[str]) -> None:
    rng = np.random.default_rng(0)
    noisy = {seed: np.arange(40) + rng.normal(0, 15, 40).round() for seed in (0, 1)}
    rows = [("mine", name, noisy[seed][i], seed) for seed in noisy for i, name in enumerate(names)]
    file = score_file(tmp_path, rows, columns="estimator architecture score seed")
    with Store(tmp_path / "store") as store:
        done = import_scores(store, file, truth=truth)
        (results,) = collect(store, "mine").benchmarks
    assert (done.suite, done.scores, done.estimators, done.notes) == ("mine", 80, 1, ())
    assert results.population == "the 40 of 40 string classes with ground truth that the file scores"
    board = judge(results).leaderboard.set_index("estimator")
    accuracies = results.truth.reindex(names)
    taus = [stats.kendalltau(column, accuracies).statistic for column in noisy.values()]
    assert board.loc["mine", "kendall_tau"] == pytest.approx(np.mean(taus))
    assert board.loc["mine", "kendall_tau_standard_deviation"] == pytest.approx(np.std(taus, ddof=1))
    assert {"params", "flops"} <= set(board.index)
    assert np.isnan(board.loc["mine", "cpu_seconds"])


def test_empty_scores_are_undefined_and_infinite_ones_are_ordered(
    tmp_path: Path, truth: TruthChoice, names: list[str]
) -> None:
    values = ["", "nan", "inf", *range(37)]
    file = score_file(tmp_path, [("mine", name, value) for name, value in zip(names, values, strict=True)])
    with Store(tmp_path / "store") as store:
        import_scores(store, file, truth=truth)
        scores = collect(store, "mine").benchmarks[0].scores.set_index("architecture")
    assert scores["status"].value_counts().to_dict() == {"ok": 38, "undefined": 2}
    assert scores.loc[names[2], "value"] == np.inf


def test_architectures_become_those_of_the_space_and_unknown_ones_are_left_out_in_one_line(
    tmp_path: Path, truth: TruthChoice, names: list[str]
) -> None:
    space = NASBench201()
    alike = next(text for text in space.every_string() if text not in names and space.canonical(text) == names[7])
    rows = [("mine", name, i) for i, name in enumerate([*names[:7], alike, "no cell", "nor this"])]
    with Store(tmp_path / "store") as store:
        done = import_scores(store, score_file(tmp_path, rows), truth=truth)
        scores = collect(store, "mine").benchmarks[0].scores
    assert sorted(scores["architecture"]) == sorted(names[:8])
    said = (
        "mine.csv: 2 of 10 architectures have no ground truth in nasbench201/digits and are left out, such as 'no cell'"
    )
    assert done.notes == (said,)


def test_strings_of_one_class_are_judged_string_by_string(tmp_path: Path, truth: TruthChoice) -> None:
    space = NASBench201()
    strings = space.every_string()[:50]
    assert len({space.canonical(text) for text in strings}) < 50
    table = tmp_path / "strings.csv"
    pd.DataFrame({"architecture": strings, "accuracy": np.arange(50.0)}).to_csv(table, index=False)
    file = score_file(tmp_path, [("mine", text, i) for i, text in enumerate(strings)])
    with Store(tmp_path / "store") as store:
        import_scores(store, file, truth=TruthChoice(table=str(table)))
        (results,) = collect(store, "mine").benchmarks
    assert results.population == "the 50 of 50 architecture strings with ground truth that the file scores"
    assert results.truth.reindex(strings).tolist() == list(range(50))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda rows: rows.drop(columns="score"), SuiteError, "mine.csv lacks the column 'score'"),
        (lambda rows: rows.iloc[:0], SuiteError, "mine.csv is empty below its header"),
        (lambda rows: rows.assign(score="high"), SuiteError, "row 1: score is 'high'"),
        (lambda rows: rows.assign(estimator=["a", "a", " ", "a"]), SuiteError, "row 3: estimator is empty"),
        (lambda rows: rows.assign(estimator=["a", None, "a", "a"]), SuiteError, "row 2: estimator is empty"),
        (lambda rows: rows.assign(seed=0.5), SuiteError, "a seed is not an integer"),
        (lambda rows: rows.assign(benchmark="nasbench201"), UnknownNameError, "no benchmark named 'nasbench201'"),
        (lambda rows: rows.assign(architecture="x"), SuiteError, "1 of 1 architectures have no ground truth"),
        (lambda rows: pd.concat([rows, rows.iloc[[2]]]), SuiteError, "1 scores .* such as row 5, mine of"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(
    tmp_path: Path, truth: TruthChoice, names: list[str], change, error: type[Exception], message: str
) -> None:
    file = score_file(tmp_path, [("mine", name, i) for i, name in enumerate(names[:4])])
    change(pd.read_csv(file)).to_csv(file, index=False)
    with Store(tmp_path / "store") as store, pytest.raises(error, match=message) as raised:
        import_scores(store, file, truth=truth)
    assert "\n" not in str(raised.value)


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        with pytest.raises(DataMissingError):
            import_scores(store, tmp_path / "nowhere.csv")
        (tmp_path / "broken.parquet").write_text("no table")
        with pytest.raises(DataCorruptError):
            import_scores(store, tmp_path / "broken.parquet")


def test_imported_scores_never_meet_scores_of_the_same_name(
    tmp_path: Path, truth: TruthChoice, names: list[str]
) -> None:
    file = score_file(tmp_path, [("synflow", name, i) for i, name in enumerate(names)])
    suite = tmp_path / "small.toml"
    suite.write_text(
        'schema = 1\n[[benchmark]]\nspace = "nasbench201"\ndataset = "digits"\ntruth = {table = "table.csv"}\n'
        'batch = {images = "noise"}\n[[estimator]]\nname = "synflow"\n'
    )
    plan = make_plan(load_suite(suite))
    with Store(tmp_path / "store") as store:
        import_scores(store, file, truth=truth)
        assert all(not store.settled(trial.key) for trial in plan.benchmarks[0].trials)
        file.write_text(file.read_text().replace(",1,", ",1.5,"))
        import_scores(store, file, "corrected", truth)
        first, second = (collect(store, name).benchmarks[0].scores for name in ("mine", "corrected"))
        assert sorted(set(second["value"]) - set(first["value"])) == [1.5]
        assert store.check() == []


def test_the_name_of_a_suite_that_was_run_or_is_shipped_is_refused(
    tmp_path: Path, truth: TruthChoice, names: list[str]
) -> None:
    file = score_file(tmp_path, [("mine", name, i) for i, name in enumerate(names)])
    with Store(tmp_path / "store") as store:
        with pytest.raises(SuiteError, match="comes with benchsuite"):
            import_scores(store, file, "quickstart", truth)
        store.save_suite("run", StoredSuite("", "", ()))
        with pytest.raises(SuiteError, match="suite 'run' has been run with"):
            import_scores(store, file, "run", truth)
        import_scores(store, file, truth=truth)
        import_scores(store, file, truth=truth)  # again, in place of the first


def test_the_command_says_what_it_did_and_names_no_folder(tmp_path: Path, names: list[str], truth: TruthChoice) -> None:
    import_table(Path(str(truth.table)), BENCHMARK)
    score_file(tmp_path, [("mine", name, i) for i, name in enumerate(names)])
    code = "from benchsuite.cli import main; main()"
    command = [sys.executable, "-c", code, "scores", "import", str(tmp_path / "mine.csv"), "--store", "store"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert answer.returncode == 0, answer.stderr
    assert " ".join(answer.stdout.split()).endswith(
        "imported 40 scores of 1 estimators as suite mine; to judge them, run: benchsuite report mine"
    )
    with Store(tmp_path / "store") as store:
        told = collect(store, "mine").provenance["command"]
    assert told == "benchsuite scores import mine.csv --suite mine && benchsuite report mine"


def test_scores_can_be_judged_by_the_truth_of_another_data_set_too(
    tmp_path: Path, names: list[str], truth: TruthChoice
) -> None:
    import_table(Path(str(truth.table)), "nasbench201/cifar10")
    file = score_file(tmp_path, [("mine", name, i) for i, name in enumerate(names)])
    with Store(tmp_path / "store") as store:
        import_scores(store, file, truth=truth, transfer=["cifar10"])
        results = collect(store, "mine")
        with pytest.raises(UnknownNameError, match="svhn"):
            import_scores(store, file, truth=truth, transfer=["svhn"])
    assert "--transfer cifar10" in results.provenance["command"]
    known = load_benchmark("nasbench201", "cifar10").truth()
    pd.testing.assert_series_equal(results.benchmarks[0].elsewhere["cifar10"].sort_index(), known.sort_index())


def test_published_scores_are_judged_as_scipy_judges_them(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "data"))
    source, file = shared / "data" / "nasbench201_proxies_cifar10.parquet", tmp_path / "published-proxies.csv"
    monkeypatch.setattr(sys, "argv", ["published_proxies.py", str(source), str(file)])
    script("published_proxies").main()
    known = pd.read_parquet(shared / "data" / "nasbench201.parquet")
    known["accuracy"] = known["c10_test200_mean"]
    known = known[known["index"].isin(pd.read_parquet(source)["index"])]
    known[["architecture", "accuracy"]].to_csv(tmp_path / "truth.csv", index=False)
    with Store(tmp_path / "store") as store:
        import_scores(store, file, truth=TruthChoice(table=str(tmp_path / "truth.csv")))
        (results,) = collect(store, "published-proxies").benchmarks
    published = pd.read_parquet(source).merge(known[["index", "accuracy", "architecture"]], on="index")
    assert len(results.truth) == len(published) == 4722
    from benchsuite.report.criteria import criteria_by_k
    from benchsuite.report.runs import runs_of, with_size_baselines

    wanted = ["nwot", "jacob_cov", "plain", "params"]
    scores = with_size_baselines(results)
    table = criteria_by_k(runs_of(scores[scores["estimator"].isin(wanted)]), results.truth)
    for name, column in zip(wanted, ("nwot", "jacov", "plain", "params"), strict=True):
        rows = table[table["estimator"] == name].set_index(["criterion"])
        pair = published[column], published["accuracy"]
        for criterion, scipy_figure in CORRELATIONS:
            assert rows.loc[criterion, "value"] == pytest.approx(scipy_figure(*pair).statistic, abs=1e-9), criterion
        best = set(published.nlargest(236, "accuracy").index) & set(published.nlargest(236, column).index)
        top = rows.loc["precision_at_top"].set_index("k").loc[0.05, "value"]
        assert top == pytest.approx(len(best) / 236, abs=2 / 236)  # pandas breaks the few ties by row


def test_the_report_of_published_scores_says_what_scipy_computes(shared: Path) -> None:
    folder = FOLDER.parent / "reports" / "published-proxies"
    table = pd.read_csv(folder / "tables" / "criteria.csv").set_index(["estimator", "criterion"])["value"]
    known = pd.read_parquet(shared / "data" / "nasbench201.parquet")
    scores = pd.read_parquet(shared / "data" / "nasbench201_proxies_cifar10.parquet").rename(
        columns={"jacov": "jacob_cov"}
    )
    both = scores.drop(columns=["params", "flops"]).merge(known, on="index")
    both = both.rename(columns={"params_M_c10": "params"})
    names = [*scores.columns.difference(["index", "flops", "params"]), "params"]
    assert {*names, "flops"} == set(table.index.get_level_values("estimator"))
    for name in names:
        pair = both[name], both["c10_test200_mean"]
        for criterion, figure in CORRELATIONS:
            # the report's truth is the mean of single trainings, which the published means round
            assert table[name, criterion].item() == pytest.approx(figure(*pair).statistic, abs=1e-5), (name, criterion)
    assert "benchsuite scores import published-proxies.csv" in (folder / "report.md").read_text()
