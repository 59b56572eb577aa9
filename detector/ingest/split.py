"""One physical line of delimited text to its fields, and an open quotation mark to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Split:
    """`open`: a quotation mark is never closed. `loose`: text stands between a closing mark and the next delimiter."""

    fields: list[str]
    open: bool
    loose: bool


QUOTE: Final = '"'


def split_line(text: str, delimiter: str) -> Split:
    """The fields of one line, as Arrow's CSV reader and RFC 4180 split it.

    A quotation mark counts only at the beginning of a field; inside, two of them are one. What follows a closing mark
    up to the delimiter is taken as it is.
    """
    if QUOTE not in text:
        return Split(text.split(delimiter), open=False, loose=False)
    fields: list[str] = []
    loose = False
    at, size = 0, len(text)
    while True:
        if not text.startswith(QUOTE, at):
            end = text.find(delimiter, at)
            fields.append(text[at:] if end < 0 else text[at:end])
        else:
            value, after = quoted(text, at + 1)
            if after < 0:
                return Split([*fields, value], open=True, loose=loose)
            end = text.find(delimiter, after)
            tail = text[after:] if end < 0 else text[after:end]
            loose = loose or bool(tail)
            fields.append(value + tail)
        if end < 0:
            return Split(fields, open=False, loose=loose)
        at = end + 1
        if at == size:
            fields.append("")
            return Split(fields, open=False, loose=loose)


def quoted(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, behind its quotation mark, and where it ends; -1 where it never does."""
    pieces: list[str] = []
    while True:
        end = text.find(QUOTE, at)
        if end < 0:
            return "".join(pieces) + text[at:], -1
        pieces.append(text[at:end])
        if not text.startswith(QUOTE, end + 1):
            return "".join(pieces), end + 1
        pieces.append(QUOTE)
        at = end + 2
