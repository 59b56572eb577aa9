"""A look at an .xlsx file before a spreadsheet library may open it: what would unpack, or be laid out, without bound is
refused, and cells that hold no value where they should are found.

A library lays a sheet out as a full rectangle and copies a shared text into every cell that names it, so a few
kilobytes can ask for gigabytes. The parts are unpacked here, measured, and packed anew without compression.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from detector.config import IngestSettings
from detector.errors import InputError, Where
from detector.ingest.expand import Meter, RefusedFileError

MAX_PARTS: Final = 1_000
#: What one cell of a laid-out sheet takes, roughly, in the library.
CELL_BYTES: Final = 32
PIECE: Final = 1 << 18
#: Parts without values: pictures, drawings, macros.
_LEFT_OUT: Final = re.compile(r"xl/(media|drawings|charts|embeddings|activeX|printerSettings)/|\.bin$", re.IGNORECASE)

_CELL: Final = re.compile(rb"<(?:\w+:)?c(?=[\s/>])([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c\s*>)", re.DOTALL)
_REF: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_ANY_REF: Final = re.compile(rb"""(?<![\w:])r\s*=\s*["']""")
_TYPE: Final = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
_ERROR_TYPE: Final = re.compile(rb"""(<(?:\w+:)?c\s[^>]*?\bt\s*=\s*["'])e(?=["'])""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ROW: Final = re.compile(rb"""<(?:\w+:)?row\s[^>]*?(?<![\w:])r\s*=\s*["']([^"']*)["']""")
_ITEM: Final = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?si\s*>)", re.DOTALL)
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE: Final = re.compile(r"""([\w:]+)\s*=\s*["']([^"']*)["']""")


@dataclass(frozen=True)
class SafeWorkbook:
    """The workbook packed anew; `bad_cells`: sheet -> row number -> what is wrong with a cell of that row."""

    data: io.BytesIO
    bad_cells: dict[str, dict[int, str]]


def check_workbook(stream: BinaryIO, name: str, limits: IngestSettings) -> SafeWorkbook:
    """Raises RefusedFileError for what would grow beyond the limits, InputError for what is no workbook."""
    where = Where(name)
    packed = _whole(stream, limits.memory_bytes // 4, where)
    parts = _parts(packed, where, limits)
    if "content.xml" in parts or "xl/workbook.xml" not in parts:  # what the library reads else is not measured here
        raise InputError("not an .xlsx workbook", where=where, hint="Save it as .xlsx or CSV and give that.")
    _check_texts_and_sizes(parts, where, limits)
    bad = {sheet: _bad_cells(parts[part]) for sheet, part in _sheet_parts(parts) if part in parts}
    clean = io.BytesIO()
    with zipfile.ZipFile(clean, "w", zipfile.ZIP_STORED) as archive:
        for part, data in parts.items():
            # As text: the library gives a whole sheet up for the sake of one kind of error it does not know.
            archive.writestr(part, _ERROR_TYPE.sub(rb"\1str", data) if part.startswith("xl/worksheets/") else data)
    clean.seek(0)
    return SafeWorkbook(clean, bad)


def _whole(stream: BinaryIO, most: int, where: Where) -> io.BytesIO:
    data = stream.read(most + 1)
    if len(data) > most:
        raise RefusedFileError(
            f"a workbook of more than {most >> 20} MiB",
            where=where,
            hint="Save the sheet as CSV, or raise ingest.memory_bytes (a workbook may take a quarter of it).",
        )
    return io.BytesIO(data)


def _parts(packed: io.BytesIO, where: Where, limits: IngestSettings) -> dict[str, bytes]:
    meter = Meter(where, limits.model_copy(update={"max_file_bytes": limits.memory_bytes // 2}))
    meter.taken = len(packed.getbuffer())
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(packed) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_PARTS:
                raise RefusedFileError(f"a workbook of more than {MAX_PARTS} parts", where=where)
            for info in infos:
                if info.filename in parts:
                    raise RefusedFileError(f"the part {info.filename} is there twice", where=where)
                if info.flag_bits & 0x1:
                    raise RefusedFileError("protected by a password", where=where)
                if not _LEFT_OUT.search(info.filename):
                    with archive.open(info) as part:
                        pieces = iter(lambda part=part: part.read(PIECE), b"")  # type: ignore[misc]
                        parts[info.filename] = b"".join(meter.pass_on(piece) for piece in pieces)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as exc:
        raise InputError(
            f"not a readable workbook ({exc or 'it breaks off'})",
            where=where,
            hint="Fetch the file again from where it came, or save the sheet as CSV.",
        ) from None
    return parts


def _check_texts_and_sizes(parts: dict[str, bytes], where: Where, limits: IngestSettings) -> None:
    sizes = [len(match.group(1) or b"") for match in _ITEM.finditer(parts.get("xl/sharedStrings.xml", b""))]
    longest = max(sizes, default=0)
    for part, data in parts.items():
        if not part.startswith("xl/worksheets/") or not part.endswith(".xml"):
            continue
        cells = rows = columns = texts = 0
        for attributes, inside in _cells(data):
            cells += 1
            if (ref := _REF.search(attributes)) is not None:
                columns, rows = max(columns, _column_number(ref[1])), max(rows, int(ref[2]))
            elif _ANY_REF.search(attributes):
                raise _no_place(part, where)
            if longest and (kind := _TYPE.search(attributes)) is not None and kind[1] == b"s":
                value = _VALUE.search(inside)
                index = value[1].strip() if value else b""
                known = index.isdigit() and len(index) < 10 and int(index) < len(sizes)
                texts += sizes[int(index)] if known else longest
        numbers = _ROW.findall(data)
        if any(not n.isdigit() or len(n) > 7 for n in numbers):
            raise _no_place(part, where)
        rows = max(rows, max(map(int, numbers), default=0), 1)
        if rows * max(columns, -(-cells // rows)) * CELL_BYTES > limits.memory_bytes or texts > limits.memory_bytes:
            raise RefusedFileError(
                f"{part} would take more than {limits.memory_bytes >> 20} MiB once laid out",
                where=where,
                hint="Save the sheet as CSV, or raise ingest.memory_bytes.",
            )


def _no_place(part: str, where: Where) -> InputError:
    """A row or cell that is nowhere on a sheet: a library may take it for one that is very far out."""
    return InputError(
        f"not a readable workbook ({part} names a cell or row that no sheet has)",
        where=where,
        hint="Save the sheet as CSV and give that.",
    )


def _cells(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for match in _CELL.finditer(data):
        yield match.group(1), match.group(2) or b""


def _bad_cells(data: bytes) -> dict[int, str]:
    """Rows with an error cell, or with a formula whose result was never stored."""
    found: dict[int, str] = {}
    for attributes, inside in _cells(data):
        kind = _TYPE.search(attributes)
        is_error = kind is not None and kind[1] == b"e"
        value = _VALUE.search(inside)
        is_open = _FORMULA.search(inside) is not None and (value is None or not value[1]) and kind is None
        if (is_error or is_open) and (ref := _REF.search(attributes)) is not None:
            cell = (ref[1] + ref[2]).decode()
            shown = value[1].decode("utf-8", "replace") if value else "an error"
            text = f"cell {cell} holds {shown}" if is_error else f"cell {cell} holds a formula without a stored result"
            found.setdefault(int(ref[2]), text)
    return found


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _sheet_parts(parts: dict[str, bytes]) -> list[tuple[str, str]]:
    """Sheet name and the part it lies in."""
    relations = parts.get("xl/_rels/workbook.xml.rels", b"").decode("utf-8", "replace")
    targets = {}
    for tag in _RELATION.findall(relations):
        attributes = dict(_ATTRIBUTE.findall(tag))
        target = attributes.get("Target", "")
        targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    sheets = []
    for tag in _SHEET.findall(parts.get("xl/workbook.xml", b"").decode("utf-8", "replace")):
        attributes = {key.rpartition(":")[2]: value for key, value in _ATTRIBUTE.findall(tag)}
        sheets.append((html.unescape(attributes.get("name", "")), targets.get(attributes.get("id", ""), "")))
    return sheets
