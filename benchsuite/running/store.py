"""The store: finished scores in one SQLite file, written by the parent process only, one transaction a chunk.

recipe(key, json)                 everything that determines a score but the architecture
score(recipe, architecture, ...)  one row per score; a failed one keeps the number of its attempts
provenance(id, json)              versions, processor and device that a score was computed with
suite(name, json)                 what the last run of a suite asked for: all that a report must know
"""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchsuite.core.errors import BenchsuiteError, DataCorruptError
from benchsuite.core.identity import canonical_json, digest
from benchsuite.core.sequences import chunks
from benchsuite.suites.stored import read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from benchsuite.core.types import Score
    from benchsuite.suites.stored import StoredSuite

ATTEMPTS = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS recipe (key TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS provenance (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS score (
    recipe TEXT NOT NULL REFERENCES recipe(key), architecture TEXT NOT NULL, value REAL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'undefined', 'failed')), reason TEXT NOT NULL,
    attempts INTEGER NOT NULL, cpu_seconds REAL NOT NULL, provenance INTEGER NOT NULL REFERENCES provenance(id),
    UNIQUE (recipe, architecture));
CREATE TABLE IF NOT EXISTS suite (name TEXT PRIMARY KEY, json TEXT NOT NULL);
"""
_UPSERT = """
INSERT INTO score VALUES (?, ?, ?, ?, ?, 1, ?, ?)
ON CONFLICT (recipe, architecture) DO UPDATE SET value = excluded.value, status = excluded.status,
    reason = excluded.reason, attempts = score.attempts + 1, cpu_seconds = excluded.cpu_seconds,
    provenance = excluded.provenance
WHERE score.status = 'failed'
"""


class StoreError(BenchsuiteError):
    """A store that is missing or damaged, or lacks what was asked for."""


class Store:
    """Scores by recipe and architecture in `folder`/store.sqlite.

    Several processes can write to a store at the same time: each transaction waits for the others.

    Parameters
    ----------
    folder
        Folder of the store.
    create
        Whether a missing store is made; otherwise it is an error.

    Examples
    --------
    >>> import tempfile
    >>> from benchsuite.core.types import Score
    >>> with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
    ...     key = store.add_recipe({"estimator": "params"})
    ...     store.add_scores([(key, Score("a", 1.0))], {"device": "cpu"})
    ...     store.settled(key)
    {'a'}
    """

    def __init__(self, folder: str | Path, *, create: bool = True) -> None:
        self.folder = Path(folder)
        self.file = self.folder / "store.sqlite"
        if not create and not self.file.is_file():
            raise StoreError(f"found no store in {self.folder}; give its folder with --store, or run a suite first")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = sqlite3.connect(self.file, timeout=60)
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.file} is not a store of benchsuite ({error}); move it elsewhere") from error

    @property
    def trainings(self) -> str:
        """Folder of the supernets' trainings."""
        return str((self.folder / "trainings").resolve())

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add_recipe(self, recipe: Mapping[str, Any]) -> str:
        """Store a recipe, if it is new, and return its key.

        Parameters
        ----------
        recipe
            Everything that determines a score but the architecture.
        """
        key = digest(recipe)
        with self._connection:
            self._connection.execute("INSERT OR IGNORE INTO recipe VALUES (?, ?)", (key, canonical_json(recipe)))
        return key

    def add_scores(self, scores: Iterable[tuple[str, Score]], provenance: Mapping[str, str]) -> None:
        """Write scores in one transaction; only failed scores are overwritten.

        Parameters
        ----------
        scores
            Pairs of a recipe's key and a score.
        provenance
            Versions, processor and device that the scores were computed with.
        """
        text = canonical_json(provenance)
        with self._connection as connection:
            connection.execute("INSERT OR IGNORE INTO provenance (json) VALUES (?)", (text,))
            (source,) = connection.execute("SELECT id FROM provenance WHERE json = ?", (text,)).fetchone()
            rows = [
                (
                    key,
                    s.architecture,
                    None if math.isnan(s.value) else s.value,
                    s.status,
                    s.reason,
                    s.cpu_seconds,
                    source,
                )
                for key, s in scores
            ]
            connection.executemany(_UPSERT, rows)

    def settled(self, key: str, *, attempts: int | None = ATTEMPTS) -> set[str]:
        """Return the architectures that a run does not score again.

        Parameters
        ----------
        key
            Key of the recipe.
        attempts
            Failures after which an architecture is not tried again; None: it always is.

        Returns
        -------
        set
            Architectures with a defined or undefined score, and those that failed often enough.
        """
        bound = -1 if attempts is None else attempts
        query = "SELECT architecture FROM score WHERE recipe = ? AND (status <> 'failed' OR (? > 0 AND attempts >= ?))"
        return {name for (name,) in self._connection.execute(query, (key, bound, bound))}

    def scores(self, keys: Sequence[str]) -> pd.DataFrame:
        """Return the scores of some recipes.

        Parameters
        ----------
        keys
            Keys of the recipes.

        Returns
        -------
        DataFrame
            Columns recipe, architecture, value (NaN: undefined or failed), status, reason, attempts, cpu_seconds,
            provenance (JSON).
        """
        import pandas as pd  # noqa: PLC0415 - a run that writes scores needs no pandas

        columns = ["recipe", "architecture", "value", "status", "reason", "attempts", "cpu_seconds", "provenance"]
        rows: list[tuple[Any, ...]] = []
        for part in chunks(keys, 500):
            marks = ",".join("?" * len(part))
            query = (
                "SELECT recipe, architecture, value, status, reason, attempts, cpu_seconds, provenance.json "  # noqa: S608
                f"FROM score JOIN provenance ON provenance.id = score.provenance WHERE recipe IN ({marks})"
            )
            rows += self._connection.execute(query, tuple(part))
        frame = pd.DataFrame(rows, columns=columns)
        return frame.astype({"value": float, "cpu_seconds": float})

    def save_suite(self, name: str, record: StoredSuite) -> None:
        """Keep what the last run of a suite asked for.

        Parameters
        ----------
        name
            Name of the suite.
        record
            All that a report needs to know of the run.
        """
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO suite VALUES (?, ?)", (name, write_record(record)))

    def suite(self, name: str) -> StoredSuite:
        """Return what the last run of a suite asked for.

        Parameters
        ----------
        name
            Name of the suite.

        Raises
        ------
        StoreError
            If the suite has not been run with this store, or its record is damaged.
        """
        row = self._connection.execute("SELECT json FROM suite WHERE name = ?", (name,)).fetchone()
        if row is None:
            known = [known for (known,) in self._connection.execute("SELECT name FROM suite ORDER BY name")]
            raise StoreError(
                f"suite {name!r} has not been run with the store {self.folder} (suites there: "
                f"{', '.join(known) or 'none'}); run it first: benchsuite run {name} --store {self.folder}"
            )
        try:
            return read_record(row[0])
        except DataCorruptError as error:
            raise StoreError(
                f"suite {name!r} in the store {self.folder}: {error}; "
                f"run it again: benchsuite run {name} --store {self.folder}"
            ) from error

    def counts(self) -> dict[str, int]:
        """Return the number of recipes, and of scores by status."""
        query = "SELECT status, count(*) FROM score GROUP BY status"
        counts = dict.fromkeys(("ok", "undefined", "failed"), 0) | dict(self._connection.execute(query))
        (recipes,) = self._connection.execute("SELECT count(*) FROM recipe").fetchone()
        return {"recipes": recipes, **counts}

    def check(self) -> list[str]:
        """Return the problems of the file, one line each; the list of a sound store is empty."""
        problems = [text for (text,) in self._connection.execute("PRAGMA integrity_check") if text != "ok"]
        for key, text in self._connection.execute("SELECT key, json FROM recipe"):
            if digest(json.loads(text)) != key:
                problems.append(f"recipe {key} does not match its content")
        query = "SELECT count(*) FROM score WHERE recipe NOT IN (SELECT key FROM recipe)"
        (orphans,) = self._connection.execute(query).fetchone()
        if orphans:
            problems.append(f"{orphans} scores without a recipe")
        for name, text in self._connection.execute("SELECT name, json FROM suite ORDER BY name"):
            try:
                read_record(text)
            except DataCorruptError as error:
                problems.append(f"suite {name!r}: {error}; run it again")
        return problems

    def merge(self, other: str | Path) -> int:
        """Copy the scores of another store, whose scores replace only failed ones, and return how many were new.

        Parameters
        ----------
        other
            Folder of the other store.
        """
        before = len(self)
        with Store(other, create=False) as source:
            self._copy_from(source)
        return len(self) - before

    def __len__(self) -> int:
        (number,) = self._connection.execute("SELECT count(*) FROM score").fetchone()
        return int(number)

    def _copy_from(self, source: Store) -> None:
        with closing(source._connection.cursor()) as cursor, self._connection as target:
            target.executemany("INSERT OR IGNORE INTO recipe VALUES (?, ?)", cursor.execute("SELECT * FROM recipe"))
            target.executemany("INSERT OR IGNORE INTO suite VALUES (?, ?)", cursor.execute("SELECT * FROM suite"))
            cursor.execute("SELECT json FROM provenance")
            target.executemany("INSERT OR IGNORE INTO provenance (json) VALUES (?)", cursor)
            ids = dict(target.execute("SELECT json, id FROM provenance").fetchall())
            query = (
                "SELECT recipe, architecture, value, status, reason, cpu_seconds, provenance.json "
                "FROM score JOIN provenance ON provenance.id = score.provenance"
            )
            target.executemany(_UPSERT, ((*row[:-1], ids[row[-1]]) for row in cursor.execute(query)))
