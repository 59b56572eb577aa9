"""Text columns -> typed columns, a whole column at a time; the rows that do not fit are named, not guessed at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.ingest.mapping import ValueMap

Bools = npt.NDArray[np.bool_]

_TRUE: Final = frozenset({"true", "t", "yes", "y", "1"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0"})


@dataclass(frozen=True)
class TextBytes:
    """The bytes under a string array: `starts` and `ends` of each value within `data`."""

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]

    @property
    def shortest(self) -> int:
        """Length in bytes of the shortest value; NULL counts as empty."""
        return int((self.ends - self.starts).min()) if len(self.starts) else 0

    def edges(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """First and last byte of every value that has any."""
        starts, ends = self.starts, self.ends
        if self.shortest == 0:
            filled = ends > starts
            starts, ends = starts[filled], ends[filled]
        return self.data[starts], self.data[ends - 1]


def text_bytes(values: pa.Array) -> TextBytes:
    """A look under a string array (type string, any slice of it) without copying."""
    _, offsets, data = values.buffers()
    if len(values) == 0 or data is None:
        empty = np.zeros(len(values), np.int32)
        return TextBytes(np.zeros(0, np.uint8), empty, empty)
    bounds = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    low, high = int(bounds[0]), int(bounds[-1])
    return TextBytes(np.frombuffer(data, np.uint8)[low:high], bounds[:-1] - low, bounds[1:] - low)


def flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One contiguous string array."""
    array = column
    if isinstance(column, pa.ChunkedArray):
        array = (
            column.chunk(0)
            if column.num_chunks == 1
            else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
        )
    return array if array.type == pa.string() else array.cast(pa.string())


def trimmed(values: pa.Array) -> pa.Array:
    """Without surrounding white space; the array itself when there is none."""
    look = text_bytes(values)
    if not len(look.data):
        return values
    first, last = look.edges()
    odd = (first <= 32) | (first >= 128) | (last <= 32) | (last >= 128)  # other bytes cannot begin or end white space
    return pc.utf8_trim_whitespace(values) if odd.any() else values


def control_rows(values: pa.Array) -> Bools | None:
    """Which values hold C0 control characters, None when none does."""
    look = text_bytes(values)
    if not len(look.data) or look.data.min() >= 32:
        return None
    return np.asarray(pc.fill_null(pc.match_substring_regex(values, r"[\x00-\x1f]"), False))


def blank(values: pa.Array) -> Bools | None:
    """Which values are NULL or '', None when none is."""
    if values.null_count == 0 and text_bytes(values).shortest > 0:
        return None
    return np.asarray(pc.fill_null(pc.equal(values, ""), True))


def first_of(columns: Sequence[pa.Array]) -> pa.Array:
    """Row by row the first value that is neither NULL nor blank; else '' when one of them is blank; else NULL."""
    result = columns[0]
    for column in columns[1:]:
        empty = blank(result)
        if empty is None:
            break
        result = pc.if_else(pa.array(empty), pc.coalesce(column, result), result)
    return result


def mapped(values: pa.Array, decide: Callable[[str], str | None]) -> pa.Array:
    """`decide` applied to every distinct value; NULL stays NULL. The array itself when nothing changes."""
    encoded = values.dictionary_encode()
    before = encoded.dictionary.to_pylist()
    after = [decide(value) for value in before]
    return values if before == after else pa.array(after, pa.string()).take(encoded.indices)


def value_decider(values: ValueMap, allowed: Sequence[str]) -> Callable[[str], str | None]:
    """Source value -> value of the enumeration; None = not known; '' = blank, or known to say nothing.

    First the map's exact keys, then the enumeration's own names, then the longest `begin*` or `*end`, then the default.
    """
    exact = {key.strip().casefold(): value for key, value in values.map.items() if "*" not in key}
    own: Mapping[str, str] = {name: name for name in allowed}
    patterns = sorted(((k.casefold(), v) for k, v in values.map.items() if "*" in k), key=lambda p: -len(p[0]))

    def by_pattern(text: str) -> str | None:
        return next((value for pattern, value in patterns if _fits(pattern, text)), None)

    def decide(value: str) -> str | None:
        text = value.strip().casefold()
        if text == "":
            return "" if values.blank is None else _told(values.blank)
        found = exact.get(text) or own.get(text) or by_pattern(text)
        return _told(found or values.default)

    return decide


def _fits(pattern: str, text: str) -> bool:
    """`begin*`, `*end` or `*within*`."""
    inner = pattern.strip("*")
    if pattern.startswith("*") and pattern.endswith("*"):
        return inner in text
    return text.endswith(inner) if pattern.startswith("*") else text.startswith(inner)


def _told(value: str) -> str | None:
    return {"reject": None, "none": ""}.get(value, value)


def integers(values: pa.Array, kind: pa.DataType, thousands: str | None) -> tuple[pa.Array, Bools | None]:
    """Whole numbers >= 0 (an offset may be negative); blank is NULL. Second: the rows that are no such number."""
    look = text_bytes(values)
    plain = kind == pa.int64() and values.null_count == 0 and look.shortest > 0 and ((look.data - 48) < 10).all()
    if plain:
        try:
            return pc.cast(values, kind), None
        except pa.ArrowInvalid:
            pass  # too large for the type: the row that is, is found below
    sign = "-?" if kind == pa.int16() else ""
    form = rf"^{sign}\d+$"
    texts = pc.utf8_trim_whitespace(values)
    if thousands is not None:
        grouped = rf"^{sign}\d{{1,3}}(?:[{thousands}]\d{{3}})+$"
        plain = pc.replace_substring(texts, thousands, "")
        texts = pc.if_else(pc.match_substring_regex(texts, grouped), plain, texts)
    present = np.asarray(pc.fill_null(pc.not_equal(texts, ""), False))
    fits = np.asarray(pc.fill_null(pc.match_substring_regex(texts, form), False))
    digits = np.asarray(pc.fill_null(pc.utf8_length(texts), 0)) <= 18  # 10**18 - 1 < 2**63
    good = fits & digits
    numbers = pc.cast(pc.if_else(pa.array(good), texts, pa.scalar(None, pa.string())), pa.int64())
    if kind == pa.int16():
        small = np.asarray(pc.fill_null(pc.less_equal(pc.abs(numbers), 18 * 60), False))
        good &= small
        numbers = pc.if_else(pa.array(good), numbers, pa.scalar(None, pa.int64()))
    bad = present & ~good
    return numbers.cast(kind), (bad if bad.any() else None)


def booleans(values: pa.Array) -> tuple[pa.Array, Bools | None]:
    """true/false, yes/no, 1/0 without case; blank is NULL. Second: the rows that are none of these."""

    def decide(value: str) -> str | None:
        text = value.strip().casefold()
        return "true" if text in _TRUE else "false" if text in _FALSE else "" if not text else None

    told = mapped(values, decide)
    bad = np.asarray(pc.and_(pc.is_null(told), pc.is_valid(values)))
    flags = pc.if_else(pc.equal(told, ""), pa.scalar(None, pa.bool_()), pc.equal(told, "true"))
    return flags, (bad if bad.any() else None)
