"""Casework: somebody sits down with a case, opens its file, reads and rereads its people, follows a lead or two."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.chance import Ints, Rng, happens, one_of, repeat, whole, within
from detector.simulate.clock import SECOND
from detector.simulate.day import Day
from detector.simulate.groups import GROUP
from detector.simulate.indices import ADDRESS, CRIME, CUSTODY, EVIDENCE, INTELLIGENCE, PERSON, VEHICLE, Indices
from detector.simulate.organisation import INDEX, KINDS
from detector.simulate.reasons import CONTEXT
from detector.simulate.rows import (
    ANPR,
    CELLS,
    CRIS,
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

#: Of a sitting's look-ups: on a record of the case, on the case file itself, on a lead that no table links to the case.
_ON_CASE, _ON_FILE = 0.80, 0.10
#: Where a person's file is read, by kind of unit: PNC, CRIS, custody, intelligence.
_READ: Final = {
    "intelligence": (0.1, 0.3, 0.05, 0.55),
    "domestic": (0.2, 0.5, 0.25, 0.05),
    "network": (0.05, 0.4, 0, 0.55),
    "proactive": (0.3, 0.35, 0.1, 0.25),
}
_READ_ELSE: Final = (0.3, 0.55, 0.07, 0.08)


def sitting_rows(day: Day) -> Rows:
    rng = day.rng("sittings")
    world, duty = day.world, day.duty
    mean = np.array([kind.sittings for kind in KINDS])[day.kind[duty]] * world.staff.activity[duty]
    actor = repeat(duty, whole(rng.poisson(mean)))
    case = world.cases.pick(rng, actor, day.number)
    old = happens(rng, np.where(np.isin(day.kind[actor], [INDEX["cid"], INDEX["sexual"]]), 0.015, 0), len(actor))
    closed = world.cases.pick_closed(rng, len(actor), day.number)
    old &= closed >= 0
    case = np.where(old, closed, case)
    depth = np.array([kind.depth for kind in KINDS])[day.kind[actor]]
    count = 1 + whole(rng.poisson(np.maximum(depth - 1, 0)))
    begin = day.moment(rng, actor)
    order = within(count)
    pause = whole(rng.exponential(100, len(order))) + 15
    actor, case, old = repeat(actor, count), repeat(case, count), np.repeat(old, count)
    time = repeat(begin, count) + _running(pause, count) * SECOND
    return sat(day, rng, actor, case, time, first=order == 0, appeal=old)


def sat(
    day: Day,
    rng: Rng,
    actor: Ints,
    case: Ints,
    time: Ints,
    *,
    first: np.typing.NDArray[np.bool_],
    appeal: np.typing.NDArray[np.bool_],
) -> Rows:
    """Look-ups of those people in those cases (none: general enquiries) at those times."""
    world, size = day.world, len(actor)
    known = case >= 0
    safe = np.maximum(case, 0)
    lead = world.indices.local_persons(rng, day.district(rng, actor), 1.5)
    chance = rng.random(size)
    record = np.where(chance < _ON_CASE, world.cases.record(rng, safe), lead)
    record = np.where(
        first | ((chance >= _ON_CASE) & (chance < _ON_CASE + _ON_FILE)), safe + world.indices.starts[CRIME], record
    )
    record = np.where(known, record, lead)
    on_case = known & (record != lead)
    system, record = _where(day, rng, actor, record)
    context = np.where(known, world.cases.type[safe], CONTEXT["generic"])
    context = np.where(appeal, CONTEXT["appeal"], context)
    ref_kind, ref = day.case_refs(rng, actor, np.where(known, case, NONE))
    action = _action(rng, system)
    return day.new(
        size,
        time=time,
        operator=actor,
        system=system,
        action=action,
        record=record,
        reason=day.write(rng, context, actor),
        ref_kind=ref_kind,
        ref=ref,
        results=np.where(action == SEARCH, 1 + rng.poisson(1.2, size), 1),
        scope=np.where(system == ANPR, 20 + rng.poisson(60, size), NONE),
        exports=np.where(action == PRINT, 1 + rng.poisson(2, size), NONE),
        group=np.where(appeal, GROUP["closed_appeal"], NONE),
        explained=on_case.astype(np.int64),
    )


def _where(day: Day, rng: Rng, actor: Ints, record: Ints) -> tuple[Ints, Ints]:
    """The system each record is read in, and the record as that system has it."""
    indices, size = day.world.indices, len(actor)
    shares = np.array([_READ.get(kind.key, _READ_ELSE) for kind in KINDS])[day.kind[actor]]
    read = (rng.random(size)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    of_person = np.array([PNC, CRIS, CELLS, INTEL])[np.minimum(read, 3)]
    segment = indices.segment(record)
    system = np.select(
        [segment == PERSON, segment == VEHICLE, segment == ADDRESS, segment == CRIME, segment == EVIDENCE],
        [of_person, np.where(happens(rng, 0.3, size), ANPR, PNC), CRIS, CRIS, FOOTAGE],
        CRIS,
    )
    return system, as_kept(day.world.indices, system, record)


def kept(indices: Indices, system: int, person: int) -> int:
    """`as_kept` of one person."""
    return int(as_kept(indices, np.array([system]), np.array([person]))[0])


def as_kept(indices: Indices, system: Ints, record: Ints) -> Ints:
    """A person's record as custody or the intelligence system keeps it."""
    person = (indices.segment(record) == PERSON) & (record >= 0)
    report = indices.report_of[np.where(person, record, 0)]
    record = np.where(person & (system == CELLS), record + indices.starts[CUSTODY], record)
    return np.where(person & (system == INTEL) & (report >= 0), report + indices.starts[INTELLIGENCE], record)


def _action(rng: Rng, system: Ints) -> Ints:
    size = len(system)
    written = np.array([VIEW, UPDATE, PRINT, SEARCH])[one_of(rng, (0.74, 0.12, 0.05, 0.09), size)]
    return np.where((system == PNC) | (system == ANPR), SEARCH, np.where(system == CRIS, written, VIEW))


def _running(values: Ints, count: Ints) -> Ints:
    """Running sums that begin anew with each group of that count."""
    total = np.cumsum(values)
    if not len(total):
        return total
    start = np.cumsum(count) - count
    before = np.where(start > 0, total[np.maximum(start - 1, 0)], 0)
    return total - repeat(before, count)


def pair_rows(day: Day) -> Rows:
    """Co-suspects that are always read one after the other: the legitimate twin of a partner and the partner's ex."""
    rng = day.rng("pairs")
    people = day.of_kind("cid", "domestic", "offender")
    people = people[happens(rng, 0.12, len(people))]
    case = day.world.cases.pick(rng, people, day.number)
    people, case = people[case >= 0], case[case >= 0]
    start = day.world.cases.record_start[case]
    two = np.minimum(start + 1, day.world.cases.record_start[case + 1] - 1)
    time = day.moment(rng, people)
    parts = []
    for at, later in ((start, 0), (two, 70)):
        record = day.world.cases.records[at]
        ref_kind, ref = day.case_refs(rng, people, case)
        system, record = _where(day, rng, people, record)
        parts.append(
            day.new(
                len(people),
                time=time + later * SECOND,
                operator=people,
                system=system,
                record=record,
                ref=ref,
                action=_action(rng, system),
                reason=day.write(rng, day.world.cases.type[case], people),
                ref_kind=ref_kind,
                explained=1,
            )
        )
    return together(parts)
