"""An invented force: its people, their duties, and the records, cases and plates there are to look up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from making.dice import Dice

ORGANISATION = "Northmoor Police"
FIRST_DAY = date(2026, 3, 2)  # a Monday
DAYS = 35
#: The clocks go forward: local time (Europe/London) is UTC before it and an hour ahead from it on.
SUMMER_TIME = datetime(2026, 3, 29, 1, 0)  # noqa: DTZ001 - UTC, kept naive like every time in here

#: unit: (role, people, pattern of duty). The names of the patterns are those of `duty`.
UNITS: dict[str, tuple[str, int, str]] = {
    "Response": ("constable", 15, "rota"),
    "Control room": ("dispatcher", 5, "rota"),
    "Custody": ("custody sergeant", 5, "rota"),
    "Murder room": ("detective", 5, "weekdays"),
    "Domestic abuse unit": ("detective", 4, "weekdays"),
    "Proactive team": ("detective", 5, "lates"),
    "Intelligence": ("analyst", 4, "weekdays"),
    "PNC bureau": ("bureau operator", 3, "week"),
    "ANPR desk": ("ANPR operator", 3, "week"),
    "Neighbourhood": ("constable", 5, "weekdays"),
    "Vetting": ("vetting officer", 2, "weekdays"),
    "Evidence store": ("exhibits officer", 2, "weekdays"),
}
_FIRST = ("Ald", "Bram", "Corv", "Dunmar", "Elst", "Farr", "Grims", "Hollo", "Ister", "Jarv", "Keld", "Lorn", "Morv")
_LAST = ("abeth", "ock", "ulon", "erwick", "andrel", "isk", "omere", "uthen", "aday", "ever")


@dataclass(frozen=True)
class Person:
    staff_id: str
    name: str
    unit: str
    role: str
    pattern: str
    team: int
    terminal: str
    user_uuid: str


@dataclass(frozen=True)
class Case:
    case_ref: str
    unit: str
    people: tuple[str, ...]
    plates: tuple[str, ...]
    offence: str


@dataclass(frozen=True)
class Force:
    people: tuple[Person, ...]
    cases: tuple[Case, ...]
    persons: tuple[str, ...]
    plates: tuple[str, ...]

    def unit(self, name: str) -> list[Person]:
        return [p for p in self.people if p.unit == name]

    def cases_of(self, unit: str) -> list[Case]:
        return [c for c in self.cases if c.unit == unit]


def make_force(seed: int) -> Force:
    """The force of a seed: some 58 people, 1,300 persons and 700 vehicles of interest, 60 cases."""
    dice = Dice(seed, "force")
    # No real vehicle carries a plate that begins with ZZ.
    plates = tuple(dict.fromkeys(f"ZZ{dice.between(10, 26)} {dice.letters(3)}" for _ in range(700)))
    persons = tuple(f"PER-{100000 + 37 * i}" for i in range(1300))
    people: list[Person] = []
    names = iter(dice.some([f"{a}{b}" for a in _FIRST for b in _LAST], 60))
    for unit, (role, count, pattern) in UNITS.items():
        for i in range(count):
            number = len(people)
            terminal = f"{unit.split()[0][:4].upper()}-{i // (3 if pattern == 'rota' else 1) + 1:02d}"
            name = f"{dice.one('ABCDEFGHJKLMNPRSTW')}. {next(names)}"
            people.append(Person(f"NM{2041 + 53 * number}", name, unit, role, pattern, i % 5, terminal, dice.uuid()))
    offences = ("burglary", "robbery", "fraud", "vehicle theft", "drugs supply", "assault", "missing person")
    owners = (
        ["Murder room"] * 3 + ["Domestic abuse unit"] * 14 + ["Proactive team"] * 10 + ["Neighbourhood"] * 14
        + ["ANPR desk"] * 12 + ["Response"] * 7
    )  # fmt: skip
    cases = []
    for i, unit in enumerate(owners):
        offence = {"Murder room": "homicide", "Domestic abuse unit": "domestic abuse"}.get(unit) or dice.one(offences)
        size = 60 if unit == "Murder room" else dice.between(2, 7)
        linked = tuple(dice.some(persons, size))
        cases.append(Case(f"NM/{10417 + 61 * i}/26", unit, linked, tuple(dice.some(plates, 1 + size // 3)), offence))
    return Force(tuple(people), tuple(cases), persons, plates)


def duty(person: Person, day: date) -> tuple[datetime, datetime] | None:
    """Start and end, in local time, of the person's turn of duty that begins on `day`; None on a rest day."""
    number = (day - FIRST_DAY).days
    if person.pattern == "rota":
        # Two early turns, two nights, four days off; the teams two days apart.
        hour = (7, 7, 22, 22)[turn] if (turn := (number + 2 * person.team) % 8) < 4 else None
    elif person.pattern == "week":
        hour = 7 if (number + 3 * person.team) % 7 < 5 else None
    else:
        hour = None if day.weekday() >= 5 else {"weekdays": 8, "lates": 13}[person.pattern]
    if hour is None:
        return None
    start = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - local time
    return start, start + timedelta(hours=8)


def to_utc(local: datetime) -> datetime:
    """UTC of a local time; the hour that the clocks skip is taken as if they had not."""
    return local - timedelta(hours=1) if local - timedelta(hours=1) >= SUMMER_TIME else local


def offset_minutes(utc: datetime) -> int:
    return 60 if utc >= SUMMER_TIME else 0
