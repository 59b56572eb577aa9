"""A small synthetic force: actors of two units whose habits differ, and a catalogue of five features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from detector.anomaly.model import TrainedModel
from detector.anomaly.specification import ModelSpecification
from detector.anomaly.train import train

FIRST = date(2026, 9, 1)
NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class FakeFeature:
    direction: str
    model: bool = True


CATALOGUE = {
    "rate_1h": FakeFeature("high"),  # look-ups in one hour
    "unexplained": FakeFeature("high"),  # 0 or 1, rarely 1
    "off_shift": FakeFeature("high"),  # minutes
    "gap_days": FakeFeature("low"),  # days since the last contact: short is strange
    "surprisal": FakeFeature("both"),
    "secret": FakeFeature("high", model=False),
}
FEATURES = tuple(name for name, feature in CATALOGUE.items() if feature.model)
SENTENCES = {
    "rate_1h": "{value:g} look-ups in one hour; usual for this actor {own}, peers {peers}",
    "unexplained": "no case explains it; usual for this actor {own}, peers {peers}",
    "off_shift": "{value:g} minutes outside the shift; usual for this actor {own}, peers {peers}",
    "gap_days": "{value:g} days since the last contact; usual for this actor {own}, peers {peers}",
    "surprisal": "hour of surprise {value:g}; usual for this actor {own}, peers {peers}",
}


def sentence(feature: str, value: float, own: float | None, peers: float | None) -> str:
    shown = ["unknown" if usual is None else f"{usual:.3g}" for usual in (own, peers)]
    return SENTENCES[feature].format(value=value, own=shown[0], peers=shown[1])


def specification(**changes: Any) -> ModelSpecification:
    """The defaults with 60 small trees, so that a test trains in a tenth of a second."""
    return ModelSpecification.model_validate(
        {"name": "isolation-forest", "trees": 60, "max_samples": 256, "threads": 2, **changes}
    )


def look_ups(rows: int, *, seed: int = 1, nights: int = 14, first: date = FIRST, actors: int = 40) -> pa.Table:
    """`rows` ordinary look-ups. Actors with even numbers are in the bureau (many look-ups), the others on response."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, actors, rows)
    bureau = who % 2 == 0
    day = rng.integers(0, nights, rows)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return pa.table(
        {
            "night": pa.array([first + timedelta(days=int(d)) for d in day], pa.date32()),
            "event_id": [f"e{seed}-{i:06d}" for i in range(rows)],
            "event_time": pa.array(
                [start + timedelta(days=int(d), seconds=i % 86_400) for i, d in enumerate(day)],
                pa.timestamp("us", tz="UTC"),
            ),
            "actor_id": [f"actor-{i:02d}" for i in who],
            "organisation": ["north"] * rows,
            "unit": ["bureau" if one else "response" for one in bureau],
            "role": ["clerk" if one else "officer" for one in bureau],
            "rate_1h": rng.poisson(np.where(bureau, 30, 2)).astype(float),
            "unexplained": (rng.random(rows) < 0.01).astype(float),
            "off_shift": np.where(rng.random(rows) < 0.1, rng.exponential(30, rows), 0.0),
            "gap_days": rng.exponential(100, rows),
            "surprisal": rng.normal(5, 1, rows),
            "secret": rng.random(rows),
        }
    )


def changed(table: pa.Table, values: Mapping[str, Any], rows: slice | int = slice(None)) -> pa.Table:
    """The table with `values` put into some rows of its columns; None is NULL."""
    chosen = set(range(table.num_rows)[rows]) if isinstance(rows, slice) else {rows}
    for name, value in values.items():
        old = table.column(name).to_pylist()
        new = [value if i in chosen else item for i, item in enumerate(old)]
        table = table.set_column(table.column_names.index(name), name, pa.array(new, table.schema.field(name).type))
    return table


def trained(sample: pa.Table | None = None, **changes: Any) -> TrainedModel:
    """A model of `sample` (4,000 ordinary look-ups by default) through its 14th night."""
    return train(
        look_ups(4000) if sample is None else sample,
        specification(**changes),
        CATALOGUE,
        through=FIRST + timedelta(days=13),
        now=NOW,
    )
