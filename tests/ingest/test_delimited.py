"""Delimited text: every line is a row or one reject, with its exact number, however the blocks fall."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.config import IngestSettings
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import Block
from detector.ingest.careful import Form, read_carefully
from detector.ingest.delimited import parse_block, read_delimited

HEADER = ["id", "who", "why"]
#: Line, values, raw text.
Row = tuple[int, tuple[str, ...], str]


def read(
    data: bytes,
    *,
    header: Sequence[str] = HEADER,
    delimiter: str = ",",
    encoding: str = "utf-8",
    block_bytes: int = 1 << 20,
    longest: int = 4096,
) -> tuple[list[Row], list[Reject]]:
    """(rows as (line, values, raw), rejects), in the order of their lines."""
    limits = IngestSettings(max_line_bytes=longest)
    rows: list[Row] = []
    rejects: list[Reject] = []
    for item in read_delimited(
        io.BytesIO(data),
        header=header,
        delimiter=delimiter,
        encoding=encoding,
        first_line=2,
        limits=limits,
        block_bytes=block_bytes,
    ):
        if isinstance(item, RawBatch):
            rows += rows_of(item)
        else:
            rejects += item
    return rows, rejects


def rows_of(batch: RawBatch) -> list[Row]:
    columns = [column.to_pylist() for column in batch.columns.itercolumns()]
    lines = batch.lines.to_pylist()
    return [
        (line, values, batch.raw(i))
        for i, (line, values) in enumerate(zip(lines, zip(*columns, strict=True), strict=True))
    ]


def whys(rejects: list[Reject]) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in rejects]


def test_clean_lines_are_rows_with_their_numbers_and_raw_text() -> None:
    rows, rejects = read(b'1,anna,"a, b"\r\n2,ben,\n3,cleo,"say ""x"""')
    assert rows == [
        (2, ("1", "anna", "a, b"), '1,anna,"a, b"'),
        (3, ("2", "ben", ""), "2,ben,"),
        (4, ("3", "cleo", 'say "x"'), '3,cleo,"say ""x"""'),
    ]
    assert rejects == []


def test_a_bad_line_is_rejected_alone_and_its_neighbours_survive() -> None:
    data = b"1,a,x\n2,b\n3,c,\xff\n4,d\x00,y\n5,e,z,extra\n\n   \n6,f,ok\n"
    rows, rejects = read(data)
    assert [(line, values[0]) for line, values, _ in rows] == [(2, "1"), (9, "6")]
    assert whys(rejects) == [
        (3, "wrong_column_count"), (4, "bad_encoding"), (5, "nul_byte"), (6, "wrong_column_count"),
    ]  # fmt: skip
    assert rejects[0].detail == "2 fields where the header has 3"
    assert rejects[1].raw == "3,c,\\xff"


def test_a_quoted_value_over_several_lines_is_one_record_and_keeps_its_line_ends() -> None:
    rows, rejects = read(b'1,a,"one\r\ntwo\n\nthree"\r\n2,b,c\n')
    assert [(line, values) for line, values, _ in rows] == [
        (2, ("1", "a", "one\r\ntwo\n\nthree")),
        (6, ("2", "b", "c")),
    ]
    assert rows[0][2] == '1,a,"one\r\ntwo\n\nthree"'
    assert rejects == []


def test_an_unbalanced_quote_costs_its_own_line_only() -> None:
    rows, rejects = read(b'1,a,"open\n2,b,fine\n3,c,"also fine"\n4,d,"to the end\n5,e,f\n')
    assert [values[0] for _, values, _ in rows] == ["2", "3", "5"]
    assert whys(rejects) == [(2, "unbalanced_quote"), (5, "unbalanced_quote")]


def test_a_header_in_the_middle_of_a_concatenated_file_is_a_counted_reject() -> None:
    rows, rejects = read(b'1,a,b\nid,who,why\n2,a,b\n"id","who","why"\nid,x,y\n')
    assert [values[0] for _, values, _ in rows] == ["1", "2", "id"]
    assert whys(rejects) == [(3, "repeated_header"), (5, "repeated_header")]


@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
def test_a_line_of_ten_megabytes_is_one_reject_that_keeps_little_of_it(block_bytes: int) -> None:
    rows, rejects = read(b"1,a,b\n" + b"x" * 10_000_000 + b"\n2,a,b\n", block_bytes=max(block_bytes, 1 << 10))
    assert [line for line, _, _ in rows] == [2, 4]
    assert whys(rejects) == [(3, "line_too_long")]
    assert rejects[0].raw.endswith("x… (10000000 bytes)")
    assert len(rejects[0].raw) < 1100


def test_other_encodings_are_read_as_stated_and_undecodable_bytes_cost_their_line() -> None:
    rows, rejects = read("1,Zoë,£5\n2,b,c\n".encode("cp1252") + b"3,\x81,x\n4,d,e\n", encoding="cp1252")
    assert [values[:2] for _, values, _ in rows] == [("1", "Zoë"), ("2", "b"), ("4", "d")]
    assert whys(rejects) == [(4, "bad_encoding")]
    assert rejects[0].raw == "3,\\x81,x"


def test_lone_carriage_returns_are_part_of_their_value() -> None:
    rows, rejects = read(b"1,a,b\rc\n2,d,e\r\n")
    assert [values for _, values, _ in rows] == [("1", "a", "b\rc"), ("2", "d", "e")]
    assert rejects == []


def test_one_column_keeps_spaces_and_skips_only_empty_lines() -> None:
    rows, rejects = read(b'a\n\n  \n""\nb', header=["id"])
    assert [(line, values) for line, values, _ in rows] == [(2, ("a",)), (4, ("  ",)), (5, ("",)), (6, ("b",))]
    assert rejects == []


def test_semicolons_and_tabs_delimit_where_the_mapping_says_so() -> None:
    assert read(b"1;a,b;c\n", delimiter=";")[0][0][1] == ("1", "a,b", "c")
    assert read(b'1\t"a\tb"\tc\n', delimiter="\t")[0][0][1] == ("1", "a\tb", "c")
    assert read("1¦a¦c\n".encode(), delimiter="¦")[0][0][1] == ("1", "a", "c")


def test_a_quoted_value_may_cross_any_number_of_blocks() -> None:
    long = "\n".join(f"line {n}" for n in range(500))
    rows, rejects = read(f'1,a,"{long}"\n2,b,c\n'.encode(), block_bytes=64, longest=65536)
    assert [(line, values[2]) for line, values, _ in rows] == [(2, long), (502, "c")]
    assert rejects == []


def test_a_quote_that_stays_open_longer_than_the_limit_costs_one_line() -> None:
    rows, rejects = read(b'0,a,"open\n' + b"1,b,c\n" * 1000, block_bytes=512, longest=1024)
    assert len(rows) == 1000
    assert whys(rejects) == [(2, "unbalanced_quote")]


# Short pieces that make clean, dirty and multi-line records likely.
PIECES = st.sampled_from(
    [b"a", b"b1", b",", b",", b",", b"\n", b"\n", b"\r\n", b"\r", b'"', b'""', b'"\n', b'x,y,z\n', b'1,"q,\n",2\n',
     b" ", b"\0", b"\xff", "é".encode(), b"\xef\xbb\xbf", b"id,who,why\n", b"1,2,3\n", b"k" * 40]
)  # fmt: skip


@given(st.lists(PIECES, max_size=60).map(b"".join), st.integers(1, 40))
def test_splitting_a_block_changes_nothing(data: bytes, piece_bytes: int) -> None:
    careful = read_carefully(Block(data, 2), Form(tuple(HEADER), ",", 1024), final=True)
    parsed = parse_block(Block(data, 2), Form(tuple(HEADER), ",", 1024, piece_bytes), final=True)
    assert [rows_of(batch) for batch in parsed.batches] == [rows_of(batch) for batch in careful.batches]
    assert parsed.rejects == careful.rejects


@given(st.lists(PIECES, max_size=60).map(b"".join), st.integers(1, 200))
def test_fast_and_careful_reading_agree_whatever_the_blocks(data: bytes, block_bytes: int) -> None:
    form = Form(tuple(HEADER), ",", 1024)
    careful = read_carefully(Block(data, 2), form, final=True)
    expected = [row for batch in careful.batches for row in rows_of(batch)]
    rows, rejects = read(data, block_bytes=block_bytes, longest=1024)
    assert rows == expected
    assert rejects == list(careful.rejects)
    numbers = sorted([line for line, _, _ in rows] + [reject.line for reject in rejects])
    assert len(set(numbers)) == len(numbers)
    physical = data.split(b"\n")
    for line, values, raw in rows:
        assert len(values) == 3
        assert raw.encode().split(b"\n")[0] == physical[line - 2].removesuffix(b"\r" if "\n" not in raw else b"")


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            min_size=3,
            max_size=3,
        ),
        max_size=20,
    )
)
def test_what_a_csv_writer_writes_comes_back(table: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(table)
    rows, rejects = read(out.getvalue().encode(), block_bytes=50, longest=4096)
    assert [list(values) for _, values, _ in rows] == [row for row in table if row != HEADER]
    assert rejects == []


def test_a_large_block_with_a_few_bad_lines_is_one_batch() -> None:
    lines = [f"{n},anna,because {n}".encode() for n in range(50_000)]
    lines[12_345] = b"broken"
    lines[23_456] = b'23456,"two\nlines",x'
    parsed = parse_block(Block(b"\n".join(lines) + b"\n", 2), Form(tuple(HEADER), ",", 1 << 20), final=False)
    assert [batch.columns.num_rows for batch in parsed.batches] == [49_999]
    assert whys(list(parsed.rejects)) == [(12_347, "wrong_column_count")]
    batch = parsed.batches[0]
    assert batch.lines[49_998].as_py() == 50_002
    assert batch.raw(49_998) == "49999,anna,because 49999"
    assert batch.raw(23_455) == '23456,"two\nlines",x'
