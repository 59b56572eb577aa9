"""What a simulated force is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from detector.errors import UsageError

FileFormat = Literal["parquet", "csv"]

#: Below this some kinds of unit would have nobody.
LEAST_STAFF: Final = 100
#: A Monday before the clocks change, so that most runs see the change.
DEFAULT_START: Final = date(2026, 3, 2)


@dataclass(frozen=True)
class Options:
    """`prevalence`: share of the staff who misuse. `camouflage`: share of misuse hidden beside explained look-ups.

    `reference_gaps`: share of rows of each reference table that are missing, late or wrong. `scenarios`: only these
    (names of the registry); empty means all.
    """

    staff: int
    days: int
    seed: int
    start: date = DEFAULT_START
    prevalence: float = 0.01
    camouflage: float = 0.3
    reference_gaps: float = 0.15
    scenarios: tuple[str, ...] = ()
    file_format: FileFormat = "parquet"

    def __post_init__(self) -> None:
        """Raises UsageError for what no force can be made from."""
        if self.staff < LEAST_STAFF:
            raise UsageError(f"--staff {self.staff} is too few", hint=f"Give at least {LEAST_STAFF}.")
        if self.days < 1:
            raise UsageError(f"--days {self.days} is too few", hint="Give at least 1; episodes need some weeks.")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed} is negative", hint="Give 0 or more.")
        for name in ("prevalence", "camouflage", "reference_gaps"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"--{name.replace('_', '-')} must lie between 0 and 1")
        if not date(1990, 1, 1) <= self.start <= date(2100, 1, 1):
            raise UsageError("--start must lie between 1990 and 2100")
