"""A night's events -> its rows of the habits table; the kinds are listed in habits.py."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from detector.features import reasons
from detector.features.drip import best, explanation_key
from detector.features.engine import total as summed
from detector.features.habits import habit_key, hour_key, parts
from detector.features.plan import Plan


def habit_rows(plan: Plan, base: ir.Table) -> ir.Table:
    """One row per key: key, n, total. `base` as keyed.keyed_events with the column reference_records.

    With reference tables it has `unexplained` and the numbers of compute.EXTRAS, too.
    """
    spelled = reasons.terms(plan, reasons.texts(base))
    rows = [*_hours(base), *_seats(base), *_reasons(base), *_terms(spelled), *_filled(base), *_norms(base)]
    if "unexplained" in base.columns:
        rows += [*_unexplained(base), *_explained(base), *_subjects(base), *_tiers(base)]
    return reduce(lambda left, right: left.union(right), rows).filter(lambda t: t.n > 0)


def _row(table: ir.Table, key: ir.IntegerValue, n: ir.IntegerValue, total: ir.Value | None = None) -> ir.Table:
    """Sums of n and total by key; rows without a key are left out."""
    slim = table.select(key=key, n=n.cast("int64"), total=ibis.null("int64") if total is None else total)
    return slim.filter(slim.key.notnull()).group_by("key").agg(n=lambda t: summed(t.n), total=lambda t: summed(t.total))


def _hours(base: ir.Table) -> list[ir.Table]:
    active = base.filter(base.counted & base.actor.notnull()).select("actor", "peer", "hour_of_week").distinct()
    one, hour = ibis.literal(1), hour_key(active.hour_of_week)
    return [
        _row(active, habit_key("hour", active.actor, hour), one),
        _row(active, habit_key("hours", active.actor), one),
        _row(active, habit_key("hour", active.peer, hour), one),
        _row(active, habit_key("hours", active.peer), one),
        _row(active, habit_key("hour", hour), one),
        _row(active, habit_key("hours"), one),
    ]


def _seats(base: ir.Table) -> list[ir.Table]:
    seats = base.select("seat", "operator").distinct()
    seats = seats.filter(seats.seat.notnull())
    one = ibis.literal(1)
    return [_row(seats, habit_key("seat", seats.seat), one), _row(seats, habit_key("seats", seats.operator), one)]


def _reasons(base: ir.Table) -> list[ir.Table]:
    given = base.filter(base.reason != "")
    one = ibis.literal(1)
    return [
        _row(given, habit_key("wording", given.actor_reason), one),
        _row(given, habit_key("wordings", given.actor), one),
    ]


def _terms(spelled: ir.Table) -> list[ir.Table]:
    t = spelled
    return [
        _row(t, habit_key("term", t.context, t.term), t.uses),
        _row(t, habit_key("terms", t.context), t.uses),
        _row(t, habit_key("term", t.term), t.uses),
        _row(t, habit_key("terms"), t.uses),
    ]


def _filled(base: ir.Table) -> list[ir.Table]:
    asked = base.filter(base.counted & base.reason.notnull())
    one, given = ibis.literal(1), (asked.reason != "").cast("int64")
    return [_row(asked, habit_key("filled", asked.context), one, given), _row(asked, habit_key("filled"), one, given)]


def _norms(base: ir.Table) -> list[ir.Table]:
    rows = []
    one = ibis.literal(1)
    for name, column in (("results", "result_count"), ("scope", "scope_count")):
        known = base.filter(base[column].notnull())
        total = parts((ibis.greatest(known[column], ibis.literal(0)) + 1).ln())
        rows.append(_row(known, habit_key(name, known.peer, known.system), one, total))
        rows.append(_row(known, habit_key(name, known.system), one, total))
    cases = base.filter(base.reference_records.notnull()).group_by("peer", "case")
    cases = cases.agg(total=parts((base.reference_records.max() + 1).ln()))
    rows.append(_row(cases, habit_key("reference", cases.peer), one, cases.total))
    rows.append(_row(cases, habit_key("reference"), one, cases.total))
    return rows


def _unexplained(base: ir.Table) -> list[ir.Table]:
    judged = base.filter(base.unexplained.notnull() & base.counted)
    one, unexplained = ibis.literal(1), judged.unexplained.cast("int64")
    return [
        _row(judged, habit_key("unexplained", judged.actor), one, unexplained),
        _row(judged, habit_key("unexplained", judged.peer), one, unexplained),
        _row(judged, habit_key("unexplained"), one, unexplained),
    ]


def _explained(base: ir.Table) -> list[ir.Table]:
    judged = base.filter(base.unexplained.notnull() & base.counted)
    one, kind = ibis.literal(1), explanation_key(best(judged))
    return [
        _row(judged, habit_key("explained", judged.context, kind), one),
        _row(judged, habit_key("explained", judged.context), one),
        _row(judged, habit_key("explained", kind), one),
        _row(judged, habit_key("explained"), one),
    ]


def _subjects(base: ir.Table) -> list[ir.Table]:
    """A person looked up again the same night is one subject."""
    t = base.filter(base.visit.notnull() & base.subject_group.notnull())
    t = t.select("visit", "actor", "peer", group="subject_group").distinct()
    one = ibis.literal(1)
    return [
        _row(t, habit_key("subject", t.actor, t.group), one),
        _row(t, habit_key("subjects", t.actor), one),
        _row(t, habit_key("subject", t.peer, t.group), one),
        _row(t, habit_key("subjects", t.peer), one),
        _row(t, habit_key("subject", t.group), one),
        _row(t, habit_key("subjects"), one),
    ]


def _tiers(base: ir.Table) -> list[ir.Table]:
    known = base.filter(base.subject_tier.notnull() & base.counted)
    one, tier = ibis.literal(1), parts(known.subject_tier)
    return [_row(known, habit_key("tier", known.peer), one, tier), _row(known, habit_key("tier"), one, tier)]
