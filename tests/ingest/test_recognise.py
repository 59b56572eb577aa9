"""Recognition: one mapping, none, or both of two that fit; known non-logs by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from formats_samples import SAMPLES, Sample
from rows import recognised, shipped

from detector.ingest.mapping import load_mapping
from detector.ingest.recognise import non_log, recognise
from detector.schema import REFERENCE_TABLES


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_fits_its_own_mapping_alone(sample: Sample, tmp_path: Path) -> None:
    path = sample.write(tmp_path)
    assert recognised(path) == [sample.source]


@pytest.mark.parametrize(
    "head",
    [
        b"date,amount,shop\n2026-03-02,4.20,baker\n", b"hello\nworld\n", b'{"a": 1}\n', b"[]", b"{", b"\x00\x01\x02",
        b"event_time,system,action\n", b"PK\x03\x04", b"id,userId\n", b'"', b"Mar  2 10:00:00 host app: hello\n",
    ],
)  # fmt: skip
def test_what_fits_nothing(head: bytes) -> None:
    assert recognise("x", head, shipped()) == []


def test_two_that_fit_are_both_said() -> None:
    mappings = shipped()
    twin = mappings["alpr-portal"].model_copy(update={"name": "twin"})
    head = b"id,userId,searchDate,networkCount,reason\n"
    assert recognise("x.csv", head, {**mappings, "twin": twin}) == ["alpr-portal", "twin"]


def test_mark_and_title_lines() -> None:
    head = b"\xef\xbb\xbfAnswer to request 4711\r\n\r\nEvent Time,System,Action,Operator ID\r\n"
    assert recognise("x.csv", head, shipped()) == ["canonical"]


def test_text_lines_that_begin_with_a_bracket_are_no_json(tmp_path: Path) -> None:
    path = tmp_path / "door.yaml"
    path.write_text(
        "name: door\ntitle: t\nformats: text\nline: '^\\[(?P<when>[^]]+)\\] (?P<who>\\S+)$'\n"
        "columns: {event_time: when, operator_id: who}\nconstants: {system: DOOR, action: view}\n"
    )
    mappings = {**shipped(), "door": load_mapping(path)}
    assert recognise("x.log", b"[2026-03-02T10:00:00Z] op1\n[2026-03-02T10:00:01Z] op2\n", mappings) == ["door"]


def test_title_lines_have_an_end() -> None:
    head = b"note\n" * 30 + b"event_time,system,action,operator_id\n"
    assert recognise("x.csv", head, shipped()) == []


def test_labels_are_no_log() -> None:
    head = b"event_id,episode_id,scenario\nE1,P1,streak\n"
    assert non_log("labels.csv", head) == "labels for `detector evaluate`, not a log"
    assert recognise("labels.csv", head, shipped()) == []


@pytest.mark.parametrize("table", sorted(REFERENCE_TABLES))
def test_reference_tables_are_no_logs(table: str) -> None:
    head = (",".join(REFERENCE_TABLES[table]) + "\n").encode()
    assert non_log(f"reference/{table}.csv", head) == f"the reference table {table}: give its folder with --reference"


def test_reference_table_that_lacks_columns_is_known_by_its_name() -> None:
    head = b"staff_id,surname,forename,role,rank,unit,manager_id\n"
    assert non_log("reference/staff.csv", head) is not None
    assert non_log("people.csv", head) is None


def test_a_log_is_no_reference_table() -> None:
    header = ",".join((*REFERENCE_TABLES["records"], "event_time", "system", "action", "operator_id"))
    assert non_log("records.csv", header.encode()) is None


def test_other_non_logs() -> None:
    assert non_log("a.csv", b" \n") == "empty"
    assert non_log("a.xls", b"\xd0\xcf\x11\xe0") == "not a text file, workbook (.xlsx) or Parquet file"
