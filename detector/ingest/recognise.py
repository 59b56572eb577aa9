"""Which mapping a file is of, from its beginning. No guess: none, or more than one, is for the user to settle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from detector.config import IngestSettings
from detector.ingest import mapping as mappings
from detector.ingest.headers import fits_header, loose
from detector.ingest.jsonpath import compile_path, lookup, text_of
from detector.ingest.mapping import JsonShape
from detector.ingest.parquet_rows import parquet_header
from detector.ingest.readers import split_header
from detector.ingest.sniff import container, sample_records
from detector.ingest.workbook import workbook_headers
from detector.schema import REFERENCE_TABLES

Whole = Callable[[], AbstractContextManager[BinaryIO]]

#: How many leading lines or records are looked at.
SAMPLE: Final = 20
LABELS: Final = frozenset({"event_id", "episode_id", "scenario"})
_DELIMITERS: Final = (",", ";", "\t", "|")


def recognise(
    name: str,
    head: bytes,
    known: Mapping[str, mappings.Mapping],
    *,
    whole: Whole | None = None,
    limits: IngestSettings | None = None,
) -> list[str]:
    """Names of the mappings that fit, sorted; `whole` opens the unpacked file, which workbooks and Parquet need.

    Raises InputError for a workbook or Parquet file that cannot be read or is refused.
    """
    kind = container(head)
    limits = limits or IngestSettings()
    if kind == "binary" or non_log(name, head) is not None:
        return []
    if kind in ("workbook", "parquet"):
        headers = _whole_headers(name, kind, whole, limits)
        fits: Callable[[mappings.Mapping], bool] = lambda m: kind in m.formats and _fits_any(headers, m)  # noqa: E731
    elif kind == "json":
        lines = first_lines(head)  # a text line may begin with a bracket too
        fits = lambda m: _fits_json(head, m) or ("text" in m.formats and _fits_text(lines, m))  # noqa: E731
    else:
        lines = first_lines(head)
        fits = lambda m: _fits_text(lines, m)  # noqa: E731
    return sorted(each.name for each in known.values() if fits(each))


def non_log(name: str, head: bytes) -> str | None:
    """Why a file is known to be no log, or None: a reference table, labels, another kind of file."""
    kind = container(head)
    if kind == "binary":
        return "not a text file, workbook (.xlsx) or Parquet file"
    if not head.strip():
        return "empty"
    if kind != "text":
        return None
    for line in first_lines(head)[:1]:
        for delimiter in _DELIMITERS:
            columns = {loose(column) for column in split_header(line, delimiter)}
            if {loose(label) for label in LABELS} <= columns:
                return "labels for `detector evaluate`, not a log"
            table = _reference_table(PurePath(name).name, columns)
            if table is not None:
                return f"the reference table {table}: give its folder with --reference"
    return None


def _reference_table(file: str, columns: set[str]) -> str | None:
    """Which reference table has these columns: most of its own, the first among them, and none of an event's."""
    if {loose(n) for n in ("event_time", "operator_id")} & columns:
        return None
    for table, names in REFERENCE_TABLES.items():
        own = {loose(n) for n in names}
        by_name = PurePath(file.partition(".")[0]).name == table
        share = len(own & columns) / len(own)
        if loose(names[0]) in columns and (share >= 0.99 or (by_name and share >= 0.5)):
            return table
    return None


def first_lines(head: bytes) -> list[str]:
    """The first whole lines that are not blank."""
    text = head.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split(r"\r\n|\n|\r", text)
    if len(lines) > 1 and len(head) >= 1 << 16:
        lines.pop()  # cut off where the head ends
    return [line for line in lines if line.strip()][:1000]


def _fits_text(lines: list[str], mapping: mappings.Mapping) -> bool:
    if "delimited" in mapping.formats and any(
        fits_header(split_header(line, mapping.delimiter), mapping) for line in lines[: mapping.header_within]
    ):
        return True
    if mapping.line is not None and {"syslog", "text"} & set(mapping.formats) and lines:
        sample = lines[:SAMPLE]
        fitting = pc.extract_regex(pa.array(sample), mapping.line).is_valid()
        return bool(pc.sum(fitting).as_py() * 2 > len(sample))
    return False


def _fits_any(headers: Iterable[list[list[str]]], mapping: mappings.Mapping) -> bool:
    return any(fits_header(row, mapping) for sheet in headers for row in sheet[: mapping.header_within])


def _whole_headers(name: str, kind: str, whole: Whole | None, limits: IngestSettings) -> list[list[list[str]]]:
    if whole is None:
        return []
    with whole() as stream:
        if kind == "parquet":
            return [[parquet_header(stream, name)]]
        return workbook_headers(stream, name, limits, within=1000)


def _fits_json(head: bytes, mapping: mappings.Mapping) -> bool:
    shape = mapping.json_shape
    if shape is None or not {"json", "jsonlines"} & set(mapping.formats):
        return False
    records = islice(sample_records(head, shape, mapping.formats), SAMPLE)
    return any(fits_record(record, shape) for record in records)


def fits_record(record: Mapping[str, Any], shape: JsonShape) -> bool:
    """Whether a JSON object has what the mapping says it must have."""

    def there(path: str) -> bool:
        return lookup(record, compile_path(path)) is not None

    return (
        all(there(path) for path in shape.present)
        and not any(there(path) for path in shape.absent)
        and all(text_of(lookup(record, compile_path(path))) in allowed for path, allowed in shape.values.items())
    )
