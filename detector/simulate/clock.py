"""Local time of the force (Europe/London) and UTC, for whole arrays.

A local time is microseconds since 1970 as if the local clock were UTC; days are counted from the first day, from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from detector.simulate.chance import Ints, whole

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = "Europe/London"
_MARGIN = 3  # days before the first and after the last for which offsets are known


@dataclass(frozen=True)
class Clock:
    first: date
    days: int
    offsets: Ints  # minutes, by UTC hour from _MARGIN days before the first day

    @property
    def origin(self) -> int:
        """00:00 of the first day, in microseconds since 1970."""
        return (self.first - date(1970, 1, 1)).days * DAY

    def offset(self, utc: Ints) -> Ints:
        """Minutes that local time is ahead of UTC."""
        hour = (utc - self.origin) // HOUR + _MARGIN * 24
        return self.offsets[np.clip(hour, 0, len(self.offsets) - 1)]

    def utc(self, local: Ints) -> Ints:
        """UTC of local times. The hour that occurs twice counts as its first; one that is skipped as if it were not."""
        guess = local - self.offset(local) * MINUTE
        return local - self.offset(guess) * MINUTE

    def local(self, utc: Ints) -> Ints:
        return utc + self.offset(utc) * MINUTE

    def at(self, day: Ints | int, minute: Ints) -> Ints:
        """Local time of a day and a minute of it; a minute beyond 1,440 is of the next day."""
        return self.origin + whole(day) * DAY + minute * MINUTE

    def weekday(self, day: int) -> int:
        """0 is Monday."""
        return (self.first.weekday() + day) % 7

    def date(self, day: int) -> date:
        return self.first + timedelta(days=day)


def make_clock(first: date, days: int) -> Clock:
    zone = ZoneInfo(ZONE)
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=_MARGIN)
    offsets = []
    for hour in range((days + 2 * _MARGIN) * 24):
        ahead = (begin + timedelta(hours=hour)).astimezone(zone).utcoffset()
        offsets.append(int((ahead or timedelta()).total_seconds()) // 60)
    return Clock(first, days, np.array(offsets, dtype=np.int64))
