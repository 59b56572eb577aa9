"""Who is on duty when: shift patterns, leave and sickness, overtime, swaps, and days when everybody is called in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detector.simulate.chance import Bools, Ints, Rng, happens, scramble, stream, whole
from detector.simulate.clock import Clock
from detector.simulate.organisation import INDEX, KINDS, LATES, OFFICE, ROTA, SHIFTS, WEEK, WEEKDAYS, Units
from detector.simulate.people import Staff

Minutes = npt.NDArray[np.int16]
ABSENCE_KINDS: Final = ("leave", "sick", "suspended")
#: Kinds called in on a day of public disorder.
_CALLED: Final = ("response", "neighbourhood", "traffic", "cid", "domestic", "proactive", "offender")


@dataclass(frozen=True)
class Absences:
    staff: Ints
    first: Ints  # day
    last: Ints
    kind: Ints


@dataclass(frozen=True)
class Roster:
    """By member of staff and day. Times are minutes from local midnight of the day the turn of duty begins."""

    on: Bools
    begin: Minutes
    finish: Minutes
    planned_finish: Minutes
    listed: Bools  # whether the shift table knows of the turn
    surge: Bools
    absences: Absences
    away: Bools


def make_roster(seed: int, clock: Clock, staff: Staff, units: Units) -> Roster:
    shape = (len(staff), clock.days)
    on, listed, surge = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    begin, finish, planned = (np.zeros(shape, dtype=np.int16) for _ in range(3))
    absences = _absences(stream(seed, "absences"), staff, clock.days)
    away = _away(absences, shape)
    surge_days = _surge_days(stream(seed, "surges"), clock)
    for day in range(clock.days):
        rng = stream(seed, "roster", day)
        works, start, length = _pattern(clock, day, staff, units)
        swap = happens(rng, 0.015, len(staff))  # works a rest day, or does not come
        works = (works ^ swap) & (staff.starts_on <= day) & (staff.ends_on >= day) & ~away[:, day]
        called = np.isin(units.kind[staff.unit_on(day)], [INDEX[key] for key in _CALLED])
        called &= happens(rng, 0.25 if day in surge_days else 0.0, len(staff)) & ~away[:, day]
        called &= (staff.starts_on <= day) & (staff.ends_on >= day)
        start, length = np.where(called, 720, start), np.where(called, 720, length)
        works |= called
        start = start + whole(rng.normal(0, 9, len(staff)))
        overtime = np.where(happens(rng, 0.1, len(staff)), whole(rng.exponential(70, len(staff))), 0)
        on[:, day], surge[:, day] = works, called
        begin[:, day] = np.clip(start, 1, 1430)
        planned[:, day] = begin[:, day] + length
        finish[:, day] = planned[:, day] + np.minimum(overtime, 360)
        listed[:, day] = works & ~(swap & happens(rng, 0.3, len(staff))) & ~(called & happens(rng, 0.3, len(staff)))
    return Roster(on, begin, finish, planned, listed, surge, absences, away)


def _pattern(clock: Clock, day: int, staff: Staff, units: Units) -> tuple[Bools, Ints, Ints]:
    """Whether each works by pattern, from which minute, for how many."""
    pattern = np.array([kind.pattern for kind in KINDS])[units.kind[staff.unit_on(day)]]
    who = np.arange(len(staff))
    own = whole(scramble(who, 7) % np.uint64(420))  # a number of one's own, to spread teams and weeks
    weekday, week = clock.weekday(day), (clock.first.toordinal() + day) // 7
    # Two earlies, two lates, two nights, four days off; five teams, two days apart.
    turn = (clock.first.toordinal() + day + 2 * (own % 5)) % 10
    late_week = (week + own) % 2 == 1
    weekend = weekday >= 5
    turn_start = np.array([7, 7, 14, 14, 22, 22, 0, 0, 0, 0])[turn] * 60
    flexible = 450 + own % 120
    works = np.select(
        [pattern == ROTA, pattern == SHIFTS, pattern == WEEKDAYS, pattern == LATES, pattern == WEEK, pattern == OFFICE],
        [
            turn < 6,
            (own + day) % 7 < 5,
            (not weekend) | ((week + own) % 6 == 0) & (weekday == 5),
            (not weekend) | ((week + own) % 4 == 0),
            (own + day) % 7 < 5,
            np.full(len(staff), not weekend),
        ],
    )
    start = np.select(
        [pattern == ROTA, pattern == SHIFTS, pattern == LATES, pattern == WEEK],
        [turn_start, np.where(late_week, 840, 480), np.where(late_week, 840, 540), np.where(late_week, 840, 420)],
        flexible,
    )
    length = np.select([pattern == ROTA, pattern == LATES], [540, 540], 490)
    return works.astype(np.bool_), whole(start), whole(length)


def _absences(rng: Rng, staff: Staff, days: int) -> Absences:
    blocks = rng.poisson(days / 50, len(staff))
    who = np.repeat(np.arange(len(staff)), blocks)
    first = whole(rng.uniform(-10, days, len(who)))
    length = whole(rng.gamma(2.0, 4.0, len(who))) + 1
    kind = (rng.random(len(who)) < 0.2).astype(np.int64)
    suspended = np.flatnonzero(happens(rng, 0.003, len(staff)))
    begins = whole(rng.uniform(-20, days, len(suspended)))
    return Absences(
        np.concatenate([who, suspended]),
        np.concatenate([first, begins]),
        np.concatenate([first + length, begins + whole(rng.uniform(20, 150, len(suspended)))]),
        np.concatenate([kind, np.full(len(suspended), 2)]),
    )


def _away(absences: Absences, shape: tuple[int, int]) -> Bools:
    away = np.zeros(shape, dtype=np.bool_)
    for who, first, last in zip(absences.staff, absences.first, absences.last, strict=True):
        away[who, max(first, 0) : max(last + 1, 0)] = True
    return away


def _surge_days(rng: Rng, clock: Clock) -> frozenset[int]:
    """One weekend a month, both days of it."""
    saturdays = [day for day in range(clock.days) if clock.weekday(day) == 5]
    chosen = [day for day in saturdays if rng.random() < 0.25]
    return frozenset(day + extra for day in chosen for extra in (0, 1))
