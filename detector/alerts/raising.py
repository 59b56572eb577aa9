"""What raising a night's alerts came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class RaisedAlert:
    """An alert that this night began (`is_new`) or extended."""

    alert_id: str
    level: str
    score: float
    rank: int
    in_budget: bool
    is_new: bool


@dataclass(frozen=True)
class NightAlerts:
    """What changed: alerts begun or extended, best first; nothing when all findings were known already.

    `samples` is the number of blind samples drawn; they are none of the alerts that were raised.
    """

    night: date
    touched: tuple[RaisedAlert, ...]
    findings_added: int
    samples: int = 0

    @property
    def raised(self) -> tuple[RaisedAlert, ...]:
        """The new ones among them."""
        return tuple(item for item in self.touched if item.is_new)

    @property
    def in_budget(self) -> int:
        """How many of them the reviewers will see."""
        return sum(item.in_budget for item in self.touched) + self.samples
