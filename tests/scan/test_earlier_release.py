"""A lake that an earlier release has written."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
from django.db import transaction

from detector.config import Settings
from detector.features.profiles import PROFILE_TABLES
from detector.home import Home
from detector.ingest.lake import register_tables, write_table
from detector.night import engine_of, sample_of


def test_a_feature_that_came_later_is_not_known_of_earlier_nights(home: Home) -> None:
    schema = PROFILE_TABLES["feature_sample"]
    row = dict.fromkeys(schema.names) | {"event_id": "e", "actor_id": "a"}
    nights = [date(2026, 3, 2), date(2026, 3, 3)]
    tables = [pa.Table.from_pylist([row | {"night": night, "lookups_24h": 3.0}], schema) for night in nights]
    tables[0] = tables[0].drop_columns([schema.names[-1]])
    staged = [write_table(home, "feature_sample", night, table) for night, table in zip(nights, tables, strict=True)]
    with transaction.atomic():
        register_tables(home, staged, now=datetime(2026, 3, 4, tzinfo=UTC))
    con = engine_of(home, Settings())
    both, first = sample_of(con, home)(*nights), sample_of(con, home)(nights[0], nights[0])
    con.disconnect()
    for sample in (both, first):
        assert set(sample.column_names) == {*schema.names, "flagged"}
        assert set(sample["lookups_24h"].to_pylist()) == {3.0}
        assert set(sample[schema.names[-1]].to_pylist()) == {None}
    assert (both.num_rows, first.num_rows) == (2, 1)
