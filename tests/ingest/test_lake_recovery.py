"""What a run that was killed between commit and rename leaves is put in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
from django.db import transaction

from detector.home import Home
from detector.ingest.lake import recover, register_tables, table_files, verify_lake, write_table
from detector.ledger.models import LakeFile

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_empty_table_has_the_name_of_another_nights_and_still_finds_its_own_place(home: Home) -> None:
    empty = pa.table({"night": pa.array([], pa.date32())})
    with transaction.atomic():
        register_tables(home, [write_table(home, "visits", date(2026, 2, 1), empty)], now=NOW)
    staged = write_table(home, "visits", date(2026, 2, 2), empty)
    first = LakeFile.objects.get(table="visits")
    place = home.profile_dir("visits", date(2026, 2, 2)).relative_to(home.lake) / first.path.rsplit("/", 1)[1]
    LakeFile.objects.create(
        path=place.as_posix(), table="visits", night=date(2026, 2, 2), rows=0, bytes=first.bytes,
        sha256=first.sha256, created_at=NOW,
    )  # fmt: skip
    assert staged.file.path.exists()
    recover(home)
    assert len(table_files(home, "visits")) == 2
    assert verify_lake(home) == []
