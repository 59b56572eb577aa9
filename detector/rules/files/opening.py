"""Any events file as a source of fields: JSON lines, a JSON array, CSV or Parquet, plain or gzip or zstd.

Types stay as in the file; a CSV has texts only. Rows are numbered from 0 in the file's order, blank lines not counted.

The engine's own readers are quick, and give a whole file up for one bad line. What they fail at is read again with
care: each row that can be read is put aside for the engine, and the others are told of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.errors import ConfigError, InputError, Where
from detector.rules.files.csv_events import CsvEvents
from detector.rules.files.json_events import JsonEvents
from detector.rules.files.rows import Events, columns_of
from detector.rules.files.text import PACKED, FileText
from detector.rules.windows import ROW

_JSON = frozenset({".jsonl", ".ndjson", ".json", ".log"})


def open_events(con: Backend, path: Path, *, spill: Path) -> Events:
    """`spill` is a folder that `con` may read. What is put aside there must outlive the events.

    Raises InputError for a file that does not exist, cannot be read, or is of no known kind.
    """
    check_file(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = (suffixes[-2:-1] if suffixes[-1:] and suffixes[-1] in PACKED else suffixes[-1:]) or [""]
    with reading(path):
        if kind[0] in (".parquet", ".pq"):
            return _parquet(con, path)
        if kind[0] in (".csv", ".tsv"):
            return CsvEvents(con, FileText(path), spill).open()
        if kind[0] in _JSON:
            return JsonEvents(con, FileText(path), spill).open()
    raise InputError(
        f"cannot tell what kind of file {path.name} is",
        where=Where(path),
        hint="Name it .jsonl, .json, .csv, .tsv or .parquet; .gz or .zst may follow.",
    )


def check_file(path: Path) -> None:
    """Raises InputError for what is no file that can be read from its beginning more than once."""
    if path.is_dir():
        raise InputError("is a folder, not an events file", where=Where(path), hint="Name one file in it.")
    if path.exists() and not path.is_file():
        raise InputError("is a pipe or device, not a file", where=Where(path), hint="Write the events to a file first.")
    if not path.is_file():
        raise InputError("no such events file", where=Where(path))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What the engine says of a broken file, as an InputError.

    Raises ConfigError where it is not the file's fault: the engine's memory did not do.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as exc:
        raise ConfigError(
            f"the engine may not use enough memory for these rules over {path.name}",
            where=Where(key="limits.memory_limit"),
            hint="Raise limits.memory_limit, or run fewer rules at once.",
        ) from exc
    except (duckdb.Error, pa.ArrowException, OSError) as exc:
        first = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
        raise InputError(f"cannot be read: {first}", where=Where(path)) from exc


def _parquet(con: Backend, path: Path) -> Events:
    import pyarrow.parquet as pq  # a tenth of a second that only Parquet needs

    names = pq.read_schema(path).names
    if "file_row_number" in map(str.lower, names):
        # the engine cannot give its number then; counting the rows takes one thread
        table = con.read_parquet(str(path.absolute()))
        table = table.mutate(**{f"{ROW}_{len(names)}": ibis.row_number()})
    else:
        table = con.read_parquet(str(path.absolute()), file_row_number=True)
    # by position: the engine renames columns that differ in case alone
    *columns, number = table.columns
    safe = {column: f"c{index}" for index, column in enumerate(columns)}
    renamed = table.select(**{new: table[old] for old, new in safe.items()}, **{ROW: table[number]})
    return columns_of(path, renamed, names, list(safe.values()))
