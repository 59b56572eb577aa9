"""Times as sources write them -> microseconds since 1970 in UTC, column by column, never guessing.

A format is `iso8601`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns` or a strptime format of the directives below. Every
one is tried on the rows that the ones before could not read. Dates are checked as dates: 30 February is no time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Fold = Literal["reject", "earlier", "later"]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIRECTIVES: Final = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})", "M": r"(?P<M>\d{1,2})", "S": r"(?P<S>\d{1,2})", "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)", "b": r"(?P<b>[A-Za-z]{3})[a-z]*\.?", "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
}  # fmt: skip
_ISO: Final = (
    r"^(?P<Y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})[Tt ](?P<H>\d{2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r" ?(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?)?$"
)
_OFFSET: Final = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>[0-5]\d)?")
_EPOCH: Final = r"^(?P<n>-?\d{1,17})(?:\.(?P<f>\d{1,9}))?$"
#: Pattern of a number since 1970 and microseconds in one of `n`; of nanoseconds the last three digits are dropped.
_EPOCHS: Final = {
    "epoch_s": (_EPOCH, SECOND), "epoch_ms": (_EPOCH, 1_000), "epoch_us": (_EPOCH, 1),
    "epoch_ns": (r"^(?P<n>-?\d{1,16})\d{3}$", 1),
}  # fmt: skip
#: Seconds within which a number is taken at its word, March 1973 to 2096: any other is of another unit.
_LEAST_EPOCH, _MOST_EPOCH = 100_000_000, 4_000_000_000


@dataclass(frozen=True)
class Parsed:
    """Times of n rows. `us`: UTC microseconds; `offset`: minutes the text itself states, where `has_offset`;
    `reason`: 0 = read, else an index into REASON_CODES."""

    us: Ints
    offset: Ints
    has_offset: Bools
    reason: npt.NDArray[np.int8]


REASON_CODES: Final = ("", "bad_time", "nonexistent_time", "ambiguous_time")


@functools.lru_cache(maxsize=256)
def compile_format(text: str) -> str:
    """The RE2 pattern of a time format. Raises ValueError for a directive that is not known or a time left open."""
    special = {"iso8601": _ISO} | {name: pattern for name, (pattern, _) in _EPOCHS.items()}
    if text in special:
        return special[text]
    out, seen, position = "^", set(), 0
    while position < len(text):
        char = text[position]
        if char == "%":
            position += 1
            code = text[position : position + 1]
            if code not in _DIRECTIVES or code in seen:
                known = " ".join(f"%{c}" for c in _DIRECTIVES)
                raise ValueError(f"time format {text!r}: %{code} is not known or given twice; known are {known}")
            seen.add(code)
            out += _DIRECTIVES[code]
        else:
            out += r"\s+" if char == " " else re.escape(char)
        position += 1
    day_known = {"Y", "d"} <= seen and len(seen & {"m", "b"}) == 1
    if not day_known or len(seen & {"H", "I"}) != 1 or "M" not in seen or ("I" in seen) != ("p" in seen):
        raise ValueError(
            f"time format {text!r} does not fix a time: it needs a year (%Y), a month (%m or %b), a day (%d), "
            f"an hour (%H, or %I with %p) and minutes (%M), or be one of iso8601, {', '.join(_EPOCHS)}"
        )
    return out + "$"


def group_names(pattern: str) -> list[str]:
    """The named groups of an RE2 pattern, in order."""
    struct = pc.extract_regex(pa.array([""]), pattern).type
    return [struct.field(i).name for i in range(struct.num_fields)]


def parse_iso(texts: pa.Array) -> Ints | None:
    """Every text as ISO 8601 with an offset -> UTC microseconds; None unless all of them are just that."""
    if texts.null_count:
        return None
    try:
        return pc.cast(texts, pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    except pa.ArrowInvalid:
        return None


def parse(texts: pa.Array, formats: Sequence[str], zone: Zone | None, gap: Fold, overlap: Fold) -> Parsed:
    """Texts (no NULLs needed) by the first of `formats` that each fits; ISO 8601 last, for a date cell of a workbook.

    Times without an offset are local times of `zone`; without a zone they are bad_time.
    """
    n = len(texts)
    us, offset = np.zeros(n, np.int64), np.zeros(n, np.int64)
    has_offset, naive, done = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    texts = pc.utf8_trim_whitespace(texts)
    for text in (*formats, *(() if "iso8601" in formats else ("iso8601",))):
        rows = np.flatnonzero(~done)
        if not len(rows):
            break
        found = pc.extract_regex(texts if len(rows) == n else texts.take(pa.array(rows)), compile_format(text))
        hit = np.asarray(found.is_valid())
        if not hit.any():
            continue
        rows, found = rows[hit], found.filter(pa.array(hit))
        reader = _read_epoch if text.startswith("epoch") else _read_fields
        value, stated, is_stated, good = reader(found, text)
        rows = rows[good]
        us[rows], offset[rows], has_offset[rows] = value[good], stated[good], is_stated[good]
        naive[rows] = ~is_stated[good] & (reader is _read_fields)
        done[rows] = True
    reason = np.where(done, 0, 1).astype(np.int8)
    local = np.flatnonzero(naive & done)
    if len(local):
        if zone is None:
            reason[local] = 1
        else:
            us[local], reason[local] = zone.to_utc(us[local], gap, overlap)
    return Parsed(us, offset, has_offset, reason)


def _ints(found: Any, name: str, default: int = 0) -> Ints:
    """A named group as integers; an optional group that did not take part is ''."""
    index = found.type.get_field_index(name)
    if index < 0:
        return np.full(len(found), default, np.int64)
    texts = found.field(index)
    return pc.cast(pc.if_else(pc.equal(texts, ""), str(default), texts), pa.int64()).to_numpy()  # type: ignore[no-any-return]


def _micros(found: Any) -> Ints:
    index = found.type.get_field_index("f")
    if index < 0:
        return np.zeros(len(found), np.int64)
    padded = pc.utf8_slice_codeunits(pc.utf8_rpad(found.field(index), 6, "0"), 0, 6)
    return pc.cast(padded, pa.int64()).to_numpy()  # type: ignore[no-any-return]


def _read_epoch(found: Any, text: str) -> tuple[Ints, Ints, Bools, Bools]:
    number, fraction = _ints(found, "n"), _micros(found)
    _, unit = _EPOCHS[text]
    size = np.abs(number)
    good = (size >= _LEAST_EPOCH * (SECOND // unit)) & (size < _MOST_EPOCH * (SECOND // unit))
    value = np.where(good, number, 0) * unit + fraction // (SECOND // unit)
    nothing = np.zeros(len(number), np.int64)
    return value, nothing, np.zeros(len(number), bool), good


def _read_fields(found: Any, _text: str) -> tuple[Ints, Ints, Bools, Bools]:
    year, day = _ints(found, "Y"), _ints(found, "d")
    if found.type.get_field_index("b") >= 0:
        names = pc.utf8_lower(found.field(found.type.get_field_index("b")))
        month = pc.fill_null(pc.index_in(names, pa.array(_MONTHS)), -1).to_numpy().astype(np.int64) + 1
    else:
        month = _ints(found, "m")
    hour, good = _hours(found)
    minute, second = _ints(found, "M"), _ints(found, "S")
    good &= (month >= 1) & (month <= 12) & (minute < 60) & (second < 60) & (year >= 1) & (day >= 1)
    months = (np.where(good, year - 1970, 0) * 12 + np.where(good, month - 1, 0)).astype("M8[M]")
    first = months.astype("M8[D]").astype(np.int64)
    good &= day <= (months + np.timedelta64(1, "M")).astype("M8[D]").astype(np.int64) - first
    value = ((first + day - 1) * 86_400 + hour * 3600 + minute * 60 + second) * SECOND + _micros(found)
    offset, stated, offset_good = _offsets(found)
    return value - offset * MINUTE, offset, stated, good & offset_good


def _hours(found: Any) -> tuple[Ints, Bools]:
    if found.type.get_field_index("I") < 0:
        hour = _ints(found, "H")
        return hour, hour < 24
    hour = _ints(found, "I")
    afternoon = np.asarray(pc.starts_with(found.field(found.type.get_field_index("p")), "p", ignore_case=True))
    return hour % 12 + 12 * afternoon, (hour >= 1) & (hour <= 12)


def _offsets(found: Any) -> tuple[Ints, Bools, Bools]:
    n = len(found)
    index = found.type.get_field_index("z")
    if index < 0:
        return np.zeros(n, np.int64), np.zeros(n, bool), np.ones(n, bool)
    distinct = found.field(index).dictionary_encode()
    minutes, good = [], []
    for text in distinct.dictionary.to_pylist():
        hours, rest = (int(text[1:3]), int(text[3:].lstrip(":") or 0)) if text not in ("", "Z", "z") else (0, 0)
        minutes.append((-1 if text[:1] == "-" else 1) * (hours * 60 + rest))
        good.append(hours <= 18 and rest < 60)
    codes = distinct.indices.to_numpy()
    stated = np.array([text != "" for text in distinct.dictionary.to_pylist()], bool)[codes]
    return np.array(minutes, np.int64)[codes], stated, np.array(good, bool)[codes]


def offset_of(text: str, us: Ints) -> Ints | None:
    """Minutes from UTC at these instants by an offset (+01:00, Z) or the name of a zone; None when it is neither."""
    if text in ("Z", "z"):
        return np.zeros(len(us), np.int64)
    written = _OFFSET.fullmatch(text)
    if written is not None:
        minutes = int(written["hours"]) * 60 + int(written["minutes"] or 0)
        return np.full(len(us), -minutes if written["sign"] == "-" else minutes) if minutes <= 18 * 60 else None
    try:
        return Zone(text).offset_seconds(us) // 60
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Zone:
    """Offsets of one IANA zone for whole columns: looked up once a day, row by row only on days of a change."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self._day = functools.lru_cache(maxsize=4096)(self._day_offset)

    @property
    def is_utc(self) -> bool:
        return self.name in ("UTC", "Etc/UTC", "Etc/GMT", "GMT", "Etc/Zulu", "Zulu", "UCT", "Etc/UCT", "Universal")

    def _offset_at(self, us: int) -> int:
        """Offset in seconds at a UTC instant."""
        delta = (EPOCH + timedelta(microseconds=us)).astimezone(self._zone).utcoffset()
        return round(delta.total_seconds()) if delta is not None else 0

    def _day_offset(self, day: int) -> int | None:
        """The offset in seconds of a UTC day (days since 1970), None when it changes in the course of it."""
        at_start, at_end = self._offset_at(day * DAY), self._offset_at((day + 1) * DAY - 1)
        return at_start if at_start == at_end else None

    def offset_seconds(self, us: Ints) -> Ints:
        """Offset in seconds at each UTC instant (within 1970 to 2100)."""
        days = us // DAY
        unique, inverse = np.unique(days, return_inverse=True)
        daily = [self._day(int(day)) if _known(int(day)) else 0 for day in unique]
        out = np.array([0 if value is None else value for value in daily], np.int64)[inverse]
        for index, value in enumerate(daily):
            if value is None:
                rows = np.flatnonzero(inverse == index)
                minutes, back = np.unique(us[rows] // MINUTE, return_inverse=True)
                out[rows] = np.array([self._offset_at(int(minute) * MINUTE) for minute in minutes], np.int64)[back]
        return out

    def to_utc(self, local: Ints, gap: Fold, overlap: Fold) -> tuple[Ints, npt.NDArray[np.int8]]:
        """Local microseconds -> UTC microseconds, and why not (index into REASON_CODES)."""
        if self.is_utc:
            return local, np.zeros(len(local), np.int8)
        utc, reason = local.copy(), np.zeros(len(local), np.int8)
        days = local // DAY
        for day in np.unique(days):
            rows = np.flatnonzero(days == day)
            # A local day touches three UTC days; when none of them changes and all agree, so does every hour of it.
            around = {self._day(int(day) + shift) for shift in (-1, 0, 1)} if _known(int(day)) else {0}
            constant = next(iter(around)) if len(around) == 1 else None
            if constant is not None:
                utc[rows] = local[rows] - constant * SECOND
                continue
            minutes, inverse = np.unique(local[rows] // MINUTE, return_inverse=True)  # clocks change on whole minutes
            read = [self._one_to_utc(int(minute) * MINUTE, gap, overlap) for minute in minutes]
            moved = np.array(
                [us - int(minute) * MINUTE for (us, _), minute in zip(read, minutes, strict=True)], np.int64
            )
            utc[rows] = local[rows] + moved[inverse]
            reason[rows] = np.array([why for _, why in read], np.int8)[inverse]
        return utc, reason

    def _one_to_utc(self, local: int, gap: Fold, overlap: Fold) -> tuple[int, int]:
        offsets = sorted({self._offset_at(local - DAY), self._offset_at(local + DAY), *self._near(local)})
        instants = [local - o * SECOND for o in reversed(offsets) if self._offset_at(local - o * SECOND) == o]
        if len(instants) == 1:
            return instants[0], 0
        if not instants:  # skipped: earlier is by the offset of after the change, later by the one of before
            if gap == "reject":
                return local, 2
            return (local - offsets[-1] * SECOND if gap == "earlier" else local - offsets[0] * SECOND), 0
        if overlap == "reject":
            return local, 3
        return (instants[0] if overlap == "earlier" else instants[-1]), 0

    def _near(self, local: int) -> set[int]:
        return {self._offset_at(local - shift * 3600 * SECOND) for shift in range(-15, 16)}


def _known(day: int) -> bool:
    """Days a time zone can be asked for; others are out of the bounds of any event and rejected for that."""
    return -30_000 < day < 60_000
