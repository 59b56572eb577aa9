"""What readers hand on: batches of source rows as text, and the lines that are no rows. A line is one or the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

#: Every reason a line can be rejected for, and what it means. A metric label, so the set is bounded.
REASON_TEXTS: Final[dict[str, str]] = {
    # the bytes
    "bad_encoding": "bytes that are not of the stated encoding",
    "nul_byte": "a NUL byte in the line",
    "line_too_long": "longer than the configured limit",
    "truncated_file": "the file ends or breaks in the middle of this record",
    "corrupt_file": "the file's data are damaged from this record on",
    # the shape
    "repeated_header": "the header again, in the middle of the file",
    "wrong_column_count": "more or fewer columns than the header",
    "unbalanced_quote": "a quotation mark that is never closed",
    "bad_json": "not valid JSON, or JSON that says a thing twice",
    "not_a_record": "valid, but not a record of this format",
    "bad_syslog": "not a syslog line of RFC 5424",
    "bad_cef": "no well-formed CEF header or extension",
    "pattern_mismatch": "the text does not have the form that the mapping states",
    "bad_cell": "a spreadsheet cell that holds an error",
    # the values
    "missing_required": "a required value is absent or blank",
    "bad_time": "not a time of a form that the mapping states, or out of bounds",
    "nonexistent_time": "a local time that the clocks skipped",
    "ambiguous_time": "a local time that happened twice",
    "bad_value": "a value that its column cannot hold",
    "unknown_action": "a verb that the mapping does not know",
    "unknown_outcome": "an outcome that the mapping does not know",
    # against other lines
    "id_conflict": "the id of another event with another time or operator",
}
REASONS: Final = frozenset(REASON_TEXTS)


@dataclass(frozen=True)
class Reject:
    """One input line that is no event: 1-based physical line, reason code, what is wrong, the raw text.

    `raw` holds undecodable bytes as ``\\xNN``.
    """

    line: int
    reason: str
    detail: str
    raw: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"{self.reason!r} is no reject reason")


@dataclass(frozen=True)
class RawBatch:
    """Rows of one source file, every value still text.

    `columns`: source fields as string columns, named as in the source (JSON paths as dotted names). NULL = absent in
    this row, '' = blank; a field that no row of the file has is no column.
    `lines`: the 1-based physical line each record starts on (row number for a workbook or Parquet file).
    `raw`: the raw text of row i; called for rejects only.
    """

    columns: pa.Table
    lines: pa.Int64Array
    raw: Callable[[int], str]

    def __post_init__(self) -> None:
        if self.columns.num_rows != len(self.lines):
            raise ValueError(f"{self.columns.num_rows} rows but {len(self.lines)} line numbers")
