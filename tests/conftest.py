"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _alike_in_every_run() -> None:
    """Weights that a test draws without a seed of its own are the same whenever and wherever it runs."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of public results beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared with public results is not beside this checkout")
    return SHARED
