"""Benchmarks: a search space, a data set, and the accuracies of trained architectures."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from benchsuite.core import registry
from benchsuite.core.errors import DataMissingError, UnknownNameError, UnsupportedError
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, SPLIT, TRIAL, Dataset
from benchsuite.data import sources
from benchsuite.data.cards import Card, read_card, write_card
from benchsuite.data.home import data_home, shipped
from benchsuite.data.images.datasets import dataset as describe
from benchsuite.spaces.isomorphism import IsomorphismClasses, isomorphism_classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from benchsuite.core.space import Space

Rows = TypeVar("Rows", "pd.Series", "pd.DataFrame")
Pool = Literal["class", "none"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A search space at the sizes that were trained, a data set, and its ground truth.

    Attributes
    ----------
    space
        The search space, with the sizes of the networks that were trained.
    dataset
        Name of the data set.
    images
        The image set whose minibatches zero-shot estimators see.
    table
        One row per accuracy: architecture, accuracy (percent), trial, epochs, split, loss.
    source
        Where the table comes from: a name in `benchsuite data list`, "embedded", "own", or the name of a file.
    card
        What is known about the table, such as its title, licence and protocol.
    file
        The file of the table.
    classes
        Which architecture strings of the table are one architecture.
    """

    space: Space
    dataset: str
    images: str
    table: pd.DataFrame = field(repr=False)
    source: str
    card: Card = field(repr=False)
    file: Path = field(repr=False)
    classes: IsomorphismClasses = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the benchmark, such as nasbench201/cifar10."""
        return f"{self.space.name}/{self.dataset}"

    @property
    def image_dataset(self) -> Dataset:
        """Classes and shape of the images that the architectures were trained on."""
        shape = self.card.get("image_set")
        if shape is not None:
            return Dataset(shape["name"], shape["classes"], shape["channels"], shape["size"])
        try:
            return describe(self.images)
        except UnknownNameError:
            from benchsuite.data.images.minibatches import load_images  # noqa: PLC0415 - only a user's own images must be read

            return load_images(self.images).dataset

    @property
    def has_seeds(self) -> bool:
        """Whether some architecture was trained more than once under the same conditions."""
        return bool(self.table.duplicated([ARCHITECTURE, EPOCHS, SPLIT]).any())

    def truth(self, *, epochs: int | None = None, split: str = "test", pool: Pool = "class") -> pd.Series:
        """Return accuracies by architecture: the mean over its trainings, then over the members of its class.

        Parameters
        ----------
        epochs
            Length of the training; default: the longest.
        split
            What the accuracy was measured on.
        pool
            "class": one row per isomorphism class, indexed by its canonical string; "none": one per string of the
            table.

        Returns
        -------
        Series
            Accuracy in percent by architecture, sorted by architecture, whatever the order of the table.

        Raises
        ------
        UnsupportedError
            If the ground truth lacks such rows; the message lists what it has.
        """
        accuracy = self._rows(epochs, split).groupby(ARCHITECTURE, observed=True)[ACCURACY].mean()
        codes = _codes(accuracy)
        if _checked(pool) == "none":
            return _named(accuracy, self.classes.strings, codes)
        pooled = accuracy.groupby(self.classes.codes[codes]).mean()
        return _named(pooled, self.classes.canonical, pooled.index.to_numpy())

    def trials(self, *, epochs: int | None = None, split: str = "test", pool: Pool = "class") -> pd.DataFrame:
        """Return the accuracies of single trainings.

        Parameters
        ----------
        epochs, split, pool
            As in `truth`. With pool="class", an entry is the mean over the members' t-th trainings, NaN unless all
            members have one: the noise of a class mean, free of the differences between its members.

        Returns
        -------
        DataFrame
            Accuracy in percent, one row per architecture, sorted; column t is the t-th training in the order of trial
            numbers.
        """
        rows = self._rows(epochs, split).sort_values([ARCHITECTURE, TRIAL])
        position = rows.groupby(ARCHITECTURE, observed=True).cumcount()
        single = rows.assign(**{TRIAL: position}).pivot_table(
            index=ARCHITECTURE, columns=TRIAL, values=ACCURACY, observed=True
        )
        codes = _codes(single)
        if _checked(pool) == "none":
            return _named(single, self.classes.strings, codes)
        groups = single.groupby(self.classes.codes[codes])
        complete = groups.count().eq(groups.size(), axis=0)
        pooled = groups.mean().where(complete).dropna(axis="columns", how="all")
        return _named(pooled, self.classes.canonical, pooled.index.to_numpy())

    def curve(self, architecture: str) -> pd.DataFrame:
        """Return all results of an architecture along its trainings.

        If every epoch is known (NATS-Bench), these are the results of the long trainings, otherwise the rows of the
        table. A class is followed through its canonical string, or through its first member with results.

        Parameters
        ----------
        architecture
            A string of the table, or one of the space that is isomorphic to one.

        Returns
        -------
        DataFrame
            Columns trial, epochs, split, accuracy (percent), loss.

        Raises
        ------
        UnsupportedError
            If the ground truth has results after one number of epochs only.
        """
        return self.curves([architecture])[architecture]

    def curves(self, architectures: Sequence[str]) -> dict[str, pd.DataFrame]:
        """Return the curve of each architecture, see `curve`; the file is read once.

        Parameters
        ----------
        architectures
            As in `curve`.
        """
        strings = {architecture: self._string(architecture) for architecture in architectures}
        rows = self._curve_rows(list(strings.values()))
        groups = dict(iter(rows.groupby(ARCHITECTURE, observed=True)))
        empty = rows.iloc[:0]
        return {
            architecture: groups.get(string, empty).drop(columns=ARCHITECTURE).reset_index(drop=True)
            for architecture, string in strings.items()
        }

    def digest(self) -> str:
        """Return the sha256 of the file that learning curves are read from."""
        curves = sources.curve_file(self.file)
        with (curves if curves.is_file() else self.file).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _rows(self, epochs: int | None, split: str) -> pd.DataFrame:
        of_split, lengths = (self.table[SPLIT] == split).to_numpy(), self.table[EPOCHS].to_numpy()
        wanted = lengths[of_split].max(initial=0) if epochs is None else epochs
        chosen: pd.DataFrame = self.table[of_split & (lengths == wanted)]
        if chosen.empty:
            groups = self.table.groupby(SPLIT, observed=True)[EPOCHS].unique()
            known = "; ".join(f"{name} after {', '.join(map(str, sorted(found)))}" for name, found in groups.items())
            asked = f"split {split!r}" + (f" after {epochs} epochs" if epochs is not None else "")
            raise UnsupportedError(
                f"the ground truth {self.source} of {self.name} lacks {asked}; it has {known} epochs"
            )
        return chosen

    def _string(self, architecture: str) -> str:
        """Return the string of the table that stands for an architecture."""
        if architecture in self.classes.strings:
            return architecture
        try:
            return self.classes.first_member(self.space.canonical(architecture))
        except KeyError as error:
            raise UnsupportedError(
                f"the ground truth {self.source} of {self.name} lacks results of {architecture!r}"
            ) from error

    def _curve_rows(self, strings: list[str]) -> pd.DataFrame:
        from benchsuite.data.tables import load_table  # noqa: PLC0415 - pandas loads slowly, and listing needs none

        curves = sources.curve_file(self.file)
        if curves.is_file():
            return load_table(curves, strings)
        if self.table[EPOCHS].nunique() < 2:
            raise UnsupportedError(
                f"the ground truth {self.source} of {self.name} lacks learning curves: it has one length of training"
            )
        return self.table[self.table[ARCHITECTURE].isin(strings)]


@dataclass(frozen=True, slots=True)
class _Description:
    """An entry of benchmarks.toml, or what the card of a user's own table says."""

    space: str
    dataset: str
    images: str
    sources: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)


def _descriptions() -> dict[str, _Description]:
    entries = tomllib.loads(shipped("data", "benchmarks.toml").read_text(encoding="utf-8"))["benchmark"]
    found = {f"{entry['space']}/{entry['dataset']}": _Description(**entry) for entry in entries}
    for file in sorted(data_home().glob(f"truth/*/{sources.OWN}.parquet")):
        card = read_card(file)
        if {"space", "dataset"} <= set(card):
            name = f"{card['space']}/{card['dataset']}"
            found.setdefault(name, _Description(card["space"], card["dataset"], card.get("images", card["dataset"])))
    return found


def benchmarks() -> list[str]:
    """Return the names of all benchmarks, space/dataset: those of benchsuite, and those of imported tables."""
    return sorted(_descriptions())


def load_benchmark(
    space: str, dataset: str, *, table: str | Path | None = None, source: str | None = None
) -> Benchmark:
    """Load a benchmark with its ground truth.

    Parameters
    ----------
    space, dataset
        The two parts of a name in `benchmarks()`.
    table
        A CSV or Parquet file to use instead: architecture, accuracy in percent [, trial, epochs, split].
        The data set may then be any; a card beside the file, as `benchsuite truth make` writes it, is read too.
    source
        Where the ground truth must come from; default: a table that the user imported, otherwise the first source on
        this machine.

    Raises
    ------
    UnknownNameError
        If there is no such space, benchmark or source.
    DataMissingError
        If the data is not on this machine; the message names the command to get it.
    DataCorruptError
        If the table is broken, or has architectures that are not of the space.

    Examples
    --------
    >>> load_benchmark("nasbench201", "cifar10", table="nowhere.csv")
    Traceback (most recent call last):
    ...
    benchsuite.core.errors.DataMissingError: nowhere.csv does not exist; give the path of a CSV or Parquet file
    """
    from benchsuite.data.tables import load_table, read_table  # noqa: PLC0415 - pandas loads slowly

    registry.load("space", space)  # a wrong space is named before a wrong benchmark
    name = f"{space}/{dataset}"
    known = _descriptions()
    if table is not None:
        description, file = known.get(name, _Description(space, dataset, dataset)), Path(table)
        return _assembled(description, read_table(file), file.name, file, {"title": file.name, **read_card(file)})
    if name not in known:
        raise UnknownNameError("benchmark", name, known)
    origin, file = _locate(name, known[name], source)
    return _assembled(known[name], load_table(file), origin, file, read_card(file))


def import_table(path: Path, name: str, *, title: str | None = None) -> Path:
    """Check a user's own ground-truth table and import it into the data folder.

    It becomes the preferred source, "own", of `load_benchmark`, in place of an earlier one.

    Parameters
    ----------
    path
        The table, as `load_benchmark` takes it.
    name
        Name of the benchmark, space/dataset.
    title
        What reports call it; default: the title on its card, otherwise the name of its file.

    Returns
    -------
    Path
        Where the table now is.

    Raises
    ------
    UnknownNameError
        If there is no such space, or the name is not of the form space/dataset.
    DataMissingError
        If there is no such file.
    DataCorruptError
        If the table is broken, or has architectures that are not of the space.
    """
    from benchsuite.data.tables import write_table  # noqa: PLC0415 - pandas loads slowly, and listing needs none

    space, slash, dataset = name.partition("/")
    if not (space and slash and dataset) or "/" in dataset:
        raise UnknownNameError("benchmark", name, benchmarks())
    benchmark = load_benchmark(space, dataset, table=path)
    target = sources.truth_file(name, sources.OWN)
    write_table(target, benchmark.table)
    card: Card = {**benchmark.card, "space": space, "dataset": dataset, "images": benchmark.images}
    write_card(target, card if title is None else {**card, "title": title})
    return target


def _assembled(description: _Description, table: pd.DataFrame, origin: str, file: Path, card: Card) -> Benchmark:
    space = registry.make_space(description.space, card.get("sizes", description.sizes))
    return Benchmark(
        space=space,
        dataset=description.dataset,
        images=card.get("images", description.images),
        table=table,
        source=origin,
        card=card,
        file=file,
        classes=isomorphism_classes(space, table[ARCHITECTURE].cat.categories, origin),
    )


def _locate(name: str, description: _Description, wanted: str | None) -> tuple[str, Path]:
    """Return the source to read and its file."""
    order = (sources.OWN, *description.sources)
    if wanted is not None and wanted not in order:
        raise UnknownNameError(f"source of {name}", wanted, order)
    files = {origin: _present(name, origin) for origin in (order if wanted is None else (wanted,))}
    found = {origin: file for origin, file in files.items() if file is not None}
    if sources.OWN in found:
        return sources.OWN, found[sources.OWN]
    if found:  # an incomplete copy of a preferred source does not hide a complete one
        best = max(found, key=lambda origin: read_card(found[origin]).get("architectures", 0))
        return best, found[best]
    asked = (description.sources or (sources.OWN,)) if wanted is None else (wanted,)
    commands = [_command(name, origin) for origin in asked]
    raise DataMissingError(
        f"the ground truth of {name} is not on this machine; run: {' | or: '.join(sorted(commands))}"
    )


def _present(name: str, origin: str) -> Path | None:
    """Return the table of a source, converted first if it came with pip; None if it is not on this machine."""
    file = sources.truth_file(name, origin)
    if not file.is_file() and origin not in {sources.OWN, sources.EMBEDDED} and sources.source(origin).packaged:
        sources.fetch(origin)
    return file if file.is_file() else None


def _command(name: str, origin: str) -> str:
    """Return the command to get a table that is missing."""
    if origin == sources.OWN:
        return f"benchsuite data import TABLE.csv --benchmark {name}"
    if origin == sources.EMBEDDED:
        return "pip install --force-reinstall benchsuite (its own table is missing)"
    return sources.source(origin).command


def _codes(rows: pd.Series | pd.DataFrame) -> NDArray[np.integer]:
    """Return the positions of the rows' architectures among the strings of the table."""
    return cast("pd.CategoricalIndex", rows.index).codes


def _named(rows: Rows, names: pd.Index, positions: NDArray[np.integer]) -> Rows:
    """Replace the index of the rows by the names at the positions."""
    rows.index = names.take(positions).rename(ARCHITECTURE)
    return rows


def _checked(pool: str) -> str:
    if pool not in {"class", "none"}:
        raise UnknownNameError("pool", pool, ("class", "none"))
    return pool
