"""Scores computed elsewhere: a file of them becomes a suite of the store, which a report judges like any other.

Their recipes hold the digest of the file, so that they never meet scores of benchsuite's own estimators of that name.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from benchsuite import __version__
from benchsuite.benchmark import Benchmark, benchmarks, load_benchmark
from benchsuite.core.errors import InvalidArchitectureError, SuiteError, UnknownNameError
from benchsuite.core.identity import digest
from benchsuite.core.types import ARCHITECTURE, Score
from benchsuite.data.tables import read_frame
from benchsuite.running.store import StoreError
from benchsuite.suites.schema import TruthChoice, suites
from benchsuite.suites.stored import StoredBenchmark, StoredFile, StoredSuite, StoredTrial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchsuite.core.space import Space
    from benchsuite.running.store import Store

COLUMNS = ("benchmark", "estimator", ARCHITECTURE, "score")
SEED = "seed"
FAMILY = "imported"
_IDENTITY = ["benchmark", "estimator", SEED, ARCHITECTURE]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the suite's name, numbers of scores and estimators, and what was left out, a line each."""

    suite: str
    scores: int
    estimators: int
    notes: tuple[str, ...]


def import_scores(
    store: Store,
    file: Path,
    suite: str | None = None,
    truth: TruthChoice | None = None,
    transfer: Sequence[str] = (),
) -> Imported:
    """Take a file of scores into the store as a suite, in place of one that was imported under the same name.

    Parameters
    ----------
    store
        Where scores and suite are kept.
    file
        CSV or Parquet with the columns `COLUMNS`, and seed where an estimator has several scores of an architecture.
        An empty score is undefined.
    suite
        Its name; default: that of the file without its ending.
    truth
        The ground truth to judge against; default: most epochs, test split.
    transfer
        Other data sets of the spaces, whose ground truth judges the scores too.

    Returns
    -------
    What was taken and, in `notes`, what was left out: architectures without ground truth.

    Raises
    ------
    BenchsuiteError
        If the file is broken, names an unknown benchmark, has a score twice, or no known architecture; or if the
        suite's name is that of one that was run.
    """
    name = suite or file.name.removesuffix(".gz").rsplit(".", 1)[0]
    _check_name(store, name)
    table = read_scores(file)
    origin = {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    parts = [
        _Part.of(str(key), rows, truth or TruthChoice(), tuple(transfer), origin)
        for key, rows in table.groupby("benchmark")
    ]
    for part in parts:
        part.write(store)
    command = shlex.join(["benchsuite", "scores", "import", file.name, "--suite", name, *_options(truth, transfer)])
    record = StoredSuite(
        f"Scores computed elsewhere, imported from {file.name}.",
        f"{command} && {shlex.join(['benchsuite', 'report', name])}",
        tuple(part.record() for part in parts),
        imported=StoredFile(**origin),
    )
    store.save_suite(name, record)
    number = sum(len(part.rows) for part in parts)
    return Imported(name, number, table["estimator"].nunique(), tuple(part.note for part in parts if part.note))


def read_scores(file: Path) -> pd.DataFrame:
    """The rows of a file of scores: benchmark, estimator, architecture, score (NaN: undefined), seed (Int64).

    Raises DataMissingError or DataCorruptError if there is no such file or it is no table, SuiteError if a column is
    missing or a value not allowed.
    """
    frame = read_frame(file)
    lacking = [name for name in COLUMNS if name not in frame]
    if lacking or frame.empty:
        found = ", ".join(map(str, frame.columns))
        need = f"has no column {lacking[0]!r}" if lacking else "has no rows"
        raise SuiteError(
            f"{file.name} {need}; give {', '.join(COLUMNS)}, and seed where there are any; it has: {found}"
        )
    seeds = frame[SEED] if SEED in frame else pd.Series(np.nan, index=frame.index)
    numbers = {"score": _numbers(frame["score"], file.name), SEED: _numbers(seeds, file.name)}
    if (numbers[SEED] % 1 != 0).where(numbers[SEED].notna(), other=False).any():
        raise SuiteError(f"{file.name}: a seed is no whole number; number the repetitions 0, 1, 2 ...")
    texts = {name: _texts(frame[name], file.name) for name in COLUMNS[:-1]}
    return pd.DataFrame({**texts, "score": numbers["score"], SEED: numbers[SEED].astype("Int64")})


def _texts(column: pd.Series, origin: str) -> pd.Series[str]:
    """The column as words; SuiteError where a cell is empty."""
    words = column.astype("string").str.strip()
    blank = (words.isna() | (words == "")).to_numpy(dtype=bool)
    if blank.any():
        raise SuiteError(f"{origin}, row {int(blank.argmax()) + 1}: {column.name} is empty; every score needs one")
    return words.astype(str)


def _numbers(column: pd.Series, origin: str) -> pd.Series[float]:
    """The column as numbers, NaN where a cell is empty or says so."""
    text = column.astype("string").str.strip().str.lower()
    empty = text.isna() | text.isin(["", "nan", "none", "null"])
    numbers = pd.to_numeric(column.mask(empty), errors="coerce").astype("float64")
    wrong = (numbers.isna() & ~empty).to_numpy(dtype=bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise SuiteError(f"{origin}, row {row + 1}: {column.name} is {column.iloc[row]!r}; give a number, or nothing")
    return numbers


def _check_name(store: Store, name: str) -> None:
    if name in suites():
        raise SuiteError(f"{name!r} is a suite that comes with benchsuite; give another name with --suite")
    try:
        known = store.suite(name)
    except StoreError:
        return
    if known.imported is None:
        raise SuiteError(f"the store {store.folder} holds a run of suite {name!r}; give another name with --suite")


def _options(truth: TruthChoice | None, transfer: Sequence[str]) -> list[str]:
    """The ground truth and the other data sets that were chosen, as options of the command."""
    chosen, usual = asdict(truth or TruthChoice()), asdict(TruthChoice())
    changed = [(key, str(value)) for key, value in chosen.items() if value != usual[key]]
    return [
        word for key, value in [*changed, *(("transfer", each) for each in transfer)] for word in (f"--{key}", value)
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """The scores of one benchmark, their architectures named as its ground truth names them."""

    benchmark: Benchmark
    truth: TruthChoice
    transfer: tuple[str, ...]
    pool: Literal["class", "none"]
    known: int
    rows: pd.DataFrame
    note: str
    origin: Mapping[str, str]

    @classmethod
    def of(
        cls, name: str, rows: pd.DataFrame, truth: TruthChoice, transfer: tuple[str, ...], origin: Mapping[str, str]
    ) -> _Part:
        space, slash, dataset = name.partition("/")
        if not slash:
            raise UnknownNameError("benchmark", name, benchmarks())
        benchmark = load_benchmark(space, dataset, table=truth.table, source=truth.source)
        for other in transfer:
            load_benchmark(space, other)  # that it is there shows before a score is taken
        strings, classes = (
            benchmark.truth(epochs=truth.epochs, split=truth.split, pool=pool).index for pool in ("none", "class")
        )
        given = rows[ARCHITECTURE].unique()
        names = pd.Series([_named(text, strings, benchmark.space) for text in given], index=given)
        pool: Literal["class", "none"] = "class" if names.dropna().isin(classes).all() else "none"
        known = classes if pool == "class" else strings
        names = names.where(names.isin(known))
        judged = rows.assign(**{ARCHITECTURE: rows[ARCHITECTURE].map(names)}).dropna(subset=[ARCHITECTURE])
        note = _unknown(names, name, origin["file"])
        _check_once(judged, rows, origin["file"])
        elsewhere = tuple(other for other in transfer if other != dataset)
        return cls(benchmark, truth, elsewhere, pool, len(known), judged, note, origin)

    def write(self, store: Store) -> None:
        """Put the scores under their recipes."""
        provenance = {"benchsuite": __version__, "scores of": f"{self.origin['file']} ({self.origin['sha256'][:12]})"}
        for recipe, rows in self.trials():
            key = store.add_recipe(recipe)
            values = zip(rows[ARCHITECTURE], rows["score"], strict=True)
            store.add_scores([(key, _score(*each)) for each in values], provenance)

    def trials(self) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
        """The recipe and the rows of every estimator with every seed."""
        for _, rows in self.rows.groupby(["estimator", SEED], dropna=False, sort=False):
            estimator, seed = rows["estimator"].iloc[0], rows[SEED].iloc[0]
            recipe = {"estimator": estimator, "benchmark": self.benchmark.name, FAMILY: self.origin["sha256"]}
            yield (recipe if pd.isna(seed) else {**recipe, SEED: int(seed)}), rows

    def record(self) -> StoredBenchmark:
        """What the store keeps of the benchmark, as `benchsuite.suites.record.record` does of one that is run."""
        title, architectures = self.benchmark.card.get("title", self.benchmark.source), self.rows[ARCHITECTURE].unique()
        kind = "string classes" if self.pool == "class" else "architecture strings"
        population = f"the {len(architectures):,} of {self.known:,} {kind} with ground truth that the file scores"
        space, dataset = self.benchmark.name.split("/", 1)
        return StoredBenchmark(
            space=space,
            dataset=dataset,
            sizes=dict(self.benchmark.space.sizes),
            truth=self.truth,
            pool=self.pool,
            transfer=self.transfer,
            architectures=tuple(architectures),
            sample=population,
            caption=f"scores computed elsewhere ({self.origin['file']}); truth: {title}",
            protocol={
                "Architectures": population,
                "Scores": "computed elsewhere; file {file}, sha256 {sha256}".format(**self.origin),
                "Ground truth": f"{title}; {self.truth.split} split, mean over trainings"
                + (", then over the members of a string class" if self.pool == "class" else ""),
            },
            skipped={},
            combinations=(),
            trials=tuple(
                StoredTrial(recipe["estimator"], FAMILY, recipe.get(SEED), None, digest(recipe))
                for recipe, _ in self.trials()
            ),
        )


def _score(architecture: str, value: float) -> Score:
    if np.isnan(value):
        return Score(architecture, value, "undefined", "undefined in the file")
    return Score(architecture, value)


def _named(text: str, strings: pd.Index, space: Space) -> str | None:
    """The name of an architecture in the ground truth, or in its classes; None for what the space does not know."""
    if text in strings:
        return text
    try:
        return space.canonical(text)
    except InvalidArchitectureError:
        return None


def _unknown(names: pd.Series, benchmark: str, file: str) -> str:
    """Which architectures are left out, in words; empty if none is. SuiteError if all are."""
    unknown = names.index[names.isna()]
    if unknown.empty:
        return ""
    said = f"{file}: {len(unknown):,} of {len(names):,} architectures have no ground truth in {benchmark}"
    if len(unknown) == len(names):
        raise SuiteError(f"{said}, such as {unknown[0]!r}; write them as `benchsuite list` shows the benchmark's own")
    return f"{said} and are left out, such as {unknown[0]!r}"


def _check_once(judged: pd.DataFrame, rows: pd.DataFrame, file: str) -> None:
    """Return nothing where every estimator has one score of an architecture for each seed."""
    again = judged.duplicated(_IDENTITY)
    if again.any():
        row = judged.index[again][0]
        raise SuiteError(
            f"{file}: {again.sum():,} scores are of an architecture that has one already, such as row {row + 1}, "
            f"{rows.loc[row, 'estimator']} of {rows.loc[row, ARCHITECTURE]}; give one each, or number repetitions in a "
            f"column '{SEED}'"
        )
