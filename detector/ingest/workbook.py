"""An .xlsx workbook -> batches: every sheet that has the mapping's header, title rows above it allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, Final

import python_calamine
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from detector.config import IngestSettings
from detector.errors import InputError, Where
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.headers import distinct_columns, fits_header
from detector.ingest.jsonpath import number_text
from detector.ingest.mapping import Mapping
from detector.ingest.textlines import batch_of
from detector.ingest.workbook_guard import check_workbook

GROUP: Final = 20_000


def read_workbook(
    stream: BinaryIO, name: str, mapping: Mapping, limits: IngestSettings
) -> Iterator[RawBatch | list[Reject]]:
    """Rows of every sheet with the header (hidden sheets too); line numbers are row numbers within the sheet.

    Blank rows are no lines. Raises InputError when the file is no workbook, is refused, or no sheet has the header.
    """
    safe = check_workbook(stream, name, limits)
    fitting = 0
    for sheet in _sheets(safe.data, name):
        if mapping.sheet is not None and sheet.name != mapping.sheet:
            continue
        rows = list(sheet.to_python(skip_empty_area=False))
        top = header_row(rows, mapping)
        if top is None:
            continue
        fitting += 1
        header = [cell_text(cell) for cell in rows[top]]
        while header and not header[-1].strip():
            header.pop()
        names = distinct_columns(header, name, mapping)
        yield from _read_sheet(sheet.name, rows, top, header, names, safe.bad_cells.get(sheet.name, {}))
    if not fitting:
        raise InputError(
            f"no sheet has the header that mapping {mapping.name} needs",
            where=Where(name),
            hint=f"It needs {', '.join(mapping.header.must) if mapping.header else 'a header'}.",
        )


def workbook_headers(stream: BinaryIO, name: str, limits: IngestSettings, within: int) -> list[list[list[str]]]:
    """For each sheet its first `within` rows as text: what a mapping may be known by. Raises InputError."""
    return [
        [[cell_text(cell) for cell in row] for row in list(sheet.to_python(skip_empty_area=False, nrows=within))]
        for sheet in _sheets(check_workbook(stream, name, limits).data, name)
    ]


def header_row(rows: Sequence[Sequence[Any]], mapping: Mapping) -> int | None:
    """Index of the first of the leading rows that has the mapping's columns."""
    for index, row in enumerate(rows[: mapping.header_within]):
        if fits_header([cell_text(cell) for cell in row], mapping):
            return index
    return None


def cell_text(cell: Any) -> str:
    """A cell as text: dates in ISO 8601, whole numbers without `.0`. A date alone is midnight: Excel does not keep
    the two apart."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            return number_text(cell)
        case datetime() | time():
            return cell.isoformat()
        case date():
            return f"{cell.isoformat()}T00:00:00"
        case timedelta():
            return number_text(cell.total_seconds())
        case _:
            return "" if cell is None else str(cell)


def _sheets(data: BinaryIO, name: str) -> Iterator[CalamineSheet]:
    with _library(name), CalamineWorkbook.from_filelike(data) as book:
        for sheet in book.sheet_names:
            with suppress(python_calamine.WorksheetNotFound):  # a chart sheet has no cells
                yield book.get_sheet_by_name(sheet)


@contextmanager
def _library(name: str) -> Iterator[None]:
    """What the library raises, as an InputError; a panic in its Rust is no Exception and has no importable type."""
    try:
        yield
    except BaseException as exc:
        if not isinstance(exc, CalamineError) and type(exc).__name__ != "PanicException":
            raise
        raise InputError(
            f"not a readable workbook ({exc})", where=Where(name), hint="Save the sheet as CSV and give that."
        ) from None


def _read_sheet(
    sheet: str,
    rows: Sequence[Sequence[Any]],
    top: int,
    header: list[str],
    names: Sequence[str],
    bad_cells: dict[int, str],
) -> Iterator[RawBatch | list[Reject]]:
    """The rows below `top`, where `header` stands as it is written; `names` are its columns' names."""
    width = len(names)
    good: list[list[str]] = []
    lines: list[int] = []
    for start in range(top + 1, len(rows), GROUP):
        rejects: list[Reject] = []
        for number, row in enumerate(rows[start : start + GROUP], start + 1):
            cells = [cell_text(cell) for cell in row]
            if not any(cell.strip() for cell in cells) and number not in bad_cells:
                continue
            reason = detail = ""
            if number in bad_cells:
                reason, detail = "bad_cell", bad_cells[number]
            elif any(cell.strip() for cell in cells[width:]):
                reason, detail = "wrong_column_count", f"a value to the right of the {width} columns of the header"
            elif cells[:width] == header:
                reason, detail = "repeated_header", "the header again"
            if reason:
                rejects.append(Reject(number, reason, f"sheet {sheet}: {detail}", _raw(cells)))
                continue
            good.append(cells[:width])
            lines.append(number)
        if rejects:
            yield rejects
        if good:
            yield batch_of(names, good, lines, [_raw(cells) for cells in good])
        good, lines = [], []


def _raw(cells: Sequence[str]) -> str:
    return "\t".join(cells)
