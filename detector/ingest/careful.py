"""Delimited text line by line: what a record is when the text is not clean.

Each physical line is a record on its own. Only where a quotation mark stays open are the following lines joined to
it, and only if the mark then closes properly with exactly the right number of fields; else that one line is the
reject and its neighbours are read as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import Block, show, show_start
from detector.ingest.split import Split, quoted, split_line

#: A quoted value over more lines than this is taken for a forgotten quotation mark.
MAX_JOINED_LINES: Final = 1_000


@dataclass(frozen=True)
class Form:
    """What the lines of one file should look like.

    `piece_bytes`: a block that is not clean is tried again in pieces, down to about this size, so that one bad line
    makes few others slow.
    """

    header: tuple[str, ...]
    delimiter: str
    max_line_bytes: int
    piece_bytes: int = 64 << 10


@dataclass(frozen=True)
class Parsed:
    """A block's records and rejects; `carry` is its end from a quotation mark on that later lines may close."""

    batches: tuple[RawBatch, ...]
    rejects: tuple[Reject, ...]
    carry: Block | None = None


@dataclass(frozen=True)
class _Joined:
    fields: list[str]
    end: int  # index of the line behind the record


class _NeedsMoreLinesError(Exception):
    """The block ends inside a quoted value."""


def read_carefully(block: Block, form: Form, *, final: bool) -> Parsed:
    """The records of a block. With `final` nothing follows it, so that an open quotation mark stays open."""
    lines = block.data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    rows: list[list[str]] = []
    starts: list[int] = []
    ends: list[int] = []
    rejects: list[Reject] = []
    carry: Block | None = None
    at = 0
    while at < len(lines):
        here, at = at, at + 1
        if _is_blank(lines[here], form):
            continue
        try:
            found = _record(lines, here, form, final=final)
        except _NeedsMoreLinesError:
            carry = Block(block.data[sum(len(line) + 1 for line in lines[:here]) :], block.first_line + here)
            break
        if isinstance(found, _Joined):
            at = found.end
            rows.append(found.fields)
            starts.append(here)
            ends.append(at)
        else:
            rejects.append(_reject(found, block.first_line + here, lines[here]))
    batches = (_batch(rows, starts, ends, lines, block.first_line, form),) if rows else ()
    return Parsed(batches, tuple(rejects), carry)


def _record(lines: list[bytes], at: int, form: Form, *, final: bool) -> _Joined | tuple[str, str]:
    """The record that begins at this line, or reason and detail of its rejection."""
    text = _text(lines[at], form)
    if isinstance(text, tuple):
        return text
    split = split_line(text.removesuffix("\r"), form.delimiter)
    width = len(form.header)
    if split.open:
        joined = _join(split, text, lines, at, form, final=final)
        return joined or (
            "unbalanced_quote",
            "a quotation mark is opened and not closed with the right number of fields",
        )
    if len(split.fields) != width:
        return "wrong_column_count", f"{len(split.fields)} fields where the header has {width}"
    if [field.strip() for field in split.fields] == [name.strip() for name in form.header]:
        return "repeated_header", "the header stands here again"
    return _Joined(split.fields, at + 1)


def _join(split: Split, text: str, lines: list[bytes], at: int, form: Form, *, final: bool) -> _Joined | None:
    """The record with the following lines that its open quotation mark takes in; None where that does not come out."""
    width = len(form.header)
    fields, value = split.fields[:-1], [split.fields[-1], "\r" if text.endswith("\r") else ""]
    size = len(lines[at])
    loose = split.loose
    for index in range(at + 1, at + MAX_JOINED_LINES):
        if loose or len(fields) >= width or size > form.max_line_bytes:
            return None
        if index == len(lines):
            if final:
                return None
            raise _NeedsMoreLinesError
        following = _text(lines[index], form)
        if isinstance(following, tuple):
            return None
        size += len(lines[index]) + 1
        inside, after = quoted(following, 0)
        value += ["\n", inside]
        if after < 0:
            continue
        tail = following[after:].removesuffix("\r")
        fields.append("".join(value))
        if not tail:
            complete = len(fields) == width and size <= form.max_line_bytes
            return _Joined(fields, index + 1) if complete else None
        rest = split_line(tail.removeprefix(form.delimiter), form.delimiter)
        loose = rest.loose or not tail.startswith(form.delimiter)
        if not rest.open:
            fields += rest.fields
            complete = len(fields) == width and size <= form.max_line_bytes and not loose
            return _Joined(fields, index + 1) if complete else None
        fields += rest.fields[:-1]
        value = [rest.fields[-1], "\r" if following.endswith("\r") else ""]
    return None


def _text(line: bytes, form: Form) -> str | tuple[str, str]:
    """A line as text, or reason and detail of its rejection."""
    if len(line) > form.max_line_bytes:
        return "line_too_long", f"{len(line)} bytes in one line"
    if b"\0" in line:
        return "nul_byte", f"a NUL byte at column {line.index(0) + 1}"
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as exc:
        return "bad_encoding", f"byte 0x{line[exc.start]:02x} at column {exc.start + 1} cannot be decoded"


def _is_blank(line: bytes, form: Form) -> bool:
    """Nothing in it; spaces count as nothing where they cannot be the one value of a line."""
    if len(form.header) > 1 and form.delimiter != " ":
        return not line.strip(b" \r")
    return line in {b"", b"\r"}


def _reject(why: tuple[str, str], number: int, line: bytes) -> Reject:
    reason, detail = why
    raw = show_start(line, len(line)) if reason == "line_too_long" else show(line.removesuffix(b"\r"))
    return Reject(number, reason, detail, raw)


def _batch(
    rows: list[list[str]], starts: list[int], ends: list[int], lines: list[bytes], first_line: int, form: Form
) -> RawBatch:
    columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    numbers = pa.array([first_line + start for start in starts], pa.int64())

    def raw(row: int) -> str:
        return show(b"\n".join(lines[starts[row] : ends[row]]).removesuffix(b"\r"))

    return RawBatch(pa.Table.from_arrays(columns, names=list(form.header)), numbers, raw)
