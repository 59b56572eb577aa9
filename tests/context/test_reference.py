"""Reference tables as forces have them: transfers, gaps, damage."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.config import ReferenceSettings, Settings
from detector.context.columns import PERSONS, RECORDS
from detector.context.reference import Reference, load_reference
from detector.context.staff import with_staff
from detector.errors import ConfigError, ReferenceTableError
from detector.ingest.pseudonyms import pseudonymiser
from detector.schema import REFERENCE_TABLES

STAFF = """staff_id,unit,role,start_date,end_date
op1,Traffic,constable,2025-01-01,2026-02-28
op1,Custody,sergeant,2026-03-01,
op2,Records,clerk,,
op4,Response,constable,2020-01-01,
op4,Murder,constable,2026-02-01,2026-02-28
"""
LONDON = Settings(reference=ReferenceSettings(time_zone="Europe/London"))


def load(folder: Path, settings: Settings | None = None, **tables: str) -> Reference:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return load_reference(folder, settings)


def rejected(reference: Reference, table: str) -> list[tuple[int, str]]:
    (report,) = [each for each in reference.reports if each.table == table]
    return [(each.line, each.reason) for each in report.named]


def utc(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_unit_and_role_are_those_of_the_day(tmp_path: Path) -> None:
    rows = [
        ("before", utc(28, 23, month=2), "op1", None, None),
        ("after", utc(1, 1), "op1", None, None),
        ("own", utc(1, 1), "op1", "Murder", "detective"),
        ("blank", utc(1, 1), "op1", "", "detective"),
        ("undated", utc(1, 1), "op2", None, None),
        ("unknown", utc(1, 1), "op3", None, ""),
        ("seconded", utc(14, 1, month=2), "op4", None, None),
        ("back", utc(1, 1), "op4", None, None),
    ]
    schema = {"event_id": "string", "event_time": "timestamp('UTC')", "actor_id": "string", "unit": "string"}
    events = ibis.memtable(rows, schema=ibis.schema(schema | {"role": "string"}))
    filled = with_staff(events, load(tmp_path, staff=STAFF)).to_pyarrow().to_pylist()
    assert {row["event_id"]: (row["unit"], row["role"]) for row in filled} == {
        "before": ("Traffic", "constable"),
        "after": ("Custody", "sergeant"),
        "own": ("Murder", "detective"),
        "blank": ("Custody", "detective"),
        "undated": ("Records", "clerk"),
        "unknown": (None, ""),
        "seconded": ("Murder", "constable"),
        "back": ("Response", "constable"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit,role\nA,B\n", "column staff_id is missing"),
        ("staff_id,unit,unit\n1,A,B\n", "given twice"),
        ("", "cannot be read"),
        ("\n", "cannot be read"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReferenceTableError, match=said) as caught:
        load(tmp_path, staff=text)
    assert "staff.csv" in str(caught.value)


def test_a_table_without_a_column_no_row_can_do_without_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceTableError, match="column shift_end is missing"):
        load(tmp_path, shifts="staff_id,shift_start\nop1,2026-03-01T08:00\n")


def test_a_bad_row_costs_itself_and_is_named_with_its_line(tmp_path: Path) -> None:
    text = (
        "case_ref,opened_at,closed_at,owning_unit\r\n"
        'C1,2026-03-01T08:00:00Z,,"Murder\nroom"\r\n'  # lines 2 and 3
        "C2,2026-03-01\r\n"
        ",2026-03-01T08:00:00Z,,Traffic\r\n"
        "C3,the other day,,Traffic\r\n"
        "C4,2026-03-04,2026-03-03,Traffic\r\n"
        "C5,2026-02-30,,Traffic\r\n"
        'C6,2026-03-04,,"Traffic\r\n'
        "C7,2026-03-04,,Traffic\r\n"
    )
    reference = load(tmp_path, cases=text)
    assert reference.tables["cases"]["case_ref"].to_pylist() == ["C1", "C7"]
    assert reference.tables["cases"]["owning_unit"].to_pylist() == ["Murder\nroom", "Traffic"]
    assert rejected(reference, "cases") == [
        (4, "wrong_column_count"),
        (5, "missing_key"),
        (6, "bad_date"),
        (7, "ends_before_start"),
        (8, "bad_date"),
        (9, "unbalanced_quote"),
    ]
    (report,) = reference.reports
    assert (report.rows, report.rejected, report.duplicates) == (2, 6, 0)
    assert "opened_at" in report.named[2].detail
    assert "other day" not in report.named[2].detail, "what a row says stays in the file"


def test_of_two_rows_of_one_key_that_disagree_the_first_stays(tmp_path: Path) -> None:
    text = "case_ref,owning_unit\nC1,Traffic\nC2,Murder\nC1,Traffic\nC1,Custody\n"
    reference = load(tmp_path, cases=text, staff=f"{STAFF}op2,Traffic,clerk,,\nop2,Records,clerk,,\n")
    assert reference.tables["cases"].select(["case_ref", "owning_unit"]).to_pydict() == {
        "case_ref": ["C1", "C2"],
        "owning_unit": ["Traffic", "Murder"],
    }
    assert rejected(reference, "cases") == [(5, "key_conflict")]
    assert rejected(reference, "staff") == [(7, "key_conflict")]
    assert [report.duplicates for report in reference.reports] == [1, 1]
    assert reference.tables["staff"].num_rows == 5, "two starts of one person are no conflict"


def test_days_and_naive_times_are_those_of_the_stated_zone(tmp_path: Path) -> None:
    text = "staff_id,absent_from,absent_to\nop1,2026-07-01,2026-07-01\nop2,2026-07-01T09:00,2026-07-01T17:00:00+02:00\n"
    table = load(tmp_path, LONDON, absences=text).tables["absences"]
    assert table["absent_from"].to_pylist() == [utc(30, 23, month=6), utc(1, 8, month=7)]
    assert table["absent_to"].to_pylist() == [utc(1, 23, month=7), utc(1, 15, month=7)]


def test_a_shift_over_a_clock_change_is_read_as_the_longer_one(tmp_path: Path) -> None:
    text = (
        "staff_id,shift_start,shift_end\nop1,2026-10-25T01:30,2026-10-25T01:30\nop1,2026-03-29T01:30,2026-03-29T05:00\n"
    )
    table = load(tmp_path, LONDON, shifts=text).tables["shifts"]
    assert table["shift_start"].to_pylist() == [utc(25, 0, 30, month=10), utc(29, 0, 30)]
    assert table["shift_end"].to_pylist() == [utc(25, 1, 30, month=10), utc(29, 4)]


def test_an_open_end_may_be_written_as_the_end_of_time(tmp_path: Path) -> None:
    table = load(tmp_path, staff="staff_id,end_date\nop1,9999-12-31\nop2,\nop3,2026-03-01\n").tables["staff"]
    assert table["end_date"].to_pylist() == [None, None, utc(2, 0)]


def test_what_cannot_be_read_beside_the_key_is_emptied_and_counted(tmp_path: Path) -> None:
    text = (
        "record_id,surname,date_of_birth,sensitivity\n"
        "R1,Oak,1990-02-31,high\nR2,Elm,1990-02-03,2\nR3,Ash,,LOW\nR4,Fir,,soon\n"
    )
    reference = load(tmp_path, records=text)
    table = reference.tables["records"]
    assert table["surname"].to_pylist() == ["Oak", "Elm", "Ash", "Fir"]
    assert table["date_of_birth"].to_pylist() == [None, date(1990, 2, 3), None, None]
    assert table["sensitivity"].to_pylist() == [2.0, 2.0, 0.0, None]
    assert reference.reports[0].emptied == {"date_of_birth": 1, "sensitivity": 1}
    assert reference.reports[0].rejects == {}


def test_a_table_with_nothing_but_a_header_is_there_and_empty(tmp_path: Path) -> None:
    reference = load(tmp_path, watchlist="record_id,kind\n", cases="\ufeffCase_Ref , owning_unit\nC1,Traffic\n")
    assert reference.present == {"watchlist", "cases"}
    assert reference.tables["watchlist"].num_rows == 0
    assert reference.tables["cases"]["owning_unit"].to_pylist() == ["Traffic"]


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    columns = {
        "incident_id": ["I1", "I2", None],
        "started_at": [utc(1, 8), None, utc(1, 9)],
        "record_id": [101, 102, 103],
    }
    pq.write_table(pa.table(columns), tmp_path / "incidents.parquet")
    reference = load_reference(tmp_path)
    (row,) = reference.tables["incidents"].to_pylist()
    assert (row["incident_id"], row["started_at"], row["record_id"], row["unit"]) == ("I1", utc(1, 8), "101", None)
    assert rejected(reference, "incidents") == [(2, "missing_key"), (3, "missing_key")]


def test_a_damaged_parquet_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "records.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ReferenceTableError, match=r"records\.parquet"):
        load_reference(tmp_path)


def test_the_report_adds_up_and_holds_the_files_fingerprint(tmp_path: Path) -> None:
    reference = load(tmp_path, publicity="record_id,published_at\nR1,2026-03-01T10:00Z\nR2,soon\n")
    (report,) = [each.as_json() for each in reference.reports]
    assert report["rows"] + report["duplicates"] + report["rejects"] == 2
    assert report["reject_reasons"] == {"bad_date": 1}
    assert len(report["sha256"]) == 64


def test_ids_that_the_logs_have_as_pseudonyms_are_replaced_alike(tmp_path: Path) -> None:
    key = {"DETECTOR_PSEUDONYM_KEY": "k" * 32}
    ours = pseudonymiser(["operator_id", "record_id"], Settings().pseudonyms, (), key)
    assert ours is not None
    (tmp_path / "staff.csv").write_text(
        "staff_id,manager_id,person_record_id,unit\nop1,op2,R1,Traffic\nop2,,,Traffic\n"
    )
    (tmp_path / "case_records.csv").write_text("case_ref,record_id\nC1,R1\n")
    both = Settings(reference=ReferenceSettings(pseudonymise=("person", "record_id")))
    tables = load_reference(tmp_path, both, key).tables
    assert tables["staff"].select(["staff_id", "manager_id", "person_record_id", "unit"]).to_pylist() == [
        {
            "staff_id": ours.token("operator_id", "op1"),
            "manager_id": ours.token("requester_id", "op2"),  # one person is one person, whatever the column
            "person_record_id": ours.token("record_id", "R1"),
            "unit": "Traffic",
        },
        {
            "staff_id": ours.token("operator_id", "op2"),
            "manager_id": None,
            "person_record_id": None,
            "unit": "Traffic",
        },
    ]
    assert tables["case_records"].to_pylist() == [{"case_ref": "C1", "record_id": ours.token("record_id", "R1")}]
    people = Settings(reference=ReferenceSettings(pseudonymise=("person",)))
    assert load_reference(tmp_path, people, key).tables["case_records"]["record_id"].to_pylist() == ["R1"]
    with pytest.raises(ConfigError, match="no key"):
        load_reference(tmp_path, both, {})


def test_every_id_of_the_tables_is_known_for_one(tmp_path: Path) -> None:
    """A column that is added to the contract's tables must not be forgotten when ids are replaced."""
    ids = {name for columns in REFERENCE_TABLES.values() for name in columns if name.endswith("_id")}
    assert ids - {"incident_id"} == {*PERSONS, *RECORDS}
