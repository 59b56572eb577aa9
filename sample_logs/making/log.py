"""The look-ups as they happen, before any system has written them down in its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from making.dice import Dice
from making.force import FIRST_DAY, ORGANISATION, Person, offset_minutes, to_utc

#: feed: system. A feed is one kind of file that is handed over.
FEEDS = {
    "pnc": "PNC",
    "bureau": "PNC",
    "cris": "CRIS",
    "custody": "CUSTODY",
    "evidence": "EVIDENCE",
    "intel": "INTEL",
    "portal": "ALPR",
    "organisations": "ALPR",
    "network": "ALPR",
}


@dataclass(frozen=True)
class Lookup:
    """One look-up: who, when (UTC, naive), what. `more` holds the other columns of the contract by name."""

    event_id: str
    feed: str
    time: datetime
    person: Person
    action: str
    more: dict[str, Any] = field(default_factory=dict)
    episode: str = ""
    scenario: str = ""

    def get(self, name: str) -> Any:
        return self.more.get(name)

    def text(self, name: str) -> str:
        value = self.more.get(name)
        return "" if value is None else str(value)

    def canonical(self) -> dict[str, Any]:
        """The look-up by the contract's column names; what is not known is left out."""
        return {
            "event_id": self.event_id,
            "event_time": f"{self.time:%Y-%m-%dT%H:%M:%S}Z",
            "utc_offset_minutes": offset_minutes(self.time),
            "system": FEEDS[self.feed],
            "action": self.action,
            "operator_id": self.person.staff_id,
            "organisation": ORGANISATION,
            "unit": self.person.unit,
            "role": self.person.role,
            "terminal_id": self.person.terminal,
            **self.more,
        }


class Log:
    """Collects look-ups; `episode` and `scenario` are put on all that are added while they are set."""

    def __init__(self, seed: int) -> None:
        self.lookups: list[Lookup] = []
        self.episode = ""
        self.scenario = ""
        self._dice = Dice(seed, "ids")

    def add(self, feed: str, local: datetime, person: Person, action: str, **more: Any) -> Lookup:
        """One look-up at a local time; columns that are None are not known."""
        number = len(self.lookups)
        event_id = {
            "pnc": f"PNC-{7000000 + 13 * number}",
            "cris": f"CRIS-{5000000 + 11 * number}",
            "intel": f"{90000000 + 19 * number}",
        }.get(feed) or self._dice.uuid()
        given = {key: value for key, value in more.items() if value is not None}
        lookup = Lookup(event_id, feed, to_utc(local), person, action, given, self.episode, self.scenario)
        self.lookups.append(lookup)
        return lookup

    def of(self, feed: str) -> list[Lookup]:
        """A feed's look-ups in time order."""
        return sorted((x for x in self.lookups if x.feed == feed), key=lambda x: (x.time, x.event_id))


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A local time on the n-th day (from 0); hours may run past 24."""
    midnight = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day)  # noqa: DTZ001 - local time
    return midnight + timedelta(days=day, hours=hour, minutes=minute, seconds=second)
