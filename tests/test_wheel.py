from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import benchsuite
from benchsuite.data.home import shipped

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = """
import benchsuite
from benchsuite.suites.schema import suites
print(benchsuite.__file__)
print("quickstart" in suites(), len(benchsuite.estimators()) > 10)
print(len(benchsuite.load_benchmark("nasbench201", "digits").truth()) >= 200)
print(len(benchsuite.load_space("nasbench201").architectures()))
"""


def test_an_editable_install_takes_the_shipped_files_from_the_checkout() -> None:
    assert Path(benchsuite.__file__).parent.parent == ROOT
    assert shipped("data", "sources.toml") == ROOT / "data" / "sources.toml"


@pytest.mark.slow
def test_a_wheel_carries_its_own_copy_of_the_shipped_files(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "benchsuite/_shipped/data/sources.toml" in names
    assert not [name for name in names if name.startswith(("tests", "reports", "benchsuite/_shipped/reports"))]
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    answer = subprocess.run(
        [sys.executable, "-c", QUESTIONS],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == [str(site / "benchsuite" / "__init__.py"), "True", "True", "True", "6466"]
