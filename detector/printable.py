"""Text from logs, made harmless to read: what would move the cursor, hide or reorder text is shown as an escape.

A reason field can hold terminal escape sequences, bidirectional overrides or invisible characters; a reviewer must see
that they are there, and they must do nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Cc control, Cf format (bidi marks and overrides, zero width, soft hyphen, tags), Cs lone surrogates, Co private
#: use, Cn not assigned, Zl and Zp line and paragraph separators; and letters that are drawn as nothing.
_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_PLAIN: Final = re.compile(r"[ -~]*")

#: First characters that make a spreadsheet take a cell for a formula (OWASP, CSV injection), and their wide twins.
_FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def printable(text: str) -> str:
    r"""`text` with every control, format or otherwise unseen character as \xNN, \uNNNN or \UNNNNNNNN; never raises."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_escape(char) if _unseen(char) else char for char in text)


def csv_cell(value: str) -> str:
    """`value` for a CSV cell that people open in a spreadsheet: never a formula, never an unseen character."""
    shown = printable(value)
    return f"'{shown}" if value.lstrip(" ")[:1] in _FORMULA else shown


def number(value: float | None) -> str:
    """At most three significant digits below 1,000, none after the point above; a dash where it is not known."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.3g}"


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in _CATEGORIES or char in _BLANKS


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
