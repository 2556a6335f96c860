"""What scoring gives: a value, its cost, or the exception that ended it, which becomes a stored score."""

from __future__ import annotations

import math
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec

import torch

from benchsuite.core.types import Score, Status

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one estimator gave for one network or architecture.

    Attributes
    ----------
    value
        The score; NaN = undefined or failed.
    cpu_seconds
        Those that the estimator takes alone: its own, and all of every measurement that it read, shared ones such as
        the forward pass included.
    error
        The exception, if it failed.
    """

    value: float
    cpu_seconds: float
    error: Exception | None = None

    def score_of(self, architecture: str) -> Score:
        """Return the score to store: ok, undefined, or failed with the reason.

        Parameters
        ----------
        architecture
            What was scored.
        """
        if self.error is not None:
            reason = f"{type(self.error).__name__}: {self.error}".splitlines()[0].removesuffix(": ")
            return Score(architecture, math.nan, "failed", reason, self.cpu_seconds)
        status: Status = "undefined" if math.isnan(self.value) else "ok"
        return Score(architecture, self.value, status, cpu_seconds=self.cpu_seconds)


def attempt(score: Callable[Given, float], *arguments: Given.args, **options: Given.kwargs) -> Outcome:
    """Call a scoring function and return what it gives: values that are not finite become NaN, exceptions are kept.

    Parameters
    ----------
    score
        Returns a score, or raises anything.
    *arguments, **options
        What it is called with.
    """
    start = time.process_time()
    try:
        value, error = float(score(*arguments, **options)), None
    except Exception as caught:  # an estimator can be a user's code and raise anything
        free_memory(caught)
        value, error = math.nan, caught
    return Outcome(value if math.isfinite(value) else math.nan, time.process_time() - start, error)


def free_memory(error: Exception) -> None:
    """Let go what the failed functions hold, if they failed for lack of memory: what is scored next gets a chance.

    Parameters
    ----------
    error
        The exception with which they failed.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        traceback.clear_frames(error.__traceback__)
        torch.cuda.empty_cache()  # nothing where CUDA is not used
