"""Bytes as they come to bytes as readers want them: UTF-8 without a byte order mark, lines that end in a line feed.

What cannot be decoded comes out as bytes that are not UTF-8, so that exactly the lines they stand in are rejected.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from typing_extensions import Buffer

from detector.errors import InputError

#: Byte order marks and their encodings; UTF-32 first, because its mark begins like UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Beginnings of formats that are not text and must pass untouched.
BINARY = (b"PK\x03\x04", b"PAR1")
#: How much of a file says whether its lines end in a carriage return alone.
LOOK = 64 << 10
PIECE = 256 << 10


def _escape(exc: UnicodeError) -> tuple[str, int]:
    if not isinstance(exc, UnicodeDecodeError):
        raise exc
    bad = exc.object[exc.start : exc.end]
    return "".join(chr(0xDC00 + byte) if byte >= 0x80 else "\udcff" for byte in bad), exc.end


# Like surrogateescape, but also for code units whose bytes are below 0x80 (UTF-16), which that one refuses.
codecs.register_error("detector-escape", _escape)


class PieceStream(io.RawIOBase):
    """A binary stream over an iterator of byte pieces. What the iterator raises reaches the reader in its place, after
    everything that was yielded before it, and again at every later read: a broken stream never looks like its end."""

    def __init__(self, pieces: Iterator[bytes], marked: Callable[[], bool] = lambda: False) -> None:
        self._pieces = pieces
        self.marked = marked
        self._piece = memoryview(b"")
        self._failure: InputError | OSError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        while not self._piece:
            piece = self._next()
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._piece))
        target[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def _next(self) -> bytes | None:
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._pieces, None)
        except (InputError, OSError) as exc:
            self._failure = exc
            raise


def buffered(pieces: Iterator[bytes]) -> BinaryIO:
    """The pieces as one buffered stream."""
    return io.BufferedReader(PieceStream(pieces), PIECE)


def text_stream(pieces: Iterator[bytes]) -> BinaryIO:
    """The pieces through `as_utf8` as one buffered stream, which knows whether a mark has settled its encoding."""
    marks: list[str] = []
    return io.BufferedReader(PieceStream(as_utf8(pieces, marks), lambda: bool(marks)), PIECE)


def as_utf8(pieces: Iterator[bytes], marks: list[str] | None = None) -> Iterator[bytes]:
    """The same text as UTF-8 with line feeds: marks dropped, UTF-16 and UTF-32 with a mark decoded, old Macintosh
    line ends (no line feed at all in the first 64 KiB) turned. Anything else passes as it is. `marks` takes the
    encoding that a mark names."""
    start = b""
    failure: Exception | None = None
    try:
        while len(start) < LOOK and (piece := next(pieces, None)) is not None:
            start += piece
    except (InputError, OSError) as exc:
        failure = exc  # raised again once what came before it is out
    encoding = "utf-8"
    for mark, name in MARKS:
        if start.startswith(mark):
            start, encoding = start[len(mark) :], name
            if marks is not None:
                marks.append(name)
            break
    rest = _with_start(start, pieces, failure)
    if start.startswith(BINARY):
        yield from rest
        return
    if encoding != "utf-8":
        rest = recode(rest, encoding)
        start = start.decode(encoding, "replace").encode()
    head = start[:LOOK]
    if b"\r" in head and b"\n" not in head and b"\0" not in head:
        rest = (piece.replace(b"\r", b"\n") for piece in rest)
    yield from rest


def recode(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Text of any encoding Python knows as UTF-8; undecodable bytes become bytes that are not UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("detector-escape")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")


def recoded(stream: BinaryIO, encoding: str) -> BinaryIO:
    """A stream of `encoding` as one of UTF-8; the stream itself where it is UTF-8 already, be it because a byte order
    mark said otherwise than `encoding`."""
    if codecs.lookup(encoding).name == "utf-8":
        return stream
    if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, PieceStream):
        stream.peek(1)  # the mark is seen with the first bytes
        if stream.raw.marked():
            return stream
    return buffered(recode(iter(lambda: stream.read(PIECE), b""), encoding))


def _with_start(start: bytes, pieces: Iterator[bytes], failure: Exception | None) -> Iterator[bytes]:
    if start:
        yield start
    if failure is not None:
        raise failure
    yield from pieces
