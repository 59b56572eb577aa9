"""Work that follows no case: custody, bureau, ANPR desk, vetting, licensing, collision reports, the clerks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Ints, Rng, below, happens, heavy, one_of, repeat, scramble, whole, within
from detector.simulate.clock import MINUTE, SECOND
from detector.simulate.day import Day
from detector.simulate.indices import ADDRESS, CRIME, CUSTODY, EVIDENCE, INTELLIGENCE, PHONE, VEHICLE
from detector.simulate.jobs import Incidents
from detector.simulate.organisation import INDEX, KINDS
from detector.simulate.rows import (
    ANPR,
    CELLS,
    CREATE,
    CRIS,
    DELETE,
    DISCLOSE,
    EXPORT,
    FOOTAGE,
    INTEL,
    NONE,
    PNC,
    PRINT,
    SEARCH,
    UPDATE,
    VIEW,
    Rows,
    together,
)
from detector.simulate.sittings import as_kept

#: Which records people of a desk look up: a function of day, chance, the people, and each look-up's number that day.
Subjects = Callable[[Day, Rng, Ints, Ints], Ints]


@dataclass(frozen=True)
class Desk:
    """`actions` and `shares`: what is done how often. `exports`: items in a print or export."""

    system: int
    subjects: Subjects
    context: str
    actions: tuple[int, ...] = (SEARCH,)
    shares: tuple[float, ...] = (1.0,)
    results: float = 1.5
    scope: float = 0.0
    exports: float = 2.0
    bursts: int = 1
    recipient: int = NONE


def _locals(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    return day.world.indices.local_persons(rng, day.district(rng, staff))


def _places(day: Day, rng: Rng, staff: Ints, number: Ints) -> Ints:
    person = _locals(day, rng, staff, number)
    place = day.world.indices.address[person] + day.world.indices.starts[ADDRESS]
    return np.where(happens(rng, 0.5, len(staff)), place, person)


def _reports(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    indices = day.world.indices
    return indices.at(INTELLIGENCE, heavy(rng, np.full(len(staff), len(indices.subject)), 1.8))


def _phones(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    return day.world.indices.at(PHONE, heavy(rng, np.full(len(staff), len(day.world.indices.owner)), 1.8))


def _plates(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    """Half of them are what the cameras are told to look for: a list that changes week by week."""
    indices = day.world.indices
    wanted = whole(
        scramble(heavy(rng, np.full(len(staff), 300), 1.6) + 1000 * (day.number // 7), 23)
        % np.uint64(len(indices.keeper))
    )
    strangers = indices.local_vehicles(rng, day.district(rng, staff))
    return np.where(happens(rng, 0.5, len(staff)), indices.at(VEHICLE, wanted), strangers)


def _vehicles(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    return day.world.indices.local_vehicles(rng, day.district(rng, staff), 1.0)


def _colleagues(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    """Those whose vetting is due: staff, their partners and relatives, and applicants."""
    indices = day.world.indices
    who = whole(rng.random(len(staff)) * indices.staff)
    relation = indices.staff * one_of(rng, (0.55, 0.2, 0.1, 0.15), len(staff))
    return who + relation


def _files(segment: int) -> Subjects:
    """Files or footage of recent cases of anybody."""

    def subjects(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
        opened = int(np.searchsorted(day.world.cases.outline.opened, day.number))
        back = heavy(rng, np.full(len(staff), opened), 1.6)
        return day.world.indices.at(segment, opened - 1 - back)

    return subjects


def _own_list(period: int) -> Subjects:
    """The same people again and again, each every `period` days: a caseload of one's own."""

    def subjects(day: Day, rng: Rng, staff: Ints, number: Ints) -> Ints:
        # A third of the list is not due yet and looked at all the same.
        due = np.where(happens(rng, 0.3, len(staff)), whole(rng.random(len(staff)) * period), day.number % period)
        return whole(scramble(staff * 4096 + due * 64 + number, 29) % np.uint64(day.world.indices.persons))

    return subjects


def _witnesses(day: Day, rng: Rng, staff: Ints, _number: Ints) -> Ints:
    cases = day.world.cases
    opened = int(np.searchsorted(cases.outline.opened, day.number))
    case = opened - 1 - heavy(rng, np.full(len(staff), opened), 1.3)
    at = np.minimum(cases.record_start[case] + below(rng, np.full(len(staff), 2)), cases.record_start[case + 1] - 1)
    return whole(cases.records[at])


def _in_the_news(day: Day, rng: Rng, staff: Ints, number: Ints) -> Ints:
    """What was, or is about to be, published; else any recent case."""
    watch = day.world.watch
    near = np.flatnonzero(np.abs(watch.story_day - day.number) <= 3)
    other = _files(CRIME)(day, rng, staff, number)
    if not len(near):
        return other
    return np.where(
        happens(rng, 0.7, len(staff)), watch.story_record[near[below(rng, np.full(len(staff), len(near)))]], other
    )


DESKS: Final = {
    "control": Desk(PNC, _places, "call"),
    "custody": Desk(CELLS, _locals, "custody", (VIEW, CREATE, UPDATE, PRINT), (0.6, 0.15, 0.2, 0.05)),
    "intelligence": Desk(INTEL, _reports, "intelligence", (VIEW, SEARCH, EXPORT), (0.7, 0.25, 0.05), results=12),
    "network": Desk(INTEL, _phones, "network", (SEARCH, VIEW, EXPORT), (0.6, 0.3, 0.1), results=60, exports=25),
    "anpr": Desk(ANPR, _plates, "anpr", scope=140),
    "bureau": Desk(PNC, _locals, "generic"),
    "vetting": Desk(PNC, _colleagues, "vetting"),
    "collision": Desk(
        PNC, _vehicles, "collision", (SEARCH, PRINT, DISCLOSE), (0.6, 0.3, 0.1), exports=1.5, recipient=0
    ),
    "disclosure": Desk(
        FOOTAGE,
        _files(EVIDENCE),
        "disclosure",
        (VIEW, EXPORT, DISCLOSE),
        (0.7, 0.2, 0.1),
        exports=4,
        bursts=6,
        recipient=1,
    ),
    "quality": Desk(CRIS, _locals, "quality", (VIEW, UPDATE, DELETE), (0.4, 0.55, 0.05), bursts=8),
    "licensing": Desk(PNC, _own_list(28), "licensing"),
    "offender": Desk(CELLS, _own_list(7), "offender", (VIEW, UPDATE), (0.9, 0.1)),
    "witness": Desk(CRIS, _witnesses, "witness", (VIEW, UPDATE), (0.85, 0.15)),
    "training": Desk(CRIS, _locals, "training", (VIEW, SEARCH), (0.5, 0.5), bursts=4),
    "press": Desk(CRIS, _in_the_news, "press", (VIEW, PRINT), (0.9, 0.1)),
    "headquarters": Desk(CRIS, _locals, "headquarters", (VIEW, PRINT), (0.9, 0.1)),
    "command": Desk(CRIS, _files(CRIME), "headquarters", (VIEW,), (1.0,)),
}


def desk_rows(day: Day) -> tuple[Rows, Incidents]:
    """The look-ups of every desk, and the arrivals in custody, which the incident log knows."""
    parts = []
    arrivals = None
    for key, desk in DESKS.items():
        rng = day.rng(f"desk/{key}")
        people = day.of_kind(key)
        mean = KINDS[INDEX[key]].desk * day.world.staff.activity[people]
        count = whole(rng.poisson(mean))
        rows = _work(day, rng, desk, repeat(people, count), within(count))
        if key == "custody":
            arrivals = _arrivals(day, rng, rows)
            rows = rows.having(explained=1)
        if key == "bureau":
            rows = _on_request(day, rng, rows)
        parts.append(rows)
    if arrivals is None:
        raise AssertionError("custody is a desk")
    return together(parts), arrivals


def _work(day: Day, rng: Rng, desk: Desk, staff: Ints, number: Ints) -> Rows:
    size = len(staff)
    action = np.array(desk.actions)[one_of(rng, desk.shares, size)]
    out = np.isin(action, (PRINT, EXPORT, DISCLOSE))
    record = as_kept(day.world.indices, np.full(size, desk.system), desk.subjects(day, rng, staff, number))
    # A desk works in bursts: its look-ups come a few together, half a minute or so apart.
    time = day.moment(rng, staff)
    if desk.bursts > 1 and size:
        leader = np.arange(size) - np.minimum(number, number % desk.bursts)
        time = time[leader] + (number % desk.bursts) * (20 + whole(rng.random(size) * 40)) * SECOND
    return day.new(
        size,
        time=time,
        operator=staff,
        system=desk.system,
        action=action,
        record=record,
        reason=day.write(rng, desk.context, staff),
        results=np.where(action == SEARCH, whole(rng.gamma(1.2, desk.results, size)) + 1, 1),
        scope=whole(rng.gamma(2, desk.scope / 2, size)) + 1 if desk.scope else NONE,
        exports=np.where(out, 1 + rng.poisson(desk.exports, size), NONE),
        recipient=np.where(action == DISCLOSE, desk.recipient, NONE),
    )


def _on_request(day: Day, rng: Rng, rows: Rows) -> Rows:
    """A bureau keys for whoever telephones: detectives, neighbourhood, offices."""
    callers = day.of_kind("cid", "neighbourhood", "domestic", "offender", "witness", "custody")
    if not len(callers):
        return rows
    return rows.having(requester=day.one_of(rng, callers, len(rows)))


def _arrivals(day: Day, rng: Rng, rows: Rows) -> Incidents:
    """A row of the incident log for nearly every custody record that was touched."""
    there = rows.take(happens(rng, 0.9, len(rows)))
    number = day.world.clock.date(day.number).toordinal() * 10**6 + 999_999 - np.arange(len(there))
    person = there["record"] - np.where(there["record"] >= 0, day.world.indices.starts[CUSTODY], 0)
    start = there["time"] - whole(rng.uniform(5, 300, len(there))) * MINUTE
    twice = np.concatenate  # the person and the custody record itself
    return Incidents(
        twice([number, number]),
        twice([start, start]),
        twice([start + 600 * MINUTE] * 2),
        twice([person, there["record"]]),
        twice([there["operator"]] * 2),
    )
