"""From a file and its mapping to batches of rows: which reader takes it, and where its header is."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from typing import BinaryIO, Final, cast

from detector.config import IngestSettings
from detector.errors import InputError, Where
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.bytesource import InputFile
from detector.ingest.delimited import read_delimited
from detector.ingest.expand import DamagedFileError
from detector.ingest.headers import distinct_columns, fits_header, header_columns
from detector.ingest.jsonlines import expand_column, read_json_document, read_json_lines
from detector.ingest.mapping import Format, Mapping
from detector.ingest.parquet_rows import read_parquet
from detector.ingest.sniff import container, is_document
from detector.ingest.syslog import read_syslog
from detector.ingest.textlines import read_text
from detector.ingest.workbook import read_workbook

LOOK: Final = 1 << 16
#: A header may itself hold line breaks, but no more than these.
HEADER_LINES: Final = 20


def open_reader(
    file: InputFile, stream: BinaryIO, mapping: Mapping, limits: IngestSettings
) -> Iterator[RawBatch | list[Reject]]:
    """Batches and rejects of one file, every line of it once.

    `stream` is the unpacked file from its beginning. Raises InputError when the file is not of a format the mapping
    has, or has no header of it, and RefusedFileError when it is too large.
    """
    buffer = stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream), LOOK)
    form = _format(file.name, buffer, mapping)
    if form == "parquet":
        path = file.path if file.compression == "plain" and file.member is None else None
        return _embedded(read_parquet(buffer, file.name, mapping, limits, path=path), mapping)
    if form == "workbook":
        return _embedded(read_workbook(buffer, file.name, mapping, limits), mapping)
    if form == "delimited":
        return _read_table(file.name, buffer, mapping, limits)
    readers = {"jsonlines": read_json_lines, "json": read_json_document, "syslog": read_syslog, "text": read_text}
    return readers[form](buffer, mapping, limits)


def _format(name: str, stream: BufferedReader, mapping: Mapping) -> Format:
    """Which of the mapping's formats the file has, by its first bytes."""
    try:
        head = stream.peek(LOOK)
    except DamagedFileError:
        head = b""
    kind = container(head)
    if kind in ("workbook", "parquet"):
        if kind in mapping.formats:
            return kind
        raise InputError(
            f"a {kind}, but mapping {mapping.name} reads {' or '.join(mapping.formats)}", where=Where(name)
        )
    texts: list[Format] = [form for form in mapping.formats if form not in ("workbook", "parquet")]
    if kind == "json":
        has_both = {"json", "jsonlines"} <= set(texts)
        if has_both:
            return "json" if mapping.json_shape and is_document(head, mapping.json_shape) else "jsonlines"
        texts = [form for form in texts if form in ("json", "jsonlines")] or texts
    else:
        texts = [form for form in texts if form not in ("json", "jsonlines")] or texts
    if not texts:
        raise InputError(f"text, but mapping {mapping.name} reads {' or '.join(mapping.formats)}", where=Where(name))
    return texts[0]


def _read_table(
    name: str, stream: BufferedReader, mapping: Mapping, limits: IngestSettings
) -> Iterator[RawBatch | list[Reject]]:
    header, first_line = read_header(name, stream, mapping, limits)
    batches = read_delimited(
        stream,
        header=header,
        delimiter=mapping.delimiter,
        encoding=mapping.encoding,
        first_line=first_line,
        limits=limits,
    )
    yield from _embedded(batches, mapping)


def _embedded(batches: Iterator[RawBatch | list[Reject]], mapping: Mapping) -> Iterator[RawBatch | list[Reject]]:
    if mapping.embedded_json is None:
        yield from batches
        return
    for batch in batches:
        column = None
        if isinstance(batch, RawBatch):
            column = header_columns(batch.columns.column_names, mapping).get(mapping.embedded_json)
        yield from expand_column(iter([batch]), column, mapping) if column else iter([batch])


def read_header(name: str, stream: BufferedReader, mapping: Mapping, limits: IngestSettings) -> tuple[list[str], int]:
    """Column names and the number of the line after the header; the stream then stands at that line.

    Title lines above the header are passed over. Raises InputError when there is no header of this mapping.
    """
    line = 0
    records = 0
    while records < mapping.header_within:
        text, taken = _record(stream, mapping, limits)
        if not taken:
            break
        line += taken
        columns = split_header(text, mapping.delimiter)
        if not any(column.strip() for column in columns):
            continue
        records += 1
        if fits_header(columns, mapping):
            return distinct_columns(columns, name, mapping), line + 1
    needed = ", ".join(mapping.header.must) if mapping.header else "a header"
    raise InputError(
        f"no line at the beginning is the header of mapping {mapping.name}",
        where=Where(name),
        hint=f"It needs the columns {needed}; --source NAME names another mapping.",
    )


def split_header(text: str, delimiter: str) -> list[str]:
    """The column names of a header line."""
    try:
        rows = list(csv.reader([text.strip("\r\n").replace("\0", "")], delimiter=delimiter))
    except csv.Error:
        return []
    return [column.strip() for column in rows[0]] if rows else []


def _record(stream: BufferedReader, mapping: Mapping, limits: IngestSettings) -> tuple[str, int]:
    """One line, or several where a quoted name holds a line break; how many lines that was."""
    text, taken = "", 0
    while taken < HEADER_LINES:
        try:
            data = stream.readline(limits.max_line_bytes)
        except DamagedFileError:
            break
        if not data:
            break
        taken += 1
        text += data.decode(mapping.encoding, "replace")
        if text.count('"') % 2 == 0:
            break
    return text, taken
