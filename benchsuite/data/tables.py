"""Ground-truth tables: their columns, their files, and the tables that users bring.

A row is one accuracy: of an architecture, in one training (`trial`), after `epochs` epochs, on one `split`.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # pyarrow ships no types
from pyarrow import compute, parquet

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.core.files import whole
from benchsuite.core.types import ACCURACY, ARCHITECTURE, EPOCHS, LOSS, SPLIT, TRIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COLUMNS = (ARCHITECTURE, ACCURACY, TRIAL, EPOCHS, SPLIT, LOSS)
KEY = (ARCHITECTURE, TRIAL, EPOCHS, SPLIT)
DEFAULTS: dict[str, int | str | float] = {TRIAL: 0, EPOCHS: 0, SPLIT: "test", LOSS: float("nan")}
_CATEGORIES = (ARCHITECTURE, SPLIT)
_SCHEMA = pa.schema(
    [
        (ARCHITECTURE, pa.string()),
        (ACCURACY, pa.float64()),
        (TRIAL, pa.int32()),
        (EPOCHS, pa.int32()),
        (SPLIT, pa.string()),
        (LOSS, pa.float64()),
    ]
)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a ground-truth table of a user's own and check it row by row.

    Columns `architecture` and `accuracy` (percent) are needed. If left out, `trial` is 0 (one training each), `epochs`
    is 0 (not stated), `split` is "test" and `loss` unknown. Other columns are ignored, unless they look misspelt.

    Parameters
    ----------
    path
        A file that ends in .csv (compressed too) or .parquet.

    Returns
    -------
    DataFrame
        Columns architecture (category), accuracy (percent), trial, epochs, split (category), loss.

    Raises
    ------
    DataMissingError
        If there is no such file.
    DataCorruptError
        If the file is broken, or a row is not allowed; the message names the row, counted from 1 without the header.
    """
    file = Path(path)
    frame = read_frame(file)
    if frame.empty:
        raise DataCorruptError(f"{file.name} is empty below its header; give one row per accuracy")
    table = normalise(frame, file.name)
    if table[ACCURACY].max() <= 1:
        raise DataCorruptError(
            f"{file.name}: all accuracies are at most {table[ACCURACY].max():g}, which looks like fractions; "
            "give percent (multiply by 100)"
        )
    return table


def read_frame(file: Path) -> pd.DataFrame:
    """Read the rows of a CSV file, as texts, or of a Parquet file.

    Parameters
    ----------
    file
        A file that ends in .csv (compressed too) or .parquet.

    Raises
    ------
    DataMissingError
        If there is no such file.
    DataCorruptError
        If the file is broken, or its name ends otherwise.
    """
    if not file.is_file():
        raise DataMissingError(f"{file} does not exist; give the path of a CSV or Parquet file")
    suffixes = {suffix.lower() for suffix in file.suffixes[-2:]}
    if not suffixes & {".csv", ".parquet"}:
        raise DataCorruptError(f"{file.name} does not end in .csv or .parquet; give a table in one of these formats")
    kind = "Parquet" if ".parquet" in suffixes else "CSV"
    try:
        if kind == "Parquet":
            return pd.read_parquet(file, engine="pyarrow")
        return pd.read_csv(file, dtype=str, keep_default_na=False, skipinitialspace=True)
    except pd.errors.EmptyDataError as error:
        raise DataCorruptError(f"{file.name} is empty; give a header and rows under it") from error
    except (pa.ArrowException, ValueError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataCorruptError(
            f"{file.name} is truncated or not a {kind} file ({reason[:120]}); write it again"
        ) from error


def normalise(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return rows with all columns of the schema in their types.

    Parameters
    ----------
    frame
        Columns architecture and accuracy (percent), and any of the others.
    origin
        How messages name the source of the rows.

    Raises
    ------
    DataCorruptError
        If a column is missing or misspelt, a value is not allowed, or a row is repeated.

    Examples
    --------
    >>> normalise(pd.DataFrame({"architecture": ["a"], "accuracy": [90]}), "the example").iloc[0].to_dict()
    {'architecture': 'a', 'accuracy': 90.0, 'trial': 0, 'epochs': 0, 'split': 'test', 'loss': nan}
    """
    _check_columns([str(name) for name in frame.columns], origin)
    table = pd.DataFrame(
        {
            ARCHITECTURE: _texts(frame[ARCHITECTURE], origin),
            ACCURACY: _accuracies(frame[ACCURACY], origin),
            TRIAL: _counts(_column(frame, TRIAL), origin),
            EPOCHS: _counts(_column(frame, EPOCHS), origin),
            SPLIT: _texts(_column(frame, SPLIT), origin),
            LOSS: _numbers(_column(frame, LOSS), origin, missing_allowed=True),
        }
    ).reset_index(drop=True)
    twice = table.duplicated(list(KEY))
    if twice.any():
        row = table[twice].iloc[0]
        raise DataCorruptError(
            f"{origin}, row {_first(twice)}: {row[ARCHITECTURE]!r} with trial {row[TRIAL]}, epochs {row[EPOCHS]}, "
            f"split {row[SPLIT]!r} repeats an earlier row; number the trainings of an architecture in a column 'trial'"
        )
    return table


def _check_columns(names: list[str], origin: str) -> None:
    others = [name for name in names if name not in COLUMNS]
    for needed in (ARCHITECTURE, ACCURACY):
        if needed not in names:
            close = difflib.get_close_matches(needed, others, n=1, cutoff=0.5)  # `arch` is close enough
            hint = f" (is it {close[0]!r}? rename it)" if close else ""
            raise DataCorruptError(f"{origin} lacks the column {needed!r}{hint}; it has: {', '.join(names) or 'none'}")
    for name in others:
        close = difflib.get_close_matches(name.lower(), [column for column in COLUMNS if column not in names], n=1)
        if close:
            raise DataCorruptError(f"{origin} has a column {name!r}; did you mean {close[0]!r}? Rename or remove it")


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame.columns else pd.Series(DEFAULTS[name], index=frame.index, name=name)


def _first(wrong: pd.Series) -> int:
    """Return the number of the first row that is marked, counted from 1."""
    return int(wrong.to_numpy().argmax()) + 1


def _value(column: pd.Series, wrong: pd.Series) -> Any:
    """Return the first marked value as Python has it."""
    value = column.iloc[_first(wrong) - 1]
    return value.item() if isinstance(value, np.generic) else value


def _texts(column: pd.Series, origin: str) -> pd.Series:
    text = column.astype("string").str.strip()
    wrong = text.isna() | (text == "")
    if pd.api.types.is_numeric_dtype(column.dtype):
        wrong[:] = True
    if wrong.any():
        value = _value(column, wrong)
        raise DataCorruptError(f"{origin}, row {_first(wrong)}: {column.name} is {value!r}; must be a text")
    return text.astype("str").astype("category")


def _numbers(column: pd.Series, origin: str, *, missing_allowed: bool = False) -> pd.Series:
    blank = column.isna() | (column.astype("string").str.strip() == "")
    numbers = pd.to_numeric(column.mask(blank), errors="coerce").astype("float64")
    wrong = numbers.isna() & ~(blank if missing_allowed else False) | (numbers.abs() == float("inf"))
    if wrong.any():
        value = _value(column, wrong)
        raise DataCorruptError(f"{origin}, row {_first(wrong)}: {column.name} is {value!r}; must be a finite number")
    return numbers


def _accuracies(column: pd.Series, origin: str) -> pd.Series:
    numbers = _numbers(column, origin)
    wrong = (numbers < 0) | (numbers > 100)
    if wrong.any():
        value = _value(numbers, wrong)
        raise DataCorruptError(f"{origin}, row {_first(wrong)}: accuracy is {value:g}; must be 0 to 100 (percent)")
    return numbers


def _counts(column: pd.Series, origin: str) -> pd.Series:
    numbers = _numbers(column, origin)
    wrong = (numbers < 0) | (numbers % 1 != 0) | (numbers >= 2**31)
    if wrong.any():
        value = _value(numbers, wrong)
        raise DataCorruptError(
            f"{origin}, row {_first(wrong)}: {column.name} is {value:g}; must be a non-negative integer"
        )
    return numbers.astype("int32")


@contextmanager
def table_writer(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Give a function that appends pieces of a table; the file appears whole when the block ends.

    Parameters
    ----------
    path
        The Parquet file to write.

    Yields
    ------
    Callable
        It takes rows checked by `normalise`. Architectures should come in the order of their strings, so that a part
        of a large file can be read.
    """
    with whole(path) as partial, parquet.ParquetWriter(partial, _SCHEMA, compression="zstd") as writer:

        def append(rows: pd.DataFrame) -> None:
            plain = {name: rows[name].astype("str") if name in _CATEGORIES else rows[name] for name in COLUMNS}
            writer.write_table(pa.Table.from_pandas(pd.DataFrame(plain), _SCHEMA, preserve_index=False))

        yield append


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table whole: a reader sees the old file or the new one.

    Parameters
    ----------
    path
        The Parquet file to write.
    table
        Rows checked by `normalise`.
    """
    with table_writer(path) as append:
        append(table)


def load_table(path: Path, architectures: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that `write_table` or `table_writer` wrote.

    Parameters
    ----------
    path
        The Parquet file.
    architectures
        Read only their rows; default: all rows.

    Returns
    -------
    DataFrame
        Columns architecture (category), accuracy (percent), trial, epochs, split (category), loss.

    Raises
    ------
    DataCorruptError
        If the file is truncated, or is not such a table.
    """
    try:
        if parquet.read_schema(path).names != list(COLUMNS):
            raise DataCorruptError(f"{path} is not a ground-truth table; import or fetch it again")
        with parquet.ParquetFile(path, read_dictionary=list(_CATEGORIES)) as file:
            if architectures is not None:
                return _frame(_read_part(file, sorted(architectures)))
            known = COLUMNS if _has_losses(file.metadata) else [name for name in COLUMNS if name != LOSS]
            return _frame(file.read(columns=list(known)))  # a column without a known loss need not be read
    except (pa.ArrowException, ValueError, OSError) as error:
        raise DataCorruptError(f"{path} is truncated or not a Parquet file; import or fetch it again") from error


def _has_losses(metadata: Any) -> bool:
    parts = [metadata.row_group(group).column(COLUMNS.index(LOSS)) for group in range(metadata.num_row_groups)]
    return any(part.statistics is None or part.statistics.null_count < part.num_values for part in parts)


def _frame(rows: Any) -> pd.DataFrame:
    """Return the rows as a data frame, whose losses are NaN if they were not read; free memory column by column."""
    values: dict[str, Any] = {}
    n = rows.num_rows
    for name in rows.column_names:
        column = rows.column(0)
        rows = rows.remove_column(0)
        values[name] = _categories(column) if name in _CATEGORIES else column.to_numpy()
        del column
    if LOSS not in values:
        values[LOSS] = np.full(n, np.nan)
    return pd.DataFrame(values, columns=list(COLUMNS), copy=False)


def _categories(column: Any) -> pd.Categorical:
    """Return the texts as sorted categories, so that groups are sorted; each part of a file numbers its own."""
    chunks = [part for part in column.chunks if len(part)]
    if not chunks:
        return pd.Categorical([], dtype=pd.CategoricalDtype(pd.Index([], dtype="str")))
    texts = pa.concat_arrays([part.dictionary for part in chunks])
    order = compute.sort_indices(texts)
    ordered = texts.take(order)
    new = np.concatenate([[True], compute.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)])
    codes = np.empty(len(texts), np.int32)
    codes[order.to_numpy()] = np.cumsum(new, dtype=np.int32) - 1
    starts = np.cumsum([0, *(len(part.dictionary) for part in chunks)])
    parts = [codes[start:][part.indices.to_numpy()] for start, part in zip(starts, chunks, strict=False)]
    kind = pd.CategoricalDtype(pd.Index(pd.array(ordered.filter(pa.array(new)), dtype="str")))
    return pd.Categorical.from_codes(np.concatenate(parts), dtype=kind, validate=False)


def _read_part(file: Any, wanted: list[str]) -> Any:
    """Read the rows of the wanted architectures (sorted), and only those pieces of the file that can contain them."""
    parts = [file.schema_arrow.empty_table()]
    for group in range(file.num_row_groups):
        known = file.metadata.row_group(group).column(0).statistics
        first = bisect_left(wanted, known.min) if known is not None else 0
        if first < len(wanted) and (known is None or wanted[first] <= known.max):
            parts.append(file.read_row_group(group).filter(compute.field(ARCHITECTURE).isin(wanted)))
    return pa.concat_tables(parts)
