"""The rows of a JSON file where they stand: lines, or the values of an array or of objects written over many lines.

This finds where a value ends and what is wrong with it; the engine alone parses those that are right.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from detector.rules.files.text import BreaksOffError, FileText

#: Bytes of one row at most. The engine wants four times as much memory for it.
LONGEST = 1 << 27
#: Levels of a row at most, where one has to be chosen: the engine copies what is within a level once a level.
DEEPEST = 500

Layout = Literal["lines", "array", "values"]

_INSIDE, _OUTSIDE = re.compile(rb'["\\]'), re.compile(rb'["\[\]{},]')
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True)
class Row:
    """One row, from its 1-based `line` on, in one line of text; `why` where the file ends here before its end."""

    line: int
    text: bytes
    why: str | None = None


def layout_of(text: FileText) -> Layout:
    """How the rows of a file stand, as its first two lines tell."""
    first, second = [*(line.strip() for line in text.start.splitlines() if line.strip()), b"", b""][:2]
    if first.startswith(b"["):
        return "lines" if second and _parses(first) else "array"
    left_open = first.startswith(b"{") and list(_depths(first))[-1] > 0
    return "values" if left_open and second and second[:1] not in b"{[" else "lines"


def rows(text: FileText, layout: Layout) -> Iterator[Row]:
    """Every row of a file, right or wrong. What breaks off is a row, too, and the last."""
    last = 0
    try:
        for row in _lines(text) if layout == "lines" else _values(text.chunks(), array=layout == "array"):
            last = row.line
            yield row
    except BreaksOffError as exc:
        yield Row(last + 1, b"", f"the file breaks off after line {last:,}: {exc}")


def unfit(row: Row, deepest: int | None) -> str | None:
    """Why the engine must not even be given a row; None where it may try."""
    if row.why or len(row.text) > LONGEST:
        return row.why or f"is longer than {LONGEST >> 20} MB"
    brackets = row.text.count(b"[") + row.text.count(b"{")
    if deepest is not None and brackets > deepest and (depth := max(_depths(row.text), default=0)) > deepest:
        return f"is nested {depth:,} deep, and {deepest:,} at most can be looked through"
    return None


def fault(row: Row, deepest: int | None) -> str:
    """Why a row is no event."""
    return unfit(row, deepest) or _error(row.text) or "is no event that the engine can read"


def _lines(text: FileText) -> Iterator[Row]:
    for line, content in enumerate(text.lines(), start=1):
        if content.strip():
            yield Row(line, content)


def _values(chunks: Iterator[bytes], *, array: bool) -> Iterator[Row]:
    """The elements of an array, or values one after the other, each brought into one line."""
    value = _Value()
    line, depth = 1, 0
    open_array, ended = False, False
    for piece, structure in _pieces(chunks):
        if ended:
            if piece.strip():
                yield Row(line, b"", "text follows the end of the array, and is not read")
                return
        elif array and not open_array:
            open_array = structure
        elif structure and depth == 0 and (piece == b"," or (array and piece == b"]")):
            yield from value.taken()
            ended = piece == b"]"
        else:
            value.add(piece, line)
            if structure and piece != b",":
                depth = max(0, depth + (1 if piece in b"[{" else -1))
                if depth == 0 and not array:
                    yield from value.taken()
        line += piece.count(b"\n")
    left = "the file ends within this value" if depth else None
    if array and not ended:
        left = "the file ends before its array does"
        if not value.parts:
            yield Row(line, b"", left)
    yield from value.taken(left)


@dataclass
class _Value:
    """A value as far as it was read."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    line: int = 0

    def add(self, piece: bytes, line: int) -> None:
        if not self.parts:
            blank = len(piece) - len(piece.lstrip())
            self.line = line + piece.count(b"\n", 0, blank)
            piece = piece[blank:]
        self.size += len(piece)
        if piece and self.size <= LONGEST:
            self.parts.append(piece)

    def taken(self, why: str | None = None) -> Iterator[Row]:
        if self.parts:
            long = f"is longer than {LONGEST >> 20} MB" if self.size > LONGEST else None
            yield Row(self.line, b"".join(self.parts).rstrip().translate(_ONE_LINE), why or long)
        self.parts, self.size = [], 0


def _pieces(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """A text in pieces: a bracket or comma outside strings (True), or what lies between (False)."""
    inside = escaped = False
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            found = (_INSIDE if inside else _OUTSIDE).search(chunk, at + escaped)
            escaped = False
            if found is None:
                yield chunk[at:], False
                break
            structure = not inside and found[0] != b'"'
            if found[0] == b"\\":
                # at the end of a chunk the next one begins with what it escapes
                escaped = True
            elif not structure:
                inside = not inside
            end = found.start() if structure else found.end()
            if end > at:
                yield chunk[at:end], False
            if structure:
                yield found[0], True
            at = found.end()


def _depths(text: bytes) -> Iterator[int]:
    depth = 0
    for piece, structure in _pieces(iter([text])):
        if structure and piece != b",":
            depth += 1 if piece in b"[{" else -1
            yield depth


def _error(text: bytes) -> str | None:
    try:
        value = json.loads(text.decode())
    except UnicodeDecodeError as exc:
        return f"is not UTF-8: byte 0x{text[exc.start]:02X}"
    except RecursionError:
        return f"is nested {max(_depths(text)):,} deep"
    except ValueError as exc:
        mark = "begins with a byte-order mark" if text.startswith(BOM_UTF8) else str(getattr(exc, "msg", exc))
        return f"is not JSON: {mark[:1].lower()}{mark[1:]}"
    if not isinstance(value, dict):
        return "is JSON, but no object"
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "has half of a surrogate pair, which is no character"
    return None


def _parses(text: bytes) -> bool:
    try:
        json.loads(text.decode())
    except (ValueError, RecursionError):
        return False
    return True
