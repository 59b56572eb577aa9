"""Events of a JSON file: read by the engine, or, where that fails, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ibis.backends.duckdb import Backend

from detector.engine import json_documents
from detector.rules.files.json_rows import DEEPEST, Layout, fault, layout_of, rows, unfit
from detector.rules.files.rows import Events
from detector.rules.files.text import BadRow, BreaksOffError, FileText
from detector.rules.sources import JsonSource

#: Bytes of a row that the engine takes without being told.
_LONGEST = 1 << 24


@dataclass(frozen=True)
class JsonEvents:
    """A file of them. `spill` is a folder that `con` may read."""

    con: Backend
    text: FileText
    spill: Path

    def open(self) -> Events:
        layout = layout_of(self.text)
        if not self.text.plain or layout == "values" or _breaks_off_unsaid(self.text):
            return self._with_care(layout, None)
        options: dict[str, str | bool] = {"format": "newline_delimited", "ignore_errors": True}
        if layout == "array":
            options = {"format": "array"}
        return self._of(self.text.path, layout, None, compression=self.text.packing or "uncompressed", **options)

    def _with_care(self, layout: Layout, deepest: int | None) -> Events:
        """The rows that the engine can be given in a file of their own, each of the others as a line that is none."""
        copy = self.spill / f"{uuid4().hex}.jsonl"
        longest = _LONGEST
        with copy.open("wb") as file:
            for row in rows(self.text, layout):
                whole = b"0" if unfit(row, deepest) else row.text.removesuffix(b"\n")
                file.write(whole + b"\n")
                longest = max(longest, len(whole) + 1)
        return self._of(
            copy, layout, deepest, format="newline_delimited", ignore_errors=True, maximum_object_size=longest
        )

    def _of(self, file: Path, layout: Layout, deepest: int | None, **options: str | bool | int) -> Events:
        def bad_rows(broken: Sequence[int]) -> Iterator[BadRow]:
            wanted = set(broken)
            for number, row in enumerate(rows(self.text, layout) if wanted else ()):
                if number in wanted:
                    yield BadRow(number, row.line, fault(row, deepest))

        again = (lambda: self._with_care(layout, DEEPEST)) if deepest is None else None
        return Events(self.text.path, JsonSource(json_documents(self.con, file, **options)), bad_rows, again)


def _breaks_off_unsaid(text: FileText) -> bool:
    """Does a packed file end early in a way that the engine takes for its end?"""
    if text.packing != "zstd":
        return False
    try:
        text.check()
    except BreaksOffError:
        return True
    return False
