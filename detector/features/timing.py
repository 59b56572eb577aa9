"""When: hour of the week, days without rest, length of a block of work, return after a pause. Local clock."""

from __future__ import annotations

import ibis.expr.types as ir

from detector.features.engine import DAY_US, HOUR_US
from detector.features.feature import Feature
from detector.features.shrink import bits


def hour_surprisal(t: ir.Table) -> ir.Value:
    """-log2 P(hour of the week | actor), with hours.hour_shares' hierarchical Dirichlet mean (MacKay & Peto 1995).

    An hour counts once a night however many look-ups it saw, so that one busy hour does not make it usual.
    """
    return t.actor.notnull().ifelse(bits(t.hour_share), None)


def streak_days(t: ir.Table) -> ir.Value:
    return _of_lookup(t, t.streak)


def span_hours(t: ir.Table) -> ir.Value:
    return _of_lookup(t, t.block_us / HOUR_US)


def idle_days(t: ir.Table) -> ir.Value:
    return _of_lookup(t, t.idle_us / DAY_US)


def _of_lookup(t: ir.Table, value: ir.Value) -> ir.Value:
    return (t.actor.notnull() & t.counted).ifelse(value, None)


FEATURES = (
    Feature(
        "hour_surprisal",
        "timing",
        "bits",
        "-log2 of the probability of this local hour of the week for the actor, shrunk to peers and everybody",
        "an hour of the week with some {value} of this actor's look-ups; usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        hour_surprisal,
        ("utc_offset_minutes",),
    ),
    Feature(
        "streak_days",
        "timing",
        "days",
        "consecutive local days with look-ups by the actor, up to and including this event's day",
        "{value} days in a row with look-ups; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        streak_days,
        ("utc_offset_minutes",),
    ),
    Feature(
        "span_hours",
        "timing",
        "hours",
        "hours since the start of the actor's block of work, which a pause of six hours or more would have ended",
        "{value} hours into a block of work without a pause of 6 hours; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        span_hours,
    ),
    Feature(
        "idle_days",
        "timing",
        "days",
        "days since the actor's look-up before this one; NULL for the first in the history",
        "first look-up after {value} days; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        idle_days,
    ),
)
