"""Scores computed elsewhere: a file of them becomes a suite of the store, which a report judges like any other.

Their recipes contain the digest of the file, so that they are never mixed with scores that benchsuite computes itself.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

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
    """What an import did.

    Attributes
    ----------
    suite
        Name of the suite that the scores became.
    scores, estimators
        How many there are.
    notes
        What was left out, a line each.
    """

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
    """Import a file of scores into the store as a suite, replacing one that was imported under the same name.

    Parameters
    ----------
    store
        Where scores and suite are kept.
    file
        CSV or Parquet with the columns `COLUMNS`, and seed if an estimator has several scores of an architecture.
        An empty score is undefined.
    suite
        Name of the suite; default: that of the file without its ending.
    truth
        The ground truth to judge against; default: most epochs, test split.
    transfer
        Other data sets of the spaces, whose ground truth judges the scores too.

    Returns
    -------
    Imported
        What was imported and, in `notes`, what was left out: architectures without ground truth.

    Raises
    ------
    BenchsuiteError
        If the file is broken, names an unknown benchmark, repeats a score, or has only unknown architectures; or if
        the suite's name is that of one that was run.
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
    """Read a file of scores.

    Parameters
    ----------
    file
        CSV or Parquet.

    Returns
    -------
    DataFrame
        Columns benchmark, estimator, architecture, score (NaN: undefined), seed (Int64).

    Raises
    ------
    DataMissingError
        If there is no such file.
    DataCorruptError
        If it is not a table.
    SuiteError
        If a column is missing or a value not allowed.
    """
    frame = read_frame(file)
    lacking = [name for name in COLUMNS if name not in frame]
    if lacking or frame.empty:
        found = ", ".join(map(str, frame.columns))
        problem = f"lacks the column {lacking[0]!r}" if lacking else "is empty below its header"
        raise SuiteError(
            f"{file.name} {problem}; its columns are {found}; give {', '.join(COLUMNS)}, and seed if there are several"
        )
    seeds = frame[SEED] if SEED in frame else pd.Series(np.nan, index=frame.index)
    numbers = {"score": _numbers(frame["score"], file.name), SEED: _numbers(seeds, file.name)}
    if (numbers[SEED] % 1 != 0).where(numbers[SEED].notna(), other=False).any():
        raise SuiteError(f"{file.name}: a seed is not an integer; number the repetitions 0, 1, 2 ...")
    texts = {name: _texts(frame[name], file.name) for name in COLUMNS[:-1]}
    return pd.DataFrame({**texts, "score": numbers["score"], SEED: numbers[SEED].astype("Int64")})


def _texts(column: pd.Series, origin: str) -> pd.Series[str]:
    """Return the column as words; SuiteError if a cell is empty."""
    words = column.astype("string").str.strip()
    blank = (words.isna() | (words == "")).to_numpy(dtype=bool)
    if blank.any():
        raise SuiteError(f"{origin}, row {int(blank.argmax()) + 1}: {column.name} is empty; give one for every score")
    return words.astype(str)


def _numbers(column: pd.Series, origin: str) -> pd.Series[float]:
    """Return the column as numbers, NaN where a cell is empty or says so."""
    text = column.astype("string").str.strip().str.lower()
    empty = text.isna() | text.isin(["", "nan", "none", "null"])
    numbers = pd.to_numeric(column.mask(empty), errors="coerce").astype("float64")
    wrong = (numbers.isna() & ~empty).to_numpy(dtype=bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise SuiteError(f"{origin}, row {row + 1}: {column.name} is {column.iloc[row]!r}; must be a number or empty")
    return numbers


def _check_name(store: Store, name: str) -> None:
    if name in suites():
        raise SuiteError(f"{name!r} is a suite that comes with benchsuite; give another name with --suite")
    try:
        known = store.suite(name)
    except StoreError:
        return
    if known.imported is None:
        raise SuiteError(f"suite {name!r} has been run with the store {store.folder}; give another name with --suite")


def _options(truth: TruthChoice | None, transfer: Sequence[str]) -> list[str]:
    """Return the ground truth and the other data sets that were chosen, as options of the command."""
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
            load_benchmark(space, other)  # fails before a score is stored if it is missing
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
        provenance = {
            "benchsuite": version("benchsuite"),
            "scores of": f"{self.origin['file']} ({self.origin['sha256'][:12]})",
        }
        for recipe, rows in self.trials():
            key = store.add_recipe(recipe)
            values = zip(rows[ARCHITECTURE], rows["score"], strict=True)
            store.add_scores([(key, _score(*each)) for each in values], provenance)

    def trials(self) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
        """Yield the recipe and the rows of every estimator with every seed."""
        for _, rows in self.rows.groupby(["estimator", SEED], dropna=False, sort=False):
            estimator, seed = rows["estimator"].iloc[0], rows[SEED].iloc[0]
            recipe = {"estimator": estimator, "benchmark": self.benchmark.name, FAMILY: self.origin["sha256"]}
            yield (recipe if pd.isna(seed) else {**recipe, SEED: int(seed)}), rows

    def record(self) -> StoredBenchmark:
        """Return what the store keeps of the benchmark, as `benchsuite.suites.record.record` does for a run."""
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
    """Return an architecture's name in the ground truth or in its classes; None if the space does not know it."""
    if text in strings:
        return text
    try:
        return space.canonical(text)
    except InvalidArchitectureError:
        return None


def _unknown(names: pd.Series, benchmark: str, file: str) -> str:
    """Say which architectures are left out; return an empty text if all are known, raise SuiteError if none is."""
    unknown = names.index[names.isna()]
    if unknown.empty:
        return ""
    said = f"{file}: {len(unknown):,} of {len(names):,} architectures have no ground truth in {benchmark}"
    if len(unknown) == len(names):
        raise SuiteError(f"{said}, such as {unknown[0]!r}; write them as the search space does")
    return f"{said} and are left out, such as {unknown[0]!r}"


def _check_once(judged: pd.DataFrame, rows: pd.DataFrame, file: str) -> None:
    """Check that every estimator has one score of an architecture for each seed."""
    again = judged.duplicated(_IDENTITY)
    if again.any():
        row = judged.index[again][0]
        raise SuiteError(
            f"{file}: {again.sum():,} scores repeat an architecture, such as row {row + 1}, "
            f"{rows.loc[row, 'estimator']} of {rows.loc[row, ARCHITECTURE]}; give one score each, or number "
            f"repetitions in a column '{SEED}'"
        )
