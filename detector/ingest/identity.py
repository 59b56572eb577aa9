"""What makes an event the same event when it is met again: the source's own id, else a hash of all it says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.ingest import values
from detector.schema import MAPPABLE


def event_ids(columns: Mapping[str, pa.Array], count: int, source: str) -> pa.Array:
    """The source's own ids; where it has none, 32 hex digits of SHA-256 over the source's name and the row's values.

    Every value goes in with its column's name and its length, so that no two rows can be written alike. The offset
    is left out: it may come from settings, and a changed setting must not make another event of the same line.
    """
    own = columns.get("event_id")
    empty = np.ones(count, np.bool_) if own is None else values.blank(own)
    if empty is None:
        return own
    rows = pa.array(np.flatnonzero(empty))
    parts = []
    for name in MAPPABLE:
        column = columns.get(name)
        if column is None or name in ("event_id", "utc_offset_minutes"):
            continue
        column = column.take(rows)
        text = column.cast(pa.int64()).cast(pa.string()) if name == "event_time" else column.cast(pa.string())
        size = pc.binary_length(text).cast(pa.string())
        parts.append(pc.binary_join_element_wise(pa.scalar(name), size, text, "="))
    joined = pc.binary_join_element_wise(*parts, "\x1f", null_handling="skip")
    hashed = [hashlib.sha256(f"{source}\x1f{text}".encode()).hexdigest()[:32] for text in joined.to_pylist()]
    if own is None:
        return pa.array(hashed, pa.string())
    return pc.replace_with_mask(pc.fill_null(own, ""), pa.array(empty), pa.array(hashed, pa.string()))
