"""A new model beside the one before: on the same look-ups, do both find the same ones strange?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.anomaly.drift import drift
from detector.anomaly.model import TrainedModel
from detector.anomaly.score import score

Doubles = npt.NDArray[np.float64]

#: Look-ups that both score: enough that the strangest hundredth are 50.
MOST_ROWS: Final = 5_000
#: A population stability index from which a feature has shifted (drift.py).
SHIFTED: Final = 0.25
_TOP: Final = 0.01


@dataclass(frozen=True)
class Comparison:
    """`rank_correlation`: Spearman's, of the scores. `shared_top`: the share of the strangest hundredth by one that is
    the other's too. `shifted`: features whose values differ from what the model before learned from, by their index;
    `gained` and `lost` are features that only one of the two looks at. `rows` look-ups were scored.
    """

    before: str
    rows: int
    rank_correlation: float
    shared_top: float
    shifted: Mapping[str, float]
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    def sentences(self) -> tuple[str, ...]:
        """What a person should know of it."""
        both = f"Beside {self.before}, on the same {self.rows:,} look-ups: the scores' ranks correlate by"
        said = [
            f"{both} {self.rank_correlation:.2f}, and {self.shared_top:.0%} of the strangest hundredth are the same."
        ]
        if self.shifted:
            named = ", ".join(f"{name} {index:.2f}" for name, index in self.shifted.items())
            said.append(f"Shifted since (stability index above {SHIFTED}): {named}.")
        if self.gained:
            said.append(f"New among its features: {', '.join(self.gained)}.")
        if self.lost:
            said.append(f"No longer among them: {', '.join(self.lost)}.")
        return tuple(said)


def compare(model: TrainedModel, before: TrainedModel, sample: pa.Table) -> Comparison:
    """Both on (at most MOST_ROWS, evenly spread) rows of the sample that `model` was trained on."""
    step = max(sample.num_rows // MOST_ROWS, 1)
    rows = sample.take(pa.array(np.arange(0, sample.num_rows, step)[:MOST_ROWS]))
    ours, theirs = score(model, rows), score(before, rows)
    top = max(round(len(ours) * _TOP), 1)
    strangest = [set(np.argsort(-points, kind="stable")[:top].tolist()) for points in (ours, theirs)]
    indices = sorted(drift(before, rows).items(), key=lambda item: (-item[1], item[0]))
    return Comparison(
        before=before.version,
        rows=rows.num_rows,
        rank_correlation=_spearman(ours, theirs),
        shared_top=len(strangest[0] & strangest[1]) / top,
        shifted={name: round(index, 2) for name, index in indices if index > SHIFTED},
        gained=tuple(sorted(set(model.features) - set(before.features))),
        lost=tuple(sorted(set(before.features) - set(model.features))),
    )


def _spearman(one: Doubles, other: Doubles) -> float:
    """Correlation of the ranks, equal scores sharing theirs; 1 where either is the same throughout."""
    ranks = [pd.Series(points).rank() for points in (one, other)]
    if min(each.std(ddof=0) for each in ranks) == 0:
        return 1.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
