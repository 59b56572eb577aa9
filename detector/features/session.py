"""Where from and for whom: terminals of the signed-in operator, look-ups keyed for somebody else, refusals."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import MINUTE_US
from detector.features.feature import Feature

#: A terminal left this recently is still in use.
CONFLICT_MINUTES = 10


def session_conflict(t: ir.Table) -> ir.Value:
    conflict = t.other_terminal_us.fill_null(10**15) <= CONFLICT_MINUTES * MINUTE_US
    return t.seat.notnull().ifelse(conflict.cast("int64"), ibis.null("int64"))


def new_terminal(t: ir.Table) -> ir.Value:
    new = (t.seat_nights == 0) & (t.seat_first_seq == t.seq)
    return (t.seats_nights > 0).ifelse(new.cast("int64"), ibis.null("int64"))


def onbehalf_share(t: ir.Table) -> ir.Value:
    known = t.operator.notnull() & t.on_behalf.notnull()
    return known.ifelse(t.on_behalf_24h / t.asked_24h.nullif(0), None)


def failed_24h(t: ir.Table) -> ir.Value:
    return (t.actor.notnull() & t.failed.notnull()).ifelse(t.failed_24h, None)


FEATURES = (
    Feature(
        "session_conflict",
        "session",
        "0 or 1",
        "1 when the signed-in operator was active on another terminal within the ten minutes before",
        "two terminals within ten minutes",
        "high",
        "volumes",
        session_conflict,
        ("terminal_id",),
    ),
    Feature(
        "new_terminal",
        "session",
        "0 or 1",
        "1 for the signed-in operator's first event at this terminal within history_days; NULL for an operator never "
        "seen at any",
        "first time at this terminal",
        "high",
        "habits",
        new_terminal,
        ("terminal_id",),
    ),
    Feature(
        "onbehalf_share",
        "session",
        "share",
        "share of the signed-in operator's look-ups in 24 hours that were keyed for somebody else",
        "{value} of the look-ups in 24 hours were keyed for somebody else; usual for this actor {own}, "
        "for peers {peers}",
        "both",
        "volumes",
        onbehalf_share,
        ("requester_id",),
    ),
    Feature(
        "failed_24h",
        "session",
        "look-ups",
        "look-ups by the actor in 24 hours that were denied or ended in an error; NULL where the outcome is not logged",
        "{value} look-ups denied or failed in 24 hours; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        failed_24h,
        ("outcome",),
    ),
)
