"""Awkward and hostile events files: which rows match, which are rejected, and what a person is told."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_helpers import rows_by_title, rule_text, run, write_rules

from detector.errors import InputError
from detector.rules.files.csv_records import lots

#: `any` matches every row that is an event at all.
RULES = (
    rule_text("any", "s: {never: null}\ncondition: s"),
    rule_text("a", "s: {k: a}\ncondition: s"),
    rule_text("blank", "s: {k: ''}\ncondition: s"),
    rule_text("missing", "s: {k: null}\ncondition: s"),
    rule_text("word", "w: [zed]\ncondition: w"),
)
NUMBERS = [index * 2654435761 % 4294967291 for index in range(60_000)]


@dataclass(frozen=True)
class Case:
    """A file, its rows that match, and the end of each remark, after the file's name."""

    name: str
    content: bytes
    rows: dict[str, list[int]]
    said: tuple[str, ...] = ()
    rejected: int | None = None
    ending: str = "jsonl"


def seen(number: int, **others: list[int]) -> dict[str, list[int]]:
    return {"any": list(range(number)), **others}


def no_event(line: int, row: int, why: str) -> str:
    return f":{line}: row {row} {why}; no rule sees it"


def deep(levels: int) -> bytes:
    return b'{"k": "a", "d": ' + b"[" * levels + b'"zed"' + b"]" * levels + b"}\n"


A, ZED = b'{"k": "a"}\n', b'{"k": "zed"}\n'
JSON_CASES = (
    Case("empty", b"", {}),
    Case("blank lines alone", b"\n \n\t\r\n", {}),
    Case("byte-order mark", b"\xef\xbb\xbf" + A + ZED, seen(2, a=[0], word=[1])),
    Case("UTF-16", (A + ZED).decode().encode("utf-16"), seen(2, a=[0], word=[1])),
    Case("UTF-16 without a mark", (A + ZED).decode().encode("utf-16-be"), seen(2, a=[0], word=[1])),
    Case("UTF-32", (A + ZED).decode().encode("utf-32"), seen(2, a=[0], word=[1])),
    Case(
        "UTF-16 cut within a character",
        (A + ZED).decode().encode("utf-16-le")[:-1],
        {"any": [0], "a": [0]},
        (no_event(2, 1, "the file breaks off after line 1: not UTF-16-LE (truncated data)"),),
    ),
    Case("carriage returns alone", A.replace(b"\n", b"\r") + ZED.replace(b"\n", b"\r"), seen(2, a=[0], word=[1])),
    Case("carriage returns and feeds", b'{"k": "a"}\r\n\r\n{"k": "zed"}', seen(2, a=[0], word=[1])),
    Case(
        "a mark in the middle, as of files joined",
        A + b"\xef\xbb\xbf" + A + A,
        {"any": [0, 2], "a": [0, 2]},
        (no_event(2, 1, "is not JSON: begins with a byte-order mark"),),
    ),
    Case(
        "Latin-1, half a surrogate pair, zeros, a cut line",
        b'{"k": "\xe4"}\n{"k": "\\ud800"}\n{"k": "\\u0000"}\n{"k": "a\x00"}\n{"k": "a"\n' + A,
        {"any": [2, 5], "a": [5]},
        (
            no_event(1, 0, "is not UTF-8: byte 0xE4"),
            no_event(2, 1, "has half of a surrogate pair, which is no character"),
            no_event(4, 3, "is not JSON: invalid control character at"),
            no_event(5, 4, "is not JSON: expecting ',' delimiter"),
        ),
    ),
    Case(
        "no objects",
        b'5\nnull\n"a"\n{}\n{"k": "a"} {"k": "a"}\n',
        {"any": [3], "missing": [3]},
        (
            no_event(1, 0, "is JSON, but no object"),
            no_event(2, 1, "is JSON, but no object"),
            no_event(3, 2, "is JSON, but no object"),
            no_event(5, 4, "is not JSON: extra data"),
        ),
    ),
    Case(
        "numbers that are none, or large",
        b'{"k": NaN}\n{"k": -Infinity}\n{"k": 123456789012345678901234567890}\n{"k": 1e999}\n',
        seen(4),
    ),
    Case("a key twice: the first counts, a keyword finds both", b'{"k": "a", "k": "zed"}\n', seen(1, a=[0], word=[0])),
    Case("3,000 levels", deep(3_000) + A + ZED, seen(3, a=[0, 1], word=[0, 2])),
    Case(
        "100,000 levels",
        A + deep(100_000) + ZED,
        {"any": [0, 2], "a": [0], "word": [2]},
        (no_event(2, 1, "is nested 100,001 deep, and 500 at most can be looked through"),),
    ),
    Case("3,000 keys", b'{"k": "a", ' + b", ".join(b'"k%d": "v"' % i for i in range(3000)) + b"}\n", seen(1, a=[0])),
    Case("a line of 40 MB", A + b'{"k": "a", "x": "' + b"y" * (40 << 20) + b'"}\n' + ZED, seen(3, a=[0, 1], word=[2])),
    Case("an array", b"[" + A + b"," + ZED + b"]", seen(2, a=[0], word=[1])),
    Case("an array, as .json", b"[" + A + b"," + ZED + b"]", seen(2, a=[0], word=[1]), ending="json"),
    Case("an array, name with dots", b"[" + A + b"," + ZED + b"]", seen(2, a=[0], word=[1]), ending="old.json"),
    Case("an empty array", b" [ ]\n", {}, ending="json"),
    Case("lines in .json", A + ZED, seen(2, a=[0], word=[1]), ending="json"),
    Case("one object over lines", b'{\n "k": "a",\n "l": ["zed"]\n}\n', seen(1, a=[0], word=[0]), ending="json"),
    Case("objects over lines", b'{\n "k": "a"\n}\n{\n "k": "}{"\n}\n' + ZED, seen(3, a=[0], word=[2])),
    Case(
        "an array with elements that are none",
        b'[\n{"k": "a"},\n5,\n\n{"k" "]"},\n{"k": "zed"}\n]\n',
        {"any": [0, 3], "a": [0], "word": [3]},
        (
            no_event(3, 1, "is JSON, but no object"),
            no_event(5, 2, "is not JSON: expecting ':' delimiter"),
        ),
        ending="json",
    ),
    Case(
        "an array that is cut",
        b'[\n{"k": "a"},\n{"k": "ze',
        {"any": [0], "a": [0]},
        (no_event(3, 1, "the file ends before its array does"),),
        ending="json",
    ),
    Case(
        "an array that goes on",
        b"[" + A + b"]\n" + A,
        {"any": [0], "a": [0]},
        (no_event(3, 1, "text follows the end of the array, and is not read"),),
        ending="json",
    ),
    Case(
        "the first line a list",
        b"[1]\n" + A,
        {"any": [1], "a": [1]},
        (no_event(1, 0, "is JSON, but no object"),),
    ),
    Case(
        "gzip in two parts, with zeros after",
        gzip.compress(A) + gzip.compress(ZED) + bytes(99),
        seen(2, a=[0], word=[1]),
        ending="jsonl.gz",
    ),
    Case(
        "zstd in two parts",
        zstandard.compress(A) + zstandard.compress(ZED),
        seen(2, a=[0], word=[1]),
        ending="jsonl.zst",
    ),
    Case("an empty gzip", gzip.compress(b""), {}, ending="jsonl.gz"),
    Case(
        "UTF-16 in gzip",
        gzip.compress((A + ZED).decode().encode("utf-16")),
        seen(2, a=[0], word=[1]),
        ending="jsonl.GZ",
    ),
)
CSV_CASES = (
    Case("a line break in quotes", b'k,v\na,"1\n2"\nb,"zed\r\n"\n', seen(2, a=[0], word=[1])),
    Case("header alone", b"k,v\n", {}),
    Case("header alone, no line end", b"\xef\xbb\xbfk", {}),
    Case("line break in the header", b'"v\nw",k\n1,a\n', seen(1, a=[0])),
    Case("blank lines first and between", b"\n\r\nk,v\n\na,1\n  \n,2\n\n", seen(2, a=[0], blank=[1])),
    Case("one column", b"k\na\n\nzed\n", seen(2, a=[0], word=[1])),
    Case(
        "short and long rows",
        b"v,k\n1\n2,a\n3,a,\n4,a,x\n5,\n",
        {"any": [0, 1, 2, 4], "a": [1, 2], "blank": [4], "missing": [0]},
        (no_event(5, 3, "has 3 values, but the header names 2"),),
    ),
    Case("Latin-1", b"k,v\na,\xe4\na,1\n", {"any": [1], "a": [1]}, (no_event(2, 0, "is not UTF-8: byte 0xE4"),)),
    Case("UTF-16", "k,v\na,é\n".encode("utf-16"), seen(1, a=[0])),
    Case("carriage returns alone", b"k,v\ra,1\rb,zed\r", seen(2, a=[0], word=[1])),
    Case("mixed line ends", b"k,v\r\na,1\nb,zed\r\n", seen(2, a=[0], word=[1])),
    Case(
        "a carriage return within",
        b"k,v\na,1\rb,zed\na,2\n",
        {"any": [1], "a": [1]},
        (no_event(2, 0, "has 3 values, but the header names 2"),),
    ),
    Case(
        "a quote that only the next one closes",
        b'k,v\na,1\nb,"zed\na,2\n"a","3"\n',
        {"any": [0, 2, 3], "a": [0, 2, 3]},
        (no_event(3, 1, "goes on after a quote that closes (read up to line 5)"),),
    ),
    Case(
        "a quote that nothing closes",
        b'k,v\na,1\nb,"zed\na,2\n',
        {"any": [0, 2], "a": [0, 2]},
        (no_event(3, 1, "has a quote that is never closed (read up to line 4)"),),
    ),
    Case(
        "a quote that closes much later, and what lies within it",
        b'k,v\nb,"x\na,1\nfragment\na,"2"x\na,3\n',
        {"any": [1, 4], "a": [1, 4]},
        (
            no_event(2, 0, "goes on after a quote that closes (read up to line 6)"),
            no_event(4, 2, "has 1 values, but the header names 2"),
            no_event(5, 3, "goes on after a quote that closes"),
        ),
    ),
    Case("quotes within values", b'k,v\na,5" nail\na,"5"" zed"\n', seen(2, a=[0, 1], word=[1])),
    Case("blanks around quotes", b'k,v\n "a" ,1\na, "x\ny"\n', seen(2, a=[0, 1])),
    Case("zeros", b"k,v\na,\x00\n\x00,zed\n", seen(2, a=[0], word=[1])),
    Case(
        "a column twice",
        b"k,v,k\na,1,b\nb,2,a\nb,zed,b\n",
        seen(3, a=[0, 1], word=[2]),
        (": 2 columns are named 'k'; a rule looks at all of them",),
        0,
    ),
    Case(
        "columns without a name",
        b",k,\nzed,a,1\n2,b,zed\n",
        seen(2, a=[0], word=[0, 1]),
        (": 2 columns are named ''; a rule looks at all of them",),
        0,
    ),
    Case("commas in a header with semicolons", b'"a,b,c,d";k\n1;a\n', seen(1, a=[0])),
    Case("the delimiter said", b"sep=|\nv,w,x|k\nzed|a\n", seen(1, a=[0], word=[0])),
    Case("a line of 5 MB", b"k,v\na," + b"y" * (5 << 20) + b"\nb,zed\n", seen(2, a=[0], word=[1])),
    Case("tabs, commas in the header", b"v,w,x,y\tk\n1,2\ta\n", seen(1, a=[0]), ending="tsv"),
    Case("line breaks in gzip", gzip.compress(b'k,v\na,"1\n2"\n'), seen(1, a=[0]), ending="csv.gz"),
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules") / "rules.yml", *RULES)


@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: case.name)
def test_json(tmp_path: Path, rules: Path, case: Case) -> None:
    proved(tmp_path, rules, case, case.ending)


@pytest.mark.parametrize("case", CSV_CASES, ids=lambda case: case.name)
def test_csv(tmp_path: Path, rules: Path, case: Case) -> None:
    proved(tmp_path, rules, case, "csv" if case.ending == "jsonl" else case.ending)


def proved(folder: Path, rules: Path, case: Case, ending: str) -> None:
    events = folder / f"events.{ending}"
    events.write_bytes(case.content)
    matches, result = run(rules, events)
    assert rows_by_title(matches) == case.rows
    assert result.remarks == tuple(f"{events}{text}" for text in case.said)
    assert result.rejected == (len(case.said) if case.rejected is None else case.rejected)


@pytest.mark.parametrize("packed", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_packed_file_that_is_cut_is_read_up_to_there(
    tmp_path: Path, rules: Path, packed: Callable[[bytes], bytes], ending: str
) -> None:
    if ending == "jsonl":
        text = b"".join(b'{"n": %d}\n' % number for number in NUMBERS)
    else:
        text = b"k,n\n" + b"".join(b"b,%d\n" % number for number in NUMBERS)
    events = tmp_path / f"e.{ending}.{'gz' if packed is gzip.compress else 'zst'}"
    whole = packed(text)
    events.write_bytes(whole[: len(whole) // 2])
    matches, result = run(rules, events)
    read = rows_by_title(matches)["any"]
    assert read == list(range(len(read)))
    assert 20_000 < len(read) < 40_000
    assert result.rejected == 1
    assert f"row {len(read)} the file breaks off" in result.remarks[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("e.csv", b"\n\n", "1: the file has no header line"),
        ("e.csv", b"k\xe4,v\n1,2\n", "1: the header cannot be read: it is not UTF-8: byte 0xE4"),
        ("e.csv", b'k,"v\n1,2\n', "1: the header cannot be read: it has a quote that is never closed"),
        ("e.csv.gz", gzip.compress(b"k,v\n", mtime=0)[:12], "1: breaks off within its header: Compressed file ended"),
        ("e.jsonl.zst", b"{}", "cannot be read: .*Unknown frame descriptor"),
        ("folder.jsonl", None, "is a folder, not an events file\n  Name one file in it."),
    ],
    ids=["no header", "not UTF-8", "open quote", "cut gzip", "no zstd", "a folder"],
)
def test_a_file_of_which_nothing_can_be_read_says_why(
    tmp_path: Path, rules: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is None:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        run(rules, tmp_path / name)


def test_many_bad_rows_are_counted_and_each_is_written(tmp_path: Path, rules: Path) -> None:
    events = tmp_path / "e.jsonl"
    events.write_bytes(b"".join(b"\n[%d]\n{}\n" % index for index in range(50)))
    written: list[str] = []
    matches, result = run(rules, events, reject=written.append)
    assert rows_by_title(matches)["any"] == list(range(1, 100, 2))
    assert len(result.remarks) == 21
    assert result.remarks[-1] == f"{events}: 30 more rows are no events (--rejects names all)"
    assert result.summary.endswith(" 100 matches; rejected rows: 50.")
    assert [json.loads(line) for line in written] == [
        {"row": 2 * index, "line": 2 + 3 * index, "reason": "is JSON, but no object"} for index in range(50)
    ]


def test_parquet_of_every_kind_of_column(tmp_path: Path) -> None:
    member = pa.struct([("x", pa.int64()), ("y", pa.string())])
    columns = {
        "map": pa.array([[("k1", "v1")], [], None], pa.map_(pa.string(), pa.string())),
        "decimal": pa.array([Decimal("1.50"), Decimal("0.05"), None], pa.decimal128(10, 2)),
        "naive": pa.array([datetime(2026, 3, 1, 23, 30, tzinfo=UTC), None, None], pa.timestamp("ms")),
        "zoned": pa.array([datetime(2026, 3, 1, 21, 30, tzinfo=UTC), None, None], pa.timestamp("us", "Asia/Tokyo")),
        "date": pa.array([date(2026, 3, 1), None, None]),
        "epoch": pa.array([1772325000, 5, None], pa.int64()),
        "large": pa.array([2**53 + 1, 2**53, None], pa.int64()),
        "members": pa.array(
            [[{"x": None, "y": "q"}], [{"x": 2, "y": None}, {"x": 3, "y": "zed"}], []], pa.list_(member)
        ),
        "lists": pa.array([[["q"]], [["r", "zed"]], None], pa.list_(pa.list_(pa.string()))),
        "bytes": pa.array([b"zed", b"", None]),
        "words": pa.array(["zed", "q", None]).dictionary_encode(),
        "half": pa.array([float("nan"), float("inf"), None], pa.float32()),
        "nothing": pa.nulls(3),
        "file_row_number": pa.array([7, 8, 9]),
    }
    twice = [*columns, "words"]
    path = tmp_path / "e.parquet"
    pq.write_table(pa.table([*columns.values(), pa.array(["a", None, "b"])], twice), path)
    cases = {
        "map.k1: v1": [0], "decimal: 1.5": [0], "decimal|lt: 1": [1], "naive|hour: 23": [0], "zoned|hour: 21": [0],
        "zoned: '2026-03-01T21:30:00Z'": [0], "date|day: 1": [0], "epoch|minute: 30": [0],
        "large: '9007199254740993'": [0],
        "members.x: 3": [1], "members.x|exists: true": [1], "members.y|exists: true": [0, 1],
        "members|exists: true": [0, 1, 2],
        "lists|contains: zed": [1], "bytes: zed": [0], "words: [zed, a, b]": [0, 2], "half|gt: 1": [1],
        "nothing: null": [0, 1, 2], "nothing|exists: true": [], "file_row_number|gte: 8": [1, 2],
    }  # fmt: skip
    rules = write_rules(
        tmp_path / "r.yml",
        *(rule_text(item, f"s: {{{item}}}\ncondition: s") for item in cases),
        rule_text("word", "w: [zed]\ncondition: w"),
    )
    matches, result = run(rules, path)
    assert {item: rows_by_title(matches).get(item, []) for item in [*cases, "word"]} == {**cases, "word": [0, 1]}
    assert result.remarks == (f"{path}: 2 columns are named 'words'; a rule looks at all of them",)


texts = st.text(st.sampled_from('ab ,;"\n\r\té'), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_whatever_is_written_as_csv_is_read_back(rows: list[list[str]], end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["k", "v"], *rows])
    found = list(lots(iter(io.BytesIO(file.getvalue().encode())), ",", 2))
    assert [list(values) for lot in found for values in lot.values] == [["k", "v"], *rows]
    assert not any(lot.bad for lot in found)
