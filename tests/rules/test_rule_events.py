"""Events files of every kind: the same events match the same rules, and what is no event is named."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from rule_helpers import rows_by_title, rule_text, run, write_events, write_rules

from detector.errors import InputError

EVENTS: list[dict[str, Any]] = [
    {"User Name": "Ann", "n": 5, "a.b": "x", "ok": True, "at": "2026-03-01T00:00:00Z", "ip": "10.0.0.1"},
    {"User Name": "bob", "n": 60, "a.b": "Y", "ok": False, "at": "2026-03-01T00:01:00Z", "ip": "::1"},
    {"User Name": "", "n": 700, "a.b": "z", "ok": True, "at": "2026-03-01T00:02:00Z", "ip": "11.0.0.1"},
]
RULES = (
    rule_text("name", "s: {User Name: ANN}\ncondition: s"),
    rule_text("blank", "s: {User Name: ''}\ncondition: s"),
    rule_text("number", "s: {n|gte: 60}\ncondition: s"),
    rule_text("number as text", "s: {n: '5'}\ncondition: s"),
    rule_text("digits", "s: {n: '?0*'}\ncondition: s"),
    rule_text("dotted", "s: {a.b: [y, Z]}\ncondition: s"),
    rule_text("truth", "s: {ok: true}\ncondition: s"),
    rule_text("network", "s: {ip|cidr: [10.0.0.0/8, '::/64']}\ncondition: s"),
    rule_text("keyword", "k: [bo]\ncondition: k"),
    rule_text("nowhere", "s: {gone: null}\ncondition: s"),
    rule_text("hour", "s: {at|hour: 0, at|minute: 1}\ncondition: s"),
    rule_text("base", "s: {n|exists: true}\ncondition: s", "name: base\n"),
    "title: pair\ncorrelation: {type: event_count, rules: base, timespan: 1m, condition: {gte: 2}}\n",
)
EXPECTED = {
    "name": [0], "blank": [2], "number": [1, 2], "number as text": [0], "digits": [1, 2], "dotted": [1, 2],
    "truth": [0, 2], "network": [0, 1], "keyword": [1], "nowhere": [0, 1, 2], "hour": [1], "pair": [[0, 1, 2]],
}  # fmt: skip


def csv_text() -> str:
    lines = [",".join(f'"{name}"' for name in EVENTS[0])]
    lines += [",".join(str(value) for value in event.values()) for event in EVENTS]
    return "\n".join(lines) + "\n"


def table(*, typed: bool) -> pa.Table:
    rows = [{**event, "at": datetime.fromisoformat(event["at"])} for event in EVENTS] if typed else EVENTS
    return pa.Table.from_pylist(rows)


def written(folder: Path, kind: str) -> Path:
    text = "".join(json.dumps(event) + "\n" for event in EVENTS)
    path = folder / f"events.{kind}"
    if kind == "jsonl.gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif kind == "jsonl.zst":
        path.write_bytes(zstandard.compress(text.encode()))
    elif kind == "json":
        path.write_text(json.dumps(EVENTS))
    elif kind == "csv":
        path.write_text("\ufeff" + csv_text(), encoding="utf-8")
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(csv_text().replace("\n", "\r\n").encode()))
    elif kind == "tsv":
        path.write_text(csv_text().replace(",", "\t"))
    elif kind.endswith("parquet"):
        pq.write_table(table(typed=kind.startswith("typed")), path)
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize(
    "kind",
    ["jsonl", "ndjson", "jsonl.gz", "jsonl.zst", "json", "csv", "csv.gz", "tsv", "parquet", "typed.parquet"],
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, kind: str) -> None:
    matches, result = run(write_rules(tmp_path / "r.yml", *RULES), written(tmp_path, kind), "at")
    assert rows_by_title(matches) == EXPECTED
    assert result.remarks == ()


def test_a_line_that_is_no_event_is_named_and_keeps_its_number(tmp_path: Path) -> None:
    events = tmp_path / "e.jsonl"
    events.write_text('{"f": 1}\n\n{"f": \n[1]\n"f"\n{"f": 1} {"f": 1}\n{"f": 1}')
    matches, result = run(
        write_rules(tmp_path / "r.yml", rule_text("any", "s: {f: 1}\nn: {g: null}\ncondition: s or n")), events
    )
    assert rows_by_title(matches) == {"any": [0, 5]}
    assert result.remarks == (
        f"{events}:3: row 1 is not JSON: expecting value; no rule sees it",
        f"{events}:4: row 2 is JSON, but no object; no rule sees it",
        f"{events}:5: row 3 is JSON, but no object; no rule sees it",
        f"{events}:6: row 4 is not JSON: extra data; no rule sees it",
    )


def test_nested_parquet_by_dotted_name(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(pa.Table.from_pylist([{"user": {"name": "Ann", "id": {"n": 1}}}, {"user": None}]), path)
    rules = write_rules(
        tmp_path / "r.yml",
        rule_text("name", "s: {user.name: ann}\ncondition: s"),
        rule_text("deep", "s: {user.id.n: 1}\ncondition: s"),
        rule_text("none", "s: {user.gone: null}\ncondition: s"),
    )
    assert rows_by_title(run(rules, path)[0]) == {"name": [0], "deep": [0], "none": [0, 1]}


def test_long_dotted_names_lead_through_lists_and_keys_with_dots(tmp_path: Path) -> None:
    """Each piece more doubles the ways to read a name; the query must not double each time as well."""
    pieces = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    rules: list[str] = []
    events: list[dict[str, Any]] = []
    expected: dict[str, list[int]] = {}
    for size in (4, 6, 7, 10):
        name = f"{size} pieces"
        rules.append(rule_text(name, f"s: {{{'.'.join(pieces[:size])}: v{size}}}\ncondition: s"))
        nested: Any = f"v{size}"
        for piece in reversed(pieces[1:size]):
            nested = {piece: nested}
        dotted: Any = f"v{size}"
        for piece in reversed(pieces[3:size]):
            dotted = {piece: dotted}
        expected[name] = [len(events) + place for place in range(4)]
        events += [{"a": nested}, {"a": [nested, 5]}, {"a.b.c": [dotted]}, {".".join(pieces[:size]): [f"V{size}"]}]
        events.append({"a": [{**nested, "b": "no"}], "a.b": "no"})
    path = write_events(tmp_path / "events.jsonl", events)
    assert rows_by_title(run(write_rules(tmp_path / "rules.yml", *rules), path)[0]) == expected


def test_a_member_without_a_name_is_in_the_way_of_those_alone_who_look_there(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    kind = pa.struct([("", pa.int64()), ("b", pa.int64())])
    pq.write_table(pa.table({"a": pa.array([{"": 1, "b": 2}], kind)}), path)
    beside = write_rules(tmp_path / "beside.yml", rule_text("beside", "s: {a.b: 2}\ncondition: s"))
    assert rows_by_title(run(beside, path)[0]) == {"beside": [0]}
    for detection in ("s: {'a.': 1}\ncondition: s", "k: [x]\ncondition: k"):
        there = write_rules(tmp_path / "there.yml", rule_text("there", detection))
        with pytest.raises(InputError, match="a member that has no name"):
            run(there, path)


def test_columns_that_differ_by_case_alone(tmp_path: Path) -> None:
    pq.write_table(pa.table({"User": ["a", "b"], "user": ["b", "a"]}), tmp_path / "e.parquet")
    (tmp_path / "e.csv").write_text("User,user\na,b\nb,a\n")
    rules = write_rules(tmp_path / "r.yml", rule_text("t", "s: {User: a, user: b}\ncondition: s"))
    for name in ("e.parquet", "e.csv"):
        assert rows_by_title(run(rules, tmp_path / name)[0]) == {"t": [0]}


def test_a_csv_tells_blank_from_missing(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text('a,b\n1,\n2\n3,""\n4,x\n')
    rules = write_rules(
        tmp_path / "r.yml",
        rule_text("blank", "s: {b: ''}\ncondition: s"),
        rule_text("missing", "s: {b: null}\ncondition: s"),
    )
    assert rows_by_title(run(rules, tmp_path / "e.csv")[0]) == {"blank": [0, 2], "missing": [1]}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.jsonl", None, "no such events file"),
        ("e.xyz", b"x", "cannot tell what kind of file e.xyz is"),
        ("e.parquet", b"no parquet", "cannot be read"),
        ("e.jsonl.gz", b"no gzip", "cannot be read"),
        ("e.csv", b"", "no header line"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    rules = write_rules(tmp_path / "r.yml", rule_text("t", "s: {a: 1}\ncondition: s"))
    with pytest.raises(InputError, match=said) as caught:
        run(rules, tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_an_empty_file_has_no_matches(tmp_path: Path) -> None:
    matches, result = run(write_rules(tmp_path / "r.yml", *RULES), write_events(tmp_path / "e.jsonl", []))
    assert (matches, result.remarks) == ([], ())


def test_field_names_and_values_never_become_part_of_a_query(tmp_path: Path) -> None:
    evil = "\"); COPY (SELECT 1) TO '/tmp/x'; --"
    detection = f"s: {{{json.dumps(evil)}: {json.dumps(evil)}}}\ncondition: s"
    rules = write_rules(tmp_path / "r.yml", rule_text("t", detection))
    events = [{evil: evil}, {"other": evil}]
    assert rows_by_title(run(rules, write_events(tmp_path / "e.jsonl", events))[0]) == {"t": [0]}
    pq.write_table(pa.Table.from_pylist(events), tmp_path / "e.parquet")
    assert rows_by_title(run(rules, tmp_path / "e.parquet")[0]) == {"t": [0]}


def test_more_rules_than_fit_one_word_of_the_result(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "r.yml", *(rule_text(f"r{i}", f"s: {{f: {i}}}\ncondition: s") for i in range(200)))
    events = write_events(tmp_path / "e.jsonl", [{"f": 199 - i} for i in range(200)])
    matches, _ = run(rules, events)
    assert [(match["title"], match["event"]) for match in matches] == [(f"r{199 - i}", i) for i in range(200)]


def test_a_time_without_zone_is_utc_whatever_the_machine_thinks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    pq.write_table(
        pa.table({"at": pa.array([datetime(2026, 3, 1, 3, tzinfo=UTC)], pa.timestamp("us"))}), tmp_path / "e.parquet"
    )
    rules = write_rules(tmp_path / "r.yml", rule_text("t", "s: {at|hour: 3, at: '2026-03-01T03:*'}\ncondition: s"))
    assert rows_by_title(run(rules, tmp_path / "e.parquet")[0]) == {"t": [0]}
