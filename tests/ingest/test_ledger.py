"""The ledger's own promises, kept by the database."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from ingest_support import NOW

from detector.home import Home
from detector.ledger.models import IngestedFile, LakeFile

GOOD = {
    "sha256": "ab" * 32, "bytes": 10, "source_file": "a.csv", "source_name": "canonical",
    "mapping_fingerprint": "cd" * 32, "state": "done", "lines": 6, "events": 3, "duplicates": 2, "rejects": 1,
    "ingested_at": NOW,
}  # fmt: skip


def test_counts_that_do_not_add_up_cannot_be_stored(home: Home) -> None:
    IngestedFile.objects.create(**GOOD)
    with pytest.raises(IntegrityError), transaction.atomic():
        IngestedFile.objects.create(**GOOD | {"sha256": "ef" * 32, "events": 4})
    assert IngestedFile.objects.count() == 1


def test_a_file_is_listed_once_and_not_dropped_while_the_lake_has_its_rows(home: Home) -> None:
    file = IngestedFile.objects.create(**GOOD)
    with pytest.raises(IntegrityError), transaction.atomic():
        IngestedFile.objects.create(**GOOD)
    LakeFile.objects.create(path="events/x", table="events", rows=1, bytes=1, sha256="00", source=file, created_at=NOW)
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        file.delete()


def test_the_migrations_are_complete(home: Home) -> None:
    call_command("makemigrations", "ledger", check=True, dry_run=True, verbosity=0)
