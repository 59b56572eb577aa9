"""JSON lines read as columns: the same rows and rejects as record by record, or not taken at all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import Block
from detector.ingest.jsoncolumns import PATIENCE, Columns
from detector.ingest.jsonlines import RowReader, read_block
from detector.ingest.mapping import JsonShape

FIELDS = ("id", "who", "n", "user.id", "user.roles", "tags[0].k", "agents[kind=user].id", "a.b", "whole", "time")
OBJECTS = frozenset({"whole"})
SHAPE = JsonShape(present=("id",), values={"class": ("1", "x")})
LONGEST = 20_000

Fate = tuple[int, str, dict[str, str] | None]


def fates(data: bytes, shape: JsonShape | None, *, as_columns: bool) -> tuple[list[Fate], Columns]:
    """What became of every line: its raw text and its fields, or its raw text and reason and no fields."""
    columns = Columns(FIELDS, shape, objects=OBJECTS)
    if not as_columns:
        columns._given_up = True
    reader = RowReader(FIELDS, shape, texts=OBJECTS)
    out: list[Fate] = []
    for item in read_block(Block(data, 7), reader, columns, LONGEST):
        out += _rows(item) if isinstance(item, RawBatch) else _rejects(item)
    return sorted(out, key=lambda fate: fate[0]), columns


def _rows(batch: RawBatch) -> Iterable[Fate]:
    rows = batch.columns.to_pylist()
    for index, (line, row) in enumerate(zip(batch.lines.to_pylist(), rows, strict=True)):
        yield line, batch.raw(index), {name: value for name, value in row.items() if value is not None}


def _rejects(rejects: list[Reject]) -> Iterable[Fate]:
    return [(each.line, f"{each.reason} {each.detail} {each.raw}", None) for each in rejects]


def same(data: bytes, shape: JsonShape | None = None) -> Columns:
    """Asserts that both ways give the same; the columns, which tell whether they were used."""
    slow, _ = fates(data, shape, as_columns=False)
    fast, columns = fates(data, shape, as_columns=True)
    assert fast == slow
    return columns


TEXTS = st.sampled_from(["", "x", "2026-03-02T10:00:00Z", "2026-03-02", "10:00:00", "5", "1e3", "NaN", "é", "\0",
                         "\t\n", "a\\b\"c", "}{", "]", "\U0001f600", "\ud83d"]) | st.text(max_size=5)  # fmt: skip
PLAIN = (
    st.none() | st.booleans() | TEXTS | st.floats() | st.integers(-5, 5)
    | st.sampled_from([2**53 + 1, 2**63, -(2**63), 10**30, 1e15, 1e-7, 0.1, -0.0, 5.0])
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inside: (
        st.lists(inside, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "k", "b", "kind", "roles", "x.y"]), inside, max_size=3)
    ),
    max_leaves=5,
)
KEYS = ("id", "who", "n", "user", "user.id", "tags", "agents", "a", "a.b", "whole", "time", "class", "other")
ALIKE = {
    "id": TEXTS, "who": TEXTS, "n": st.integers(0, 9), "time": st.just("2026-03-02T10:00:00Z"),
    "user": st.fixed_dictionaries({"id": TEXTS}, optional={"roles": st.lists(TEXTS, max_size=2)}),
    "tags": st.lists(st.fixed_dictionaries({"k": TEXTS}), max_size=2),
    "agents": st.lists(st.fixed_dictionaries({"kind": st.sampled_from(["user", "app"]), "id": TEXTS}), max_size=2),
    "class": st.sampled_from([1, 1, 1, 2]), "other": st.integers() | st.none(),
}  # fmt: skip
RECORDS = st.fixed_dictionaries({}, optional=ALIKE) | st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


@st.composite
def json_text(draw: st.DrawFn) -> bytes:
    """Lines, most of them alike and well formed; some with other separators, a key twice, or a character changed."""
    lines = []
    for record in draw(st.lists(RECORDS, min_size=1, max_size=6)):
        tight = draw(st.booleans())
        text = json.dumps(record, ensure_ascii=draw(st.booleans()), separators=(",", ":") if tight else (", ", " : "))
        match draw(st.integers(0, 9)):
            case 0 if len(record) > 0:
                text = text[:-1] + f', "{next(iter(record))}": 1}}'
            case 1:
                at = draw(st.integers(0, len(text)))
                text = (
                    text[:at]
                    + draw(st.sampled_from(["{", "}", "[", '"', "\\", ",", ":", "\r", "\n", " ", "é"]))
                    + text[at:]
                )
            case 2:
                text = draw(st.sampled_from(["", " ", "[]", "{}", "{}{}", "null", " {} ", '{"id":"\\ud800"}']))
        lines.append(text)
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return (end.join(lines) + draw(st.sampled_from(["", end]))).encode("utf-8", "surrogatepass")


@given(json_text(), st.none() | st.just(SHAPE))
def test_columns_give_what_records_give(data: bytes, shape: JsonShape | None) -> None:
    if data:
        same(data, shape)


NASTY = {
    "a key twice": '{"id":"a","id":"b"}',
    "a key twice, once with an escape": '{"id":"a","\\u0069d":"b"}',
    "a key twice, the first null": '{"id":null,"id":"b"}',
    "a key twice in what nobody reads": '{"id":"a","other":{"x":1,"x":2}}',
    "a key twice in a list that nobody reads": '{"id":"a","other":[{"x":1,"x":2}]}',
    "a flat key and a nested one": '{"user.id":"a","user":{"id":"b"}}',
    "no number": '{"id":"a","other":NaN}',
    "no number behind a minus": '{"id":"a","other":[1, -Infinity]}',
    "no number, shortened": '{"id":"a","other":{"x": Inf}}',
    "a text that looks so": '{"id":"a: Infinity, NaN"}',
    "a huge number that nobody reads": '{"id":"a","other":1e999}',
    "a number of too many digits that nobody reads": '{"id":"a","other":' + "9" * 5_000 + "}",
    "brackets that nobody reads": '{"id":"a","other":' + "[" * 5_000 + "]" * 5_000 + "}",
    "objects that nobody reads": '{"id":"a","other":' + '{"x":' * 3_000 + "1" + "}" * 3_001,
    "half a surrogate pair": '{"id":"a","other":"\\udc00"}',
    "a raw tab in a text": '{"id":"a\tb"}',
    "a raw line end in a text": '{"id":"a\nb"}',
    "two records": '{"id":"a"}{"id":"b"}',
    "a record over two lines": '{"id":\n"a"}',
    "a comment": '{"id":"a"/*x*/}',
    "a comma too many": '{"id":"a",}',
    "a leading zero": '{"id":"a","n":01}',
    "a whole number as a float": '{"id":"a","n":5.0}',
    "a float that looks whole": '{"id":"a","n":9007199254740993}',
    "a long number": '{"id":"a","n":12345678901234567890}',
    "an object as a value": '{"id":{"x":1}}',
    "an object where it may be": '{"whole":{"x":1,"y":[1.0]}}',
    "a time": '{"id":"a","time":"2026-03-02 10:00:00.123456"}',
    "a time and no time": '{"id":"2026-03-02","time":"nonsense"}',
    "a list of one": '{"id":["a"]}',
    "a list of times": '{"id":["2026-03-02T10:00:00Z"]}',
    "a list of floats": '{"id":[1,1.5]}',
    "not UTF-8": '{"id":"caf\udce9"}',
    "a NUL": '{"id":"a\0"}',
    "a mark": "\ufeff{}",
    "a line too long": '{"id":"' + "x" * LONGEST + '"}',
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_an_odd_record_comes_out_the_same_and_so_do_its_neighbours(name: str) -> None:
    good = '{"id":"g","n":1,"user":{"id":"u"}}\n'
    data = (good * 3 + NASTY[name] + "\n" + good * 3).encode("utf-8", "surrogateescape")
    same(data)
    found, _ = fates(data, None, as_columns=True)
    assert sum(fields == {"id": "g", "n": "1", "user.id": "u"} for _, _, fields in found) == 6


def test_usual_records_are_read_as_columns_and_one_odd_one_makes_few_others_slow() -> None:
    def line(n: int) -> str:
        record = {"id": f"e{n}", "time": "2026-03-02T10:00:00Z", "n": n, "ok": True, "user": {"id": f"u{n}", "x": None}}
        return json.dumps(record | ({"user": {"id": {"no": "value"}}} if n == 10_000 else {}))

    columns = same("\n".join(map(line, range(20_000))).encode())
    assert (columns._read, columns._failed) == (19, 3)  # the block, the piece and the smallest piece with the odd one
    assert columns.worth_trying


def test_records_that_are_all_unlike_are_soon_read_one_by_one() -> None:
    def line(n: int) -> str:
        values: list[Any] = [n, "x", {"y": 1}, [1], True]
        return json.dumps({"id": values[n % len(values)], "other": "x" * 2_000})

    columns = same("\n".join(map(line, range(3_000))).encode())
    assert not columns.worth_trying
    assert columns._failed <= PATIENCE


def test_a_field_that_may_hold_a_whole_object_is_not_tried_twice() -> None:
    columns = same(b'{"whole":{"x":1}}\n' * 10)
    assert (columns.worth_trying, columns._failed) == (False, 1)
