"""Events that come twice: the identity of an event is its id within its source and its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: What tells two events of one id apart.
KEY: Final = ("event_id", "event_time", "operator_id")
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Verdicts:
    """Which of the new rows are duplicates of an earlier row and which clash with one; no row is both."""

    duplicate: Mask
    conflict: Mask


def all_distinct(ids: Sequence[pa.Array]) -> bool:
    """Whether no id comes twice. Ids in rising order, the usual case, cost next to nothing."""
    ids = [each for each in ids if len(each)]
    if all(_rising(each) for each in ids):
        ends = sorted((each[0].as_py(), each[-1].as_py()) for each in ids)
        if all(before[1] < after[0] for before, after in pairwise(ends)):
            return True
    together = pa.chunked_array(ids, pa.string())
    return bool(pc.count_distinct(together).as_py() == len(together))


def judge(old: pa.Table, new: pa.Table) -> Verdicts:
    """The new rows (columns KEY, in the order they were read) against those before them.

    The first row of an id is the event. A later one with the same time and operator is its duplicate; with another
    time or operator it is a conflict.
    """
    both = pa.concat_tables([old.select(KEY), new.select(KEY)])
    codes = _codes(both["event_id"])
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    original = first[inverse]
    later = original != np.arange(len(codes))
    time = both["event_time"].cast(pa.int64()).to_numpy()
    who = _codes(both["operator_id"])
    same = (time == time[original]) & (who == who[original])
    start = old.num_rows
    return Verdicts((later & same)[start:], (later & ~same)[start:])


def parts_of(ids: pa.Array, parts: int) -> npt.NDArray[np.uint64]:
    """Which of so many parts each id belongs to, by its last eight bytes: equal ids are always in the same part."""
    ids = ids.cast(pa.string())
    starts, ends = _bounds(ids)
    data = np.frombuffer(ids.buffers()[2] or b"\0", np.uint8)
    mixed = np.zeros(len(ids), np.uint64)
    for back in range(1, 9):
        at = ends - back
        byte = np.where(at >= starts, data[np.maximum(at, 0)], 0)
        mixed = (mixed ^ byte.astype(np.uint64)) * np.uint64(1099511628211)  # FNV-1a's prime
    return (mixed >> np.uint64(32)) % np.uint64(parts)


def _bounds(ids: pa.StringArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    offsets = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    return offsets[:-1], offsets[1:]


def _rising(ids: pa.Array) -> bool:
    return len(ids) < 2 or bool(pc.all(pc.less(ids[:-1], ids[1:])).as_py())


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes: npt.NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes
