"""Input files: what is found, unpacked, bounded and refused."""

from __future__ import annotations

import errno
import gzip
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
import zstandard
from hostile_builders import zipped

from detector.config import IngestSettings
from detector.errors import InputError, UsageError
from detector.ingest.bytesource import DamagedFileError, InputFile, RefusedFileError, head, list_inputs, open_bytes
from detector.ingest.expand import RATIO_FLOOR
from detector.ingest.textstream import recoded

Packer = Callable[[bytes], bytes]
LIMITS = IngestSettings()
TEXT = b"".join(b"%d,anna,reason %d\n" % (n, n * 7919) for n in range(40_000))


def the_one(path: Path) -> InputFile:
    (file,) = list_inputs([path])
    return file


def read(path: Path, limits: IngestSettings = LIMITS) -> bytes:
    with open_bytes(the_one(path), limits) as stream:
        return stream.read()


def read_until_damage(path: Path) -> tuple[bytes, DamagedFileError]:
    good = bytearray()
    with open_bytes(the_one(path), LIMITS) as stream:
        with pytest.raises(DamagedFileError) as caught:
            take(stream, good.extend)
        with pytest.raises(DamagedFileError):  # a broken stream never turns into its end
            stream.read(1)
    return bytes(good), caught.value


def take(stream: BinaryIO, give: Callable[[bytes], object]) -> None:
    while piece := cast("io.BufferedReader", stream).read1(1 << 16):
        give(piece)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.csv.zst", "log.zip", "log"])
def test_every_compression_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(TEXT))
    elif name.endswith("zst"):
        path.write_bytes(zstandard.compress(TEXT))
    elif name.endswith("zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("log.csv", TEXT)
    else:
        path.write_bytes(TEXT)
    assert read(path) == TEXT
    assert head(the_one(path), LIMITS, 1000) == TEXT[:1000]


def test_compression_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    assert read(write(tmp_path / "access.log", gzip.compress(TEXT))) == TEXT
    assert read(write(tmp_path / "other.txt", zstandard.compress(TEXT))) == TEXT


def test_all_members_and_frames_are_read(tmp_path: Path) -> None:
    gz = (
        gzip.compress(TEXT)
        + gzip.compress(b"second\n")
        + b"\0" * 100_000
        + gzip.compress(b"")
        + gzip.compress(b"third")
    )
    assert read(write(tmp_path / "a.gz", gz)) == TEXT + b"second\nthird"
    zst = zstandard.compress(TEXT) + zstandard.compress(b"second\n") + zstandard.compress(b"third")
    assert read(write(tmp_path / "a.zst", zst)) == TEXT + b"second\nthird"


@pytest.mark.parametrize("keep", [5, 20, 0.3, 0.9])
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_a_truncated_file_keeps_what_was_read_before(
    tmp_path: Path, pack: Callable[[bytes], bytes], keep: float
) -> None:
    packed = pack(TEXT)
    cut = keep if isinstance(keep, int) else int(len(packed) * keep)
    path = write(tmp_path / ("a.gz" if pack is gzip.compress else "a.zst"), packed[:cut])
    good, error = read_until_damage(path)
    assert error.reason == "truncated_file"
    assert str(path) in str(error)
    assert TEXT.startswith(good)
    assert len(good) >= len(TEXT) * (keep if isinstance(keep, float) else 0) * 0.5


def test_a_corrupt_gzip_file_keeps_every_byte_before_the_damage(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT, 0))  # stored blocks: the damage is where we put it
    packed[-8:-4] = b"\0\0\0\0"  # the checksum
    good, error = read_until_damage(write(tmp_path / "a.gz", bytes(packed)))
    assert (error.reason, good) == ("corrupt_file", TEXT)
    packed = bytearray(gzip.compress(TEXT))
    packed[len(packed) // 2] ^= 0xFF
    good, error = read_until_damage(write(tmp_path / "b.gz", bytes(packed)))
    assert error.reason == "corrupt_file"
    assert len(good) > len(TEXT) // 4
    assert good[: len(TEXT) // 4] == TEXT[: len(TEXT) // 4]


def test_rubbish_after_the_gzip_data_is_damage_behind_good_data(tmp_path: Path) -> None:
    good, error = read_until_damage(write(tmp_path / "a.gz", gzip.compress(TEXT) + b"rubbish"))
    assert (error.reason, good) == ("corrupt_file", TEXT)


def test_a_corrupt_zip_member_keeps_what_was_read_before(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("log.csv", TEXT)
    data = bytearray(path.read_bytes())
    data[len(TEXT) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    good, error = read_until_damage(path)
    assert error.reason == "corrupt_file"
    assert good[:1000] == TEXT[:1000]


def test_a_truncated_zip_archive_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", TEXT)
    write(path, path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a readable zip archive"):
        read(path)


@pytest.mark.parametrize("kind", ["gz", "zst", "zip"])
def test_a_decompression_bomb_is_refused_before_it_grows(tmp_path: Path, kind: str) -> None:
    size = 400 << 20
    path = tmp_path / f"bomb.{kind}"
    if kind == "gz":
        with gzip.open(path, "wb") as file:
            for _ in range(size >> 20):
                file.write(b"\0" * (1 << 20))
    elif kind == "zst":
        path.write_bytes(zstandard.compress(b"\0" * size))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("log.csv", b"\0" * size)
    sizes: list[int] = []
    with (
        open_bytes(the_one(path), LIMITS) as stream,
        pytest.raises(RefusedFileError, match="decompression bomb") as caught,
    ):
        take(stream, lambda piece: sizes.append(len(piece)))
    assert sum(sizes) <= max(RATIO_FLOOR, path.stat().st_size * LIMITS.max_expansion) + (64 << 20)
    assert "ingest.max_expansion" in str(caught.value)


def test_a_file_beyond_the_absolute_limit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"x" * ((1 << 20) + 1))
    with pytest.raises(RefusedFileError, match="grows beyond 1048576 bytes"):
        read(path, IngestSettings(max_file_bytes=1 << 20))


def test_a_zstd_frame_with_a_huge_window_is_refused(tmp_path: Path) -> None:
    # Magic, a frame header without single-segment flag, window descriptor 0xA8 = 2 GiB, an empty last raw block.
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\xa8" + b"\x01\x00\x00"
    with pytest.raises(RefusedFileError, match="window of more than 128 MiB"):
        read(write(tmp_path / "a.zst", frame))


def test_archives_inside_archives_and_unsafe_names_are_refused(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.csv", "a\n")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("../../etc/log.csv", "a\n")
        archive.writestr("/abs.csv", "a\n")
        archive.writestr("sub/good.csv", "a\n")
    said = {}
    for file in list_inputs([path]):
        try:
            with open_bytes(file, LIMITS) as stream:
                said[file.member] = stream.read().decode()
        except RefusedFileError as exc:
            said[file.member] = exc.message
    assert said == {
        "inner.zip": "an archive inside an archive",
        "../../etc/log.csv": "the member's name leads out of the archive",
        "/abs.csv": "the member's name leads out of the archive",
        "sub/good.csv": "a\n",
    }


def test_a_member_behind_a_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", "a\n")
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # general purpose flag, bit 0
        place = data.index(magic) + at
        data[place : place + 2] = struct.pack("<H", 1)
    path.write_bytes(bytes(data))
    with pytest.raises(RefusedFileError, match="protected by a password"):
        read(path)


def test_empty_and_overfull_archives_are_refused(tmp_path: Path) -> None:
    empty, full = tmp_path / "e.zip", tmp_path / "f.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    with zipfile.ZipFile(full, "w") as archive:
        for number in range(1001):
            archive.writestr(f"{number}.csv", "")
    with pytest.raises(InputError, match="no log in it"):
        read(empty)
    with pytest.raises(RefusedFileError, match="more than 1000 members"):
        read(full)


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    write(tmp_path / "a.csv", TEXT)
    assert [file.path.name for file in list_inputs([tmp_path])] == ["a.csv"]
    with pytest.raises(InputError, match="not a regular file"):
        read(tmp_path / "pipe.csv")


def test_links_that_cannot_be_followed_are_given_and_say_why(tmp_path: Path) -> None:
    logs, other = tmp_path / "logs", tmp_path / "other"
    for folder in (logs, logs / "march", other):
        folder.mkdir()
    write(logs / "march" / "a.csv", TEXT)
    write(other / "b.csv", TEXT)
    for name, target in {"gone.csv": "nowhere", "loop.csv": "loop.csv", "newest": "march", "out": "../other"}.items():
        (logs / name).symlink_to(target)
    (logs / "b.csv").symlink_to("../other/b.csv")
    names = [file.name.removeprefix(f"{logs}/") for file in list_inputs([logs])]
    assert names == ["b.csv", "gone.csv", "loop.csv", "march/a.csv", "out"]  # newest leads to what is listed anyway
    assert read(logs / "b.csv") == TEXT
    for name, why in {"gone.csv": "No such file", "loop.csv": "symbolic links", "out": "a link to a folder"}.items():
        with pytest.raises(InputError, match=why), open_bytes(InputFile(logs / name, None, "plain"), LIMITS):
            pass


def test_a_folder_that_cannot_be_listed_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "log.csv", TEXT)
    scandir = os.scandir

    def closed(path: str | Path) -> Any:
        if Path(path).name == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)  # a mode of 000 does not keep root out
    folder, log = list_inputs([tmp_path])
    assert (folder.path.name, log.name) == ("a", str(tmp_path / "b" / "log.csv"))
    with pytest.raises(InputError, match="Permission denied"), open_bytes(folder, LIMITS):
        pass


def test_members_are_inflated_to_their_last_byte_before_their_checksum_counts(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.csv", TEXT)
    data = bytearray(out.getvalue())
    place = data.index(b"PK\x01\x02") + 16
    data[place : place + 4] = b"\0\0\0\0"
    good, damage = read_until_damage(write(tmp_path / "a.zip", bytes(data)))
    assert good == TEXT
    assert damage.reason == "corrupt_file"


@pytest.mark.parametrize("name", ["", ".", "a\\..\\..\\b.csv", "C:/b.csv", "C:b.csv"])
def test_members_whose_name_is_no_place_inside_are_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.zip", zipped((name, TEXT)))
    for file in list_inputs([tmp_path / "a.zip"]):
        with pytest.raises(RefusedFileError, match="leads out") as caught, open_bytes(file, LIMITS):
            pass
        assert "a.zip" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_text_with_a_byte_order_mark_comes_as_utf8(tmp_path: Path, encoding: str) -> None:
    text = "id,who\n1,Zoë £5\n" * 50_000
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert read(write(tmp_path / "a.csv", data)).decode() == text


def test_a_byte_order_mark_wins_over_the_stated_encoding(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        path = write(tmp_path / encoding, "Zoë".encode(encoding))
        with open_bytes(the_one(path), LIMITS) as stream:
            assert recoded(stream, "cp1252").read().decode() == "Zoë"
    with open_bytes(the_one(write(tmp_path / "plain", "Zoë".encode("cp1252"))), LIMITS) as stream:
        assert recoded(stream, "cp1252").read().decode() == "Zoë"


def test_undecodable_utf16_is_kept_apart_in_its_line(tmp_path: Path) -> None:
    data = b"\xff\xfe" + "a\n".encode("utf-16-le") + b"\x00\xd8" + "b\nc\n".encode("utf-16-le")
    assert read(write(tmp_path / "a.csv", data)) == b"a\n\xff\xd8b\nc\n"


def test_old_macintosh_line_ends_are_turned_and_others_are_not(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", b"id,who\r1,a\r")) == b"id,who\n1,a\n"
    assert read(write(tmp_path / "b.csv", b"id,who\r\n1,a\rb\r\n")) == b"id,who\r\n1,a\rb\r\n"
    binary = b"PAR1" + b"\r" * 100
    assert read(write(tmp_path / "c.parquet", binary)) == binary


def test_folders_are_searched_and_obvious_non_logs_left_out(tmp_path: Path) -> None:
    for name in ("b.csv", "a/x.jsonl", "a/README.txt", "a/notes.md", ".hidden/y.csv", "a/.z.csv", "make.py", "m.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    names = [Path(file.name).relative_to(tmp_path).as_posix() for file in list_inputs([tmp_path, tmp_path / "b.csv"])]
    assert names == ["a/x.jsonl", "b.csv"]
    assert [file.path.name for file in list_inputs([tmp_path / "m.yaml"])] == ["m.yaml"]


def test_a_name_that_is_no_unicode_is_shown_escaped(tmp_path: Path) -> None:
    path = tmp_path / "log\udcff.csv"
    path.write_bytes(b"x")
    assert the_one(path).name == f"{tmp_path}/log\\xff.csv"


def test_a_path_that_is_not_there_is_a_mistake_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        list_inputs([tmp_path / "none.csv"])


def test_zlib_output_that_fills_a_piece_exactly_is_not_taken_for_the_end(tmp_path: Path) -> None:
    for size in ((256 << 10) - 1, 256 << 10, (256 << 10) + 1, 512 << 10):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert read(write(tmp_path / f"{size}.gz", packer.compress(data) + packer.flush())) == data
