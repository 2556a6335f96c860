"""What a long run shows of itself: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from benchsuite.cli.console import output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchsuite.estimators.task import FinishedEpoch, TrainingJob

_LINE = 30.0  # seconds between two lines
_LOOK = 2.0  # seconds between two looks at the learning curves


@contextmanager
def watched_trainings(tasks: Sequence[TrainingJob], root: str, *, quiet: bool) -> Iterator[None]:
    """Show how far trainings are while the block runs them: epochs, mean loss and the time to go.

    Parameters
    ----------
    tasks
        The trainings.
    root
        Folder of all trainings.
    quiet
        Whether to show nothing.
    """
    if quiet or not tasks:
        yield
        return
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(tasks, root, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _watch(tasks: Sequence[TrainingJob], root: str, ended: threading.Event) -> None:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn()
    epochs = [task.last_epoch for task in tasks]
    start, next_line, said, before = time.monotonic(), _LINE, "", None
    with Progress(*columns, console=output, disable=not output.is_terminal) as bar:
        shown = bar.add_task("training")
        while True:
            last = ended.wait(_LOOK)
            curves, passed = [task.curve(root) for task in tasks], time.monotonic() - start
            spent, total = _work(curves, epochs)
            before = spent if before is None else before
            words, ending = _reached(curves, epochs), ""
            if spent > before and not last:
                rest = passed * (total - spent) / (spent - before)
                ending = f", about {timedelta(seconds=round(rest))} to go"
            bar.update(shown, completed=spent, total=total, description=words + ending)
            if last or (words != said and not output.is_terminal and passed >= next_line):
                said, next_line = words, passed + _LINE
                output.print(words + ending)
            if last:
                return


def _reached(curves: Sequence[Sequence[FinishedEpoch]], epochs: Sequence[int]) -> str:
    losses = [curve[-1].loss for curve in curves if curve]
    mean = f", mean loss {sum(losses) / len(losses):.3f}" if losses else ""
    return f"{len(curves)} supernets: {sum(map(len, curves)):,} of {sum(epochs):,} epochs{mean}"


def _work(curves: Sequence[Sequence[FinishedEpoch]], epochs: Sequence[int]) -> tuple[float, float]:
    """CPU seconds of the epochs that have ended and of all, those to come as long as the others of their training.

    A training without an epoch is taken for an average one.

    >>> from benchsuite.estimators.supernets.epoch import Epoch
    >>> quick, slow = (Epoch(1, 2.0, 10.0, 0.1, seconds) for seconds in (10.0, 30.0))
    >>> _work([[quick], [slow], []], [5, 5, 5])
    (40.0, 300.0)
    """
    spent = [sum(epoch.cpu_seconds for epoch in curve) for curve in curves]
    average = sum(spent) / max(sum(map(len, curves)), 1)
    paces = (own / len(curve) if curve else average for own, curve in zip(spent, curves, strict=True))
    return sum(spent), sum(number * pace for number, pace in zip(epochs, paces, strict=True))
