"""The bytes of a text file as UTF-8, whatever packs or encodes them: gzip, zstd, a byte-order mark, UTF-16, UTF-32.

A file that breaks off is read up to there.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from detector.errors import InputError, Where

#: The engine's names of what may pack a file, by the end of its name.
PACKED = {".gz": "gzip", ".zst": "zstd"}
#: Bytes read at once, and looked at beforehand.
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BreaksOffError(Exception):
    """The file ends before its end, or is damaged from here on."""


@dataclass(frozen=True)
class BadRow:
    """A row that is no event: its number among the rows and its 1-based line."""

    row: int
    line: int
    why: str


@dataclass(frozen=True)
class FileText:
    """A text file."""

    path: Path

    @property
    def packing(self) -> str | None:
        return PACKED.get(self.path.suffix.lower())

    @cached_property
    def encoding(self) -> str | None:
        """None for UTF-8 without a mark. Raises InputError where not even the first bytes can be read."""
        try:
            head = next(self._unpacked(), b"")
        except BreaksOffError as exc:
            raise InputError(f"cannot be read: {exc}", where=Where(self.path)) from None
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
        if marked or len(head) < 4:
            return marked
        # logs begin with two characters of ASCII: `{"`, or the name of a column
        zeros = [byte == 0 for byte in head[:4]]
        return "utf-16-le" if zeros == [False, True] * 2 else "utf-16-be" if zeros == [True, False] * 2 else None

    @cached_property
    def start(self) -> bytes:
        """The first bytes as UTF-8, line ends as they are."""
        try:
            return next(self._decoded(), b"")
        except BreaksOffError:
            return b""

    @cached_property
    def ends_in_returns(self) -> bool:
        """Are its lines ended by carriage returns alone?"""
        return b"\r" in self.start and b"\n" not in self.start

    @property
    def plain(self) -> bool:
        """Is it UTF-8 without a mark, lines ended by a line feed, and so as every engine reads it?"""
        return self.encoding is None and not self.ends_in_returns

    def chunks(self) -> Iterator[bytes]:
        """Its bytes as UTF-8, lines ended by a line feed. Raises BreaksOffError."""
        for chunk in self._decoded():
            yield chunk.replace(b"\r", b"\n") if self.ends_in_returns else chunk

    def lines(self) -> Iterator[bytes]:
        """Line after line, each with its end. Raises BreaksOffError, and then a line that was begun is left out."""
        begun: list[bytes] = []
        for chunk in self.chunks():
            whole, feed, rest = chunk.rpartition(b"\n")
            if feed:
                yield from io.BytesIO(b"".join([*begun, whole, feed]))
                begun.clear()
            begun.append(rest)
        if last := b"".join(begun):
            yield last

    def check(self) -> None:
        """Read it through. Raises BreaksOffError."""
        for _ in self._unpacked():
            pass

    def _decoded(self) -> Iterator[bytes]:
        chunks = self._unpacked()
        if self.encoding in (None, "utf-8-sig"):
            yield next(chunks, b"").removeprefix(codecs.BOM_UTF8)
            yield from chunks
            return
        # what is no character there is none here either, and its line is then told of
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        try:
            for chunk in chunks:
                yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
            yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as exc:
            raise BreaksOffError(f"not {self.encoding.upper()} ({exc.reason})") from None

    def _unpacked(self) -> Iterator[bytes]:
        try:
            yield from {"gzip": _gzip, "zstd": _zstd, None: _raw}[self.packing](self.path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise BreaksOffError(str(exc)) from None


def _raw(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _gzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        # not read(), which would keep back what stands before a break
        while chunk := file.read1(_CHUNK):
            yield chunk


def _zstd(path: Path) -> Iterator[bytes]:
    import zstandard

    frame = None
    for packed in _raw(path):
        rest = packed
        while rest:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            try:
                if chunk := frame.decompress(rest):
                    yield chunk
            except zstandard.ZstdError as exc:
                raise BreaksOffError(str(exc)) from None
            rest, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise BreaksOffError("the last zstd frame has no end")
