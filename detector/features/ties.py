"""What somebody is to a record: it is their own, a relative's, a colleague's, at their address, of their name."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.known import Known, surname
from detector.features.plan import Plan

TIES = ("own", "declared", "family", "partner", "shared_home", "colleague")


def ties(plan: Plan, looks: ir.Table, known: Known) -> ir.Table:
    """visit -> 1 for each of TIES that holds (else NULL), and `name_share`, the share of the name they have in common.

    A vehicle is whose keeper's it is. Homes are all that the staff table ever had.
    """
    visits = looks.filter(looks.visit.notnull()).select("visit", "actor", "record").distinct()
    visits = plan.keep("asked_visits", visits)
    records = known.records
    kept = visits.inner_join(records.filter(records.keeper.notnull()).select("record", "keeper"), "record")
    touched = plan.keep("touched", visits.union(kept.select("visit", "actor", record="keeper")))
    staff, declared = known.staff, known.associations
    persons = plan.keep("own_persons", known.persons.union(known.selves).distinct())
    homes = staff.filter(staff.home.notnull()).select("actor", "home", "home_record").distinct()
    at_home = visits.inner_join(records.select("record", "address"), "record")
    at_home = at_home.semi_join(homes, [at_home.actor == homes.actor, at_home.address == homes.home]).select("visit")
    its_home = visits.semi_join(homes, [visits.actor == homes.actor, visits.record == homes.home_record]).select(
        "visit"
    )
    own = touched.semi_join(persons, ["actor", "record"]).select("visit").union(its_home)
    others = touched.inner_join(persons.rename(member="actor"), "record")
    others = others.filter(others.member != others.actor).select("visit")
    theirs = touched.inner_join(declared, ["actor", "record"])
    rows = [
        _rows(own, "own"),
        _rows(at_home.union(its_home), "shared_home"),
        _rows(others, "colleague"),
        _rows(theirs, "declared"),
        _rows(theirs.filter(theirs.is_family == 1), "family"),
        _rows(theirs.filter(theirs.is_partner == 1), "partner"),
    ]
    held = rows[0].union(*rows[1:])
    by_visit = held.group_by("visit").agg(**{name: held[name].max() for name in TIES})
    shared = _shared_names(plan, visits, known)
    both = visits.select("visit").left_join(by_visit, "visit").drop("visit_right")
    return plan.keep("ties", both.left_join(shared, "visit").drop("visit_right"))


def staffed(plan: Plan, known: Known) -> ir.Table:
    """actor -> what the staff table has of them: `has_row`, `has_person`, `has_home`, `has_surname`; 1 or 0."""
    t = known.staff
    found = t.group_by("actor").agg(
        has_row=t.count(),
        has_person=t.person.count(),
        has_home=t.home.count(),
        has_surname=t.surname.count(),
    )
    return plan.keep("staffed", found.filter(found.actor.notnull()))


def _rows(visits: ir.Table, tie: str) -> ir.Table:
    one, none = ibis.literal(1, "int64"), ibis.null("int64")
    return visits.select("visit", **{name: one if name == tie else none for name in TIES})


def _shared_names(plan: Plan, visits: ir.Table, known: Known) -> ir.Table:
    """visit -> the share of all named records that bear the surname which the actor has in common with this one."""
    named = visits.inner_join(known.records.filter(known.records.surname.notnull()), "record")
    named = named.select("visit", "actor", "surname")
    names = known.staff.filter(known.staff.surname.notnull()).select("actor", "surname").distinct()
    shared = plan.keep("shared_names", named.semi_join(names, ["actor", "surname"]).select("visit", "surname"))
    everyone = known.source["records"]
    everyone = everyone.select(surname=surname(everyone.surname))
    everyone = everyone.filter(everyone.surname.notnull())
    bearers = everyone.semi_join(shared, "surname").group_by("surname").agg(bearers=lambda t: t.count())
    counted = shared.inner_join(bearers, "surname").cross_join(everyone.agg(named=everyone.count()))
    return counted.select("visit", name_share=counted.bearers / counted.named)
