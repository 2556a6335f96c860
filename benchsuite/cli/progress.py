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

    from benchsuite.estimators.one_shot.execute import TrainingTask

_LINE = 30.0  # seconds between two lines
_LOOK = 2.0  # seconds between two looks at the learning curves


@contextmanager
def watched_trainings(tasks: Sequence[TrainingTask], root: str, *, quiet: bool) -> Iterator[None]:
    """Show, while trainings go on inside, the epochs that their learning curves have reached and the time to go."""
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


def _watch(tasks: Sequence[TrainingTask], root: str, ended: threading.Event) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("to go"), TimeRemainingColumn())
    folders, total = [task.folder(root) for task in tasks], sum(task.training.last_epoch for task in tasks)
    start, next_line, said = time.monotonic(), _LINE, ""
    with Progress(*columns, console=output, disable=not output.is_terminal) as bar:
        shown = bar.add_task("training", total=total)
        while True:
            last = ended.wait(_LOOK)
            curves = [folder.curve() for folder in folders]
            done, losses = sum(map(len, curves)), [curve[-1].loss for curve in curves if curve]
            words = f"{len(tasks)} supernets: {done:,} of {total:,} epochs"
            words += f", mean loss {sum(losses) / len(losses):.3f}" if losses else ""
            bar.update(shown, completed=done, description=words)
            if last or (words != said and not output.is_terminal and time.monotonic() - start >= next_line):
                said = words
                next_line = time.monotonic() - start + _LINE
                rest = bar.tasks[0].time_remaining
                ending = "" if rest is None or last else f", {timedelta(seconds=round(rest))} to go"
                output.print(words + ending)
            if last:
                return
