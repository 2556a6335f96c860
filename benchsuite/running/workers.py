"""Processes and machines that jobs run on: joblib's processes, or a dask cluster.

What is sent to a worker is pickled here, so that the worker can run the plug-in files first that define it.
"""

from __future__ import annotations

import pickle
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import joblib

from benchsuite.core import registry
from benchsuite.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Call = tuple["Callable[..., Any]", tuple[Any, ...]]  # a function of a module, and what it is called with


@contextmanager
def workers(processes: int, scheduler: str | None) -> Iterator[None]:
    """Let what is run inside by `parallel` have worker processes.

    Parameters
    ----------
    processes
        Number of processes of this machine, of one thread each.
    scheduler
        Address of a dask scheduler whose workers replace them.

    Raises
    ------
    SuiteError
        If the scheduler cannot be used.
    """
    if scheduler is None:
        with joblib.parallel_config("loky", n_jobs=processes, inner_max_num_threads=1), warnings.catch_warnings():
            # loky replaces a worker that has grown, between two jobs, and warns of it
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
            yield
        return
    try:
        from distributed import Client  # noqa: PLC0415 - an extra that only --scheduler needs
    except ImportError as error:
        raise SuiteError("--scheduler needs dask: pip install 'benchsuite[cluster]'") from error
    try:
        client = Client(scheduler, timeout=30)  # type: ignore[no-untyped-call]  # distributed has no types
    except OSError as error:
        raise SuiteError(f"no dask scheduler answers at {scheduler}: {error}; check the address") from error
    with client, joblib.parallel_config("dask"):
        yield


def parallel(calls: Iterable[Call], plugins: Sequence[str], **options: Any) -> Iterable[Any]:
    """Return what functions give that workers call.

    Parameters
    ----------
    calls
        Functions with what they are called with; pickled when a worker is free.
    plugins
        Plug-in files that a worker runs first.
    **options
        Passed to joblib.Parallel.
    """
    results: Iterable[Any] = joblib.Parallel(batch_size=1, **options)(
        joblib.delayed(_called)(pickle.dumps(call), tuple(plugins)) for call in calls
    )
    return results


def _called(call: bytes, plugins: Sequence[str]) -> Any:
    for plugin in plugins:
        registry.load_plugin(plugin)
    function, arguments = pickle.loads(call)  # noqa: S301 - our own bytes
    return function(*arguments)
