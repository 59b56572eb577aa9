"""Legitimate doubles of misuse that no ordinary day makes often enough by itself."""

from __future__ import annotations

import numpy as np

from detector.simulate.chance import happens, repeat, stream, whole, within
from detector.simulate.clock import MINUTE, SECOND
from detector.simulate.day import Day
from detector.simulate.groups import GROUP
from detector.simulate.indices import VEHICLE
from detector.simulate.jobs import Incidents
from detector.simulate.reasons import CONTEXT
from detector.simulate.rows import ANPR, BROAD, CRIS, INCIDENT_REF, PNC, SEARCH, VIEW, Rows, together


def twin_rows(day: Day) -> tuple[Rows, Incidents]:
    live, log = live_incidents(day)
    return together([live, fugitive_hunts(day), log_in_tests(day), wide_descriptions(day), staff_victims(day)]), log


def live_incidents(day: Day) -> tuple[Rows, Incidents]:
    """Something serious: a dozen or two look at one person within the hour, and the log names a few of them."""
    rng = day.rng("live")
    people = day.of_kind("response", "control", "cid", "intelligence", "proactive")
    count = rng.poisson(0.5 * day.world.units.districts)
    if len(people) < 8 or not count:
        return together([]), _no_incidents()
    size = whole(rng.integers(6, 24, count))
    start = day.world.clock.at(day.number, whole(rng.uniform(60, 1380, count)))
    subject = day.world.indices.local_persons(rng, whole(rng.random(count) * day.world.units.districts), 1.3)
    incident = repeat(np.arange(count), size)
    who = day.one_of(rng, people, len(incident))
    time = start[incident] + whole(rng.gamma(1.5, 22, len(who)) * 60) * SECOND
    here = day.present(who, time)
    who, time, incident = who[here], time[here], incident[here]
    number = day.world.clock.date(day.number).toordinal() * 10**6 + 950_000 - np.arange(count)
    ref_kind, ref = day.refer(rng, who, INCIDENT_REF, number[incident])
    rows = day.new(
        len(who),
        time=time,
        operator=who,
        system=np.where(happens(rng, 0.5, len(who)), PNC, CRIS),
        record=subject[incident],
        action=SEARCH,
        reason=day.write(rng, "call", who),
        ref_kind=ref_kind,
        ref=ref,
        group=GROUP["live_incident"],
        explained=1,
    )
    named = happens(rng, 0.4, len(who))
    return rows, Incidents(
        number[incident][named],
        start[incident][named],
        start[incident][named] + 240 * MINUTE,
        subject[incident][named],
        who[named],
    )


def fugitive_hunts(day: Day) -> Rows:
    """One plate, many times a day for weeks, by a team that hunts its driver; the case is there, the reasons vary."""
    rng = day.rng("hunts")
    hunters = day.of_kind("proactive", "anpr", "cid")
    # Who hunts whom changes every three weeks: a tenth of the team, each with a plate of a case of theirs.
    term = day.number // 21
    chosen = stream(day.world.options.seed, "hunters", term).random(len(day.unit))[hunters] < 0.06
    who = hunters[chosen]
    count = whole(rng.poisson(4.0, len(who)))
    who = repeat(who, count)
    plate = day.world.indices.at(VEHICLE, (who * 7919 + term * 104_729) % len(day.world.indices.keeper))
    case = day.world.cases.pick(rng, who, day.number)
    ref_kind, ref = day.case_refs(rng, who, case)
    return day.new(
        len(who),
        time=day.moment(rng, who),
        operator=who,
        system=ANPR,
        record=plate,
        scope=40 + rng.poisson(160, len(who)),
        reason=day.write(rng, "anpr", who),
        ref_kind=ref_kind,
        ref=ref,
        group=GROUP["fugitive_hunt"],
    )


def log_in_tests(day: Day) -> Rows:
    """Trainers, and people back from leave, type their own name to see whether the log-in works."""
    rng = day.rng("tests")
    who = day.duty[happens(rng, 0.0012, len(day.duty))]
    return day.new(
        len(who),
        time=day.moment(rng, who),
        operator=who,
        record=who,
        reason=day.write(rng, "training", who),
        group=GROUP["log_in_test"],
    )


def wide_descriptions(day: Day) -> Rows:
    """A witness saw half a plate and a red jacket: a search with hundreds of hits, then one or two are opened."""
    rng = day.rng("wide")
    who = day.of_kind("cid", "response", "proactive", "intelligence")
    who = who[happens(rng, 0.05, len(who))]
    size = len(who)
    start = day.moment(rng, who)
    hits = whole(np.exp(rng.normal(5.0, 1.0, size)))
    case = day.world.cases.pick(rng, who, day.number)
    ref_kind, ref = day.case_refs(rng, who, case)
    context = np.full(size, CONTEXT["witness_description"])
    search = day.new(
        size,
        time=start,
        operator=who,
        query=BROAD,
        results=hits,
        reason=day.write(rng, context, who),
        ref_kind=ref_kind,
        ref=ref,
        group=GROUP["wide_description"],
    )
    opened = repeat(np.arange(size), whole(rng.integers(1, 4, size)))
    again = who[opened]
    view = day.new(
        len(opened),
        time=start[opened] + (1 + within(np.bincount(opened, minlength=size))) * 75 * SECOND,
        operator=again,
        system=CRIS,
        action=VIEW,
        record=day.world.indices.local_persons(rng, day.district(rng, again), 1.4),
        reason=day.write(rng, context[opened], again),
        ref_kind=ref_kind[opened],
        ref=ref[opened],
        group=GROUP["wide_description"],
    )
    return together([search, view])


def staff_victims(day: Day) -> Rows:
    """An officer was assaulted or burgled: those who investigate read a colleague's record, more than once."""
    rng = day.rng("victims")
    people = day.of_kind("cid", "domestic", "standards")
    if not len(people):
        return together([])
    count = whole(rng.poisson(0.0006 * len(day.unit)))
    victim = whole(rng.random(int(count)) * day.world.indices.staff)
    who = repeat(day.one_of(rng, people, len(victim)), np.full(len(victim), 4))
    case = day.world.cases.pick(rng, who, day.number)
    ref_kind, ref = day.case_refs(rng, who, case)
    return day.new(
        len(who),
        time=day.moment(rng, who),
        operator=who,
        system=CRIS,
        action=VIEW,
        record=repeat(victim, np.full(len(victim), 4)),
        reason=day.write(rng, "assault", who),
        ref_kind=ref_kind,
        ref=ref,
        group=GROUP["staff_victim"],
    )


def _no_incidents() -> Incidents:
    none = np.empty(0, dtype=np.int64)
    return Incidents(none, none, none, none, none)
