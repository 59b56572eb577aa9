"""Reference tables as the features see them: the rows that concern the night's events, with keys for names.

Millions of rows may be bound; each table is gone through once, for the ids that occur tonight, and only what is left
gets its keys. A period is [since, until) in microseconds; one without an end lasts for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Final

import ibis
import ibis.expr.types as ir

from detector.features.engine import HOUR_US, microseconds
from detector.features.keyed import key_of, peer_key, person_key
from detector.features.plan import Plan

#: Before and after every event, in microseconds; a day added or taken away changes nothing about that.
EVER, FOR_EVER = -(2**60), 2**60
_FAMILY: Final = ("family", "relative", "parent", "child", "sibling")
_PARTNER: Final = ("partner", "former_partner", "spouse", "former_spouse")


@dataclass(frozen=True)
class Known:
    """The kept slices. Every key is NULL where the table's value is.

    source: the whole tables. asked: `id`, tonight's record ids as they are.
    staff: actor, person, home, home_record, surname, unit_name, since, until; everybody.
    records: record, surname, sex, born (days), address, keeper, tier; tonight's.
    associations: actor, record, is_family, is_partner; of tonight's actors, but what they declared to be themselves.
    selves: actor, record; that, of everybody: who else is at work tonight must not change what a record is.
    case_records: case, record; of tonight's records, cited cases and the staff's own person records. A case is also on
    itself, as the record that it may be. listing: case; those that list any record.
    cases: case, unit_name, since, until; those that may matter tonight. case_staff: case, actor, since, until.
    incidents: incident (its id), case (the key when it is cited), record, actor, unit_name, since, until (NULL if not
    given); of tonight's records, of no record, or cited tonight. names: case, case_name; of the cases above.
    """

    source: Mapping[str, ir.Table]
    asked: ir.Table
    staff: ir.Table
    records: ir.Table
    associations: ir.Table
    selves: ir.Table
    case_records: ir.Table
    listing: ir.Table
    cases: ir.Table
    case_staff: ir.Table
    incidents: ir.Table
    names: ir.Table

    @property
    def persons(self) -> ir.Table:
        """actor, record: their own person record, as the staff table has it."""
        return self.staff.filter(self.staff.person.notnull()).select("actor", record="person").distinct()


def looks(plan: Plan, tonight: ir.Table, events: ir.Table, vetting: Sequence[str]) -> ir.Table:
    """The night's events with what is asked about them: `unit_name`, and whether the actor's work is to `vet`."""
    people = events.select("organisation", "unit", "role").distinct()
    name = (people.unit.fill_null("") + " " + people.role.fill_null("")).lower()
    vets = reduce(or_, [name.contains(word.lower()) for word in vetting], ibis.literal(False))
    people = people.select(peer=peer_key(people), unit_name=name_key(people.unit), vets=vets.cast("int64"))
    people = plan.keep("people", people.group_by("peer").agg(unit_name=people.unit_name.max(), vets=people.vets.max()))
    slim = tonight.select(
        "seq", "us", "actor", "operator", "record", "case", "visit", "unit_record", "peer", "context", "counted",
        "spawned", "on_behalf",
    )  # fmt: skip
    return plan.keep("looks", slim.left_join(people, "peer").drop("peer_right"))


def known(plan: Plan, events: ir.Table, source: Mapping[str, ir.Table]) -> Known:
    """The slices of the reference tables in `source` (by name, with the columns of context.SHAPES) for these events."""
    records = plan.keep("asked_records", events.filter(events.record_id != "").select(id="record_id").distinct())
    cited = plan.keep("asked_cases", events.filter(events.case_ref != "").select(id="case_ref").distinct())
    actors = plan.keep("asked_actors", events.select(id="actor_id").distinct())
    staff = plan.keep("staff", _staff(source["staff"]))
    on_case = source["case_records"]
    people = source["staff"].filter(source["staff"].person_record_id.notnull())
    wanted = on_case.record_id.isin(records.id) | on_case.case_ref.isin(cited.id)
    wanted |= on_case.record_id.isin(people.person_record_id)
    on_case = plan.keep("on_case", on_case.filter(wanted))
    # A case may itself be the record that is looked at.
    asked = on_case.select(id="case_ref").union(cited, records).distinct()
    asked = plan.keep("linked_ids", asked)
    cases = plan.keep("cases", _cases(_of(source["cases"], "case_ref", asked)))
    links = on_case.select(case=key_of("case", on_case.case_ref), record=key_of("record", on_case.record_id))
    links = plan.keep("listed", links.distinct())
    return Known(
        source,
        records,
        staff,
        plan.keep("known_records", _records(_of(source["records"], "record_id", records))),
        plan.keep("associations", _associations(_of(source["associations"], "staff_id", actors))),
        plan.keep("selves", _selves(source["associations"])),
        plan.keep("case_links", links.union(cases.select("case", record="as_record"))),
        links.select("case").distinct(),
        cases,
        plan.keep("case_staff", _case_staff(_of(source["case_staff"], "case_ref", asked))),
        plan.keep("incidents", _incidents(_near(source["incidents"], records, actors, cited), staff)),
        plan.keep("case_names", asked.select(case=key_of("case", asked.id), case_name="id")),
    )


def name_key(name: ir.StringValue) -> ir.IntegerValue:
    """The key of a unit's name, however its letters are cased."""
    return key_of("unit_name", name.strip().lower())


def surname(name: ir.StringValue) -> ir.StringValue:
    """A surname as it is compared: O'Neil is ONEIL."""
    return name.lower().replace("'", "").replace("-", "").replace(" ", "").nullif("")


def since_us(time: ir.TimestampValue) -> ir.IntegerValue:
    return microseconds(time).fill_null(EVER)


def until_us(time: ir.TimestampValue) -> ir.IntegerValue:
    return microseconds(time).fill_null(FOR_EVER)


def _of(table: ir.Table, column: str, asked: ir.Table) -> ir.Table:
    return table.semi_join(asked, table[column] == asked.id)


def _near(incidents: ir.Table, records: ir.Table, actors: ir.Table, cited: ir.Table) -> ir.Table:
    nameless = incidents.record_id.isnull() & incidents.staff_id.isin(actors.id)
    return incidents.filter(incidents.record_id.isin(records.id) | nameless | incidents.incident_id.isin(cited.id))


def _staff(t: ir.Table) -> ir.Table:
    return t.select(
        actor=person_key(t.staff_id),
        person=key_of("record", t.person_record_id),
        home=key_of("address", t.home_address_id),
        home_record=key_of("record", t.home_address_id),
        surname=surname(t.surname),
        unit_name=name_key(t.unit),
        since=since_us(t.start_date),
        until=until_us(t.end_date),
    )


def _records(t: ir.Table) -> ir.Table:
    return t.select(
        record=key_of("record", t.record_id),
        surname=surname(t.surname),
        sex=t.sex.lower().substr(0, 1),
        born=t.date_of_birth.delta(ibis.literal(date(1970, 1, 1)), unit="day"),
        address=key_of("address", t.address_id),
        keeper=key_of("record", t.vehicle_keeper_id),
        tier=t.sensitivity,
    )


def _associations(t: ir.Table) -> ir.Table:
    t = t.filter(~_is_self(t))
    kind = t.kind.lower()
    return t.select(
        actor=person_key(t.staff_id),
        record=key_of("record", t.record_id),
        is_family=kind.isin(_FAMILY).fill_null(False).cast("int64"),
        is_partner=kind.isin(_PARTNER).fill_null(False).cast("int64"),
    )


def _selves(t: ir.Table) -> ir.Table:
    t = t.filter(_is_self(t))
    return t.select(actor=person_key(t.staff_id), record=key_of("record", t.record_id)).distinct()


def _is_self(t: ir.Table) -> ir.BooleanValue:
    return (t.kind.lower() == "self").fill_null(False)


def _cases(t: ir.Table) -> ir.Table:
    return t.select(
        case=key_of("case", t.case_ref),
        as_record=key_of("record", t.case_ref),
        unit_name=name_key(t.owning_unit),
        since=since_us(t.opened_at),
        until=until_us(t.closed_at),
    )


def _case_staff(t: ir.Table) -> ir.Table:
    return t.select(
        case=key_of("case", t.case_ref),
        actor=person_key(t.staff_id),
        since=since_us(t.assigned_from),
        until=until_us(t.assigned_to),
    )


def _incidents(t: ir.Table, staff: ir.Table) -> ir.Table:
    """With the unit of the officer on it where the incident names none."""
    slim = t.select(
        incident=t.incident_id,
        case=key_of("case", t.incident_id),
        record=key_of("record", t.record_id),
        actor=person_key(t.staff_id),
        unit_name=name_key(t.unit),
        since=microseconds(t.started_at),
        until=microseconds(t.ended_at),
    )
    unnamed = (
        slim.filter(slim.unit_name.isnull() & slim.actor.notnull()).select("incident", "actor", "since").distinct()
    )
    found = unnamed.inner_join(staff.rename(staff_since="since"), "actor")
    then = found.filter((found.staff_since <= found.since + HOUR_US) & (found.until > found.since))
    units = then.group_by("incident", "actor").agg(officers_unit=then.unit_name.argmax(then.staff_since))
    joined = slim.left_join(units, ["incident", "actor"])
    return joined.select(
        "incident", "case", "record", "actor", "since", "until",
        unit_name=ibis.coalesce(joined.unit_name, joined.officers_unit),
    )  # fmt: skip
