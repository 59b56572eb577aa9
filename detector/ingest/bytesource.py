"""Input files and the bytes in them, unpacked: what there is to read, its beginning, and a bounded stream of it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from detector.config import IngestSettings
from detector.errors import InputError, UsageError, Where
from detector.ingest import expand
from detector.ingest.expand import DamagedFileError, Meter, RefusedFileError
from detector.ingest.textstream import text_stream

__all__ = [
    "DamagedFileError", "InputFile", "RefusedFileError", "head", "list_inputs", "open_bytes", "open_raw", "real_path"
]  # fmt: skip

Compression = Literal["plain", "gz", "zst", "zip"]

#: Files in a folder that are obviously no logs. A file named on the command line is always taken.
NO_LOGS = (".md", ".py", ".yml", ".yaml")
#: More members than this in one archive are refused.
MAX_MEMBERS = 1_000
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass(frozen=True)
class InputFile:
    """One log to read: a file, or one member of a zip archive."""

    path: Path
    member: str | None
    compression: Compression

    @property
    def name(self) -> str:
        """`path` or `path!member`, always valid Unicode; what rows and messages call the file."""
        text = str(self.path) if self.member is None else f"{self.path}!{self.member}"
        return os.fsencode(text).decode("utf-8", "backslashreplace")


def list_inputs(paths: Sequence[Path]) -> list[InputFile]:
    """Every file of `paths`, folders with all that is in them, each once, in the order of their names.

    Raises UsageError for a path that does not exist. An archive or a folder that cannot be listed, and a link that
    leads nowhere or to another folder, is returned as it is; opening it says why.
    """
    found: dict[Path, Path] = {}
    own = [real_path(path) for path in paths if path.is_dir()]
    for path in paths:
        if path.is_dir():
            for each in _in_folder(path, own):
                found.setdefault(real_path(each), each)
        elif path.exists():
            found.setdefault(real_path(path), path)
        else:
            raise UsageError("no such file or folder", where=Where(path))
    inputs = [each for path in found.values() for each in _inputs_of(path)]
    return sorted(inputs, key=lambda each: each.name)


def real_path(path: Path) -> Path:
    """Where a path leads in the end; of a link that leads to itself, the link (`Path.resolve` would raise)."""
    return Path(os.path.realpath(path))


def head(file: InputFile, limits: IngestSettings, size: int = 1 << 16) -> bytes:
    """The first `size` bytes, unpacked, as `open_bytes` gives them; fewer where the file is damaged earlier.

    Raises InputError when nothing can be read.
    """
    with open_bytes(file, limits) as stream:
        data = b""
        try:
            while len(data) < size and (piece := stream.read1(size - len(data))):  # type: ignore[attr-defined]
                data += piece
        except DamagedFileError:
            if not data:
                raise
        return data


@contextmanager
def open_bytes(file: InputFile, limits: IngestSettings, meter: Meter | None = None) -> Iterator[BinaryIO]:
    """A stream of the file's bytes, unpacked; text without byte order mark, UTF-16 and UTF-32 with one as UTF-8.

    While reading, DamagedFileError is raised at the point where the file breaks off or is corrupt and RefusedFileError
    where it exceeds the limits; any other InputError says that it cannot be opened. A `meter` of the caller's tells
    how far the reading has come.
    """
    with open_raw(file) as raw:
        yield text_stream(_pieces(file, raw, meter or Meter(Where(file.name), limits)))


@contextmanager
def open_raw(file: InputFile) -> Iterator[BinaryIO]:
    """The file as it lies on disk. Raises InputError when it cannot be opened."""
    try:
        if file.path.is_symlink() and file.path.is_dir():
            raise InputError(
                "a link to a folder, which is not followed: name the folder itself", where=Where(file.name)
            )
        if file.path.is_dir():
            os.scandir(file.path).close()  # says why it could not be listed
        if file.path.exists() and not file.path.is_file():
            raise InputError("not a regular file", where=Where(file.name))
        raw = file.path.open("rb")
    except OSError as exc:
        raise InputError(f"cannot be opened: {exc.strerror}", where=Where(file.name)) from None
    with raw:
        yield raw


def member_pieces(file: InputFile, raw: BinaryIO, limits: IngestSettings) -> Iterator[bytes]:
    """The bytes of an archive's member exactly as packed."""
    return _pieces(file, raw, Meter(Where(file.name), limits))


def _pieces(file: InputFile, raw: BinaryIO, meter: Meter) -> Iterator[bytes]:
    if file.compression == "gz":
        return expand.gunzip(raw, meter)
    if file.compression == "zst":
        return expand.unzstd(raw, meter)
    if file.compression == "zip":
        _refuse_unsafe(file, raw)
        return expand.unzip(raw, file.member or "", meter)
    return expand.plain(raw, meter)


def _in_folder(folder: Path, walked: Sequence[Path]) -> Iterator[Path]:
    """The files below a folder. What cannot be looked into is given as it is: a folder that cannot be listed, a link
    that leads nowhere, a link to a folder that is not below one of `walked` (none is followed: it may lead anywhere).
    """
    closed: list[Path] = []

    def failed(exc: OSError) -> None:
        closed.append(Path(exc.filename))

    for here, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            path = Path(here, name)
            if path.is_symlink() and not any(real_path(path).is_relative_to(each) for each in walked):
                yield path
        for name in sorted(names):
            path = Path(here, name)
            if name.startswith((".", "README")) or path.suffix.lower() in NO_LOGS:
                continue
            if path.is_file() or (path.is_symlink() and not path.exists()):
                yield path
    yield from closed


def _inputs_of(path: Path) -> list[InputFile]:
    compression = _compression(path)
    if compression != "zip":
        return [InputFile(path, None, compression)]
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.filename.endswith("/")]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return [InputFile(path, None, "zip")]
    if "[Content_Types].xml" in names:  # an office document under another name
        return [InputFile(path, None, "plain")]
    if not names or len(names) > MAX_MEMBERS:
        return [InputFile(path, None, "zip")]
    kept = [name for name in dict.fromkeys(names) if not _no_log(_member_path(name))]
    return [InputFile(path, name, "zip") for name in kept] or [InputFile(path, None, "zip")]


def _member_path(name: str) -> PurePosixPath:
    """A member's name as a path; some programs write it with backslashes."""
    return PurePosixPath(name.replace("\\", "/"))


def _no_log(name: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in name.parts)
    return hidden or name.name.startswith("README") or name.suffix.lower() in NO_LOGS


def _compression(path: Path) -> Compression:
    """By the first bytes; by the ending where the file is too short or damaged to say."""
    start = b""
    try:
        # A pipe would wait for whoever writes to it; opening the input says that it is none.
        if path.is_file():
            with path.open("rb") as raw:
                start = raw.read(4)
    except OSError:
        pass  # opening the input says why
    ending = path.suffix.lower()
    if start.startswith(expand.GZIP_MAGIC):
        return "gz"
    if start == expand.ZSTD_MAGIC:
        return "zst"
    if start in (expand.ZIP_MAGIC, b"PK\x05\x06"):
        return "plain" if ending in WORKBOOKS else "zip"
    by_ending: dict[str, Compression] = {".gz": "gz", ".gzip": "gz", ".zst": "zst", ".zstd": "zst", ".zip": "zip"}
    return by_ending.get(ending, "plain")


def _refuse_unsafe(file: InputFile, raw: BinaryIO) -> None:
    """Raises RefusedFileError for what is never unpacked, InputError for an archive that cannot be listed."""
    where = Where(file.name)
    try:
        with zipfile.ZipFile(raw) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as exc:
        raise InputError(
            f"not a readable zip archive ({exc})", where=where, hint="Fetch the file again from where it came."
        ) from None
    if file.member is None:
        if len(infos) > MAX_MEMBERS:
            raise RefusedFileError(f"an archive of more than {MAX_MEMBERS} members", where=where)
        raise InputError("an archive with no log in it", where=where)
    member = _member_path(file.member)
    if not member.parts or member.is_absolute() or ".." in member.parts or ":" in member.parts[0]:
        raise RefusedFileError("the member's name leads out of the archive", where=where)
    named = [info for info in infos if info.filename == file.member]
    if len(named) > 1:
        raise RefusedFileError("the archive holds two members of this name", where=where)
    if named and named[0].flag_bits & 0x1:
        raise RefusedFileError("protected by a password", where=where, hint="Unpack it by hand and give the folder.")
    packed = named and member.suffix.lower() in {".zip", ".gz", ".zst", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz"}
    if packed:
        raise RefusedFileError("an archive inside an archive", where=where, hint="Unpack the outer one by hand.")
