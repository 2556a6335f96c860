from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small import write_suite

ROOT = Path(__file__).resolve().parents[2]


def _benchsuite(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchsuite", *arguments], capture_output=True, text=True, cwd=folder, check=False
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which a small suite has been run with the plug-in of the README."""
    folder = tmp_path_factory.mktemp("run")
    write_suite(folder)
    (folder / "mine.py").write_text(readme_plugin())
    return folder, _benchsuite("run", "small.toml", "--plugin", "mine.py", "--jobs", "1", folder=folder)


def readme_plugin() -> str:
    """The plug-in that the README shows."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (plugin,) = [block for block in blocks if "ZeroShotEstimator" in block]
    return str(plugin)


def test_the_six_lines_of_the_readme_run(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (lines,) = [block for block in blocks if "load_benchmark" in block]
    assert len([line for line in lines.splitlines() if line.strip()]) == 6
    answer = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "synflow" in answer.stdout
    assert "kendall_tau" in answer.stdout


def test_help_says_what_each_command_is_for(tmp_path: Path) -> None:
    answer = _benchsuite("--help", folder=tmp_path)
    assert answer.returncode == 0
    for command in ("run", "report", "list", "data", "truth", "scores", "store", "check", "doctor"):
        assert re.search(rf"^\W*{command}\s+\w", answer.stdout, re.MULTILINE), command
    assert "benchsuite run quickstart" in answer.stdout


def test_help_loads_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.argv = ['benchsuite', 'run', '--help']\nfrom benchsuite.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('torch', 'pandas', 'scipy', 'matplotlib', 'benchsuite.suites.schema')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_a_plugin_of_the_readme_has_at_most_15_lines_and_appears_in_the_report(
    ran: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, answer = ran
    assert answer.returncode == 0, answer.stderr
    assert len(readme_plugin().strip().splitlines()) <= 15
    assert "gradient_maximum" in (folder / "benchsuite-reports/small/index.html").read_text()
    assert r"gradient\_maximum" in (folder / "benchsuite-reports/small/report.md").read_text()
    assert str(folder / "benchsuite-reports/small/index.html") in answer.stdout


def test_the_report_can_be_written_again_without_the_plugin(
    ran: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    folder, _ = ran
    store = str(folder / ".benchsuite")
    answer = _benchsuite("report", "small", "--store", store, "--out", "again", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "gradient_maximum" in (tmp_path / "again/index.html").read_text()


def test_scores_are_exported(ran: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    folder, _ = ran
    for file in ("scores.csv", "scores.parquet"):
        answer = _benchsuite("scores", "export", "small", str(tmp_path / file), folder=folder)
        assert answer.returncode == 0, answer.stderr
    table = pd.read_csv(tmp_path / "scores.csv")
    assert len(table) == len(pd.read_parquet(tmp_path / "scores.parquet")) == 12 * (1 + 5 * 2)
    assert {"benchmark", "estimator", "seed", "architecture", "value"} <= set(table.columns)


def test_a_dry_run_says_what_is_missing_and_computes_nothing(tmp_path: Path) -> None:
    write_suite(tmp_path)
    answer = _benchsuite("run", "small.toml", "--dry-run", folder=tmp_path)
    assert "108 scores wanted, 0 held, 108 to compute" in answer.stdout, answer.stderr
    assert re.search(r"about \d+ CPU seconds", answer.stdout)
    assert "0 ok" in _benchsuite("store", "check", folder=tmp_path).stdout


def test_a_fast_run_lacks_what_networks_are_needed_for(ran: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    answer = _benchsuite("run", "small.toml", "--fast", "--dry-run", folder=ran[0])
    assert "108 scores wanted, 36 held, 72 to compute" in answer.stdout, answer.stderr


def test_stores_are_merged(ran: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    folder, _ = ran
    answer = _benchsuite("store", "merge", str(folder / ".benchsuite"), folder=tmp_path)
    assert answer.stdout.strip() == "copied 132 scores"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "quickstrat"), "Did you mean 'quickstart'"),
        (("run", "small.toml", "--plugin", "absent.py"), "absent.py does not exist"),
        (("run", "small.toml", "--scheduler", "tcp://127.0.0.1:9"), "no dask scheduler answers"),
        (("report", "small", "--store", "absent"), "found no store in absent"),
        (("scores", "export", "small", "scores.xlsx"), "'.xlsx'"),
    ],
)
def test_an_error_of_the_users_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    write_suite(tmp_path, number=2, estimators=("params",))
    answer = _benchsuite(*arguments, folder=tmp_path)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "Traceback" not in answer.stderr


def test_everything_can_be_listed(tmp_path: Path) -> None:
    answer = _benchsuite("list", folder=tmp_path)
    for word in ("nasbench201", "nasbench201/cifar10", "synflow", "kendall_tau", "quickstart"):
        assert word in answer.stdout
    listed = [
        "macro",
        "nasbench101",
        "nasbench201",
        "nasbench301",
        "nds_resnet",
        "nds_resnext_a",
        "nds_resnext_b",
        "nds_vanilla",
        "scarlet",
    ]
    assert _benchsuite("list", "spaces", folder=tmp_path).stdout.split() == listed


def test_the_doctor_finds_every_built_in_sound(tmp_path: Path) -> None:
    answer = _benchsuite("doctor", folder=tmp_path)
    assert answer.returncode == 0, answer.stdout
    assert "every registered space and estimator loads" in answer.stdout


def test_a_plugin_file_can_be_checked(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(readme_plugin())
    answer = _benchsuite("check", "mine.py", folder=tmp_path)
    assert answer.stdout.strip() == "gradient_maximum: sound", answer.stderr


BROKEN = """
from dataclasses import dataclass
from typing import ClassVar, Literal
from benchsuite.estimators.base import ZeroShotEstimator

@dataclass(frozen=True, slots=True)
class Broken(ZeroShotEstimator):
    name: ClassVar[str] = "broken"
    mode: Literal["always", "often"] = "always"

    def score(self, probe):
        if self.mode == "always":
            raise ValueError("this never works")
        return 1.0
"""


@pytest.mark.parametrize("estimators", [("params", "broken"), ("broken",)])
def test_a_run_in_which_an_estimator_failed_throughout_ends_with_code_1_after_the_report(
    tmp_path: Path, estimators: tuple[str, ...]
) -> None:
    write_suite(tmp_path, number=3, seeds=(0,), estimators=estimators)
    (tmp_path / "broken.py").write_text(BROKEN)
    answer = _benchsuite("run", "small.toml", "--plugin", "broken.py", "--jobs", "1", folder=tmp_path)
    assert answer.returncode == 1, answer.stderr
    assert "report: " in answer.stdout
    (line,) = answer.stderr.strip().splitlines()
    assert line.startswith(
        "all 3 scores of broken on nasbench201/digits failed, most often with: ValueError: this never"
    )


def test_a_hyperparameter_that_is_not_allowed_is_refused_before_anything_runs(tmp_path: Path) -> None:
    file = write_suite(tmp_path, number=3, seeds=(0,), estimators=("params", "broken"))
    (tmp_path / "broken.py").write_text(BROKEN)
    file.write_text(file.read_text() + 'parameters = {mode = "never"}\n')
    answer = _benchsuite("run", "small.toml", "--plugin", "broken.py", "--dry-run", folder=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.strip() == "benchsuite: estimator 'broken': mode = 'never'; must be 'always' or 'often'"
