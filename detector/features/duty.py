"""Whether the person was meant to be at work at all."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, MINUTE_US
from detector.features.feature import Feature
from detector.features.rosters import is_leaving


def off_shift_minutes(t: ir.Table) -> ir.Value:
    return t.off_us / MINUTE_US


def absent_or_left(t: ir.Table) -> ir.Value:
    gone = ibis.greatest(t.away.fill_null(0), (t.us >= t.last_us).fill_null(False).cast("int64"))
    return (t.actor.notnull() & (t.is_staff == 1)).ifelse(gone, ibis.null("int64"))


def suspended(t: ir.Table) -> ir.Value:
    return t.actor.notnull().ifelse(t.suspended.fill_null(0), ibis.null("int64"))


def days_to_leaving(t: ir.Table) -> ir.Value:
    return is_leaving(t).ifelse((t.last_us - t.us) / DAY_US, None)


FEATURES = (
    Feature(
        "off_shift_minutes",
        "duty",
        "minutes",
        "minutes to the nearest rostered shift of the actor, 0 during one; NULL where none is within three days (the "
        "roster has a hole, or has not got them)",
        "{value} minutes outside rostered duty; usual for this actor {own}, for peers {peers}",
        "high",
        "duty",
        off_shift_minutes,
        needs=frozenset({"shifts"}),
    ),
    Feature(
        "absent_or_left",
        "duty",
        "0 or 1",
        "1 when the actor is absent (leave, sickness, suspension) at the time, or past the last end date of their rows "
        "in the staff table; NULL for somebody the staff table does not have",
        "while absent, or after the last day of service",
        "high",
        "duty",
        absent_or_left,
        needs=frozenset({"staff", "absences"}),
    ),
    Feature(
        "suspended",
        "duty",
        "0 or 1",
        "1 when the actor is suspended at the time",
        "while suspended from duty",
        "high",
        "duty",
        suspended,
        needs=frozenset({"absences"}),
    ),
    Feature(
        "days_to_leaving",
        "duty",
        "days",
        "days until the actor's last day of service, in the final 28; NULL before and after",
        "{value} days before the actor leaves; usual for this actor {own}, for peers {peers}",
        "low",
        "duty",
        days_to_leaving,
        needs=frozenset({"staff"}),
    ),
)
