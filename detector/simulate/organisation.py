"""The kinds of unit a force has, what each does on a turn of duty, and the units of one force.

Shares are of the whole staff, volumes are means for one turn of duty; the volumes of the busy desks are those that
make them hard negatives: a murder room's 50-500 look-ups a day each, a proactive detective's 60-150, a bureau's
150-400.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Ints

#: Duty patterns; what they mean is in roster.py.
ROTA, SHIFTS, WEEKDAYS, LATES, WEEK, OFFICE = range(6)


@dataclass(frozen=True)
class Kind:
    """`jobs`: incidents attended; `sittings`: sittings on a case, of `depth` look-ups; `desk`: other look-ups.

    `cases`: new cases a person and 30 days, each with about `subjects` people, `life` days, `team` investigators.
    `group`: the hard-negative group that its people form, if any.
    """

    key: str
    title: str
    role: str
    share: float
    pattern: int
    size: int
    jobs: float = 0.0
    sittings: float = 0.0
    depth: float = 3.0
    desk: float = 0.0
    cases: float = 0.0
    subjects: float = 2.0
    life: float = 30.0
    team: int = 1
    local: bool = True
    group: str = ""


KINDS: Final = (
    Kind("response", "Response", "constable", 0.30, ROTA, 40, jobs=4.2, sittings=0.5, cases=0.8, life=25),
    Kind("neighbourhood", "Neighbourhood", "constable", 0.13, SHIFTS, 20, jobs=1.6, sittings=0.8, cases=0.5, life=40),
    Kind("traffic", "Roads policing", "constable", 0.04, ROTA, 25, jobs=6.5, sittings=0.2, cases=0.3),
    Kind("control", "Control room", "dispatcher", 0.05, ROTA, 60, desk=4),
    Kind("custody", "Custody", "custody officer", 0.03, ROTA, 20, desk=14, group="custody"),
    Kind("cid", "CID", "detective", 0.12, WEEKDAYS, 25, sittings=3.5, cases=2.5, subjects=3, life=45, team=2),
    Kind(
        "domestic", "Domestic abuse", "detective", 0.03, WEEKDAYS, 15, sittings=6, depth=3, cases=3, life=60, team=2,
        group="domestic_abuse",
    ),
    Kind("sexual", "Sexual offences", "detective", 0.02, WEEKDAYS, 15, sittings=4, cases=1.5, life=90, team=2),
    Kind(
        "proactive", "Proactive", "detective", 0.025, LATES, 12, sittings=14, depth=6, cases=1.2, subjects=9, life=60,
        team=5, group="proactive",
    ),
    Kind(
        "murder", "Murder room", "detective", 0.012, WEEKDAYS, 30, sittings=18, depth=7, cases=0.12, subjects=110,
        life=75, team=30, local=False, group="murder_room",
    ),
    Kind("intelligence", "Intelligence", "analyst", 0.03, WEEKDAYS, 20, sittings=6, depth=4, desk=5, cases=0.6,
         subjects=6, life=50, team=3),
    Kind(
        "network", "Network analysis", "analyst", 0.004, OFFICE, 8, sittings=9, depth=9, desk=8, cases=0.3, subjects=40,
        life=70, team=3, local=False, group="network_analysts",
    ),
    Kind("anpr", "ANPR desk", "ANPR operator", 0.006, WEEK, 15, desk=80, local=False, group="anpr_desk"),
    Kind("bureau", "PNC bureau", "bureau operator", 0.006, WEEK, 30, desk=6, local=False, group="bureau"),
    Kind("vetting", "Vetting", "vetting officer", 0.004, OFFICE, 10, desk=40, local=False, group="vetting"),
    Kind(
        "standards", "Professional standards", "investigator", 0.004, OFFICE, 12, sittings=4, depth=3, cases=1,
        life=90, local=False, group="professional_standards",
    ),
    Kind("collision", "Collision unit", "clerk", 0.006, OFFICE, 10, desk=35, local=False),
    Kind("disclosure", "Disclosure", "disclosure officer", 0.012, OFFICE, 15, desk=18),
    Kind("quality", "Data quality", "clerk", 0.006, OFFICE, 12, desk=40, local=False),
    Kind("licensing", "Firearms licensing", "licensing officer", 0.008, OFFICE, 12, desk=22, local=False),
    Kind("offender", "Offender management", "constable", 0.02, WEEKDAYS, 12, desk=10, sittings=0.5, cases=0.5),
    Kind("witness", "Witness care", "witness officer", 0.008, OFFICE, 12, desk=12),
    Kind("training", "Training", "trainer", 0.01, OFFICE, 15, desk=3, local=False),
    Kind("press", "Press office", "press officer", 0.002, OFFICE, 6, desk=3, local=False),
    Kind("headquarters", "Headquarters", "clerk", 0.10, OFFICE, 40, desk=0.4, local=False),
    Kind("command", "Command", "senior officer", 0.004, OFFICE, 8, desk=0.7, local=False),
)  # fmt: skip
INDEX: Final = {kind.key: number for number, kind in enumerate(KINDS)}

_PLACES: Final = (
    "Eastmoor",
    "Harrowdene",
    "Stanmarsh",
    "Kelderby",
    "Oxmere",
    "Thornley Vale",
    "Wexcombe",
    "Brackwater",
)


@dataclass(frozen=True)
class Units:
    """Units of the force; `kind` and `district` by unit, `unit_of` by member of staff."""

    titles: tuple[str, ...]
    kind: Ints
    district: Ints
    districts: int
    unit_of: Ints

    @property
    def kind_of(self) -> Ints:
        return self.kind[self.unit_of]


def make_units(staff: int) -> Units:
    """Everybody in a unit: at least two people a kind, the rest by share; a district to about 1,200 people."""
    heads = [max(2, round(kind.share * staff)) for kind in KINDS]
    heads[0] += staff - sum(heads)  # what rounding leaves over is on response, or missing there
    districts = max(1, staff // 1200)
    titles: list[str] = []
    kinds: list[int] = []
    places: list[int] = []
    members: list[int] = []
    for number, (kind, count) in enumerate(zip(KINDS, heads, strict=True)):
        wanted = max(1, round(count / kind.size))
        for i in range(wanted):
            place = i % districts
            name = f"{_PLACES[place % len(_PLACES)]} {1 + place // len(_PLACES)}" if kind.local else "Force"
            titles.append(f"{kind.title}, {name}, {1 + i // districts if kind.local else 1 + i}")
            kinds.append(number)
            places.append(place)
            members.append(count * (i + 1) // wanted - count * i // wanted)
    unit_of = np.repeat(np.arange(len(titles), dtype=np.int64), members)
    return Units(tuple(titles), np.array(kinds), np.array(places), districts, unit_of)
