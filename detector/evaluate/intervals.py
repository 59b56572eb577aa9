"""Intervals for shares of few cases."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

#: Of the standard normal distribution, for 95 %.
_Z: Final = 1.959963984540054


@dataclass(frozen=True)
class Share:
    """`hits` of `cases`, with its 95 % interval by Wilson (1927, JASA 22), which stays within 0-1 for few cases."""

    hits: int
    cases: int

    @property
    def value(self) -> float | None:
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.cases:
            return None
        share, n = self.hits / self.cases, self.cases
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)
