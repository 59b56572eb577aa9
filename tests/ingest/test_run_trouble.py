"""Ingest of what cannot be read, does not fit, changes, or finds no room: told, and nothing by halves."""

from __future__ import annotations

import errno
import gzip
import os
import zipfile
from pathlib import Path

import pytest
from ingest_support import HEADER, ids, ingest, line, log, rejects

from detector.config import IngestSettings, Settings
from detector.errors import MappingError, StateError, UsageError
from detector.home import Home
from detector.ledger.models import IngestedFile, LakeFile

FIRST, SECOND = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"


def test_a_truncated_file_gives_its_events_and_one_reject(home: Home, tmp_path: Path) -> None:
    lines = "\n".join([HEADER, *(line(n, why=f"reason {n * 7919}") for n in range(20_000))]) + "\n"
    packed = gzip.compress(lines.encode())
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) // 2])
    (counts,) = ingest(home, tmp_path / "a.csv.gz").files
    assert counts.reject_reasons == {"truncated_file": 1}
    assert 5_000 < counts.events == counts.lines - 1
    ((number, reason, raw),) = rejects(home)
    assert (number, reason) == (counts.events + 2, "truncated_file")
    assert line(counts.events, why=f"reason {counts.events * 7919}").startswith(raw)


def test_files_that_cannot_be_read_do_not_stop_the_others(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    good = log(folder / "good.csv", line("1"))
    (folder / "bomb.csv.gz").write_bytes(gzip.compress(HEADER.encode() + b"\n" + b"\0" * (100 << 20)))
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 rubbish")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a log")
    log(folder / "labels.csv", "1,E1,ghost", header="event_id,episode_id,scenario")
    summary = ingest(home, folder)
    assert [file.source_file for file in summary.files] == [str(good)]
    why = {Path(name).name: text for name, text in summary.not_recognised}
    assert sorted(why) == ["bomb.csv.gz", "broken.zip", "empty.csv", "labels.csv", "photo.jpg"]
    assert "decompression bomb" in why["bomb.csv.gz"]
    assert "not a readable zip archive" in why["broken.zip"]
    assert "labels" in why["labels.csv"]
    assert sorted(Path(name).name for name in summary.unreadable) == ["bomb.csv.gz", "broken.zip"]
    assert summary.exit_code(Settings()) == 4
    assert LakeFile.objects.count() == 1
    assert not home.staging.exists()


def test_a_file_asked_for_by_name_that_fits_no_mapping_is_told(home: Home, tmp_path: Path) -> None:
    path = log(tmp_path / "odd.csv", "1,2", header="colour,taste")
    summary = ingest(home, path)
    assert summary.not_recognised == ((str(path), "no source mapping fits it; name one with --source, or write one"),)
    assert summary.exit_code(Settings()) == 4


def test_mistakes_on_the_command_line_are_told_before_anything_is_written(home: Home, tmp_path: Path) -> None:
    good = log(tmp_path / "a.csv", line("1"))
    with pytest.raises(UsageError, match="no such file"):
        ingest(home, good, tmp_path / "none.csv")
    with pytest.raises(MappingError, match="no source mapping is called 'nonsense'"):
        ingest(home, good, source="nonsense")
    assert not IngestedFile.objects.exists()


def test_two_mappings_that_fit_are_both_named(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    folder.mkdir()
    shipped = (Path(__file__).parents[2] / "detector/ingest/sources/canonical.yaml").read_text()
    (folder / "twin.yaml").write_text(shipped.replace("name: canonical", "name: twin"))
    settings = Settings(ingest=IngestSettings(mapping_dirs=(folder,)))
    path = log(tmp_path / "a.csv", line("1"))
    with pytest.raises(MappingError, match="fits more than one source mapping: canonical, twin") as caught:
        ingest(home, path, settings=settings)
    assert "--source canonical" in str(caught.value)
    assert ingest(home, path, settings=settings, source="twin").files[0].source_name == "twin"


def test_members_of_an_archive_are_files_of_their_own(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", f"{HEADER}\n{line('1')}\n")
        archive.writestr("b.csv", f"{HEADER}\n{line('2')}\n")
        archive.writestr("../c.csv", f"{HEADER}\n{line('3')}\n")
    summary = ingest(home, path)
    assert [file.source_file for file in summary.files] == [f"{path}!a.csv", f"{path}!b.csv"]
    assert summary.not_recognised == ((f"{path}!../c.csv", "the member's name leads out of the archive"),)
    assert ingest(home, path).skipped == (f"{path}!a.csv", f"{path}!b.csv")


def test_a_home_directory_among_the_logs_is_not_read(home: Home, tmp_path: Path) -> None:
    log(tmp_path / "a.csv", line("1"))
    assert len(ingest(home, tmp_path).files) == 1
    again = ingest(home, tmp_path)
    assert (again.files, again.not_recognised, len(again.skipped)) == ((), (), 1)


def test_a_file_that_changes_while_it_is_read_is_not_kept(home: Home, tmp_path: Path) -> None:
    path = log(tmp_path / "a.csv", line("1"))

    def grow(step: str) -> None:
        if step == "read":
            with path.open("a") as file:
                file.write(line("2") + "\n")

    summary = ingest(home, path, checkpoint=grow)
    assert summary.not_recognised == ((str(path), "changed while it was read; nothing of it is kept"),)
    assert not LakeFile.objects.exists()
    assert [file.events for file in ingest(home, path).files] == [2]


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_clear_message_and_leaves_nothing_half_done(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    path = log(tmp_path / "a.csv", line("1"), "broken")
    sync = os.fsync

    def full(handle: int) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="no space left on the disk") as caught:
        ingest(home, path)
    assert "Free some space" in str(caught.value)
    assert not IngestedFile.objects.exists()
    assert not home.staging.exists()
    monkeypatch.setattr(os, "fsync", sync)
    assert ingest(home, path).files[0].events == 1


def test_a_full_disk_while_files_are_moved_is_put_right_by_the_next_run(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = log(tmp_path / "a.csv", line("1"), line("2", SECOND))
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if "event_date=2026-11-02" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StateError, match="no space left"):
        ingest(home, path)
    monkeypatch.undo()
    assert ingest(home, path).skipped == (str(path),)
    assert ids(home) == ["1", "2"]


def test_too_little_memory_is_a_clear_message(home: Home, tmp_path: Path) -> None:
    def starve(step: str) -> None:
        if step == "read":
            raise MemoryError

    with pytest.raises(StateError, match="not enough memory") as caught:
        ingest(home, log(tmp_path / "a.csv", line("1")), checkpoint=starve)
    assert "ingest.memory_bytes" in str(caught.value)
    assert not IngestedFile.objects.exists()
    assert not home.staging.exists()
