"""The profile tables: what one night leaves behind for the nights after it. Small, sorted, keys instead of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

_NIGHT = pa.field("night", pa.date32(), nullable=False)

#: One row per actor: volumes of the night, and the state in which the night left the actor.
ACTOR_DAYS: Final = pa.schema(
    [
        _NIGHT,
        pa.field("actor", pa.int64(), nullable=False),
        pa.field("peer", pa.int64(), nullable=False),
        pa.field("lookups", pa.int32(), nullable=False),
        pa.field("peak_15m", pa.int32(), nullable=False),
        pa.field("peak_1h", pa.int32(), nullable=False),
        pa.field("peak_24h", pa.int32(), nullable=False),
        pa.field("exported", pa.int64(), nullable=False),
        pa.field("last_us", pa.int64(), nullable=False),
        pa.field("block_start_us", pa.int64(), nullable=False),
        pa.field("last_day", pa.int32(), nullable=False),
        pa.field("streak_start", pa.int32(), nullable=False),
    ]
)

#: One row per actor and record (one key): `gap` is how many days before the actor last touched the record.
ACTOR_RECORDS: Final = pa.schema([_NIGHT, pa.field("key", pa.int64(), nullable=False), pa.field("gap", pa.int16())])

#: One row per unit and record (one key).
UNIT_RECORDS: Final = pa.schema([_NIGHT, pa.field("key", pa.int64(), nullable=False)])

#: One row per record, with the number of distinct actors on it; and one under touches.NIGHTS.
RECORD_DAYS: Final = pa.schema(
    [_NIGHT, pa.field("key", pa.int64(), nullable=False), pa.field("actors", pa.int32(), nullable=False)]
)

#: One row per record and actor, with the last touch. Read back for three nights.
VISITS: Final = pa.schema(
    [
        _NIGHT,
        pa.field("record", pa.int64(), nullable=False),
        pa.field("actor", pa.int64(), nullable=False),
        pa.field("last_us", pa.int64(), nullable=False),
    ]
)

#: By unit and record (`key`) the last look-up of each actor whom something explains: see colleagues.py.
EXPLAINED_VISITS: Final = pa.schema(
    [
        _NIGHT,
        pa.field("key", pa.int64(), nullable=False),
        pa.field("actor", pa.int64(), nullable=False),
        pa.field("last_us", pa.int64(), nullable=False),
    ]
)

#: Counts (`n`) and sums (`total`) by key: hours of the week, terminals, reasons, terms, breadth. See habits.py.
HABITS: Final = pa.schema(
    [
        _NIGHT,
        pa.field("key", pa.int64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("total", pa.int64()),
    ]
)

#: One row per case reference and record looked up under it.
CASE_RECORDS: Final = pa.schema(
    [_NIGHT, pa.field("case", pa.int64(), nullable=False), pa.field("record", pa.int64(), nullable=False)]
)

_PERSON: Final = [
    _NIGHT,
    pa.field("actor_id", pa.string(), nullable=False),
    pa.field("organisation", pa.string()),
    pa.field("unit", pa.string()),
    pa.field("role", pa.string()),
]


def actor_features_schema(features: Mapping[str, object]) -> pa.Schema:
    """One row per actor: the medians of every feature that night."""
    return pa.schema([*_PERSON, *(pa.field(name, pa.float64()) for name in features)])


def feature_sample_schema(model_features: Mapping[str, object]) -> pa.Schema:
    """One row per sampled event: every model feature."""
    event = pa.field("event_id", pa.string(), nullable=False)
    return pa.schema([_NIGHT, event, *_PERSON[1:], *(pa.field(name, pa.float64()) for name in model_features)])
