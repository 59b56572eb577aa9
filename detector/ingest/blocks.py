"""A stream cut into blocks of whole physical lines, each block knowing the number of its first line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final, cast

import numpy as np
import numpy.typing as npt

from detector.ingest.batch import Reject
from detector.ingest.expand import DamagedFileError

#: Bytes in a block: large enough that one call into Arrow does much, small enough that a few of them are no burden.
BLOCK_BYTES: Final = 16 << 20
#: Of the first block: most files are small, and room for a large block costs more than reading them.
FIRST_BYTES: Final = 256 << 10
#: How much of a line that is too long is kept.
KEPT_OF_LONG_LINE: Final = 1_000


@dataclass(frozen=True)
class Block:
    """Whole lines, each ending in a line feed (but for the file's very last one). `first_line` is 1-based."""

    data: bytes
    first_line: int


def line_blocks(
    stream: BinaryIO, *, first_line: int, max_line_bytes: int, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block | Reject]:
    """The stream's lines in blocks of about `block_bytes`, and a Reject for each line that is no part of a block.

    Those are: lines longer than a whole block (other long lines are for the reader to find: `holds_long_line`), and
    the line in which a damaged file breaks off. Memory is bounded by `block_bytes + max_line_bytes`.
    Raises RefusedFileError, OSError as the stream does; a damaged stream ends with its reject instead.
    """
    line = first_line
    rest = b""
    size = min(FIRST_BYTES, block_bytes)
    while True:
        try:
            data = _read(stream, rest, size)
        except DamagedFileError as exc:
            yield Reject(line, exc.reason, exc.message, show(rest))
            return
        if len(data) == len(rest):
            break
        size = min(size * 8, block_bytes)
        cut = data.rfind(b"\n") + 1
        whole, rest = bytes(memoryview(data)[:cut]), bytes(memoryview(data)[cut:])
        if whole:
            yield Block(whole, line)
            line += count_lines(whole)
        if len(rest) > max_line_bytes:
            reject, rest, ended = _skip_line(stream, rest, line, block_bytes)
            yield reject
            if reject.reason != "line_too_long":
                return
            line += ended
    if rest:
        yield Block(rest, line)


def pieces(block: Block, smallest: int) -> Iterator[tuple[Block, bool]]:
    """The block in up to sixteen pieces of whole lines, and whether a piece is its last."""
    size = max(smallest, len(block.data) // 16)
    at, line = 0, block.first_line
    while at < len(block.data):
        end = block.data.find(b"\n", at + size) + 1 or len(block.data)
        yield Block(block.data[at:end], line), end == len(block.data)
        line += block.data.count(b"\n", at, end)
        at = end


class LineTexts:
    """The text of each line of a block in which every line is a record, looked up only when asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        """Where each line ends: its line feed, or the end of the data."""
        ends = np.flatnonzero(np.frombuffer(self._data, np.uint8) == 0x0A)
        return ends if self._data.endswith(b"\n") else np.append(ends, len(self._data))

    def text(self, row: int) -> str:
        start = int(self.ends[row - 1]) + 1 if row else 0
        return show(self._data[start : int(self.ends[row])].removesuffix(b"\r"))


def count_lines(data: bytes) -> int:
    """How many line feeds; three times as fast as bytes.count."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 0x0A))


def holds_long_line(data: bytes, max_line_bytes: int) -> bool:
    """Whether a line may be longer than allowed; False is certain, True is to be looked into.

    A longer line covers some whole window of half that length, which then has no line feed in it.
    """
    window = max(1, max_line_bytes // 2)
    return any(data.find(b"\n", at, at + window) < 0 for at in range(0, len(data) - window + 1, window))


def show(data: bytes) -> str:
    """Raw bytes as text for a reject: undecodable bytes as \\xNN."""
    return data.decode("utf-8", "backslashreplace")


def show_start(data: bytes, length: int) -> str:
    """The beginning of a line of `length` bytes that is too long to be kept."""
    return f"{show(data[:KEPT_OF_LONG_LINE])}… ({length} bytes)"


def _read(stream: BinaryIO, start: bytes, size: int) -> bytearray:
    """`start` and behind it as much as there is, up to `size`; damage behind some data is raised by the next call."""
    data = bytearray(len(start) + size)
    data[: len(start)] = start
    filled = len(start)
    with memoryview(data) as view:
        while filled < len(data):
            try:
                got = _readinto(stream, view[filled:])
            except DamagedFileError:
                if filled == len(start):
                    raise
                break  # the stream raises it again: it has nothing else left to give
            if not got:
                break
            filled += got
    # Not cut in place: an error that was raised while reading may still hold a view of it.
    return data if filled == len(data) else data[:filled]


def _readinto(stream: BinaryIO, view: memoryview) -> int:
    """One read of the stream, so that nothing is lost between what it gives and what it raises.

    A buffered reader that is asked for more than it holds reads on at once, and drops what it held if that fails: so
    it is asked for what it holds.
    """
    if isinstance(stream, io.BufferedReader):
        view = view[: len(stream.peek(1))]
    reader: io.BufferedIOBase = cast("io.BufferedIOBase", stream)
    return reader.readinto1(view)


def _skip_line(stream: BinaryIO, start: bytes, line: int, block_bytes: int) -> tuple[Reject, bytes, int]:
    """Read on to the end of a line that is too long: its reject, what follows it, and 1 if a line feed ended it."""
    length = len(start)
    kept = start[:KEPT_OF_LONG_LINE]
    while True:
        try:
            data = _read(stream, b"", block_bytes)
        except DamagedFileError as exc:
            return Reject(line, exc.reason, exc.message, show_start(kept, length)), b"", 0
        at = data.find(b"\n")
        length += at if at >= 0 else len(data)
        if at >= 0 or not data:
            reject = Reject(line, "line_too_long", f"{length} bytes in one line", show_start(kept, length))
            return reject, bytes(data[at + 1 :]) if data else b"", 1
