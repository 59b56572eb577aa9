"""How usual an hour of the week is for an actor: own habit, shrunk to the peers', theirs to everybody's."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.habits import habit_key, hour_key, with_habit
from detector.features.plan import Plan
from detector.features.shrink import probability

HOURS_A_WEEK = 168
#: Active hours of history at which own habit and the peers' weigh the same: a working week.
WEEK_OF_HOURS = 40
#: The habit keys by which own, peers' and everybody's hours are asked for.
KEYS = ("own", "all_own", "peers", "all_peers", "force", "all_force")


def asked_hours(tonight: ir.Table) -> ir.Table:
    """The (actor, peer, hour of week) of the night, once each, with their habit keys."""
    hours = tonight.select("actor", "peer", "hour_of_week").distinct()
    hour = hour_key(hours.hour_of_week)
    return hours.mutate(
        own=habit_key("hour", hours.actor, hour),
        all_own=habit_key("hours", hours.actor),
        peers=habit_key("hour", hours.peer, hour),
        all_peers=habit_key("hours", hours.peer),
        force=habit_key("hour", hour),
        all_force=habit_key("hours"),
    )


def hour_shares(plan: Plan, asked: ir.Table, known: ir.Table) -> ir.Table:
    """(actor, peer, hour_of_week) -> `hour_share`: P(hour of week | actor); NULL without any history."""
    t = asked
    for name in KEYS:
        t = with_habit(t, known, t[name], f"{name}_n")
    everybody = (t.all_force_n > 0).ifelse(
        probability(t.force_n, t.all_force_n, ibis.literal(1 / HOURS_A_WEEK), HOURS_A_WEEK), None
    )
    peers = probability(t.peers_n, t.all_peers_n, everybody, WEEK_OF_HOURS)
    share = probability(t.own_n, t.all_own_n, peers, WEEK_OF_HOURS)
    return plan.keep("hour_shares", t.select("actor", "peer", "hour_of_week", hour_share=share))
