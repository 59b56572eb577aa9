"""Rows of a reference table that cannot be used, and what is said of a table that was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Rejected rows that are named with their line; beyond them they are only counted.
MOST_NAMED = 100


@dataclass(frozen=True)
class RowReject:
    """One row that is not used: the line it begins on, a short code, what is wrong. It never quotes the row."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True)
class TableReport:
    """What became of one file's rows; `rows` are those in use, `duplicates` say again what another one says.

    `emptied`: column -> rows in use whose value there could not be read and counts as not given.
    """

    table: str
    file: Path
    sha256: str
    rows: int
    duplicates: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    named: tuple[RowReject, ...] = ()
    emptied: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        return sum(self.rejects.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "file": str(self.file),
            "sha256": self.sha256,
            "rows": self.rows,
            "duplicates": self.duplicates,
            "rejects": self.rejected,
            "reject_reasons": dict(self.rejects),
            "rejected_rows": [{"line": each.line, "reason": each.reason, "detail": each.detail} for each in self.named],
            "emptied": dict(self.emptied),
        }


def counted(rejects: Sequence[RowReject]) -> tuple[dict[str, int], tuple[RowReject, ...]]:
    """How many rows for each reason, and the first of them by line."""
    reasons = Counter(each.reason for each in rejects)
    first = sorted(rejects, key=lambda each: each.line)[:MOST_NAMED]
    return dict(sorted(reasons.items())), tuple(first)
