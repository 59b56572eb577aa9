"""The lake: what is listed is there, what is there is as it was written, and nothing appears by halves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import transaction
from ingest_support import NOW, ingest, line, log

from detector.errors import StateError
from detector.home import Home
from detector.ingest.lake import event_files, recover, register_tables, table_files, verify_lake, write_table
from detector.ledger.models import IngestedFile, LakeFile

NIGHT, NEXT = date(2026, 11, 1), date(2026, 11, 2)


def store(home: Home, table: str, night: date, values: list[int]) -> None:
    staged = write_table(home, table, night, pa.table({"n": values}))
    with transaction.atomic():
        register_tables(home, [staged], now=NOW)


def values(paths: Iterable[Path]) -> list[int]:
    return [n for path in paths for n in pq.read_table(path, partitioning=None)["n"].to_pylist()]


def test_a_table_appears_when_its_transaction_commits(home: Home) -> None:
    staged = write_table(home, "actor_features", NIGHT, pa.table({"n": [1, 2]}))
    assert table_files(home, "actor_features") == []
    with transaction.atomic():
        register_tables(home, [staged], now=NOW)
    (path,) = table_files(home, "actor_features")
    assert path.parent == home.lake / "profiles" / "actor_features" / "night=2026-11-01"
    assert values([path]) == [1, 2]
    row = LakeFile.objects.get()
    assert (row.rows, row.bytes, row.sha256[:32]) == (2, path.stat().st_size, path.stem)


def test_a_table_whose_transaction_fails_never_appears(home: Home) -> None:
    staged = write_table(home, "actor_features", NIGHT, pa.table({"n": [1]}))

    def fail() -> None:
        with transaction.atomic():
            register_tables(home, [staged], now=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not LakeFile.objects.exists()
    recover(home)
    assert list(home.lake.rglob("*.parquet")) == []


def test_registering_outside_a_transaction_is_a_mistake_of_ours(home: Home) -> None:
    with pytest.raises(RuntimeError):
        register_tables(home, [], now=NOW)


def test_a_nights_profile_is_replaced_and_its_findings_are_added_to(home: Home) -> None:
    for numbers in ([1], [2, 3]):
        store(home, "actor_features", NIGHT, numbers)
        store(home, "findings", NIGHT, numbers)
    assert values(table_files(home, "actor_features")) == [2, 3]
    assert len(list(home.profile_dir("actor_features", NIGHT).iterdir())) == 1
    assert values(table_files(home, "findings")) == [1, 2, 3]


def test_the_same_table_again_changes_nothing(home: Home) -> None:
    for _ in range(2):
        store(home, "actor_features", NIGHT, [1])
        store(home, "findings", NIGHT, [1])
    assert LakeFile.objects.count() == 2
    assert values(table_files(home, "actor_features")) == [1]


def test_tables_are_found_by_their_nights(home: Home) -> None:
    for day in (3, 1, 2):
        store(home, "actor_features", date(2026, 11, day), [day])
    assert values(table_files(home, "actor_features")) == [1, 2, 3]
    assert values(table_files(home, "actor_features", since=date(2026, 11, 2))) == [2, 3]
    assert values(table_files(home, "actor_features", before=date(2026, 11, 2))) == [1]
    assert table_files(home, "other") == []


def test_recover_moves_what_is_listed_and_deletes_what_is_not(home: Home) -> None:
    listed = write_table(home, "actor_features", NIGHT, pa.table({"n": [1]}))
    write_table(home, "actor_features", NIGHT, pa.table({"n": [2]}))
    path = f"profiles/actor_features/night=2026-11-01/{listed.file.name}"
    LakeFile.objects.create(
        path=path, table="actor_features", night=NIGHT, rows=1, bytes=listed.file.bytes, sha256=listed.file.sha256,
        created_at=NOW,
    )  # fmt: skip
    assert verify_lake(home) == []  # the next writing command will move it
    recover(home)
    assert values([home.lake / path]) == [1]
    assert [each.relative_to(home.lake).as_posix() for each in home.lake.rglob("*.parquet")] == [path]
    assert not home.staging.exists()


def test_recover_deletes_a_profile_that_was_replaced_but_not_one_it_knows_nothing_of(home: Home) -> None:
    store(home, "actor_features", NIGHT, [1])
    (path,) = table_files(home, "actor_features")
    replaced, foreign = path.with_name("old.parquet"), home.profile_dir("actor_features", NEXT) / "x.parquet"
    foreign.parent.mkdir()
    for each in (replaced, foreign):
        each.write_bytes(b"")
    recover(home)
    assert (path.exists(), replaced.exists(), foreign.exists()) == (True, False, True)


def test_recover_never_deletes_lake_files_that_the_database_does_not_know(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1")))
    (path,) = event_files(home, NIGHT)
    LakeFile.objects.all().delete()  # as with a DATABASE_URL that points elsewhere
    IngestedFile.objects.all().delete()
    recover(home)
    assert path.exists()


def test_missing_altered_and_foreign_files_are_named(home: Home, tmp_path: Path) -> None:
    ingest(
        home, log(tmp_path / "a.csv", line("1"), line("2", "2026-11-02T10:00:00Z"), line("3", "2026-11-03T10:00:00Z"))
    )
    assert verify_lake(home) == []
    one, two, three = (event_files(home, date(2026, 11, day))[0] for day in (1, 2, 3))
    name = {path: path.relative_to(home.lake).as_posix() for path in (one, two, three)}
    one.unlink()
    data = bytearray(two.read_bytes())
    data[len(data) // 2] ^= 1
    two.write_bytes(bytes(data))
    three.write_bytes(three.read_bytes() + b"x")
    foreign = three.with_name("foreign.parquet")
    foreign.write_bytes(b"")
    said = [
        f"{name[one]} is missing",
        f"{name[two]} was altered after it was written",
        f"{name[three]} was altered after it was written",
        f"{foreign.relative_to(home.lake)} was not written by any run; it is not read",
    ]
    assert verify_lake(home) == said
    assert verify_lake(home, contents=False) == [said[0], said[2], said[3]]
    with pytest.raises(StateError, match="a file of the lake is missing"):
        event_files(home, NIGHT)


def test_an_altered_lake_file_stops_the_ingest_that_must_compare_with_it(home: Home, tmp_path: Path) -> None:
    ingest(home, log(tmp_path / "a.csv", line("1")))
    (path,) = event_files(home, NIGHT)
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(StateError, match="cannot be read") as caught:
        ingest(home, log(tmp_path / "b.csv", line("2")))
    assert str(path) in str(caught.value)
    assert IngestedFile.objects.count() == 1
