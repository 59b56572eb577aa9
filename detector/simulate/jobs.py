"""Look-ups that come from incidents: a stop, a call. Plate, then by itself the keeper, then the people there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Bools, Ints, Rng, distinct, happens, repeat, whole, within
from detector.simulate.clock import MINUTE, SECOND
from detector.simulate.day import Day
from detector.simulate.groups import GROUP
from detector.simulate.indices import ADDRESS
from detector.simulate.organisation import INDEX, KINDS
from detector.simulate.reasons import CONTEXT
from detector.simulate.rows import INCIDENT_REF, KEY_BITS, NONE, Rows, together

#: Incidents attended that are written down in time; the rest are stops nobody logged.
LOGGED: Final = 0.88
#: Plate checks that fire a query for the keeper by themselves.
AUTOMATIC: Final = 0.66
#: Incident numbers a day that jobs may have; those above are for custody and for serious incidents.
_NUMBERS: Final = 900_000


@dataclass(frozen=True)
class Incidents:
    """One row for each record and member of staff. `number` names the incident; times are local."""

    number: Ints
    start: Ints
    end: Ints
    record: Ints
    staff: Ints


@dataclass(frozen=True)
class _Jobs:
    actor: Ints
    time: Ints
    number: Ints
    logged: Bools
    drives: Bools
    vehicle: Ints
    person: Ints
    reason: Ints
    surge: Bools

    def take(self, which: Bools) -> _Jobs:
        return _Jobs(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def job_rows(day: Day) -> tuple[Rows, Incidents]:
    """The day's look-ups for jobs, and what the incident log says of them."""
    rng = day.rng("jobs")
    jobs = _jobs(day, rng)
    rows = [_plates(day, rng, jobs), _persons(day, rng, jobs), _places(day, rng, jobs)]
    partner_rows, partners, joined = _partners(day, rng, jobs)
    rows += [partner_rows, _dispatchers(day, rng, jobs)]
    found = together([*rows])
    automatic = automatic_keepers(day, rng, found)
    return together([found, automatic]), _log(rng, jobs, partners, joined)


def _jobs(day: Day, rng: Rng) -> _Jobs:
    world, duty = day.world, day.duty
    kind = day.kind[duty]
    surge = world.roster.surge[duty, day.number]
    mean = np.where(surge, 7.0, np.array([k.jobs for k in KINDS])[kind]) * world.staff.activity[duty]
    mean = mean * (1 + 0.15 * day.number / max(world.days, 60))  # demand grows slowly
    count = whole(rng.poisson(mean))
    actor = repeat(duty, count)
    size = len(actor)
    district = day.district(rng, actor)
    drives = happens(rng, np.where(day.kind[actor] == INDEX["traffic"], 0.92, 0.5), size)
    vehicle = world.indices.local_vehicles(rng, district)
    own = happens(rng, 0.6, size) & drives
    person = np.where(own, world.indices.keepers(vehicle), world.indices.local_persons(rng, district))
    return _Jobs(
        actor,
        day.moment(rng, actor),
        world.clock.date(day.number).toordinal() * 10**6 + distinct(rng, size, _NUMBERS),
        happens(rng, LOGGED, size),
        drives,
        vehicle,
        person,
        day.write(rng, np.where(drives, CONTEXT["stop"], CONTEXT["call"]), actor),
        np.repeat(surge, count),
    )


def _fields(day: Day, rng: Rng, jobs: _Jobs) -> dict[str, Ints]:
    ref_kind, ref = day.refer(rng, jobs.actor, INCIDENT_REF, np.where(jobs.logged, jobs.number, NONE))
    night = np.isin(day.kind[jobs.actor], INDEX["response"]) & (day.world.roster.begin[jobs.actor, day.number] > 1200)
    group = np.select(
        [jobs.surge, ~jobs.logged, night], [GROUP["surge"], GROUP["unlogged_stop"], GROUP["night_response"]], NONE
    )
    operator, requester = _through_bureau(day, rng, jobs)
    return {
        "operator": operator, "requester": requester, "reason": jobs.reason, "ref_kind": ref_kind, "ref": ref,
        "group": group, "explained": jobs.logged.astype(np.int64),
    }  # fmt: skip


def _through_bureau(day: Day, rng: Rng, jobs: _Jobs) -> tuple[Ints, Ints]:
    """Operator and requester: three in ten ask over the radio, where a bureau operator is on duty."""
    bureau = day.of_kind("bureau")
    if not len(bureau):
        return jobs.actor, np.full(len(jobs.actor), NONE)
    operator = day.one_of(rng, bureau, len(jobs.actor))
    asks = happens(rng, 0.3, len(jobs.actor)) & day.present(operator, jobs.time)
    return np.where(asks, operator, jobs.actor), np.where(asks, jobs.actor, NONE)


def _plates(day: Day, rng: Rng, all_jobs: _Jobs) -> Rows:
    jobs = all_jobs.take(all_jobs.drives)
    found = happens(rng, 0.93, len(jobs.actor)).astype(np.int64)
    return day.new(
        len(jobs.actor), time=jobs.time, record=jobs.vehicle, found=found, results=found, **_fields(day, rng, jobs)
    )


def automatic_keepers(day: Day, rng: Rng, rows: Rows, share: float = AUTOMATIC) -> Rows:
    """What a plate check on PNC spawns by itself a second later: the keeper's name, with the same reason."""
    indices = day.world.indices
    plates = (indices.segment(rows["record"]) == 1) & (rows["found"] == 1) & (rows["system"] == 0)
    plates &= rows["parent"] == NONE
    spawning = rows.take(plates & happens(rng, share, len(rows)))
    count = len(spawning)
    keys = (day.number << KEY_BITS) + day.keys + np.arange(count)
    day.keys += count
    return spawning.having(
        key=keys, time=spawning["time"] + SECOND, record=indices.keepers(spawning["record"]), parent=spawning["key"]
    )


def _persons(day: Day, rng: Rng, all_jobs: _Jobs) -> Rows:
    """The person the job is about, and whoever is with them."""
    count = whole(happens(rng, 0.75, len(all_jobs.actor))) + rng.poisson(0.45, len(all_jobs.actor))
    jobs = _Jobs(*(np.repeat(getattr(all_jobs, name), count) for name in _Jobs.__dataclass_fields__))
    order, size = within(count), len(jobs.actor)
    others = day.world.indices.local_persons(rng, day.district(rng, jobs.actor), 1.8)
    found = happens(rng, 0.88, size).astype(np.int64)
    return day.new(
        size,
        time=jobs.time + (2 + 3 * order) * MINUTE + whole(rng.random(size) * 150) * SECOND,
        record=np.where(order == 0, jobs.person, others),
        found=found,
        results=found * (1 + rng.poisson(0.8, size)),
        **_fields(day, rng, jobs),
    )


def _places(day: Day, rng: Rng, all_jobs: _Jobs) -> Rows:
    jobs = all_jobs.take(~all_jobs.drives & happens(rng, 0.3, len(all_jobs.actor)))
    person = np.minimum(jobs.person, day.world.indices.persons - 1)
    return day.new(
        len(jobs.actor),
        time=jobs.time + 6 * MINUTE + whole(rng.random(len(jobs.actor)) * 200) * SECOND,
        record=day.world.indices.address[person] + day.world.indices.starts[ADDRESS],
        **_fields(day, rng, jobs),
    )


def _partners(day: Day, rng: Rng, all_jobs: _Jobs) -> tuple[Rows, Ints, Bools]:
    """A colleague on the same job who checks the same person again; also who it was, and at which jobs."""
    crew = day.of_kind("response", "neighbourhood", "traffic")
    if not len(crew):
        return together([]), np.empty(0, dtype=np.int64), np.zeros(len(all_jobs.actor), dtype=np.bool_)
    mate = day.one_of(rng, crew, len(all_jobs.actor))
    units = day.world.units.district
    joins = happens(rng, 0.5, len(mate)) & day.present(mate, all_jobs.time) & (mate != all_jobs.actor)
    joins &= units[day.unit[mate]] == units[day.unit[all_jobs.actor]]
    jobs, mates = all_jobs.take(joins), mate[joins]
    fields = _fields(day, rng, jobs) | {"operator": mates, "requester": np.full(len(mates), NONE)}
    fields["reason"] = day.write(rng, np.where(jobs.drives, CONTEXT["stop"], CONTEXT["call"]), mates)
    time = jobs.time + whole(rng.uniform(-3, 15, len(mates)) * 60) * SECOND
    return day.new(len(mates), time=time, record=jobs.person, **fields), mates, joins


def _dispatchers(day: Day, rng: Rng, all_jobs: _Jobs) -> Rows:
    """The control room looks at the caller, the place or the plate before anybody arrives."""
    room = day.of_kind("control")
    if not len(room):
        return together([])
    who = day.one_of(rng, room, len(all_jobs.actor))
    takes = happens(rng, 0.85, len(who)) & day.present(who, all_jobs.time) & all_jobs.logged
    jobs, who = all_jobs.take(takes), who[takes]
    fields = _fields(day, rng, jobs) | {"operator": who, "requester": np.full(len(who), NONE)}
    fields["reason"] = day.write(rng, "call", who)
    record = np.where(jobs.drives & happens(rng, 0.5, len(who)), jobs.vehicle, jobs.person)
    return day.new(
        len(who), time=jobs.time - whole(rng.uniform(1, 12, len(who)) * 60) * SECOND, record=record, **fields
    )


def _log(rng: Rng, jobs: _Jobs, partners: Ints, joined: Bools) -> Incidents:
    """The incident log: the person, and the vehicle where there is one, for the officer and for the colleague."""
    length = whole(rng.gamma(2, 20, len(jobs.actor)) + 10) * MINUTE
    crew = np.full(len(jobs.actor), NONE)
    crew[joined] = partners
    parts = []
    for staff, record, there in (
        (jobs.actor, jobs.person, jobs.logged),
        (jobs.actor, jobs.vehicle, jobs.logged & jobs.drives),
        (crew, jobs.person, jobs.logged & (crew >= 0)),
        (crew, jobs.vehicle, jobs.logged & (crew >= 0) & jobs.drives),
    ):
        start = jobs.time[there] - 15 * MINUTE
        parts.append((jobs.number[there], start, start + length[there] + 15 * MINUTE, record[there], staff[there]))
    return Incidents(*(np.concatenate([part[i] for part in parts]) for i in range(5)))
