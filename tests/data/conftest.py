"""Small files in the official formats, written by the official package's own classes, and a local web server."""

from __future__ import annotations

import bz2
import hashlib
import os
import pickle
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRINGS = [
    "|skip_connect~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|none~0|nor_conv_1x1~1|none~2|",
]
SETS = {
    "cifar10": ["ori-test"],
    "cifar10-valid": ["x-valid", "ori-test"],
    "cifar100": ["x-valid", "x-test", "ori-test"],
    "ImageNet16-120": ["x-valid", "x-test", "ori-test"],
}


class Malicious:
    """Its pickle runs a command when it is loaded unchecked."""

    def __reduce__(self) -> Any:
        return os.system, ("touch harmed",)


@pytest.fixture
def malicious() -> Malicious:
    """An object whose pickle leaves a file `harmed` behind when it is loaded unchecked."""
    return Malicious()


def _record(index: int, epochs: int, seeds: list[int]) -> dict[str, Any]:
    """State of one architecture's trainings on all data sets, as the official code saves it."""
    api = pytest.importorskip("nas_201_api")
    rng = np.random.default_rng([index, epochs])
    results = api.ArchResults(index, STRINGS[index])
    for data, names in SETS.items():
        for seed in seeds:
            losses = {epoch: float(value) for epoch, value in enumerate(rng.uniform(0.1, 2.3, epochs))}
            accuracies = {epoch: float(value) for epoch, value in enumerate(rng.uniform(10, 95, epochs))}
            config = {"channel": 16, "num_cells": 5, "arch_str": STRINGS[index], "class_num": 10}
            result = api.ResultsCount(
                data, None, accuracies, losses, np.float64(0.1), 15.6, config, seed, epochs, [np.float64(0.01)]
            )
            keys = [f"{name}@{epoch}" for name in names for epoch in range(epochs)]
            values = dict(zip(keys, rng.uniform(10, 95, len(keys)).tolist(), strict=True))
            result.update_eval(values, {key: value / 50 for key, value in values.items()}, dict.fromkeys(keys, 1.0))
            results.update(data, seed, result)
    return results.state_dict()


@pytest.fixture(scope="session")
def archive() -> dict[str, Any]:
    """The content of a NAS-Bench-201 archive of three architectures, two of them evaluated."""
    infos = {index: {"less": _record(index, 12, [111]), "full": _record(index, 200, [777, 888])} for index in (0, 2)}
    return {"meta_archs": STRINGS, "arch2infos": infos, "evaluated_indexes": [0, 2]}


@pytest.fixture
def save_archive(tmp_path: Path) -> Any:
    """A function that saves an object as an archive under a name that its md5 confirms."""
    import torch

    def save(content: object) -> Path:
        path = tmp_path / "archive.pth"
        torch.save(content, path)
        digest = hashlib.md5(path.read_bytes()).hexdigest()
        return path.rename(tmp_path / f"NAS-Bench-201-v1_1-{digest[-6:]}.pth")

    return save


@pytest.fixture
def nats_folder(archive: dict[str, Any], tmp_path: Path) -> Path:
    """A NATS-Bench directory with the same two architectures."""
    folder = tmp_path / "NATS-tss-v1_0-3ffb9-simple"
    folder.mkdir()
    meta = {"meta_archs": STRINGS, "total_archs": len(STRINGS), "arch2infos": None, "evaluated_indexes": set()}
    contents = {"meta": meta}
    for index, budgets in archive["arch2infos"].items():
        contents[f"{index:06d}"] = {"12": budgets["less"], "200": budgets["full"]}
    for name, content in contents.items():
        (folder / f"{name}.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(content)))
    return folder


@dataclass
class Web:
    """Files by path, what was asked for, and after how many bytes the server hangs up."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    breaks_after: int | None = None


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web server on this machine that knows ranges."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            state.ranges.append(asked)
            content = state.files.get(self.path)
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if content is None or start >= len(content):
                self.send_response(404 if content is None else 416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            rest = content[start:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: state.breaks_after])
            self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Keep the test output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        state.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a data folder of its own."""
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "home"))
    return tmp_path / "home"
