"""Events of a CSV file: read by the engine, or, where that fails or may mislead, record by record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.errors import InputError, Where
from detector.rules.files.csv_records import Lot, header_of, lots
from detector.rules.files.rows import Events, columns_of
from detector.rules.files.text import BadRow, BreaksOffError, FileText
from detector.rules.windows import ROW

_DELIMITERS = ",;\t|"
#: A line that says what the delimiter is, as Excel has it.
_SAYS_DELIMITER = re.compile(rb"sep=(.)\r?\n")
#: Bytes of rows that are put aside at once.
_BYTES_ASIDE = 1 << 24


@dataclass(frozen=True)
class _Header:
    """The first record of a CSV: its names and delimiter, and after how many lines it begins."""

    names: tuple[str, ...]
    delimiter: str
    before: int

    @classmethod
    def of(cls, text: FileText) -> _Header:
        """Raises InputError."""
        try:
            return cls._of(text)
        except BreaksOffError as exc:
            raise InputError(f"breaks off within its header: {exc}", where=Where(text.path, 1)) from None

    @classmethod
    def _of(cls, text: FileText) -> _Header:
        lines = text.lines()
        before, first = 0, next(lines, b"")
        said = _SAYS_DELIMITER.fullmatch(first)
        while (said and not before) or (first and not first.strip()):
            before, first = before + 1, next(lines, b"")
        if not first:
            raise InputError("the file has no header line", where=Where(text.path, 1))
        delimiter = said[1].decode("latin-1") if said else _delimiter(first, text.path)
        names = header_of(islice(text.lines(), before, None), delimiter)
        if isinstance(names, BadRow):
            raise InputError(
                f"the header cannot be read: it {names.why}",
                where=Where(text.path, before + 1),
                hint="Bring the file into UTF-8, and its quotes in order.",
            )
        return cls(tuple(names), delimiter, before)


@dataclass(frozen=True)
class CsvEvents:
    """A file of them. `spill` is a folder that `con` may read."""

    con: Backend
    text: FileText
    spill: Path

    def open(self) -> Events:
        header = _Header.of(self.text)
        if not self.text.plain or header.before or _may_mislead(self.text):
            return self._with_care(header)
        columns = {f"c{index}": "VARCHAR" for index in range(len(header.names))}
        table = self.con.read_csv(
            str(self.text.path.absolute()),
            columns=columns,
            header=True,
            delim=header.delimiter,
            quote='"',
            escape='"',
            # no value is this, so that an empty value stays an empty text
            nullstr=uuid4().hex,
            auto_detect=False,
            compression=self.text.packing or "none",
        )
        found = columns_of(self.text.path, table, header.names, list(columns), numbered=False)
        return replace(found, again=lambda: self._with_care(header))

    def _with_care(self, header: _Header) -> Events:
        """The rows that can be read as a table in a file of its own, short ones filled up with nothing."""
        import pyarrow.parquet as pq

        copy = self.spill / f"{uuid4().hex}.parquet"
        columns = [f"c{index}" for index in range(len(header.names))]
        schema = pa.schema([*((name, pa.string()) for name in columns), (ROW, pa.int64())])
        any_bad = False
        with pq.ParquetWriter(
            copy, schema, compression="snappy", use_dictionary=False, write_statistics=False
        ) as writer:
            aside: list[pa.Table] = []
            for lot in self._lots(header):
                any_bad |= bool(lot.bad)
                aside += [_table(lot, schema)] if lot.rows else []
                if sum(table.nbytes for table in aside) > _BYTES_ASIDE:
                    writer.write_table(pa.concat_tables(aside))
                    aside.clear()
            if aside:
                writer.write_table(pa.concat_tables(aside))
        table = self.con.read_parquet(str(copy.absolute()))

        def bad_rows(broken: Sequence[int]) -> Iterator[BadRow]:
            del broken  # the engine has none of them
            for lot in self._lots(header) if any_bad else ():
                yield from lot.bad

        return replace(columns_of(self.text.path, table, header.names, columns), bad_rows=bad_rows)

    def _lots(self, header: _Header) -> Iterator[Lot]:
        """The rows, those of the header and before it left out."""
        found = lots(islice(self.text.lines(), header.before, None), header.delimiter, len(header.names))
        for lot in found:
            skipped = int(lot.rows[:1] == [0])
            rows = [row - 1 for row in lot.rows[skipped:]]
            bad = [replace(bad, row=bad.row - 1, line=bad.line + header.before) for bad in lot.bad]
            yield Lot(rows, lot.values[skipped:], bad)


def _table(lot: Lot, schema: pa.Schema) -> pa.Table:
    """The rows of a lot, short ones filled up with nothing."""
    width = len(schema) - 1
    columns = list(islice(zip_longest(*lot.values), width))
    columns += [(None,) * len(lot.rows)] * (width - len(columns))
    return pa.table([*(pa.array(column, pa.string()) for column in columns), pa.array(lot.rows, pa.int64())], schema)


def _delimiter(header: bytes, path: Path) -> str:
    """What stands in a header most often, outside quotes."""
    unquoted = re.sub(rb'"[^"]*"', b"", header)
    if b"\t" in unquoted and ".tsv" in path.name.lower():
        return "\t"
    return max(_DELIMITERS, key=lambda each: unquoted.count(each.encode()))


def _may_mislead(text: FileText) -> bool:
    """Does the file break off, or a line end within quotes?

    The engine's readers begin in the middle, too, and have been seen to lose rows there without a word; its one reader
    that begins at the beginning loses all that follows a quote that is never closed.
    """
    before = 0
    try:
        for chunk in text.chunks():
            if b'"' in chunk or before % 2:
                data = np.frombuffer(chunk, np.uint8)
                quotes = np.flatnonzero(data == ord('"'))
                ends = np.flatnonzero((data == ord("\n")) | (data == ord("\r")))
                # a line ends within quotes where those before it are odd; a lone quote only makes it seem so
                if np.any((np.searchsorted(quotes, ends) + before) % 2):
                    return True
                before += len(quotes)
    except BreaksOffError:
        return True
    return before % 2 == 1
