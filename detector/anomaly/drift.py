"""How far a night's features have moved from those that the model learned from.

Population stability index: sum over bins of (tonight - then) * ln(tonight / then), on the training deciles, with
missing as a bin of its own. By the usual reading (Siddiqi 2006, Credit Risk Scorecards) below 0.1 is stable, above 0.25
a shift worth a look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.anomaly.peers import column

if TYPE_CHECKING:
    from detector.anomaly.model import TrainedModel

Doubles = npt.NDArray[np.float64]

#: A bin empty on one side would make the index infinite.
MIN_SHARE = 1e-4


@dataclass(frozen=True)
class Bins:
    """Upper edges (inclusive) of all bins but the last, and the training share of each bin, missing last."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]


def learn_bins(values: Doubles) -> Bins:
    """Bins at the deciles of the values that are not missing."""
    known = values[np.isfinite(values)]
    edges = np.unique(np.quantile(known, np.arange(0.1, 1.0, 0.1), method="lower")) if len(known) else np.empty(0)
    return Bins(tuple(edges.tolist()), tuple((_counts(values, edges) / max(len(values), 1)).tolist()))


def drift(model: TrainedModel, features: pa.Table) -> dict[str, float]:
    """Feature -> index (0 = same), for the model's features; none for an empty night. An absent column is missing."""
    tally = DriftTally(model.bins)
    tally.add(features)
    return tally.indices()


class DriftTally:
    """Counts the bins of a night that comes in parts."""

    def __init__(self, bins: Mapping[str, Bins]) -> None:
        self._bins = bins
        self._counts = {name: np.zeros(len(one.shares)) for name, one in bins.items()}

    def add(self, part: pa.Table) -> None:
        for name, bins in self._bins.items():
            known = name in part.column_names
            values = column(part, name) if known else np.full(part.num_rows, np.nan)
            self._counts[name] += _counts(values, np.asarray(bins.edges))

    def indices(self) -> dict[str, float]:
        """Feature -> index, over all parts so far; none without rows."""
        return {name: _index(self._bins[name], counts) for name, counts in self._counts.items() if counts.sum() > 0}


def _index(bins: Bins, counts: Doubles) -> float:
    then = np.maximum(bins.shares, MIN_SHARE)
    tonight = np.maximum(counts / counts.sum(), MIN_SHARE)
    return float(np.sum((tonight - then) * np.log(tonight / then)))


def _counts(values: Doubles, edges: Doubles) -> Doubles:
    """Rows per bin, missing last."""
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(known)).astype(np.float64)
