"""A trained model: everything that scoring and explaining need, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sklearn.ensemble import IsolationForest

from detector.anomaly.calibration import Calibration
from detector.anomaly.drift import Bins
from detector.anomaly.peers import PeerTable
from detector.anomaly.specification import ModelSpecification


@dataclass(frozen=True)
class TrainedModel:
    """The forest with what it learned from. `version` is '' until it is saved.

    It holds counts and medians of groups, no actor and no event.
    """

    forest: IsolationForest
    peers: PeerTable
    calibration: Calibration
    bins: Mapping[str, Bins]
    left_out: Mapping[str, str]  # feature -> why
    specification: ModelSpecification
    recipe: str
    first_night: date
    through: date
    nights: int
    rows: int
    created_at: datetime
    flagged: int = 0  # look-ups of the sample that were not learned from
    version: str = ""

    @property
    def features(self) -> tuple[str, ...]:
        """Features in the order of the forest's columns."""
        return self.peers.features
