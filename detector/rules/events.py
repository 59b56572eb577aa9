"""Any events file as a source of fields: JSON lines, a JSON array, CSV or Parquet, plain or gzip or zstd.

Types stay as in the file; a CSV has texts only. Rows are numbered from 0 in the file's order, blank lines not counted.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.engine import json_documents
from detector.errors import ConfigError, InputError, Where
from detector.rules.sources import ColumnSource, JsonSource, Source
from detector.rules.windows import ROW

_PACKED = {".gz": "gzip", ".zst": "zstd"}
_JSON = frozenset({".jsonl", ".ndjson", ".json", ".log"})
_DELIMITERS = ",;\t|"
#: Bytes of one header line at most.
_HEADER = 1 << 20
#: No CSV value is this, so that an empty value stays an empty text.
_NEVER = "\x01"


@dataclass(frozen=True)
class BadRow:
    """A row that is no event: its number among the rows and its 1-based line."""

    row: int
    line: int
    why: str


@dataclass(frozen=True)
class Events:
    """`source.table` has the column `row`."""

    path: Path
    source: Source

    def bad_rows(self, rows: Sequence[int]) -> list[BadRow]:
        """Where in the file the rows are that are no events, and why they are none."""
        wanted = set(rows)
        found: list[BadRow] = []
        row = 0
        with _open(self.path) as file:
            for line, content in enumerate(file if wanted else (), start=1):
                if not content.strip():
                    continue
                if row in wanted:
                    found.append(BadRow(row, line, _why(content)))
                row += 1
        return found


def open_events(con: Backend, path: Path) -> Events:
    """Raises InputError for a file that does not exist, cannot be read, or is of no known kind."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packing = _PACKED.get(suffixes[-1]) if suffixes else None
    kind = (suffixes[-2:-1] if packing else suffixes[-1:]) or [""]
    if not path.is_file():
        raise InputError("no such events file", where=Where(path))
    with reading(path):
        if kind[0] in (".parquet", ".pq"):
            return Events(path, _parquet(con, path))
        if kind[0] in (".csv", ".tsv"):
            return Events(path, _csv(con, path, packing or "none"))
        if kind[0] in _JSON:
            return Events(path, _json(con, path, packing or "uncompressed"))
    raise InputError(
        f"cannot tell what kind of file {path.name} is",
        where=Where(path),
        hint="Name it .jsonl, .json, .csv, .tsv or .parquet; .gz or .zst may follow.",
    )


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
    except (duckdb.Error, pa.ArrowException, UnicodeDecodeError, OSError, EOFError) as exc:
        first = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
        raise InputError(f"cannot be read: {first}", where=Where(path)) from exc


def _json(con: Backend, path: Path, packing: str) -> Source:
    with _open(path) as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    array = start.startswith(b"[") and path.name.lower().split(".")[1:2] == ["json"]
    options = {"format": "array"} if array else {"format": "newline_delimited", "ignore_errors": True}
    return JsonSource(json_documents(con, path, compression=packing, **options))


def _csv(con: Backend, path: Path, packing: str) -> Source:
    with _open(path) as file:
        header = file.readline(_HEADER).decode("utf-8-sig")
    if not header.strip():
        raise InputError("the file has no header line", where=Where(path, 1))
    delimiter = max(_DELIMITERS, key=header.count)
    names = next(csv.reader(io.StringIO(header), delimiter=delimiter))
    columns = {f"c{index}": "VARCHAR" for index in range(len(names))}
    table = con.read_csv(
        str(path.absolute()),
        columns=columns,
        header=True,
        delim=delimiter,
        quote='"',
        escape='"',
        nullstr=_NEVER,
        null_padding=True,
        auto_detect=False,
        compression=packing,
    )
    return ColumnSource(table, dict(zip(names, columns, strict=True)), numbered=False)


def _parquet(con: Backend, path: Path) -> Source:
    import pyarrow.parquet as pq  # a tenth of a second that only Parquet needs

    names = pq.read_schema(path).names
    table = con.read_parquet(str(path.absolute()), file_row_number=True)
    # by position: the engine renames columns that differ in case alone
    *columns, number = table.columns
    safe = {column: f"c{index}" for index, column in enumerate(columns)}
    renamed = table.select(**{new: table[old] for old, new in safe.items()}, **{ROW: table[number]})
    return ColumnSource(renamed, dict(zip(names, safe.values(), strict=True)))


def _open(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    if path.suffix.lower() == ".zst":
        import zstandard

        return zstandard.open(path, "rb")  # type: ignore[no-any-return]
    return path.open("rb")


def _why(line: bytes) -> str:
    try:
        value = json.loads(line)
    except ValueError:
        return "is not JSON"
    return "is JSON, but no object" if not isinstance(value, dict) else "is no event the engine can read"
