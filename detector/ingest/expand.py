"""Compressed bytes to plain bytes, in bounded pieces: gzip, Zstandard, one member of a zip archive.

Every function here is an iterator that yields what can be read and raises only then: DamagedFileError where the data
break off or do not fit their checksum, RefusedFileError where they would expand without bound.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal

import zstandard

from detector.config import IngestSettings
from detector.errors import InputError, Where

#: Expansion is judged once a file has grown beyond this: less does no harm, and small repetitive logs pack very well.
RATIO_FLOOR = 8 << 20
#: zlib can stop at a given output; libzstd cannot, so Zstandard is fed in pieces whose worst expansion
#: (one 128 KiB block from 4 bytes, RFC 8878 3.1.1.2.2) comes to 64 MiB.
GZIP_PIECE, ZSTD_PIECE, OUTPUT_PIECE = 64 << 10, 2 << 10, 256 << 10
#: What a Zstandard frame may ask for as window; the library's own default bound for untrusted data.
ZSTD_WINDOW = 128 << 20

GZIP_MAGIC, ZSTD_MAGIC, ZIP_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"


class DamagedFileError(InputError):
    """The file breaks off or is corrupt at this point; what was read before stays good."""

    def __init__(self, message: str, *, reason: Literal["truncated_file", "corrupt_file"], where: Where) -> None:
        super().__init__(message, where=where, hint="Fetch the file again from where it came.")
        self.reason = reason


class RefusedFileError(InputError):
    """The file is not read at all: unsafe, protected, or larger than the limits allow."""


class Meter:
    """Counts what goes in and comes out of one file and refuses what grows beyond the limits."""

    def __init__(self, where: Where, limits: IngestSettings) -> None:
        self.where = where
        self.limits = limits
        self.taken = 0
        self.given = 0

    def pass_on(self, data: bytes) -> bytes:
        """`data` itself, once counted. Raises RefusedFileError."""
        self.given += len(data)
        if self.given > self.limits.max_file_bytes:
            raise RefusedFileError(
                f"grows beyond {self.limits.max_file_bytes} bytes",
                where=self.where,
                hint="Raise ingest.max_file_bytes if the file is right.",
            )
        if self.given > RATIO_FLOOR and self.taken and self.given > self.taken * self.limits.max_expansion:
            raise RefusedFileError(
                f"expands to more than {self.limits.max_expansion} times its size: a decompression bomb?",
                where=self.where,
                hint="Unpack it by hand if it is right, or raise ingest.max_expansion.",
            )
        return data


def gunzip(raw: BinaryIO, meter: Meter) -> Iterator[bytes]:
    """The members of a gzip file one after the other; zero padding between and after them is allowed (RFC 1952)."""
    rest = _read(raw, GZIP_PIECE, meter)
    if not rest:
        raise _damaged("truncated_file", "the gzip data are empty", meter)
    while rest:
        inflater = zlib.decompressobj(wbits=31)
        yield from _inflate(inflater, rest, meter)
        while not inflater.eof:
            rest = _read(raw, GZIP_PIECE, meter)
            # At the end of the file zlib may still hold output of earlier input: an empty piece fetches it.
            yield from _inflate(inflater, rest, meter)
            if not rest and not inflater.eof:
                raise _damaged("truncated_file", "the gzip data end in the middle", meter)
        rest = inflater.unused_data.lstrip(b"\0")
        while not rest and (piece := _read(raw, GZIP_PIECE, meter)):
            rest = piece.lstrip(b"\0")


def _inflate(inflater: zlib._Decompress, data: bytes, meter: Meter, what: str = "gzip data are") -> Iterator[bytes]:
    while True:
        before = inflater.copy()
        try:
            out = inflater.decompress(data, OUTPUT_PIECE)
        except zlib.error as exc:
            # zlib throws away what the bad piece held of good data: byte by byte it gives them out.
            yield meter.pass_on(_salvage(before, data))
            raise _damaged("corrupt_file", f"the {what} corrupt ({exc})", meter) from None
        yield meter.pass_on(out)
        data = inflater.unconsumed_tail
        if inflater.eof or (not data and len(out) < OUTPUT_PIECE):
            return


def _salvage(inflater: zlib._Decompress, data: bytes) -> bytes:
    good = bytearray()
    try:
        for index in range(len(data)):
            good += inflater.decompress(data[index : index + 1], OUTPUT_PIECE)
            while inflater.unconsumed_tail and len(good) < OUTPUT_PIECE:
                good += inflater.decompress(inflater.unconsumed_tail, OUTPUT_PIECE)
    except zlib.error:
        pass  # expected: this is the byte that the caller reports
    return bytes(good)


def unzstd(raw: BinaryIO, meter: Meter) -> Iterator[bytes]:
    """The frames of a Zstandard file one after the other."""
    rest = b""
    frames = 0
    while rest := rest or _read(raw, ZSTD_PIECE, meter):
        inflater = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        while not inflater.eof:
            if not rest:
                rest = _read(raw, ZSTD_PIECE, meter)
                if not rest:
                    raise _damaged("truncated_file", "the Zstandard data end in the middle", meter)
            try:
                out = inflater.decompress(rest)
            except zstandard.ZstdError as exc:
                if "memory" in str(exc):
                    raise RefusedFileError(
                        f"needs a window of more than {ZSTD_WINDOW >> 20} MiB", where=meter.where
                    ) from None
                if "ictionary" in str(exc):
                    raise RefusedFileError(
                        "compressed with a dictionary that is not in the file",
                        where=meter.where,
                        hint="Unpack it with its dictionary (zstd -D) and give what comes out.",
                    ) from None
                raise _damaged("corrupt_file", f"the Zstandard data are corrupt ({exc})", meter) from None
            yield meter.pass_on(out)
            rest = b""
        rest = inflater.unused_data
        frames += 1
    if not frames:
        raise _damaged("truncated_file", "the Zstandard data are empty", meter)


def unzip(raw: BinaryIO, member: str, meter: Meter) -> Iterator[bytes]:
    """One member of a zip archive."""
    try:
        with zipfile.ZipFile(raw) as archive:
            info = archive.getinfo(member)
            # Members can share bytes in a crafted archive; each is measured against its own compressed size.
            # What the archive says of that size is believed only as far as the archive itself is that large.
            meter.taken = max(1, min(info.compress_size, raw.seek(0, io.SEEK_END)))
            if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                yield from _member(raw, info, meter)
                return
            with archive.open(info) as stream:
                while piece := stream.read(GZIP_PIECE):
                    yield meter.pass_on(piece)
    except EOFError:
        raise _damaged("truncated_file", "the member ends in the middle", meter) from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, KeyError) as exc:
        raise _damaged("corrupt_file", f"the member is corrupt ({exc})", meter) from None
    except (NotImplementedError, RuntimeError) as exc:
        raise RefusedFileError(f"the member cannot be unpacked ({exc})", where=meter.where) from None


def _member(raw: BinaryIO, info: zipfile.ZipInfo, meter: Meter) -> Iterator[bytes]:
    """A stored or deflated member. The library would keep the end of a member to itself when its checksum is wrong."""
    raw.seek(info.header_offset)
    header = raw.read(30)
    if len(header) < 30 or not header.startswith(ZIP_MAGIC):
        raise _damaged("corrupt_file", "the member is corrupt (it has no header)", meter)
    raw.seek(sum(struct.unpack("<HH", header[26:30])), io.SEEK_CUR)  # its name and what is told of it besides
    inflater = zlib.decompressobj(wbits=-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
    left, size, checksum = info.compress_size, 0, 0
    while left or (inflater is not None and not inflater.eof):
        data = raw.read(min(GZIP_PIECE, left))
        left -= len(data)
        for piece in [meter.pass_on(data)] if inflater is None else _inflate(inflater, data, meter, "member is"):
            size, checksum = size + len(piece), zlib.crc32(piece, checksum)
            if size > info.file_size:
                raise RefusedFileError("the member is corrupt (longer than the archive says)", where=meter.where)
            yield piece
        if inflater is not None and inflater.eof:
            break
        if not data:
            raise _damaged("truncated_file", "the member ends in the middle", meter)
    if size != info.file_size or checksum != info.CRC:
        raise _damaged("corrupt_file", "the member is corrupt (its size or checksum does not fit)", meter)


def plain(raw: BinaryIO, meter: Meter) -> Iterator[bytes]:
    """An uncompressed file, bounded in size only."""
    while piece := raw.read(OUTPUT_PIECE):
        yield meter.pass_on(piece)


def _read(raw: BinaryIO, size: int, meter: Meter) -> bytes:
    data = raw.read(size)
    meter.taken += len(data)
    return data


def _damaged(reason: Literal["truncated_file", "corrupt_file"], message: str, meter: Meter) -> DamagedFileError:
    return DamagedFileError(message, reason=reason, where=meter.where)
