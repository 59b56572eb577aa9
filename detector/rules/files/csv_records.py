"""Every record of a CSV file, and why those that are none cannot be read.

Slower than the engine's own reader, which gives a whole file up for one bad line. Lots of lines in which nothing is
amiss go through Python's reader at once; the others, record by record.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from detector.rules.files.text import BadRow, BreaksOffError

#: Bytes of a record over several lines at most. A quote that is never closed would else take all memory.
_LONGEST = 1 << 26
#: Lines that are read at once, and bytes after which no more are; one bad line makes all of them slow.
_AT_ONCE, _BYTES_AT_ONCE = 1_000, 1 << 22


@dataclass
class Lot:
    """Rows one after the other, by their numbers; one with fewer values than the header has is as short here."""

    rows: list[int] = field(default_factory=list)
    values: list[Sequence[str]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def header_of(lines: Iterator[bytes], delimiter: str) -> Sequence[str] | BadRow:
    """The first record; no values where there is none."""
    lot = next(_Reader(lines, delimiter, None).lots(at_once=1), Lot())
    return lot.bad[0] if lot.bad else lot.values[0] if lot.values else ()


def lots(lines: Iterator[bytes], delimiter: str, width: int) -> Iterator[Lot]:
    """The records of a file's lines, the header's included; blank lines are none.

    A record of more values than `width` is bad, unless the others are empty. Of a record over several lines that is
    bad, the first line alone is: those after it are read anew, and then stand for a record only with all their values.
    """
    return _Reader(lines, delimiter, width).lots()


class _BadRecordError(Exception):
    """Why a record cannot be read."""


class _Lines:
    """Lines with their numbers; those of a record that was none can be put back."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._back = lines, deque[bytes]()
        self.number = 0
        self.broken: str | None = None

    def next(self) -> bytes | None:
        try:
            line = self._back.popleft() if self._back else next(self._lines, None)
        except BreaksOffError as exc:
            self.broken = str(exc)
            return None
        self.number += line is not None
        return line

    def take(self, number: int) -> list[bytes]:
        """So many lines at most; none at the end."""
        taken, size = list[bytes](), 0
        while self._back and len(taken) < number:
            taken.append(self._back.popleft())
        try:
            for line in islice(self._lines, number - len(taken)):
                taken.append(line)
                size += len(line)
                if size > _BYTES_AT_ONCE:
                    break
        except BreaksOffError as exc:
            self.broken = str(exc)
        self.number += len(taken)
        return taken

    def put_back(self, lines: list[bytes]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


class _Reader:
    def __init__(self, lines: Iterator[bytes], delimiter: str, width: int | None) -> None:
        self._lines = _Lines(lines)
        self._delimiter, self._mark, self._width = delimiter, delimiter.encode(), width
        self._row = 0
        #: Up to this line a record must have all its values.
        self._whole_until = 0

    def lots(self, at_once: int = _AT_ONCE) -> Iterator[Lot]:
        while taken := self._lines.take(at_once):
            values = self._at_once(taken, self._completed(taken))
            if values is not None:
                yield Lot(list(range(self._row, self._row + len(values))), [*values])
                self._row += len(values)
                continue
            until = self._lines.number
            self._lines.put_back(taken)
            lot = Lot()
            while self._lines.number < until:
                self._one(lot)
            yield lot
        if self._lines.broken is not None:
            yield Lot(bad=[self._bad(self._lines.number + 1, f"the file breaks off here: {self._lines.broken}")])

    def _completed(self, taken: list[bytes]) -> bytes:
        """The text of these lines. Those that end the last record are added, where it looks as if it had not ended."""
        text = b"".join(taken)
        if text.count(b'"') % 2 == 0:
            return text
        more: list[bytes] = []
        size = len(text)
        while size <= _LONGEST and (line := self._lines.next()) is not None:
            more.append(line)
            size += len(line)
            if line.count(b'"') % 2:
                break
        taken += more
        return b"".join([text, *more])

    def _at_once(self, lines: list[bytes], whole: bytes) -> list[list[str]] | None:
        """The records of these lines; None where anything is amiss, or Python's reader and the engine may differ."""
        if self._lines.number - len(lines) < self._whole_until:
            return None
        try:
            text = whole.decode()
            if ' "' in text:
                return None
            found = [*filter(None, csv.reader(io.StringIO(text, newline="\n"), delimiter=self._delimiter, strict=True))]
        except (UnicodeDecodeError, csv.Error):
            return None
        widths = {len(record) for record in found}
        if self._width is not None and widths and (max(widths) > self._width or (1 in widths and self._width > 1)):
            return None
        return found

    def _one(self, lot: Lot) -> None:
        """Add one record, good or bad, to a lot."""
        lines = self._take()
        begin = self._lines.number - len(lines) + 1
        text = _unended(b"".join(lines))
        if not text or (self._width != 1 and not text.strip(b" ")):
            return
        try:
            values = self._values(text, whole=begin <= self._whole_until)
        except _BadRecordError as exc:
            over = f" (read up to line {self._lines.number:,})" if len(lines) > 1 else ""
            lot.bad.append(self._bad(begin, f"{exc}{over}"))
            if over:
                self._whole_until = max(self._whole_until, self._lines.number)
                self._lines.put_back(lines[1:])
            return
        lot.rows.append(self._row)
        lot.values.append(values)
        self._row += 1

    def _bad(self, line: int, why: str) -> BadRow:
        self._row += 1
        return BadRow(self._row - 1, line, why)

    def _take(self) -> list[bytes]:
        """The lines of one record."""
        lines = self._lines.take(1)
        text, at, size = lines[0], 0, len(lines[0])
        while True:
            try:
                opened = self._split(_unended(text), at)[1]
            except _BadRecordError:
                return lines
            if opened is None:
                return lines
            # an even number of quotes after the one that opens: none of them closes
            quotes = text.count(b'"', opened + 1)
            while quotes % 2 == 0:
                following = self._lines.next() if size <= _LONGEST else None
                if following is None:
                    return lines
                lines.append(following)
                size += len(following)
                quotes += following.count(b'"')
            # what comes before the value that was open is all right
            text, at = b"".join(lines), opened

    def _values(self, text: bytes, *, whole: bool) -> list[str]:
        found, opened = self._split(text)
        if opened is not None:
            raise _BadRecordError("has a quote that is never closed")
        try:
            values = [value.decode() for value in found]
        except UnicodeDecodeError as exc:
            raise _BadRecordError(f"is not UTF-8: byte 0x{exc.object[exc.start]:02X}") from None
        width = len(values) if self._width is None else self._width
        if len(values) > width and not any(values[width:]):
            return values[:width]
        if len(values) > width or (whole and len(values) < width):
            raise _BadRecordError(f"has {len(values):,} values, but the header names {width:,}")
        return values

    def _split(self, text: bytes, at: int = 0) -> tuple[list[bytes], int | None]:
        """The values of a record from a place on, and the quote that is not closed.

        As the engine has it: blanks around a value in quotes are none of it, and a quote within another value is a
        part of it. Raises _BadRecordError.
        """
        if b'"' not in text:
            return text.split(self._mark), None
        values: list[bytes] = []
        while True:
            opens = at
            while text[opens : opens + 1] == b" ":
                opens += 1
            if text[opens : opens + 1] == b'"':
                closes = _closing(text, opens + 1)
                if closes < 0:
                    return values, opens
                values.append(text[opens + 1 : closes].replace(b'""', b'"'))
                at = closes + 1
                while text[at : at + 1] == b" ":
                    at += 1
                if text[at : at + 1] not in (self._mark, b""):
                    raise _BadRecordError("goes on after a quote that closes")
            else:
                end = text.find(self._mark, at)
                end = len(text) if end < 0 else end
                values.append(text[at:end])
                at = end
            if text[at : at + 1] != self._mark:
                return values, None
            at += 1


def _unended(text: bytes) -> bytes:
    return text.removesuffix(b"\n").removesuffix(b"\r")


def _closing(text: bytes, at: int) -> int:
    while True:
        at = text.find(b'"', at)
        if at < 0 or text[at + 1 : at + 2] != b'"':
            return at
        at += 2
