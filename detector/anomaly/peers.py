"""Each feature relative to the actor's peers: the numbers that the forest sees.

    y = sign(x) log(1 + |x|)                                          tames counts with heavy tails
    z = clip((y - centre[peers]) / spread[peers], lower, upper)       0 = usual; missing = 0

`lower` is 0 for a feature of direction `high`, `upper` is 0 for `low`: the side that is never suspicious is the median.

    centre = weighted median of y, each actor of the group weighing the same
    width  = max(IQR / 1.349, (q95 - q05) / 3.29)                     both are the standard deviation of a normal
    group  = w * own + (1 - w) * next larger group,  w = actors / (actors + shrinkage_actors)
    spread = the same mixture of widths, at least half the next larger group's

For everybody `width` is at least a quarter of the standard deviation, so that a feature which is nearly always 0 has
one. Median and IQR because the training nights hold misuse too, and one event must not move what is usual; the mixture
is shrinkage with a fixed prior weight. Groups are: role x unit of one organisation < organisation < everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.anomaly.specification import Direction, PeerSpecification

Matrix = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Key = tuple[str | None, str | None, str | None]

PEER_COLUMNS = ("organisation", "unit", "role")
IQR_OF_NORMAL, Q90_OF_NORMAL = 1.349, 3.29
MIN_SHARE_OF_STD = 0.25
MIN_SHARE_OF_PARENT = 0.5


@dataclass(frozen=True)
class PeerGroup:
    """Who is compared with whom. Holds counts, never actors."""

    level: Literal["everybody", "organisation", "peers"]
    key: Key
    actors: int
    rows: int


#: A group with the centre and the spread of each feature.
Learned = tuple[PeerGroup, Doubles, Doubles]


@dataclass(frozen=True)
class PeerTable:
    """What is usual per group: `centre` and `spread`, float32, groups x features; group 0 is everybody."""

    directions: Mapping[str, Direction]
    clip: float
    groups: tuple[PeerGroup, ...]
    centre: Matrix
    spread: Matrix

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(self.directions)

    @cached_property
    def bounds(self) -> tuple[Matrix, Matrix]:
        """Lowest and highest z of each feature."""
        lower = [0.0 if d == "high" else -self.clip for d in self.directions.values()]
        upper = [0.0 if d == "low" else self.clip for d in self.directions.values()]
        return np.asarray(lower, np.float32), np.asarray(upper, np.float32)

    @cached_property
    def _index(self) -> dict[tuple[str, Key], int]:
        return {(group.level, group.key): index for index, group in enumerate(self.groups)}

    def group_of(self, key: Key) -> int:
        """Index of the smallest known group that an actor with this organisation, unit and role belongs to."""
        for level, wanted in (("peers", key), ("organisation", (key[0], None, None))):
            found = self._index.get((level, wanted))
            if found is not None:
                return found
        return 0

    def groups_of(self, table: pa.Table) -> Codes:
        """Group index of each row."""
        codes, keys = peer_codes(table)
        return np.asarray([self.group_of(key) for key in keys], np.int64)[codes]

    def transform(self, table: pa.Table, groups: Codes) -> Matrix:
        """z of each row and feature: float32, C-contiguous, finite. A column that the table lacks is 0 throughout."""
        z = np.zeros((table.num_rows, len(self.features)), np.float32)
        lower, upper = self.bounds
        for j, name in enumerate(self.features):
            if name in table.column_names:
                y = signed_log(column(table, name)).astype(np.float32)
                y -= self.centre[groups, j]
                y /= self.spread[groups, j]
                np.clip(y, lower[j], upper[j], out=y)
                z[:, j] = np.where(np.isnan(y), np.float32(0), y)
        return z

    def usual(self, feature: str, key: Key) -> float:
        """The peers' centre in the feature's own unit."""
        y = float(self.centre[self.group_of(key), self.features.index(feature)])
        return float(np.sign(y) * np.expm1(abs(y)))


def column(table: pa.Table, name: str) -> Doubles:
    """A numeric column as float64, NULL as NaN."""
    values = table.column(name).cast(pa.float64()).to_numpy()
    return np.asarray(values, np.float64)


def signed_log(x: Doubles) -> Doubles:
    return np.copysign(np.log1p(np.abs(x)), x)


def peer_codes(table: pa.Table) -> tuple[Codes, list[Key]]:
    """Each row's index into the distinct (organisation, unit, role) that occur; NULL and '' are both unknown."""
    if table.num_rows == 0:
        return np.empty(0, np.int64), []
    combined = np.zeros(table.num_rows, np.int64)
    names: list[list[str | None]] = []
    for name in PEER_COLUMNS:
        if name not in table.column_names:
            names.append([None])
            continue
        encoded = table.column(name).cast(pa.string()).combine_chunks().dictionary_encode()
        values: list[str | None] = [value or None for value in encoded.dictionary.to_pylist()] + [None]
        index = encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
        combined = combined * len(values) + index
        names.append(values)
    codes, distinct = pd.factorize(combined)
    keys: list[Key] = []
    for code in np.asarray(distinct).tolist():
        rest, role = divmod(code, len(names[2]))
        organisation, unit = divmod(rest, len(names[1]))
        keys.append((names[0][organisation], names[1][unit], names[2][role]))
    return np.asarray(codes, np.int64), keys


def learn_peers(table: pa.Table, y: Doubles, directions: Mapping[str, Direction], spec: PeerSpecification) -> PeerTable:
    """The table of usual values. `y`: rows x features after `signed_log`, NaN = missing; `table` has the same rows.

    Features without any spread must have been left out before.
    """
    actors = np.asarray(pd.factorize(table.column("actor_id").to_numpy(zero_copy_only=False))[0], np.int64)
    codes, keys = peer_codes(table)
    root = PeerGroup("everybody", (None, None, None), len(np.unique(actors)), len(actors))
    learned: list[Learned] = [(root, *_everybody(y, actors))]
    for organisation, members in _members(codes, [(key[0], None, None) for key in keys]):
        if organisation[0] is None:
            continue
        above = learned[0]
        group = _group("organisation", organisation, y[members], actors[members], above=above, spec=spec)
        learned.extend([group] if group else [])
    above_of = {row[0].key: row for row in learned}
    for key, members in _members(codes, keys):
        if key[1] is None and key[2] is None:
            continue
        above = above_of.get((key[0], None, None), learned[0])
        group = _group("peers", key, y[members], actors[members], above=above, spec=spec)
        learned.extend([group] if group else [])
    centre = np.stack([row[1] for row in learned]).astype(np.float32)
    spread = np.stack([row[2] for row in learned]).astype(np.float32)
    return PeerTable(dict(directions), spec.clip, tuple(row[0] for row in learned), centre, spread)


def _members(codes: Codes, keys: list[Key]) -> list[tuple[Key, Codes]]:
    """Distinct keys in a fixed order, each with its row numbers."""
    order = sorted(set(keys), key=lambda key: tuple(part or "" for part in key))
    position = {key: index for index, key in enumerate(order)}
    row_group = np.asarray([position[key] for key in keys], np.int64)[codes]
    by_group = np.argsort(row_group, kind="stable")
    edges = np.searchsorted(row_group[by_group], np.arange(len(order) + 1))
    return [(key, by_group[edges[i] : edges[i + 1]]) for i, key in enumerate(order)]


def _everybody(y: Doubles, actors: Codes) -> tuple[Doubles, Doubles]:
    centre, spread = np.zeros(y.shape[1]), np.ones(y.shape[1])
    for j in range(y.shape[1]):
        values, weights, _ = _weighted(y[:, j], actors)
        centre[j], width = _centre_and_width(values, weights)
        mean = np.average(values, weights=weights)
        deviation = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
        spread[j] = max(width, MIN_SHARE_OF_STD * deviation)
    return centre, spread


def _group(
    level: Literal["organisation", "peers"],
    key: Key,
    y: Doubles,
    actors: Codes,
    *,
    above: Learned,
    spec: PeerSpecification,
) -> Learned | None:
    """A group's row of the table, or None where it has too few actors to be one."""
    count = len(np.unique(actors))
    if count < spec.min_actors:
        return None
    _, above_centre, above_spread = above
    centre, spread = above_centre.copy(), above_spread.copy()
    for j in range(y.shape[1]):
        values, weights, known = _weighted(y[:, j], actors)
        if known < spec.min_actors:
            continue
        own_centre, own_width = _centre_and_width(values, weights)
        w = known / (known + spec.shrinkage_actors)
        centre[j] = w * own_centre + (1 - w) * above_centre[j]
        mixed = w * own_width + (1 - w) * above_spread[j]
        spread[j] = max(mixed, MIN_SHARE_OF_PARENT * above_spread[j])
    return PeerGroup(level, key, count, len(y)), centre, spread


def _weighted(values: Doubles, actors: Codes) -> tuple[Doubles, Doubles, int]:
    """Finite values in order, weights that add up to the same for each actor, and the number of actors."""
    known = np.isfinite(values)
    values, actors = values[known], actors[known]
    _, inverse, counts = np.unique(actors, return_inverse=True, return_counts=True)
    order = np.argsort(values, kind="stable")
    return values[order], (1.0 / counts)[inverse][order], len(counts)


def _centre_and_width(values: Doubles, weights: Doubles) -> tuple[float, float]:
    total = np.cumsum(weights)
    q05, q25, q50, q75, q95 = np.interp(
        (0.05, 0.25, 0.5, 0.75, 0.95), (total - weights / 2) / total[-1], values
    ).tolist()
    return q50, max((q75 - q25) / IQR_OF_NORMAL, (q95 - q05) / Q90_OF_NORMAL)
