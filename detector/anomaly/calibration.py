"""From the forest's score to 0-100, by how rare that score was in the nights learned from.

    s = -log10(share of training rows at least as strange)     'one in 10^s'
    points = 20 s                     for s <= 4     40 = one in 100, 60 = one in 1,000, 80 = one in 10,000
           = 100 - 20 exp(-(s - 4))   beyond         continuous with its slope, never quite 100

Within the training scores `s` comes from their quantiles. Beyond the value that 30 training rows exceed it goes on
with an exponential tail whose mean is those rows' mean excess (peaks over threshold with shape 0: Pickands 1975), so
that of two events stranger than all training rows the stranger one still scores higher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

#: Rows that must lie beyond the last quantile used; fewer make it a matter of luck.
TAIL_ROWS = 30
STEP = 0.05
#: Forest scores lie in 0-1; a smaller mean excess means ties, and would make a step of what is a slope.
MIN_EXCESS = 0.005
POINTS_PER_DECADE, BEND = 20.0, 4.0


@dataclass(frozen=True)
class Calibration:
    """Knots `raw` (rising) -> `surprise` (rising), the mean excess beyond the last knot, and the rows behind them."""

    raw: tuple[float, ...]
    surprise: tuple[float, ...]
    mean_excess: float
    rows: int

    def surprise_of(self, raw: Doubles) -> Doubles:
        """-log10 of the share of training rows at least as strange; never falls as `raw` rises."""
        inside = np.interp(raw, self.raw, self.surprise)
        beyond = np.maximum(raw - self.raw[-1], 0.0) / (self.mean_excess * np.log(10))
        return np.asarray(inside + beyond, np.float64)

    def points_of(self, raw: Doubles) -> Doubles:
        """0-100, higher = stranger."""
        return to_points(self.surprise_of(raw))


def calibrate(raw: Doubles) -> Calibration:
    """The map for these training scores (higher = stranger), at least one."""
    rows = len(raw)
    last = max(np.log10(rows / TAIL_ROWS), 0.0)
    surprise = np.append(np.arange(0.0, last, STEP), last)
    knots = np.quantile(raw, 1.0 - 10.0**-surprise)
    # Ties: the first (smallest) surprise is the one that every tied row reaches.
    knots, first = np.unique(knots, return_index=True)
    above = raw[raw > knots[-1]]
    excess = float(np.mean(above - knots[-1])) if len(above) else 0.0
    return Calibration(tuple(knots.tolist()), tuple(surprise[first].tolist()), max(excess, MIN_EXCESS), rows)


def to_points(surprise: Doubles) -> Doubles:
    linear = POINTS_PER_DECADE * surprise
    bent = 100.0 - POINTS_PER_DECADE * np.exp(BEND - np.maximum(surprise, BEND))
    return np.where(surprise <= BEND, linear, bent)


def to_surprise(points: Doubles) -> Doubles:
    """The inverse of `to_points`, for points below 100."""
    top = POINTS_PER_DECADE * BEND
    bent = BEND - np.log((100.0 - np.maximum(points, top)) / POINTS_PER_DECADE)
    return np.where(points <= top, points / POINTS_PER_DECADE, bent)
