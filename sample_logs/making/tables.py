"""The feeds that are tables: CSV as several systems write it, and a workbook."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

from making.force import FIRST_DAY, ORGANISATION
from making.log import Log, Lookup, at

PNC_COLUMNS = (
    "event_id", "event_time", "utc_offset_minutes", "system", "action", "transaction_code", "operator_id",
    "organisation", "unit", "role", "terminal_id", "purpose_code", "reason_text", "case_ref", "record_type",
    "record_id", "query_text", "result_count", "outcome", "parent_id", "is_automatic",
)  # fmt: skip
ALPR_TIME = "%m/%d/%Y, %I:%M:%S %p UTC"


def csv_lines(rows: Iterable[Sequence[Any]], *, quoting: int = csv.QUOTE_MINIMAL, end: str = "\n") -> list[bytes]:
    """Each row as the bytes of its line (or lines, where a value has a line break), with its line end."""
    lines = []
    for row in rows:
        text = io.StringIO()
        csv.writer(text, quoting=quoting, lineterminator=end).writerow(row)  # type: ignore[arg-type]
        lines.append(text.getvalue().encode())
    return lines


def _pnc_row(lookup: Lookup) -> list[Any]:
    values = lookup.canonical()
    values["is_automatic"] = "true" if lookup.get("is_automatic") else "false"
    return [values.get(name, "") for name in PNC_COLUMNS]


def pnc(log: Log) -> dict[str, bytes]:
    """Five weekly exports of eight days each: the Sunday of one comes again at the head of the next."""
    header = csv_lines([PNC_COLUMNS])
    files = {}
    for week in range(5):
        begin, end = at(7 * week - 1, 0), at(7 * week + 7 + (7 if week == 4 else 0), 0)
        rows = [x for x in log.of("pnc") if begin <= x.time < end]
        files[f"pnc/pnc-week-{week + 1}.csv"] = b"".join(
            header + _dirty_pnc(week, csv_lines(map(_pnc_row, rows)), rows)
        )
    return files


def _dirty_pnc(week: int, lines: list[bytes], rows: list[Lookup]) -> list[bytes]:
    """The week's lines with what goes wrong in real exports put between them; README.md lists them."""
    good = dict(zip(PNC_COLUMNS, [str(value).encode() for value in _pnc_row(rows[40])], strict=True))
    good["reason_text"] = b"stop check"

    def changed(name: str, value: bytes) -> bytes:
        return b",".join((good | {"event_id": f"PNC-{week}-{name}".encode(), name: value}).values()) + b"\n"

    fields = list(good.values())

    later = rows[60].time + timedelta(minutes=1)
    dirt = [
        [b",".join([*fields, b"surplus", b"surplus"]) + b"\n", b",".join(fields[:9]) + b"\n"],
        [changed("reason_text", b"stop\x00check"), changed("reason_text", b"contr\xf4le")],
        [changed("reason_text", b'"stop check'), changed("event_time", b"2026-03-32T10:00:00Z")],
        [
            lines[20] + lines[20] + lines[21],  # the same lines again
            changed("action", b"peruse"),
            # the id of another event of the same day, a minute later
            lines[60].replace(f"{rows[60].time:%H:%M:%S}".encode(), f"{later:%H:%M:%S}".encode()),
        ],
        [changed("operator_id", b""), b"\n", changed("event_time", b"yesterday"), changed("result_count", b"many")],
    ][week]
    return [*lines[:90], *dirt, *lines[90:]]


def portal(log: Log) -> dict[str, bytes]:
    """An ALPR transparency portal: no plate, users as UUIDs, no line end after the last line."""
    rows: list[list[Any]] = [["id", "userId", "searchDate", "networkCount", "reason", "caseNumber", "offenseType"]]
    for number, x in enumerate(log.of("portal")):
        when = f"{x.time:%Y-%m-%d %H:%M:%S}.{x.time.second * 13 % 1000:03d}"
        user = "***" if number % 97 == 50 and not x.episode else x.person.user_uuid
        reason, ref, offence = x.text("reason_text"), x.text("case_ref"), x.text("purpose_code")
        rows.append([x.event_id, user, when, x.get("scope_count"), reason, ref, offence])
    spoilt = [
        [rows[5][0][:-1] + "z", rows[5][1], "2026-02-30 09:00:00.000", 94, "stolen vehicle", "", ""],
        [rows[6][0][:-1] + "z", rows[6][1], "", 94, "stolen vehicle", "", ""],
        [rows[7][0][:-1] + "z", rows[7][1]],
    ]
    lines = csv_lines([*rows[:300], *spoilt, *rows[300:]], quoting=csv.QUOTE_ALL)
    return {"alpr/portal-search-audit.csv": b"".join(lines).rstrip(b"\n")}


def organisations(log: Log) -> dict[str, bytes]:
    """The audit of agencies that search the shared network: BOM, CRLF, times with a comma inside."""
    header = [
        "ID", "Org_Name", "Total_Networks_Searched", "Total_Devices_Searched", "Time_Frame_Start", "Time_Frame_End",
        "Reason", "Search_Time", "Search_Type", "Moderation",
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for x in log.of("organisations"):
        count, frame = x.get("scope_count"), x.time - timedelta(days=7)
        times = [frame.strftime(ALPR_TIME), x.time.strftime(ALPR_TIME)]
        reason, when = x.text("reason_text"), x.time.strftime(ALPR_TIME)
        rows.append([x.event_id, x.person.name, count, count * 61, *times, reason, when, "lookup", ""])
    spoilt = [
        [*rows[3][:7], "14/11/2026, 09:53:36 AM UTC", "lookup", ""],
        [*rows[4][:7], "03/14/2026, 19:53:36 PM UTC", "lookup", ""],
    ]
    for i, row in enumerate(spoilt):
        row[0] = f"{row[0][:-2]}{i:02d}"
    body = csv_lines([header, *rows[:200], *spoilt, *rows[200:]], end="\r\n")
    return {"alpr/organisation-audit.csv": b"\xef\xbb\xbf" + b"".join(body)}


def network(log: Log) -> dict[str, bytes]:
    """The ALPR network audit as a workbook: a title row above the header, one cell with a formula's error."""
    header = [
        "ID", "Name", "Org Name", "Total Networks Searched", "License Plate", "Reason", "Case #", "Filters",
        "Search Time", "Search Type",
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for x in log.of("network"):
        when, count = x.time.strftime(ALPR_TIME), x.get("scope_count")
        plate, reason, ref = x.text("query_text"), x.text("reason_text"), x.text("case_ref")
        rows.append([x.event_id, x.person.name, ORGANISATION, count, plate, reason, ref, "", when, "lookup"])
    broken = [[*rows[9][:8], ExcelError("#REF!"), "lookup"], [*rows[10][:8], "soon", "lookup"]]
    for i, row in enumerate(broken):
        row[0] = f"{row[0][:-2]}{i:02d}"
    title = [f"Network audit of {ORGANISATION}, from {FIRST_DAY:%d %B %Y}"]
    return {"alpr/network-audit.xlsx": workbook("Network Audit", [title, header, *rows[:100], *broken, *rows[100:]])}


class ExcelError(str):
    """A cell whose formula failed."""

    __slots__ = ()


def workbook(sheet: str, rows: Sequence[Sequence[Any]]) -> bytes:
    """A minimal XLSX of one sheet; the same bytes for the same rows (no times of making in it)."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    body = "".join(
        f'<row r="{r}">{"".join(_cell(r, c, v) for c, v in enumerate(row))}</row>' for r, row in enumerate(rows, 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets>'
        f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{body}</sheetData></worksheet>",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}')
    return made.getvalue()


def _cell(row: int, column: int, value: Any) -> str:
    place = f'r="{chr(ord("A") + column)}{row}"'
    if isinstance(value, ExcelError):
        return f'<c {place} t="e"><v>{value}</v></c>'
    if isinstance(value, int):
        return f"<c {place}><v>{value}</v></c>"
    return f'<c {place} t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
