"""Whether anybody of one's own kind touched the record before."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.feature import Feature


def record_new_to_actor(t: ir.Table) -> ir.Value:
    return _is_new(t, "visit", t.visit_last_age.notnull())


def record_new_to_unit(t: ir.Table) -> ir.Value:
    return _is_new(t, "unit_record", t.unit_record_known)


def record_new_to_force(t: ir.Table) -> ir.Value:
    return _is_new(t, "record", t.record_known)


def revisit_days(t: ir.Table) -> ir.Value:
    """Whole UTC days; 0 when the last touch was earlier the same night."""
    return t.visit.notnull().ifelse((t.visit_first_seq < t.seq).ifelse(0, t.visit_last_age), None)


def _is_new(t: ir.Table, key: str, known: ir.BooleanValue) -> ir.Value:
    """1 or 0; NULL without a key, and on the very first night, when everything would be new."""
    new = ~known & (t[f"{key}_first_seq"] == t.seq)
    return (t[key].notnull() & t.any_history).ifelse(new.cast("int64"), ibis.null("int64"))


FEATURES = (
    Feature(
        "record_new_to_actor",
        "novelty",
        "0 or 1",
        "1 when the actor has not touched the record within novelty_days",
        "first look at this record by this actor",
        "high",
        "records",
        record_new_to_actor,
        ("record_id",),
    ),
    Feature(
        "record_new_to_unit",
        "novelty",
        "0 or 1",
        "1 when nobody of the unit (of the organisation, without units) has touched the record within novelty_days",
        "first look at this record by anybody of the unit",
        "high",
        "records",
        record_new_to_unit,
        ("record_id", "unit"),
    ),
    Feature(
        "record_new_to_force",
        "novelty",
        "0 or 1",
        "1 when nobody at all has touched the record within novelty_days",
        "first look at this record by anybody",
        "high",
        "records",
        record_new_to_force,
        ("record_id",),
    ),
    Feature(
        "revisit_days",
        "novelty",
        "days",
        "whole days since this actor last touched this record, 0 for earlier the same night; NULL for a first touch",
        "back to this record after {value} days; usual for this actor {own}, for peers {peers}",
        "both",
        "records",
        revisit_days,
        ("record_id",),
    ),
)
