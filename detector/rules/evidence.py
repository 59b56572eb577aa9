"""The matches of a night in memory, and picks from them: what a finding is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.rules.windows import ROW, TIME

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Matches:
    """Every event that any rule matched, in order of time.

    `columns` are plain lists, because findings are many and small; `words` are the bits of the rules, and `position`
    says where a row key is.
    """

    columns: dict[str, list[Any]]
    words: dict[str, npt.NDArray[np.int64]]
    in_night: npt.NDArray[np.bool_]
    position: dict[int, int]

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch], *, plan_words: Sequence[str]) -> Matches:
        columns: dict[str, list[Any]] = defaultdict(list)
        for batch in batches:
            for name in batch.schema.names:
                columns[name] += batch.column(name).to_pylist()
        return cls(
            words={name: np.asarray(columns.pop(name, []), np.int64) for name in plan_words},
            in_night=np.asarray([value is True for value in columns["in_night"]], np.bool_),
            position={row: position for position, row in enumerate(columns[ROW])},
            columns=dict(columns),
        )


@dataclass(frozen=True)
class Evidence:
    """Some of the matches, by position, in order of time; never none."""

    matches: Matches
    positions: list[int]

    def __len__(self) -> int:
        return len(self.positions)

    def __contains__(self, name: str) -> bool:
        return name in self.matches.columns

    def kept(self, most: int) -> Evidence:
        """At most so many of them: the night's own before earlier ones, of either the first; in order of time."""
        ours = [position for position in self.positions if self.matches.in_night[position]]
        earlier = [position for position in self.positions if not self.matches.in_night[position]]
        return Evidence(self.matches, sorted([*ours, *earlier][:most]))

    def column(self, name: str) -> list[Any]:
        values = self.matches.columns[name]
        return [values[position] for position in self.positions]

    def moment(self, index: int) -> datetime:
        """When the event was, in UTC."""
        return _EPOCH + timedelta(microseconds=self.matches.columns[TIME][self.positions[index]])

    def local(self, index: int) -> datetime:
        """When it was by the clock on the wall, as a time in UTC moved by the event's own offset."""
        offsets = self.matches.columns.get("utc_offset_minutes")
        minutes = offsets[self.positions[index]] if offsets else None
        return self.moment(index) + timedelta(minutes=minutes or 0)
