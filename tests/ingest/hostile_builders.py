"""Builders of the bytes of hostile files: every one the same on every machine and with every library's version."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

HEADER = "event_id,event_time,system,action,operator_id,reason_text,result_count"


def row(case: str, n: int, **over: str) -> str:
    """One good canonical line, with some of its values replaced as they are."""
    values = {
        "event_id": f"{case}-{n}",
        "event_time": f"2026-03-02T10:{n // 60:02d}:{n % 60:02d}Z",
        "system": "PNC",
        "action": "search",
        "operator_id": f"op{n}",
        "reason_text": "burglary",
        "result_count": str(n),
    }
    return ",".join({**values, **over}.values())


def table(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    return (end.join((header, *lines)) + end).encode()


def three(case: str, middle: str | bytes, header: str = HEADER) -> bytes:
    """A good line, the one in question, a good line: neighbours must survive."""
    line = middle if isinstance(middle, bytes) else middle.encode()
    return b"\n".join((header.encode(), row(case, 1).encode(), line, row(case, 3).encode())) + b"\n"


def many(case: str, count: int = 2_000) -> bytes:
    return table(*(row(case, n) for n in range(count)))


def bits(data: bytes, at: float) -> bytes:
    """The data with sixteen bytes overwritten at this fraction of their length."""
    place = int(len(data) * at)
    return data[:place] + b"\xff" * 16 + data[place + 16 :]


BLOCK = 512


def stored_gzip(data: bytes, bad_block: int | None = None) -> bytes:
    """A gzip file of blocks that are only stored, the same with every library; one of them of a kind there is none."""
    out = b"\x1f\x8b\x08" + b"\0" * 6 + b"\xff"
    pieces = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)] or [b""]
    for index, piece in enumerate(pieces):
        kind = 6 if index == bad_block else 0
        out += struct.pack("<BHH", kind | (index == len(pieces) - 1), len(piece), len(piece) ^ 0xFFFF) + piece
    return out + struct.pack("<II", zlib.crc32(data), len(data))


#: A Zstandard frame that says nothing (RFC 8878 3.1.2).
SKIPPABLE = struct.pack("<II", 0x184D2A50, 5) + b"hello"


def raw_zstd(data: bytes, bad_block: int | None = None, dictionary: int = 0) -> bytes:
    """A Zstandard frame of raw blocks, likewise; `dictionary`: the id of the one it says it needs."""
    out = b"\x28\xb5\x2f\xfd" + (struct.pack("<BBI", 3, 0x58, dictionary) if dictionary else b"\x00\x58")
    pieces = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    for index, piece in enumerate(pieces):
        kind = 3 if index == bad_block else 0
        out += struct.pack("<I", (index == len(pieces) - 1) | kind << 1 | len(piece) << 3)[:3] + piece
    return out


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def stored_zip(name: str, data: bytes, *, checksum: int | None = None, flags: int = 0, offset: int = 0) -> bytes:
    """A zip of one stored member whose directory may say what is not so."""
    crc = zlib.crc32(data) if checksum is None else checksum
    shared = struct.pack("<HHHHHIIIHH", 20, flags, 0, 0, 0x5C21, crc, len(data), len(data), len(name), 0)
    member = b"PK\x03\x04" + shared + name.encode() + data
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + shared + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name.encode()
    return member + entry + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(member), 0)


def events_json(case: str, n: int, **over: object) -> str:
    event = {
        "event_id": f"{case}-{n}",
        "event_time": "2026-03-02T10:00:00Z",
        "system": "CRIS",
        "action": "view",
        "operator_id": f"op{n}",
    }
    return json.dumps({**event, **over})


def json_lines(case: str, *middle: str) -> bytes:
    return "\n".join((events_json(case, 1), *middle, events_json(case, 2))).encode() + b"\n"


def trail(case: str, n: int) -> str:
    record = {
        "eventID": f"{case}-{n}",
        "eventTime": "2026-03-02T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "userIdentity": {"arn": f"arn:aws:iam::000000000000:user/op{n}"},
    }
    return json.dumps(record)


def document(case: str, *middle: str) -> bytes:
    records = ",\n".join((trail(case, 1), *middle, trail(case, 2)))
    return f'{{"Records": [\n{records}\n]}}\n'.encode()


def audit_event(case: str, n: int, kind: str = "AuditEvent") -> str:
    agent = {"who": {"identifier": {"value": f"op{n}"}}, "requestor": True}
    return json.dumps({
        "resource": {
            "resourceType": kind, "id": f"{case}-{n}", "recorded": "2026-03-02T10:00:00Z", "action": "R",
            "agent": [agent], "source": {"site": "records"},
        }
    })  # fmt: skip


_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(sheet_data: str, texts: tuple[str, ...] = (), doctype: str = "") -> bytes:
    """A workbook of one sheet, written by hand so that it can say what no spreadsheet program would."""
    package = "application/vnd.openxmlformats-package.relationships+xml"
    sheets = '<sheets><sheet name="Log" sheetId="1" r:id="r1"/></sheets>'
    data = f"<sheetData>{sheet_data}</sheetData>"
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    book = (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="{package}"/></Types>',
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": _relations(*book),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{sheets}</workbook>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
        "xl/worksheets/sheet1.xml": f'{doctype}<worksheet xmlns="{_MAIN}">{data}</worksheet>',
    }
    return zipped(*((name, text.encode()) for name, text in parts.items()))


def _relations(*targets: tuple[str, str]) -> str:
    each = (f'<Relationship Id="r{n}" Type="{_OFFICE}/{k}" Target="{t}"/>' for n, (k, t) in enumerate(targets, 1))
    return f'<Relationships xmlns="{_RELATIONS}">{"".join(each)}</Relationships>'


def cells(number: int, *values: str) -> str:
    """A sheet row of text cells; a value that begins with < is a cell as it is."""
    out = []
    for index, value in enumerate(values):
        ref = f"{chr(65 + index)}{number}"
        text = f'<c r="{ref}" t="inlineStr"><is><t>{value}</t></is></c>'
        out.append(value.replace("@", ref) if value.startswith("<") else text if value else "")
    return f'<row r="{number}">{"".join(out)}</row>'


def sheet(case: str, *between: str) -> str:
    """Header in row 1, a good row 2, then the rows in question."""
    return cells(1, *HEADER.split(",")) + cells(2, *row(case, 1).split(",")) + "".join(between)


def parquet(case: str, *, drop: str = "", groups: int = 1) -> bytes:
    rows = 3_000
    columns = {
        "event_id": [f"{case}-{n}" for n in range(rows)],
        "event_time": [f"2026-03-02T10:00:{n % 60:02d}.{n:06d}Z" for n in range(rows)],
        "system": ["PNC"] * rows,
        "action": ["search"] * rows,
        "operator_id": [f"op{n * 7919 % rows}" for n in range(rows)],
    }
    columns.pop(drop, None)
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=rows // groups, compression="none", write_page_checksum=True)
    return out.getvalue()


def parquet_twice(case: str) -> bytes:
    names = ["event_id", "event_time", "system", "action", "operator_id", "operator_id"]
    values = [case, "2026-03-02T10:00:00Z", "PNC", "search", "op1", "op2"]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([value]) for value in values], names=names), out)
    return out.getvalue()


def parquet_not_utf8(case: str) -> bytes:
    def unchecked(*texts: bytes) -> pa.Array:
        return pa.array(texts, pa.binary()).view(pa.string())

    columns = {
        "event_id": [f"{case}-{n}" for n in range(4)],
        "event_time": ["2026-03-02T10:00:00Z"] * 4,
        "system": ["PNC"] * 4,
        "action": ["search"] * 4,
        "operator_id": unchecked(b"op0", b"caf\xe9", b"op2", b"op3"),
        "tags": pa.ListArray.from_arrays([0, 1, 2, 3, 4], unchecked(b"a", b"b", b"\xff", b"d")),
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def cef(case: str, n: int, extension: str = "", head: str = "<134>1 2026-03-02T10:00:00Z gw app 1 - - ") -> str:
    base = f"externalId={case}-{n} suser=op{n} act=search"
    return f"{head}CEF:0|Acme|Gateway|1|search|Search|3|{base}{extension}"


def pnc(when: str, operator: str, rest: str = "#NE PER-1 / NM1 stop check") -> str:
    return f"{when} T-01 {operator} {rest}"


def lines(*texts: str) -> bytes:
    return "\n".join(texts).encode() + b"\n"


def office365(case: str, *data: str) -> bytes:
    """A CSV export with one line for each AuditData."""
    rows = ["RecordId,CreationDate,RecordType,Operation,UserId,AuditData"]
    for n, each in enumerate(data, 1):
        quoted = each.replace('"', '""')
        rows.append(f'{case}-{n},2026-03-02T10:00:00Z,6,FileAccessed,op{n}@example.org,"{quoted}"')
    return lines(*rows)


def bomb_gz(_: str) -> bytes:
    return gzip.compress(HEADER.encode() + b"\n" + b"0" * (40 << 20), mtime=0)


def lying_zip(case: str) -> bytes:
    """An archive whose directory says that a member of 20 MiB has 100 bytes."""
    data = bytearray(zipped(("log.csv", many(case) + b" " * (20 << 20))))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 100)
    return bytes(data)


def shared_text_bomb(case: str) -> bytes:
    rows = "".join(
        f'<row r="{n}">' + "".join(f'<c r="{chr(65 + c)}{n}" t="s"><v>0</v></c>' for c in range(7)) + "</row>"
        for n in range(3, 6_000)
    )
    return workbook(sheet(case) + rows, texts=("x" * 32_000,))


def opendocument(case: str) -> bytes:
    """A few hundred bytes that a spreadsheet library lays out as a million rows."""
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    names = " ".join(f'xmlns:{name}="{space}{name}:1.0"' for name in ("office", "table", "text"))

    def line(values: str, times: int) -> str:
        texts = "".join(f"<table:table-cell><text:p>{value}</text:p></table:table-cell>" for value in values.split(","))
        return f'<table:table-row table:number-rows-repeated="{times}">{texts}</table:table-row>'

    table_rows = line(HEADER, 1) + line(row(case, 1), 1_000_000)
    body = f"<office:spreadsheet><table:table>{table_rows}</table:table></office:spreadsheet>"
    content = f"<office:document-content {names}><office:body>{body}</office:body></office:document-content>"
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return zipped(("mimetype", kind), ("content.xml", content.encode()))
