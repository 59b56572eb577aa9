"""Rows as text -> rows with their types: times in UTC, days, degrees; what cannot be right is a reject.

A bare day begins a period with its first instant and ends one with its last: staff whose end_date is the 28th may
work all of the 28th. Periods are then half-open everywhere: [since, until). Times without an offset, and days, are
those of `reference.time_zone`. Where the clocks go back a period is read as the longer of the two it can mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.config import ReferenceSettings
from detector.context.columns import Kind, Shape
from detector.context.files import Rows
from detector.context.rejects import RowReject
from detector.ingest.times import DAY, Fold, Zone, parse
from detector.schema import TIMESTAMP

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: Extracts write an open end as 31 December 9999 or 2999; from here on an end is none.
OPEN_END: Final = int(np.datetime64("2200-01-01", "us").astype(np.int64))
_DAY: Final = r"^\d{4}-\d{2}-\d{2}$"


@dataclass(frozen=True)
class Typed:
    """The rows in use, how many repeated another, and what was left out or emptied."""

    table: pa.Table
    duplicates: int
    rejects: tuple[RowReject, ...]
    emptied: dict[str, int]


def typed(rows: Rows, shape: Shape, settings: ReferenceSettings) -> Typed:
    """Every row of the file is in use, a duplicate, or a reject; in this order of reasons a row has one."""
    table = rows.columns
    reasons = _Reasons(rows)
    for name in shape.required:
        reasons.add(np.asarray(pc.is_null(table[name])), "missing_key", f"no {name}")
    zone = Zone(settings.time_zone)
    arrays: dict[str, pa.Array] = {}
    emptied: dict[str, int] = {}
    for name, kind in shape.columns.items():
        text = table[name].combine_chunks() if table.num_rows else pa.array([], pa.string())
        if kind == "text":
            arrays[name] = text
            continue
        arrays[name], bad = _column(text, kind, zone, settings)
        if kind in ("born", "tier"):
            emptied |= {name: int(bad.sum())} if bad.any() else {}
        else:
            reasons.add(bad, "bad_date", f"{name} is no date or time of the form 2026-03-29 or 2026-03-29T02:30")
    if shape.period:
        since, until = (arrays[name] for name in shape.period)
        # The last instant of a day is the first of the next: equal is then before.
        last_day = pc.match_substring_regex(table[shape.period[1]].combine_chunks(), _DAY)
        too_early = pc.or_(pc.less(until, since), pc.and_(pc.equal(until, since), last_day))
        ends_first = np.asarray(pc.fill_null(too_early, fill_value=False))
        reasons.add(ends_first, "ends_before_start", f"{shape.period[1]} lies before {shape.period[0]}")
    good = pa.table(arrays, schema=shape.schema).filter(pa.array(~reasons.out))
    lines = rows.lines.to_numpy()[~reasons.out]
    kept, conflicts = _unambiguous(good, shape)
    rejects = [
        *rows.rejects, *reasons.found,
        *(RowReject(int(lines[row]), "key_conflict", f"contradicts line {lines[first]}, which has the same "
            f"{' and '.join(shape.key)} and is kept") for row, first in conflicts),
    ]  # fmt: skip
    duplicates = good.num_rows - len(kept) - len(conflicts)
    table = good if len(kept) == good.num_rows else good.take(pa.array(kept))
    return Typed(table, duplicates, tuple(rejects), emptied)


class _Reasons:
    """Rows taken out so far, each for its first reason."""

    def __init__(self, rows: Rows) -> None:
        self._lines = rows.lines.to_numpy()
        self.out: Bools = np.zeros(rows.columns.num_rows, bool)
        self.found: list[RowReject] = []

    def add(self, bad: Bools, reason: str, detail: str) -> None:
        new = np.flatnonzero(bad & ~self.out)
        self.out[new] = True
        self.found += [RowReject(int(self._lines[row]), reason, detail) for row in new]


def _column(text: pa.Array, kind: Kind, zone: Zone, settings: ReferenceSettings) -> tuple[pa.Array, Bools]:
    """A column's values, NULL where there is none, and where there should have been one."""
    given = np.asarray(pc.is_valid(text))
    if kind == "tier":
        values = _tiers(text, settings)
        return pa.array(values, from_pandas=True), given & np.isnan(values)
    us, good = _instants(text, kind, zone)
    if kind == "until":
        given_end = given & ~(good & (us >= OPEN_END))
        return pa.array(us, pa.int64(), mask=~(given_end & good)).cast(TIMESTAMP), given & ~good
    if kind == "born":
        days = (us // DAY).astype(np.int32)
        return pa.array(days, pa.int32(), mask=~(given & good)).cast(pa.date32()), given & ~good
    return pa.array(us, pa.int64(), mask=~(given & good)).cast(TIMESTAMP), given & ~good


def _instants(text: pa.Array, kind: Kind, zone: Zone) -> tuple[Ints, Bools]:
    """Microseconds since 1970 in UTC, and which could be read. A birthday is the day as written, in no zone."""
    us, good = np.zeros(len(text), np.int64), np.zeros(len(text), bool)
    filled = pc.fill_null(text, "")
    is_day = np.asarray(pc.match_substring_regex(filled, _DAY))
    fold: Fold = "later" if kind == "until" else "earlier"
    days = np.flatnonzero(is_day)
    if len(days):
        midnight = pc.binary_join_element_wise(filled.take(pa.array(days)), "T00:00:00", "")
        read = parse(midnight, ["iso8601"], Zone("UTC"), "reject", "reject")
        local = read.us + (DAY if kind == "until" else 0)
        us[days] = local if kind == "born" else zone.to_utc(local, fold, fold)[0]
        good[days] = read.reason == 0
    times = np.flatnonzero(~is_day & np.asarray(pc.is_valid(text)))
    if len(times):
        read = parse(filled.take(pa.array(times)), ["iso8601"], zone, fold, fold)
        us[times], good[times] = read.us, read.reason == 0
    return us, good


def _tiers(text: pa.Array, settings: ReferenceSettings) -> npt.NDArray[np.float64]:
    """A number is itself; a name is its place in `reference.sensitivity`, from 0; NaN otherwise."""
    names = {name.casefold(): float(place) for place, name in enumerate(settings.sensitivity)}
    encoded = text.dictionary_encode()
    values = [_tier(value, names) for value in encoded.dictionary.to_pylist()]
    known = np.array([*values, np.nan])
    codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return np.asarray(known[codes], np.float64)


def _tier(value: str, names: dict[str, float]) -> float:
    if value.casefold() in names:
        return names[value.casefold()]
    try:
        number = float(value)
    except ValueError:
        return np.nan
    return number if np.isfinite(number) else np.nan


def _unambiguous(table: pa.Table, shape: Shape) -> tuple[Ints, list[tuple[int, int]]]:
    """The rows that stay; and (row, the row it contradicts) where two of one key disagree: the first one stays."""
    everything = np.arange(table.num_rows)
    if not shape.key:  # a row that stands there twice says nothing new, and does no harm
        return everything, []
    first = _firsts(table, list(shape.key))
    again = np.flatnonzero(first != everything)
    if not len(again):
        return everything, []
    ours = table.take(pa.array(again)).to_pylist()
    theirs = table.take(pa.array(first[again])).to_pylist()
    pairs = zip(again.tolist(), first[again].tolist(), ours, theirs, strict=True)
    conflicts = [(row, other) for row, other, mine, kept in pairs if mine != kept]
    return np.delete(everything, again), conflicts


def _firsts(table: pa.Table, names: list[str]) -> Ints:
    """For each row the first row with the same values in these columns; NULL is a value of its own."""
    numbered = table.select(names).append_column("row", pa.array(np.arange(table.num_rows)))
    grouped = numbered.group_by(names, use_threads=True).aggregate([("row", "min"), ([], "count_all")])
    first = np.arange(table.num_rows)
    repeated = grouped.filter(pc.greater(grouped["count_all"], 1)).select([*names, "row_min"])
    if repeated.num_rows:
        again = _rows_of(numbered, repeated, names)
        first[again["row"].to_numpy()] = again["row_min"].to_numpy()
    return first


def _rows_of(numbered: pa.Table, repeated: pa.Table, names: list[str]) -> pa.Table:
    """The rows of the repeated keys. Arrow's joins never match NULL, so keys are compared as one text."""
    return _with_one_key(numbered, names).join(_with_one_key(repeated, names), "one_key", join_type="inner")


def _with_one_key(table: pa.Table, names: list[str]) -> pa.Table:
    parts = [pc.fill_null(table[name].cast(pa.string()), "\x1e") for name in names]
    others = [name for name in table.column_names if name not in names]
    return table.select(others).append_column("one_key", pc.binary_join_element_wise(*parts, "\x1f"))
