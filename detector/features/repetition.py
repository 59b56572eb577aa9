"""Coming back to one record, and many people on one record."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.feature import Feature
from detector.features.touches import CROWD_DAYS, LEAST_GAPS


def repeat_days(t: ir.Table) -> ir.Value:
    return t.visit.notnull().ifelse(t.visit_repeat_nights.fill_null(0) + 1, None)


def recheck_regularity(t: ir.Table) -> ir.Value:
    """Standard deviation over mean of the gaps, tonight's included; from their count, sum and sum of squares."""
    gap = t.visit_last_age.cast("float64")
    gaps = t.visit_gaps + 1
    total = t.visit_gap_sum + gap
    squares = t.visit_gap_squares + gap * gap
    variance = ibis.greatest(squares / gaps - (total / gaps) * (total / gaps), ibis.literal(0.0))
    return (gaps >= LEAST_GAPS).ifelse(variance.sqrt() / (total / gaps), None)


def crowd(t: ir.Table) -> ir.Value:
    """(actors now) / (1 + actors expected): the expected are the record's actors a night, times the nights of 72 h."""
    nights = ibis.greatest(t.expected_nights, ibis.literal(1))
    expected = CROWD_DAYS * t.record_actor_nights.fill_null(0) / nights
    return t.record.notnull().ifelse(t.crowd_actors / (1 + expected), None)


FEATURES = (
    Feature(
        "repeat_days",
        "repetition",
        "days",
        "UTC days within the last 180, this one included, on which the actor touched the record",
        "this record on {value} different days in half a year; usual for this actor {own}, for peers {peers}",
        "high",
        "records",
        repeat_days,
        ("record_id",),
    ),
    Feature(
        "recheck_regularity",
        "repetition",
        "coefficient of variation",
        "standard deviation over mean of the gaps between the days on which the actor touched the record (180 days, at "
        "least three gaps): near 0 is clockwork, about 1 is chance",
        "this record is revisited at gaps that vary by {value} of their mean; usual for this actor {own}, "
        "for peers {peers}",
        "low",
        "records",
        recheck_regularity,
        ("record_id",),
    ),
    Feature(
        "crowd",
        "repetition",
        "times",
        "different actors on this record in the last 72 hours, this one included, over 1 + the number expected from "
        "the record's 30 days before",
        "{value} times as many people on this record within 72 hours as expected; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "records",
        crowd,
        ("record_id",),
    ),
)
