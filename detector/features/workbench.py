"""The workbench: one row per event of the night with everything that the features' formulas read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

import ibis.expr.types as ir

from detector.context.columns import SHAPES
from detector.features import drip, hours, linked, norms, reasons, rosters, subjects
from detector.features.baselines import actor_baselines, peer_ranks, usual_volumes
from detector.features.colleagues import with_colleagues
from detector.features.engine import constant, pair
from detector.features.feature import Bench
from detector.features.habits import habit_key, known_habits, with_habit
from detector.features.known import Known, known, looks
from detector.features.plan import Plan
from detector.features.references import reference_records
from detector.features.ties import staffed, ties
from detector.features.touches import NIGHTS, crowds, touched_by_actor, touched_by_anybody, touched_by_unit
from detector.features.trailing import actor_windows, operator_windows

#: Stands before the name of a reference table among the sources: profiles have a `case_records` too.
REFERENCE = "reference_"


def workbenches(
    plan: Plan, tonight: ir.Table, before: ir.Table, profiles: Mapping[str, ir.Table]
) -> Mapping[Bench, ir.Table]:
    """The benches, expressions over kept parts. `tonight` as keyed.keyed_events gives it, kept; `before` likewise.

    There are three and not one so that a night of a million events need not be joined with everything at once.
    """
    return {
        "volumes": _volumes(plan, tonight, before, profiles["actor_days"]),
        "records": _records(plan, tonight, profiles),
        "habits": _habits(plan, tonight, before, profiles),
    }


def reference_benches(
    plan: Plan,
    tonight: ir.Table,
    source: Mapping[str, ir.Table],
    wanted: Collection[Bench],
    vetting: Sequence[str],
) -> Mapping[Bench, ir.Table]:
    """The benches among `wanted` that read reference tables; they are in `source` beside events and profiles.

    Without any wanted nothing is done. `cases` and `subjects` are always worked out together: what is looked at
    means one thing to those who have reason to, and another to everybody else.
    """
    asked = {"ties", "cases", "subjects", "duty"} & set(wanted)
    if not asked:
        return {}
    looked = looks(plan, tonight, source["events"], vetting)
    tables = known(plan, source["events"], {name: source[f"{REFERENCE}{name}"] for name in SHAPES})
    staff = staffed(plan, tables)
    benches: dict[Bench, ir.Table] = {}
    if {"ties"} & asked:
        benches["ties"] = _ties(plan, looked, tables, staff)
    if {"cases", "subjects"} & asked:
        benches |= _cases_and_subjects(plan, looked, tables, staff, source)
    if {"duty"} & asked:
        bench = _join(looked, rosters.rostered(plan, looked, tables.source["shifts"]), "seq")
        bench = _join(bench, rosters.away(plan, looked, tables.source["absences"]), "seq")
        benches["duty"] = _join(bench, rosters.employed(plan, looked, tables.staff), "actor")
    return benches


def _ties(plan: Plan, looked: ir.Table, tables: Known, staff: ir.Table) -> ir.Table:
    of_record = tables.records.select(
        "record",
        recorded_address=tables.records.address.notnull().cast("int64"),
        recorded_surname=tables.records.surname.notnull().cast("int64"),
    )
    bench = _join(looked, ties(plan, looked, tables), "visit")
    return _join(_join(bench, of_record, "record"), staff, "actor")


def _cases_and_subjects(
    plan: Plan, looked: ir.Table, tables: Known, staff: ir.Table, source: Mapping[str, ir.Table]
) -> dict[Bench, ir.Table]:
    facts = linked.case_links(plan, linked.linked_cases(plan, looked, tables), tables)
    incidents, cited = linked.incident_links(plan, looked, tables), linked.cited_incidents(plan, looked, tables)
    explained = linked.explained_by(plan, looked, facts, incidents, cited)
    explained = with_colleagues(plan, explained, source["explained_visits"])
    about = subjects.of_records(plan, looked, tables)
    chains = subjects.plate_chains(plan, explained, tables, drip.unexplained(explained) == 1)
    of_cases = _join(_join(explained, drip.drip(plan, explained, source["habits"]), "seq"), chains, "seq")
    bench = _join(_join(explained, about, "seq"), subjects.contacts(plan, looked, tables), "record")
    bench = _join(bench, subjects.mixes(plan, looked, about, source["habits"]), "seq")
    bench = _join(bench, subjects.sweeps(plan, looked, about), "seq")
    bench = _join(bench, subjects.stories_fed(plan, looked, tables, source["actor_records"]), "actor")
    return {"cases": of_cases, "subjects": _join(bench, staff, "actor")}


def _volumes(plan: Plan, tonight: ir.Table, before: ir.Table, actor_days: ir.Table) -> ir.Table:
    days = plan.keep("days", actor_days)
    actors = actor_baselines(plan, days)
    bench = _join(tonight, actor_windows(plan, tonight, before, actors), "seq")
    bench = _join(bench, operator_windows(plan, tonight, before), "seq")
    people = tonight.filter(tonight.actor.notnull()).select("actor", "peer").distinct()
    usual = plan.keep("usual", usual_volumes(actors, people))
    ranks = plan.keep("ranks", peer_ranks(plan, days, bench.select("peer", lookups=bench.lookups_24h)))
    bench = _join(bench, usual, "actor", "peer")
    return _join(bench, ranks.rename(lookups_24h="lookups"), "peer", "lookups_24h")


def _records(plan: Plan, tonight: ir.Table, profiles: Mapping[str, ir.Table]) -> ir.Table:
    by_anybody = touched_by_anybody(plan, tonight, profiles["record_days"], profiles["recent_record_days"])
    history = by_anybody.filter(by_anybody.record == constant(NIGHTS))
    bench = tonight.cross_join(
        history.select(any_history=history.record_known, expected_nights=history.record_nights.fill_null(0))
    )
    bench = _join(bench, touched_by_actor(plan, tonight, profiles["actor_records"]), "visit")
    bench = _join(bench, touched_by_unit(plan, tonight, profiles["unit_records"]), "unit_record")
    bench = _join(bench, by_anybody, "record")
    return _join(bench, crowds(plan, tonight, profiles["visits"]), "seq")


def _habits(plan: Plan, tonight: ir.Table, before: ir.Table, profiles: Mapping[str, ir.Table]) -> ir.Table:
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
    known = known_habits(plan, wanted, profiles["habits"])
    sat = with_habit(seats, known, habit_key("seat", seats.seat), "seat_nights")
    sat = with_habit(sat, known, habit_key("seats", sat.operator), "seats_nights").drop("operator")
    bench = _join(tonight, hours.hour_shares(plan, asked_hours, known), "actor", "peer", "hour_of_week")
    bench = _join(bench, reasons.surprisals(plan, spelled, known), "wording")
    bench = _join(bench, reasons.fill_shares(plan, contexts, known), "context")
    bench = _join(bench, reasons.repeated(plan, tonight, known), "seq")
    bench = _join(bench, norms.norms(plan, places, known), "peer", "system")
    bench = _join(bench, sat, "seat")
    bench = _join(bench, reference_records(plan, tonight, profiles["case_records"]), "seq")
    return _join(bench, _first_at_seat(tonight, before), "seat")


def _first_at_seat(tonight: ir.Table, before: ir.Table) -> ir.Table:
    """seat -> `seat_first_seq`: an operator's first event at a terminal since yesterday."""
    now = tonight.select("seat", "seq")
    old = before.select(seat=pair(before.operator, before.terminal), seq="seq")
    both = now.union(old)
    return both.filter(both.seat.notnull()).group_by("seat").agg(seat_first_seq=both.seq.min())


def _join(left: ir.Table, right: ir.Table, *on: str) -> ir.Table:
    """A left join whose key columns appear once."""
    return left.left_join(right, list(on)).drop(*(f"{name}_right" for name in on))
