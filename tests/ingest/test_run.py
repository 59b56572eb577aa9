"""Ingest end to end: counts, provenance, duplicates, late files."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_support import HEADER, NOW, ids, ingest, lake_rows, line, log, rejects, snapshot

from detector.config import IngestSettings, Settings
from detector.home import Home
from detector.ingest.lake import event_files
from detector.ledger.models import IngestedFile, LakeFile
from detector.schema import EVENT_SCHEMA, REJECT_SCHEMA

FIRST, SECOND = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"


def test_each_line_becomes_an_event_of_its_day_with_its_provenance(home: Home, tmp_path: Path) -> None:
    path = log(tmp_path / "a.csv", line("1", FIRST), line("2", SECOND, "op2", "a, b"), line("3", FIRST))
    summary = ingest(home, path)
    (counts,) = summary.files
    assert (counts.lines, counts.events, counts.duplicates, counts.rejects) == (3, 3, 0, 0)
    assert summary.nights_touched == {date(2026, 11, 1), date(2026, 11, 2)}
    assert (summary.exit_code(Settings()), summary.reject_share) == (0, 0.0)
    first, third, second = lake_rows(home)
    assert [first["event_id"], third["event_id"], second["event_id"]] == ["1", "3", "2"]
    assert second["reason_text"] == "a, b"
    assert second["source_line"] == 3
    assert second["source_file"] == str(path)
    assert second["source_name"] == "canonical"
    assert second["ingested_at"] == NOW
    assert second["source_sha256"] == IngestedFile.objects.get().sha256
    assert second["case_ref"] is None


def test_the_lake_has_the_contracts_folders_schema_and_metadata(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1", FIRST), "broken"))
    (path,) = event_files(home, date(2026, 11, 1))
    assert path.parent == home.lake / "events" / "event_date=2026-11-01"
    assert path.stem == LakeFile.objects.get(table="events").sha256[:32]
    schema = pq.read_schema(path)
    assert schema.remove_metadata() == EVENT_SCHEMA
    assert schema.metadata[b"present_columns"] == b"event_id,event_time,system,action,operator_id,reason_text"
    (rejected,) = (home.lake / "rejects").iterdir()
    assert pq.read_schema(rejected).remove_metadata() == REJECT_SCHEMA
    assert not home.staging.exists()


def test_the_same_file_twice_changes_nothing_under_whatever_name(home: Home, tmp_path: Path) -> None:
    path = log(tmp_path / "a.csv", line("1"), line("2"))
    ingest(home, path)
    before = snapshot(home)
    copy = tmp_path / "b.csv"
    copy.write_bytes(path.read_bytes())
    summary = ingest(home, path, copy, now=NOW + timedelta(days=1))
    assert summary.skipped == (str(path), str(copy))
    assert summary.files == ()
    assert summary.nights_touched == frozenset()
    assert snapshot(home) == before


def test_two_copies_in_one_run_are_read_once(home: Home, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        log(tmp_path / "in" / name, line("1"))
    summary = ingest(home, tmp_path / "in")
    assert [file.source_file for file in summary.files] == [str(tmp_path / "in" / "a.csv")]
    assert summary.skipped == (str(tmp_path / "in" / "b.csv"),)


def test_the_same_events_in_another_file_are_duplicates(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1"), line("2")))
    summary = ingest(home, log(tmp_path / "b.csv", line("2"), line("3"), line("3"), line("1", who="op1 ")))
    (counts,) = summary.files
    assert (counts.lines, counts.events, counts.duplicates, counts.rejects) == (4, 1, 3, 0)
    assert ids(home) == ["1", "2", "3"]


def test_a_file_of_nothing_but_duplicates_touches_no_night(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1")))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    summary = ingest(home, tmp_path / "b.csv.gz")
    assert (summary.files[0].duplicates, summary.nights_touched) == (1, frozenset())


def test_an_id_with_another_time_or_operator_is_a_conflict_with_its_raw_line(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1", who="op1")))
    clash, later = line("1", who="op2", why="say 'x', y"), line("2", "2026-11-01T11:00:00Z")
    summary = ingest(home, log(tmp_path / "b.csv", clash, line("2"), later, line("2"), later))
    (counts,) = summary.files
    assert (counts.lines, counts.events, counts.duplicates, counts.rejects) == (5, 1, 1, 3)
    assert counts.reject_reasons == {"id_conflict": 3}
    assert rejects(home) == [(2, "id_conflict", clash), (4, "id_conflict", later), (6, "id_conflict", later)]


def test_an_id_may_come_again_on_another_day_and_from_another_source(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1", FIRST), line("1", SECOND)))
    assert ids(home) == ["1", "1"]


def test_late_events_of_a_day_come_as_one_more_file(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1", FIRST)))
    before = event_files(home, date(2026, 11, 1))
    ingest(home, log(tmp_path / "b.csv", line("2", FIRST), line("3", SECOND)))
    assert event_files(home, date(2026, 11, 1))[:1] == before
    assert len(event_files(home, date(2026, 11, 1))) == 2
    assert len(event_files(home, date(2026, 11, 2))) == 1


def test_a_clock_that_was_set_back_changes_nothing_but_ingested_at(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1")))
    ingest(home, log(tmp_path / "b.csv", line("1"), line("2")), now=datetime(2020, 1, 1, tzinfo=UTC))
    assert ids(home) == ["1", "2"]
    assert len(event_files(home, date(2026, 11, 1))) == 2


def test_rejected_lines_are_kept_and_counted_and_too_many_give_exit_code_4(home: Home, tmp_path: Path) -> None:
    path = log(tmp_path / "a.csv", line("1"), "only,two", line("2", "nonsense"), HEADER, line("3"))
    summary = ingest(home, path)
    assert rejects(home) == [
        (3, "wrong_column_count", "only,two"),
        (4, "bad_time", line("2", "nonsense")),
        (5, "repeated_header", HEADER),
    ]
    assert (summary.lines, summary.rejects) == (5, 3)
    assert summary.exit_code(Settings()) == 4
    assert summary.exit_code(Settings(ingest=IngestSettings(reject_share=0.6))) == 0


def test_buffers_that_overflow_give_the_same_events_and_the_same_counts(home: Home, tmp_path: Path) -> None:
    days = [f"2026-11-{day:02d}T12:00:00Z" for day in range(1, 6)]
    rows = [line(n % 9_000, days[n % 5], why="x" * 200) for n in range(12_000)]
    path = log(tmp_path / "a.csv", *rows)
    tight = IngestSettings.model_construct(**{**dict(IngestSettings()), "memory_bytes": 200_000})
    (counts,) = ingest(home, path, settings=Settings().model_copy(update={"ingest": tight})).files
    assert (counts.events, counts.duplicates, counts.rejects) == (9_000, 3_000, 0)
    assert len(set(ids(home))) == 9_000
    roomy = Home(tmp_path / "roomy")
    assert LakeFile.objects.filter(table="events").count() >= 5
    from detector.database import open_database

    tight_rows = lake_rows(home, columns=["event_id", "event_time", "source_line"])
    open_database(roomy, {})
    ingest(roomy, path)
    assert LakeFile.objects.filter(table="events").count() == 5
    by_line = lambda row: row["source_line"]  # noqa: E731
    assert sorted(lake_rows(roomy, columns=["event_id", "event_time", "source_line"]), key=by_line) == sorted(
        tight_rows, key=by_line
    )


def test_the_same_input_gives_the_same_bytes(home: Home, tmp_path: Path) -> None:
    from detector.database import open_database

    lines = [line(n % 700, f"2026-11-{1 + n % 3:02d}T10:00:00Z", f"op{n % 11}") for n in range(2_000)]
    path = log(tmp_path / "a.csv", *lines, "broken")
    ingest(home, path)
    first = snapshot(home)
    other = Home(tmp_path / "other")
    open_database(other, {})
    ingest(other, path, settings=Settings(ingest=IngestSettings(threads=7)))
    assert snapshot(other) == first


ROW = st.tuples(
    st.integers(0, 6), st.sampled_from([FIRST, "2026-11-01T11:00:00Z", SECOND]), st.sampled_from(["op1", "op2"])
)
DIRT = st.sampled_from(
    ["", "broken", '"open', HEADER, "9,nonsense,PNC,search,op1,x", '8,2026-11-01T10:00:00Z,PNC,search,op1,"a\nb"']
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.lists(ROW.map(lambda r: line(*r)) | DIRT, max_size=12), min_size=1, max_size=3))
def test_lines_are_events_duplicates_and_rejects_and_no_identity_is_there_twice(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]]
) -> None:
    from detector.database import open_database

    folder = tmp_path_factory.mktemp("p")
    home = Home(folder / "home")
    open_database(home, {})
    for number, lines in enumerate(files):
        summary = ingest(home, log(folder / f"{number}.csv", *lines))
        for counts in summary.files:
            records = [each for each in lines if each]
            assert counts.lines == len(records)
    rows = lake_rows(home)
    keys = [(row["event_time"].date(), row["event_id"]) for row in rows]
    assert len(set(keys)) == len(keys) == sum(IngestedFile.objects.values_list("events", flat=True))
    assert len(lake_rows(home, "rejects")) == sum(IngestedFile.objects.values_list("rejects", flat=True))
    identities = {(key, row["event_time"], row["operator_id"]) for key, row in zip(keys, rows, strict=True)}
    assert len(identities) == len(keys)
