"""What links an actor to a record they look at: cases, incidents, a hand-over, the query before.

An event's case is the one it cites, and every one that holds its record. Feeds are late: what began up to LATE after
the look-up counts as if it had been there, as far as the night it is scanned with knows of it.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, HOUR_US, MINUTE_US
from detector.features.explained import BITS
from detector.features.known import FOR_EVER, Known
from detector.features.plan import Plan

#: Incidents explain this long before and after; assignments and cases that are logged late, too.
LATE = 48 * HOUR_US
#: A closed case explains on (papers, disclosure), and somebody who left it.
AFTERWARDS = 28 * DAY_US
#: An incident without an end lasts so long; officers look things up on the way, and write it up afterwards.
INCIDENT, ON_THE_WAY, WRITING_UP = 2 * HOUR_US, 15 * MINUTE_US, HOUR_US
#: Without an incident or an open case for so long, a record is cold.
COLD = 365 * DAY_US


def linked_cases(plan: Plan, looks: ir.Table, known: Known) -> ir.Table:
    """One row per event and case of it: seq, us, actor, unit_name, case; and 0 or 1, but where a time is named:

    held (the record is on it), cited, lists (it lists any record), is_known, opened_us, closed_us (NULL if not known),
    open, on (the actor is on it), left (was until lately), left_us (since when not any more), ours (the unit's case),
    team (a colleague is on it), about_actor (it holds the actor's own person record, and the look-up is not of that).
    """
    zero, one = ibis.literal(0, "int64"), ibis.literal(1, "int64")
    slim = looks.filter(looks.actor.notnull()).select("seq", "us", "actor", "unit_name", "record", "case")
    held = slim.drop("case").inner_join(known.case_records, "record")
    held = held.select("seq", "us", "actor", "unit_name", "case", held=one, cited=zero)
    cited = slim.filter(slim.case.notnull()).select("seq", "us", "actor", "unit_name", "case", held=zero, cited=one)
    both = held.union(cited)
    rows = both.group_by("seq", "case").agg(
        **{name: both[name].max() for name in ("us", "actor", "unit_name", "held", "cited")}
    )
    rows = plan.keep("linked", rows)
    oneself = slim.semi_join(known.persons, ["actor", "record"]).select("seq", oneself=one)
    asked = plan.keep("linked_people", rows.select("case", "actor").distinct())
    listed = known.listing.mutate(lists=one)
    cases = known.cases.select("case", "since", "until", owner="unit_name")
    t = rows.left_join(cases, "case").drop("case_right").left_join(listed, "case").drop("case_right")
    t = t.left_join(_about(known, asked), ["case", "actor"]).drop("case_right", "actor_right")
    t = t.left_join(oneself, "seq").drop("seq_right")
    t = t.left_join(_assigned(rows, known), ["seq", "case"]).drop("seq_right", "case_right")
    t = t.left_join(_teams(plan, known), ["case", "unit_name"]).drop("case_right", "unit_name_right")
    is_open = (t.since <= t.us + LATE) & (t.us < t.until + AFTERWARDS)
    team = (t.team_since <= t.us + LATE) & (t.us < t.team_until) & ((t.first != t.actor) | (t.last != t.actor))
    return plan.keep(
        "linked_cases",
        t.select(
            "seq", "us", "actor", "case", "held", "cited", "left_us",
            lists=t.lists.fill_null(0),
            is_known=t.since.notnull().cast("int64"),
            opened_us=t.since,
            closed_us=(t.until < FOR_EVER).ifelse(t.until, None),
            open=is_open.fill_null(True).cast("int64"),
            on=t.on.fill_null(0),
            left=t.left.fill_null(0),
            ours=(t.owner == t.unit_name).fill_null(False).cast("int64"),
            team=team.fill_null(False).cast("int64"),
            # One's own record is no case file, though a case may hold it.
            about_actor=t.about.fill_null(0) * ibis.greatest(t.cited, 1 - t.oneself.fill_null(0)),
        ),
    )  # fmt: skip


def case_links(plan: Plan, linked: ir.Table, known: Known) -> ir.Table:
    """seq -> what its cases come to: the bits of explanations, the case of the strongest, and what the features of
    cases read."""
    c = linked.left_join(known.names, "case").drop("case_right")
    holds = {
        "case_staff": c.held * c.on * c.open,
        "hand_over": c.held * c.left * c.open,
        "team_case": c.held * c.team * c.open,
        "unit_case": c.held * c.ours * c.open,
        "cited_case": c.cited * (1 - c.held) * c.on * c.open,
        "cited_unit_case": c.cited * (1 - c.held) * (1 - c.lists) * ibis.greatest(c.ours, c.team) * c.open,
    }
    # The first by strength, then by name: whatever the order of the rows.
    ranked: ir.Value = ibis.null("string")
    for rank, value in reversed(list(enumerate(holds.values()))):
        ranked = (value == 1).ifelse(ibis.literal(str(rank)) + c.case_name, ranked)
    cited = c.cited == 1
    contact = (c.held == 1) & c.left_us.notnull()
    closed = (c.closed_us <= c.us).ifelse(c.closed_us, None)
    found = c.group_by("seq").agg(
        **{f"is_{name}": value.max() for name, value in holds.items()},
        cited_known=c.is_known.max(where=cited),
        cited_opened_us=c.opened_us.max(where=cited),
        cited_related=ibis.greatest(c.held, c.on, c.left, c.ours, c.team).max(where=cited),
        cited_held=c.held.max(where=cited),
        cited_lists=c.lists.max(where=cited),
        cited_closed_us=closed.max(where=cited),
        cited_open=((c.is_known == 1) & closed.isnull()).cast("int64").max(where=cited),
        held_closed_us=closed.max(where=c.held == 1),
        held_open=((c.is_known == 1) & closed.isnull()).cast("int64").max(where=c.held == 1),
        about_actor=c.about_actor.max(),
        contact_us=ibis.least(c.left_us, ibis.coalesce(closed, c.left_us)).max(where=contact),
        on_now=(c.held * c.on).max(),
        explained_case=ranked.min().substr(1),
    )
    case_bits = sum((found[f"is_{name}"] * BITS[name] for name in holds), ibis.literal(0, "int64"))
    return plan.keep("case_facts", found.mutate(case_bits=case_bits).drop(*(f"is_{name}" for name in holds)))


def incident_links(plan: Plan, looks: ir.Table, known: Known) -> ir.Table:
    """seq -> bits of the incidents near the event; `met_us`, the last time of one of the actor's with the record; and
    `stirred_us`, of anybody's."""
    slim = looks.select("seq", "us", "actor", "unit_name", "record")
    named = known.incidents.filter(known.incidents.record.notnull())
    named = named.rename(officer="actor", officers_unit="unit_name")
    t = slim.inner_join(named, "record")
    mine, ours = _whose(t)
    near = _near(t)
    begun = t.since <= t.us
    last_us = ibis.least(ibis.coalesce(t.until, t.since), t.us)
    found = t.group_by("seq").agg(
        incident=(near & ours & t.actor.notnull()).cast("int64").max(),
        name=t.incident.min(where=near & ours & t.actor.notnull()),
        elsewhere=(near & ~ours).cast("int64").max(),
        met_us=last_us.max(where=begun & mine),
        stirred_us=last_us.max(where=begun),
    )
    sent = known.incidents.filter(known.incidents.record.isnull()).select("incident", "actor", "since", "until")
    d = slim.select("seq", "us", "actor").inner_join(sent, "actor")
    sent = d.filter(_running(d)).select("seq", name="incident")
    one = ibis.literal(1, "int64")
    none, nothing = ibis.literal(0, "int64"), ibis.null("int64")
    sent = sent.select("seq", "name", incident=none, elsewhere=none, dispatch=one, met_us=nothing, stirred_us=nothing)
    all_ = found.mutate(dispatch=ibis.literal(0, "int64")).select(sent.columns).union(sent)
    facts = all_.group_by("seq").agg(
        incident=all_.incident.max(), elsewhere=all_.elsewhere.max(), dispatch=all_.dispatch.max(),
        met_us=all_.met_us.max(), stirred_us=all_.stirred_us.max(),
        named=all_.name.min(where=all_.incident == 1), sent_to=all_.name.min(where=all_.dispatch == 1),
    )  # fmt: skip
    bits = (
        facts.incident * BITS["incident"]
        + facts.dispatch * BITS["dispatch"]
        + (1 - facts.incident) * facts.elsewhere * BITS["incident_elsewhere"]
    )
    name = ibis.coalesce(facts.named, facts.sent_to)
    facts = facts.select("seq", "met_us", "stirred_us", incident_bits=bits, explained_incident=name)
    return plan.keep("incident_facts", facts)


def cited_incidents(plan: Plan, looks: ir.Table, known: Known) -> ir.Table:
    """seq -> what the incident comes to that the event cites as its case, where there is one of that name: its bits and
    name, whether it is `incident_related` to the record, the actor or their unit, and `incident_us`, its beginning."""
    slim = looks.filter(looks.case.notnull() & looks.actor.notnull())
    slim = slim.select("seq", "us", "actor", "unit_name", "record", "case")
    about = known.incidents.rename(about="record", officer="actor", officers_unit="unit_name")
    t = slim.inner_join(about, "case")
    mine, ours = _whose(t)
    lists = (t.about == t.record).fill_null(False)
    found = t.group_by("seq").agg(
        incident_related=(lists | ours).cast("int64").max(),
        incident_us=t.since.max(),
        cited=(lists & _near(t)).cast("int64").max(),
        own=(mine & _running(t)).cast("int64").max(),
        lists=lists.cast("int64").max(),
        lists_any=t.about.notnull().cast("int64").max(),
        cited_name=t.incident.max(),
    )
    own = found.own * found.lists_any * (1 - found.lists)
    bits = found.cited * BITS["cited_incident"] + own * BITS["cited_own_incident"]
    return plan.keep(
        "cited_incidents", found.select("seq", "incident_related", "incident_us", "cited_name", cited_bits=bits)
    )


def _whose(t: ir.Table) -> tuple[ir.BooleanValue, ir.BooleanValue]:
    """Whether the incident beside a look-up is the actor's; and whether it is that, their unit's, or nobody's."""
    mine = (t.officer == t.actor).fill_null(False)
    ours = mine | (t.officers_unit == t.unit_name).fill_null(False) | (t.officer.isnull() & t.officers_unit.isnull())
    return mine, ours


def _near(t: ir.Table) -> ir.BooleanValue:
    return (t.since - LATE <= t.us) & (t.us <= ibis.coalesce(t.until, t.since) + LATE)


def _running(t: ir.Table) -> ir.BooleanValue:
    """Whether the incident was on, or somebody on the way to it or writing it up."""
    ends = ibis.coalesce(t.until, t.since + INCIDENT) + WRITING_UP
    return (t.since - ON_THE_WAY <= t.us) & (t.us <= ends)


def _about(known: Known, asked: ir.Table) -> ir.Table:
    """(case, actor) -> about = 1 where the case holds the actor's own person record."""
    held = known.case_records.inner_join(known.persons, "record").select("case", "actor")
    return held.semi_join(asked, ["case", "actor"]).group_by("case", "actor").agg(about=ibis.literal(1, "int64"))


def _assigned(rows: ir.Table, known: Known) -> ir.Table:
    """(seq, case) -> whether the actor is on the case, has just left it, and `left_us`, the end of that (at most t)."""
    t = rows.select("seq", "case", "us", "actor").inner_join(known.case_staff, ["case", "actor"])
    begun = t.since <= t.us + LATE
    on = begun & (t.us < t.until)
    left = (t.until <= t.us) & (t.us < t.until + AFTERWARDS)
    return t.group_by("seq", "case").agg(
        on=on.cast("int64").max(),
        left=left.cast("int64").max(),
        left_us=ibis.least(t.until, t.us).max(where=t.since <= t.us),
    )


def _teams(plan: Plan, known: Known) -> ir.Table:
    """(case, unit_name) -> from when until when somebody of that unit is on the case; `first` and `last` of them.

    That the two differ from the actor says that it is not the actor alone.
    """
    t = known.case_staff.inner_join(known.staff.select("actor", "unit_name", joined="since", left="until"), "actor")
    then = (t.joined < t.until) & (t.left > t.since) & t.unit_name.notnull()
    t = t.filter(then)
    return plan.keep(
        "teams",
        t.group_by("case", "unit_name").agg(
            team_since=ibis.greatest(t.since, t.joined).min(),
            team_until=ibis.least(t.until, t.left).max(),
            first=t.actor.min(),
            last=t.actor.max(),
        ),
    )


def explained_by(plan: Plan, looks: ir.Table, cases: ir.Table, incidents: ir.Table, cited: ir.Table) -> ir.Table:
    """One row per event: `looks`, the facts of cases and incidents, and `explained_by`, the bits of explained.py."""
    t = looks.left_join(cases, "seq").drop("seq_right").left_join(incidents, "seq").drop("seq_right")
    t = t.left_join(cited, "seq").drop("seq_right")
    t = t.mutate(explained_incident=ibis.coalesce(t.explained_incident, (t.cited_bits > 0).ifelse(t.cited_name, None)))
    bits = (
        t.case_bits.fill_null(0)
        + t.incident_bits.fill_null(0)
        + t.cited_bits.fill_null(0)
        + t.spawned.cast("int64") * BITS["spawned"]
        + t.on_behalf.fill_null(False).cast("int64") * BITS["requested"]
    )
    return plan.keep(
        "explained", t.mutate(explained_by=bits).drop("case_bits", "incident_bits", "cited_bits", "cited_name")
    )


def bit(t: ir.Table, mask: int) -> ir.BooleanValue:
    """Whether any of these bits is set in `explained_by`."""
    return (t.explained_by & mask) != 0
