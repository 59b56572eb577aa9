"""One JSON document cut into its records without reading it whole: bounded memory, and a document that breaks off
still gives every record before the break."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, Final

from detector.config import IngestSettings
from detector.ingest.batch import Reject
from detector.ingest.blocks import show
from detector.ingest.expand import DamagedFileError

PIECE: Final = 1 << 20
#: A string (group 1 is empty when its closing quote has not come yet) or a character that gives structure.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[{}\[\],:]', re.DOTALL)
#: Inside a record nothing matters but its brackets: whole strings and all between them at once.
_INSIDE: Final = re.compile(rb'[^"{}\[\]]*+(?:"(?:[^"\\]++|\\.)*+"[^"{}\[\]]*+)*+', re.DOTALL)
_CLOSES: Final = {b"}": b"{", b"]": b"["}


@dataclass(frozen=True)
class Element:
    """The text of one record and the 1-based line it starts on."""

    line: int
    data: bytes


def split_document(stream: BinaryIO, keys: Sequence[str], limits: IngestSettings) -> Iterator[Element | Reject]:
    """Elements of the list under any of `keys` at the top, or of a top-level list; else the whole document as one.

    Several documents may follow each other. An element longer than limits.max_line_bytes is a reject; where the
    nesting does not add up, or the file breaks off, one reject stands for all the rest.
    """
    yield from _Splitter(stream, keys, limits.max_line_bytes).elements()


class _Splitter:
    def __init__(self, stream: BinaryIO, keys: Sequence[str], max_bytes: int) -> None:
        self.stream = stream
        self.keys = {f'"{key}"'.encode() for key in keys}
        self.max_bytes = max_bytes
        self.buffer = b""
        self.base_line = 1  # of the first byte in the buffer
        self.counted = (0, 0)  # a place in the buffer, and the line feeds before it
        self.start = 0  # where the element (or what may become one) begins in the buffer
        self.at = 0
        self.stack: list[bytes] = []
        self.list_depth = 0  # depth of the list whose elements are given out, 0 = not inside one
        self.gave = False  # whether this document had such a list
        self.overlong = 0  # bytes already thrown away of an element that is too long
        self.overlong_line = 0
        self.string = b""
        self.key = b""

    def elements(self) -> Iterator[Element | Reject]:
        while True:
            try:
                data = self.stream.read1(PIECE) if isinstance(self.stream, BufferedReader) else self.stream.read(PIECE)
            except DamagedFileError as exc:
                yield self._rest(exc.reason, exc.message)
                return
            self.buffer += data
            yield from self._scan(last=not data)
            if self.at < 0:
                return
            if not data:
                if self.stack:
                    yield self._rest("truncated_file", "the document ends before its brackets are closed")
                elif self.buffer[self.start :].strip():
                    yield self._rest("bad_json", "text outside of the document")
                return
            self._forget()

    def _scan(self, *, last: bool) -> Iterator[Element | Reject]:
        while True:
            if len(self.stack) > max(1, self.list_depth):
                inside = _INSIDE.match(self.buffer, self.at)
                self.at = inside.end() if inside else self.at
            match = _TOKEN.search(self.buffer, self.at)
            if match is None:
                return
            token = match.group()
            if token[:1] == b'"':
                if not match.group(1):
                    yield from self._open_string(match.start(), last=last)
                    return
                self.string = token
                self.at = match.end()
                continue
            self.at = match.end()
            if token in b"{[":
                yield from self._open(token, match.start())
            elif token in b"}]":
                if not self.stack or self.stack[-1] != _CLOSES[token]:
                    yield self._rest("bad_json", "brackets that do not match; nothing after this can be read")
                    self.at = -1
                    return
                yield from self._close(match.start())
            elif token == b":" and len(self.stack) == 1:
                self.key = self.string
            elif token == b"," and self.list_depth == len(self.stack) > 0:
                yield from self._element(match.start(), match.end())

    def _open_string(self, where: int, *, last: bool) -> Iterator[Reject]:
        """A string whose end has not come yet: wait for it, but not for ever."""
        if last:
            self.at = len(self.buffer)
        elif len(self.buffer) - where > self.max_bytes + PIECE:
            yield self._rest("line_too_long", "a string without end; nothing after this can be read")
            self.at = -1

    def _open(self, token: bytes, where: int) -> Iterator[Element | Reject]:
        if not self.stack:
            if self.buffer[self.start : where].strip(b" \t\r\n,"):
                yield self._made(self.start, where)
            self.start = where
            self.gave = False
        self.stack.append(token)
        top_list = token == b"[" and len(self.stack) == 1
        if top_list or (token == b"[" and len(self.stack) == 2 and self.stack[0] == b"{" and self.key in self.keys):
            self.list_depth = len(self.stack)
            self.gave = True
            self.overlong = self.overlong_line = 0
            self.start = where + 1

    def _close(self, where: int) -> Iterator[Element | Reject]:
        if self.list_depth == len(self.stack):
            if self.buffer[self.start : where].strip() or self.overlong:
                yield from self._element(where, where + 1)
            self.list_depth = 0
        self.stack.pop()
        if not self.stack:
            if not self.gave:
                yield from self._element(self.at, self.at)
            self.start = self.at

    def _element(self, end: int, after: int) -> Iterator[Element | Reject]:
        yield self._made(self.start, end)
        self.start = after

    def _made(self, start: int, end: int) -> Element | Reject:
        data = self.buffer[start:end]
        lead = len(data) - len(data.lstrip())
        line = self._line_of(start + lead)
        size = self.overlong + len(data)
        if size > self.max_bytes:
            line, self.overlong = self.overlong_line or line, 0
            return Reject(line, "line_too_long", f"a record of {size} bytes", show(data[:1000]))
        return Element(line, data.strip())

    def _rest(self, reason: str, detail: str) -> Reject:
        line = self._line_of(self.start)
        return Reject(line, reason, detail, show(self.buffer[self.start :].strip()))

    def _forget(self) -> None:
        """Drop what is done with; of an element that is already too long keep nothing but its length."""
        inside_done = self.gave and not self.list_depth  # after the list: nothing more is wanted of this document
        keep = self.at if inside_done else self.start
        if self.at - keep > self.max_bytes:
            self.overlong_line = self.overlong_line if self.overlong else self._line_at(keep)
            self.overlong += self.at - keep
            keep = self.at
        self.base_line = self._line_of(keep)
        self.counted = (0, 0)
        self.buffer = self.buffer[keep:]
        self.start, self.at = max(0, self.start - keep), self.at - keep

    def _line_at(self, position: int) -> int:
        lead = len(self.buffer[position:]) - len(self.buffer[position:].lstrip())
        return self._line_of(position + lead)

    def _line_of(self, place: int) -> int:
        """The line of a place in the buffer; every line feed is counted once, for places are asked for in order."""
        at, lines = self.counted if self.counted[0] <= place else (0, 0)
        self.counted = (place, lines + self.buffer.count(b"\n", at, place))
        return self.base_line + self.counted[1]
