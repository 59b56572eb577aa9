"""Readers: what they hand on is what the file says, line by line, whatever the pieces it comes in."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import SETTINGS, plain, read_file, read_raw, shipped

from detector.config import IngestSettings, Settings
from detector.errors import InputError, Where
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.bytesource import InputFile, RefusedFileError
from detector.ingest.expand import DamagedFileError
from detector.ingest.jsondocument import Element, split_document
from detector.ingest.readers import open_reader
from detector.ingest.syslog import BadLine, parse_line

HEADER = "event_time,system,action,operator_id"
ROW = "2026-03-02T10:00:00Z,PNC,search,op1"


class Drip(io.RawIOBase):
    """Gives bytes in pieces of the given sizes, and breaks at the end if it is told to."""

    def __init__(self, data: bytes, size: int, *, breaks: bool = False) -> None:
        self.data, self.size, self.breaks = data, size, breaks

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.data and self.breaks:
            raise DamagedFileError("breaks off", reason="truncated_file", where=Where("x"))
        piece = self.data[: min(self.size, len(buffer))]
        self.data = self.data[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def drip(data: bytes, size: int, *, breaks: bool = False) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(Drip(data, size, breaks=breaks), max(size, 8)))


def flattened(items: Iterator[RawBatch | list[Reject]]) -> list[tuple[int, str]]:
    """(line, raw text) of rows and (line, reason) of rejects, in line order."""
    out: list[tuple[int, str]] = []
    for item in items:
        if isinstance(item, RawBatch):
            out += [(line, item.raw(index)) for index, line in enumerate(item.lines.to_pylist())]
        else:
            out += [(reject.line, reject.reason) for reject in item]
    return sorted(out)


# --- tables


def test_header_lines_are_counted_and_raw_is_the_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"A title\n\n{HEADER}\n{ROW}\n\n{ROW},x\n")
    assert flattened(read_raw(path, "canonical")) == [(4, ROW), (6, "wrong_column_count")]


def test_header_may_be_quoted_over_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f'{HEADER},"a\nnote"\n{ROW},x\n')
    ((batch,),) = ([item for item in read_raw(path, "canonical") if isinstance(item, RawBatch)],)
    assert batch.columns.column_names == [*HEADER.split(","), "a\nnote"]
    assert batch.lines.to_pylist() == [3]


def test_unnamed_and_repeated_columns_that_nobody_needs(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER},,x,x\n{ROW},1,2,3\n")
    found, rejects = read_file(path, "canonical")
    assert (len(found), rejects) == (1, [])


def test_wrong_source_is_said_with_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER}\n{ROW}\n")
    with pytest.raises(InputError) as caught:
        list(read_raw(path, "alpr-portal"))
    assert "no line at the beginning is the header of mapping alpr-portal" in str(caught.value)
    assert "id, userId, searchDate" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "says"), [("pnc-transaction", "a workbook, but mapping pnc-transaction reads text")]
)
def test_wrong_container(tmp_path: Path, source: str, says: str) -> None:
    path = tmp_path / "log.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(InputError, match="a workbook, but mapping pnc-transaction reads text"):
        list(read_raw(path, "pnc-transaction"))


# --- JSON

RECORDS = st.lists(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=5,
)


@given(records=RECORDS, indent=st.none() | st.integers(0, 2), size=st.integers(1, 50), breaks=st.booleans())
def test_a_document_gives_its_records_in_whatever_pieces_it_comes(
    records: list[object], indent: int | None, size: int, breaks: bool
) -> None:
    text = json.dumps({"before": [1], "Records": records, "after": {"Records": [2]}}, indent=indent).encode()
    found = list(split_document(drip(text, size), ["Records"], IngestSettings()))
    assert [json.loads(each.data) for each in found if isinstance(each, Element)] == records
    assert not [each for each in found if isinstance(each, Reject)]
    broken = list(split_document(drip(text[: len(text) // 2], size, breaks=breaks), ["Records"], IngestSettings()))
    *elements, rest = broken
    assert isinstance(rest, Reject)
    assert rest.reason == "truncated_file"
    assert [json.loads(e.data) for e in elements if isinstance(e, Element)] == records[: len(elements)]


def test_lines_of_records_in_a_document() -> None:
    text = b'{"Records": [\n\n  {"a": 1},\n  {\n"a": 2}\n, 3]}\n{"Records": [4]}\n[5,\n6]\n{"b": 7}'
    found = list(split_document(io.BytesIO(text), ["Records"], IngestSettings()))
    assert [(e.line, e.data) for e in found if isinstance(e, Element)] == [
        (3, b'{"a": 1}'), (4, b'{\n"a": 2}'), (6, b"3"), (7, b"4"), (8, b"5"), (9, b"6"),
        (10, b'{"b": 7}')]  # fmt: skip


def test_records_that_are_too_long_do_not_fill_memory() -> None:
    limits = IngestSettings(max_line_bytes=1024)
    long = b'{"a": [' + b"1, " * 2_000_000 + b"1]}"
    text = b'{"Records": [{"a": 1},\n' + long + b',\n{"a": 3}]}'
    first, reject, last = split_document(drip(text, 1 << 16), ["Records"], limits)
    assert isinstance(reject, Reject)
    assert (reject.line, reject.reason, reject.detail) == (2, "line_too_long", f"a record of {len(long) + 1} bytes")
    assert len(reject.raw) < 2000
    assert [each.line for each in (first, last)] == [1, 3]


def test_a_string_without_end_stops_the_reading() -> None:
    text = b'{"Records": [{"a": 1}, {"a": "' + b"x" * (4 << 20)
    _, reject = split_document(drip(text, 1 << 16), ["Records"], IngestSettings(max_line_bytes=1024))
    assert isinstance(reject, Reject)
    assert reject.reason == "line_too_long"


def test_json_line_numbers_and_raw(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    record = '{"event_time":"2026-03-02T10:00:00Z","system":"P","action":"view","operator_id":"o"}'
    path.write_text(f"{record}\n\n{{bad\n{record}\r\n")
    assert flattened(read_raw(path, "canonical")) == [(1, record), (3, "bad_json"), (4, record)]


@pytest.mark.parametrize("source", ["ecs", "syslog-cef", "pnc-transaction", "canonical", "aws-cloudtrail"])
def test_a_break_in_the_file_is_one_reject(source: str) -> None:
    starts = {
        "ecs": b'{"@timestamp"',
        "syslog-cef": b"<1>1 x",
        "pnc-transaction": b"02/03",
        "aws-cloudtrail": b'{"Records": [',
    }
    data = starts.get(source, f"{HEADER}\n{ROW}\n2026".encode())
    file = InputFile(Path("x"), None, "plain")
    items = flattened(open_reader(file, drip(data, 1 << 16, breaks=True), shipped()[source], SETTINGS.ingest))
    assert items[-1][1] == "truncated_file"
    assert len(items) == (2 if source == "canonical" else 1)


# --- syslog


@pytest.mark.parametrize(
    ("extension", "fields"),
    [
        ("act=a b  c suser=x", {"act": "a b  c", "suser": "x"}),
        (r"msg=k\=v \\ x\|y\nz suser=x", {"msg": "k=v \\ x|y\nz", "suser": "x"}),
        ("msg= suser=x", {"msg": "", "suser": "x"}),
        ("request=https://x/?a\\=b", {"request": "https://x/?a=b"}),
        ("cs1=v cs1Label=My Case", {"cs1": "v", "cs1Label": "My Case", "label.mycase": "v"}),
        ("cs1Label=alone", {"cs1Label": "alone"}),
        ("", {}),
    ],
)
def test_cef_extensions(extension: str, fields: dict[str, str]) -> None:
    found = parse_line(f"<1>1 - - - - - - CEF:0|v|p|1|s|n|3|{extension}")
    header = {"vendor", "product", "device_version", "signature_id", "name", "severity"}
    assert {k.removeprefix("cef."): v for k, v in found.items() if k.removeprefix("cef.") not in header} == fields


def test_structured_data_and_header() -> None:
    found = parse_line(
        r'34 <165>1 2026-03-02T10:00:00Z host app 7 id [a@1 x="1\"\]" y="2"][b z="3"] CEF:0|a\|b|p|1|s|n|3|'
    )
    assert found["syslog.a@1.x"] == '1"]'
    assert (found["syslog.b.z"], found["cef.vendor"], found["syslog.procid"]) == ("3", "a|b", "7")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", "bad_syslog"), ("<192>1 - - - - - - CEF:0|v|p|1|s|n|3|", "bad_syslog"),
        ("<1>2 - - - - - - CEF:0|v|p|1|s|n|3|", "bad_syslog"),
        ('<1>1 - - - - - [a x="1] CEF:0|v|p|1|s|n|3|', "bad_syslog"),
        ("<1>1 - - - - - - hello", "bad_cef"), ("<1>1 - - - - - - CEF:0|v|p|1|s|n", "bad_cef"),
        ("<1>1 - - - - - - CEF:0|v|p|1|s|n|3|junk a=1", "bad_cef"),
        ("<1>1 - - - - - - CEF:0|v|p|1|s|n|3|a=1 a=2", "bad_cef"),
    ],
)  # fmt: skip
def test_lines_that_are_refused(line: str, reason: str) -> None:
    with pytest.raises(BadLine) as caught:
        parse_line(line)
    assert caught.value.reason == reason


@given(st.text(max_size=200))
def test_any_line_is_fields_or_refused(text: str) -> None:
    for line in (text, f"<1>1 - - - - - - CEF:0|{text}", f"<1>1 - - - - - {text}"):
        with suppress(BadLine):
            assert "cef.severity" in parse_line(line)


# --- workbooks


def test_every_sheet_with_the_header_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing here"])
    for name in ("January", "February"):
        sheet = book.create_sheet(name)
        sheet.append(HEADER.split(","))
        sheet.append([datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=UTC).replace(tzinfo=None), "PNC", "view", name])
    book["February"].append([datetime(2026, 3, 3, tzinfo=UTC).replace(tzinfo=None), "PNC", "view", 4711])
    book["February"].sheet_state = "hidden"
    path = tmp_path / "log.xlsx"
    book.save(path)
    found, rejects = read_file(path, "canonical")
    assert rejects == []
    assert [(e["operator_id"], e["source_line"], e["event_time"]) for e in found] == [
        ("January", 2, datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("February", 2, datetime(2026, 3, 2, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("4711", 3, datetime(2026, 3, 3, tzinfo=UTC)),
    ]


def test_merged_cells_hold_their_value_once(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (HEADER.split(","), ROW.split(","), ROW.split(",")):
        book.active.append(row)
    book.active.merge_cells("D2:D3")
    path = tmp_path / "log.xlsx"
    book.save(path)
    found, rejects = read_file(path, "canonical")
    assert (len(found), rejects) == (1, [(3, "missing_required")])


def test_large_workbook_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    path.write_bytes(b"PK\x03\x04" + b"\0" * (20 << 20))
    small = Settings(ingest=IngestSettings(memory_bytes=64 << 20))
    with pytest.raises(RefusedFileError, match="a workbook of more than 16 MiB"):
        list(read_raw(path, "canonical", small))


# --- Parquet


def parquet(path: Path, rows: int = 3, **more: pa.Array) -> Path:
    columns = {"event_time": ["2026-03-02T10:00:00Z"] * rows, "system": ["P"] * rows, "action": ["view"] * rows,
               "operator_id": [f"op{n}" for n in range(rows)]}  # fmt: skip
    pq.write_table(pa.table({**columns, **more}), path)
    return path


def test_types_of_parquet_as_text(tmp_path: Path) -> None:
    moments = pa.array([datetime(2026, 3, 2, 10, tzinfo=UTC)] * 3, pa.timestamp("us", "America/Chicago"))
    path = parquet(tmp_path / "a.parquet", event_time=moments, reason_text=pa.array([None, "", "x"]),
                   result_count=pa.array([1.0, None, 2.0]), is_automatic=pa.array([True, False, None]),
                   scope_count=pa.array([1, 2, None], pa.uint8()), record_id=pa.array([b"\x01", None, b""]),
                   query_text=pa.array([["a"], [], None]))  # fmt: skip
    found, rejects = read_file(path, "canonical")
    assert rejects == []
    assert {e["event_time"] for e in found} == {datetime(2026, 3, 2, 10, tzinfo=UTC)}
    names = ("reason_text", "result_count", "is_automatic", "scope_count", "record_id", "query_text")
    assert [tuple(e.get(name) for name in names) for e in found] == [
        (None, 1, True, 1, "01", '["a"]'), ("", None, False, 2, None, "[]"),
        ("x", 2, None, None, "", None)]  # fmt: skip


def test_one_long_text_named_many_times_is_not_unfolded(tmp_path: Path) -> None:
    rows = 20_000
    long = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 100_000]))
    path = parquet(tmp_path / "a.parquet", rows, reason_text=long)
    assert path.stat().st_size < 1 << 20
    sizes = []
    for item in read_raw(path, "canonical"):
        assert isinstance(item, RawBatch)
        sizes.append(item.columns.nbytes)
        if len(sizes) == 5:
            break
    assert max(sizes) < 70 << 20


def test_rows_that_are_too_long(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", reason_text=pa.array(["a", "b" * 2000, "c"]))
    small = Settings(ingest=IngestSettings(max_line_bytes=1024))
    found, rejects = read_file(path, "canonical", small)
    assert ([e["source_line"] for e in found], rejects) == ([1, 3], [(2, "line_too_long")])


def test_compressed_parquet(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet")
    packed = gzip.compress(path.read_bytes())
    file = InputFile(path, None, "gz")
    stream = cast("BinaryIO", io.BytesIO(gzip.decompress(packed)))
    items = list(open_reader(file, stream, shipped()["canonical"], SETTINGS.ingest))
    assert sum(item.columns.num_rows for item in items if isinstance(item, RawBatch)) == 3
    assert plain(path).name == str(path)
