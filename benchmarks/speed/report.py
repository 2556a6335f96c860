"""Size of a report's page at 15,625 architectures x 20 estimators, and how soon a browser has opened it.

Run: python benchmarks/speed/report.py [ARCHITECTURES] [ESTIMATORS]; needs benchsuite[browser] and a Chromium.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Page, sync_playwright

from benchsuite.report.results import BenchmarkResults, Results
from benchsuite.report.write import write_report
from benchsuite.spaces.nasbench201.space import NASBench201

VISITS = 5


def example(architectures: int, estimators: int) -> Results:
    """Scores of one trial on real strings of NAS-Bench-201, correlated with a made-up truth."""
    space, rng = NASBench201(), np.random.default_rng(0)
    names = list(space.every_string()[:architectures])
    quality = rng.normal(size=len(names))
    accuracy = pd.DataFrame(90 + quality[:, None] + 0.2 * rng.normal(size=(len(names), 2)), index=names)
    sizes = rng.choice(np.geomspace(73_306, 1_531_546, 28).astype(int), len(names))
    columns = ("params", "macs", "live_params", "live_macs")
    rows = {"family": "zero-shot", "seed": 0, "batch_seed": 0, "architecture": names, "status": "ok", "reason": ""}
    scores = [
        pd.DataFrame({"estimator": f"estimator_{number}", "value": quality + rng.normal(size=len(names)), **rows})
        for number in range(estimators - 2)  # params and flops are added
    ]
    benchmark = BenchmarkResults(
        benchmark="nasbench201/cifar10",
        population=f"{len(names):,} strings",
        caption="made-up scores",
        truth=accuracy.mean(axis=1),
        trials=accuracy,
        complexity=pd.DataFrame(dict.fromkeys(columns, sizes), index=names),
        scores=pd.concat(scores, ignore_index=True).assign(cpu_seconds=0.05),
        protocol={},
        skipped={},
        operations={name: space.operations(name) for name in names},
    )
    return Results("speed", "Made-up scores.", (benchmark,), {"command": "none"})


def opened(page: Page, file: Path) -> tuple[float, float]:
    """Seconds until the page has loaded, and the browser's processor seconds for it."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # processor time, whatever else the machine does
    page.goto(file.as_uri())
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    wall = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
    return wall, metrics["TaskDuration"]


def scatter_seconds(page: Page) -> float:
    """Seconds from a click on the tab of ranks to the drawn scatter."""
    start = time.perf_counter()
    page.get_by_role("tab", name="Ranks").click()
    page.locator(".scatter[data-ready]").wait_for()
    return time.perf_counter() - start


def main() -> None:
    """Print bytes and seconds."""
    sizes = [int(text) for text in sys.argv[1:3]] or [15_625, 20]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        start = time.process_time()
        file = write_report(example(*sizes), Path(folder))
        print(f"made in {time.process_time() - start:.0f} CPU s")
        whole = file.read_bytes()
        print(f"page: {len(whole):,} bytes, {len(gzip.compress(whole)):,} when a server compresses it")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(VISITS):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            wall, cpu = opened(page, file)
            ranks = scatter_seconds(page)
            print(f"opened after {wall:.2f} s ({cpu:.2f} s of its processor time), ranks after {ranks:.2f} s")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
