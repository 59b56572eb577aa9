"""The workbench: one row per event of the night with everything that the features' formulas read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import ibis.expr.types as ir

from detector.features import hours, norms, reasons
from detector.features.baselines import actor_baselines, peer_ranks, usual_volumes
from detector.features.engine import constant
from detector.features.habits import habit_key, known_habits, with_habit
from detector.features.plan import Plan
from detector.features.references import reference_records
from detector.features.touches import NIGHTS, crowds, touched
from detector.features.trailing import trailing

#: What is known of a key touched before: see touches.touched.
_SEEN = ("first_seq", "nights", "last_age", "repeat_nights", "gaps", "gap_sum", "gap_squares", "actor_nights")


def workbench(plan: Plan, base: ir.Table, profiles: Mapping[str, ir.Table]) -> ir.Table:
    """An expression over kept parts. `base` as keyed.keyed_events gives it, kept; `profiles` with `age` for `night`."""
    tonight = base.filter(base.in_night).drop("in_night")
    days = plan.keep("days", profiles["actor_days"])
    actors = actor_baselines(plan, days)
    windows = trailing(plan, base, actors)
    bench = _with_volumes(plan, tonight, windows, days, actors)
    bench = _with_touches(plan, bench, tonight, base, profiles)
    return _with_habits(plan, bench, tonight, profiles["habits"])


def _with_volumes(plan: Plan, tonight: ir.Table, windows: ir.Table, days: ir.Table, actors: ir.Table) -> ir.Table:
    bench = _join(tonight, windows.drop("counted"), "seq")
    people = tonight.filter(tonight.actor.notnull()).select("actor", "peer").distinct()
    usual = plan.keep("usual", usual_volumes(actors, people))
    ranks = plan.keep("ranks", peer_ranks(plan, days, bench.select("peer", lookups=bench.lookups_24h)))
    bench = _join(bench, usual, "actor", "peer")
    ranks = ranks.rename(lookups_24h="lookups")
    return _join(bench, ranks, "peer", "lookups_24h")


def _with_touches(
    plan: Plan,
    bench: ir.Table,
    tonight: ir.Table,
    base: ir.Table,
    profiles: Mapping[str, ir.Table],
) -> ir.Table:
    seen = touched(plan, tonight, profiles["touches"])
    for key in ("visit", "unit_record", "record"):
        renamed = seen.select(**{f"{key}_{name}": name for name in _SEEN}, **{key: "key"})
        bench = _join(bench, renamed, key)
    history = seen.filter(seen.key == constant(NIGHTS)).select(history_nights=seen.nights.fill_null(0))
    seats = base.filter(base.seat.notnull()).group_by("seat").agg(seat_first_seq=base.seq.min())
    bench = _join(bench, crowds(plan, tonight, profiles["visits"]), "seq").cross_join(history)
    bench = _join(bench, reference_records(plan, tonight, profiles["case_records"]), "seq")
    return _join(bench, seats, "seat")


def _with_habits(
    plan: Plan,
    bench: ir.Table,
    tonight: ir.Table,
    habits: ir.Table,
) -> ir.Table:
    asked_hours = plan.keep("asked_hours", hours.asked_hours(tonight))
    spelled = reasons.terms(plan, reasons.texts(tonight))
    contexts = plan.keep("contexts", tonight.select("context").distinct())
    places = plan.keep("places", tonight.select("peer", "system").distinct())
    seats = plan.keep("seats", tonight.filter(tonight.seat.notnull()).select("seat", "operator").distinct())
    texts = tonight.select("actor", "actor_reason").distinct()
    keys = [
        *(asked_hours.select(key=asked_hours[name]) for name in hours.KEYS),
        reasons.term_keys(spelled),
        reasons.context_keys(contexts),
        norms.norm_keys(places),
        seats.select(key=habit_key("seat", seats.seat)),
        seats.select(key=habit_key("seats", seats.operator)),
        texts.select(key=habit_key("wording", texts.actor_reason)),
        texts.select(key=habit_key("wordings", texts.actor)),
    ]
    wanted = reduce(lambda left, right: left.union(right), keys)
    known = known_habits(plan, wanted, habits)
    sat = with_habit(seats, known, habit_key("seat", seats.seat), "seat_nights")
    sat = with_habit(sat, known, habit_key("seats", sat.operator), "seats_nights").drop("operator")
    bench = _join(bench, hours.hour_shares(plan, asked_hours, known), "actor", "peer", "hour_of_week")
    bench = _join(bench, reasons.surprisals(plan, spelled, known), "wording")
    bench = _join(bench, reasons.fill_shares(plan, contexts, known), "context")
    bench = _join(bench, reasons.repeated(plan, tonight, known), "seq")
    bench = _join(bench, norms.norms(plan, places, known), "peer", "system")
    return _join(bench, sat, "seat")


def _join(left: ir.Table, right: ir.Table, *on: str) -> ir.Table:
    """A left join whose key columns appear once."""
    return left.left_join(right, list(on)).drop(*(f"{name}_right" for name in on))
