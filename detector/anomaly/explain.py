"""Which features make a look-up strange: by taking them away, and by giving them alone.

    contribution(j) = ( [f(x) - f(x with j usual)] + [f(usual with j as in x) - f(usual)] ) / 2

with f the forest's anomaly score and 'usual' the peers' median. These are the last and the first term of Shapley's sum
over all orders of adding features: exact for one or two unusual features, and for any number when f is additive. Taking
away alone would miss two features of which either suffices; giving alone would miss those that are strange only
together. A usual (or missing) feature contributes exactly 0.

It costs two rows a feature, scored only for the few look-ups that are shown: at most 50 rows a look-up with 24
features. Exact Shapley values over tree paths (Lundberg 2020) take trees x leaves x depth^2 steps and one more library.
Path-based weights (DIFFI, Carletti 2023) are cheap as well, but say where the trees split, not what changes the score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.anomaly.model import TrainedModel
from detector.anomaly.peers import Matrix, column
from detector.anomaly.score import strangeness
from detector.records import Usual

Doubles = npt.NDArray[np.float64]
#: Feature -> what is usual for (this actor, the peers); None = not known.
UsualValues = Mapping[str, tuple[float | None, float | None]]
#: (feature, value, own, peers) -> plain words, as `features.explain.sentence`.
Sentence = Callable[[str, float, float | None, float | None], str]

#: A reason that explains less than this share is noise of the trees.
MIN_SHARE = 0.1


@dataclass(frozen=True)
class Reasons:
    """Of some look-ups: contributions (rows x features, in the forest's anomaly score) and the values as logged."""

    features: tuple[str, ...]
    contributions: Doubles
    values: Doubles
    peers: Doubles  # the peers' usual value of each, in the feature's unit


def explain(model: TrainedModel, events: pa.Table) -> Reasons:
    """Contributions of every feature of every row of `events` (columns as for `score`)."""
    groups = model.peers.groups_of(events)
    z = model.peers.transform(events, groups)
    values = [
        column(events, name) if name in events.column_names else np.full(len(z), np.nan) for name in model.features
    ]
    centre = model.peers.centre[groups].astype(np.float64)
    return Reasons(
        model.features,
        contributions(model, z),
        np.stack(values, axis=1),
        np.copysign(np.expm1(np.abs(centre)), centre),
    )


def contributions(model: TrainedModel, z: Matrix) -> Doubles:
    """Contributions of rows already relative to their peers; same shape as `z`, exactly 0 where z is 0."""
    rows, features = z.nonzero()
    without = z[rows].copy()
    without[np.arange(len(rows)), features] = 0
    alone = np.zeros_like(without)
    alone[np.arange(len(rows)), features] = z[rows, features]
    usual = np.zeros((1, z.shape[1]), np.float32)
    spec = model.specification
    f = strangeness(model.forest, np.vstack([z, usual, without, alone]), spec.threads, spec.chunk_rows)
    full, base = f[: len(z)], f[len(z)]
    last, first = np.split(f[len(z) + 1 :], 2)
    result = np.zeros(z.shape, np.float64)
    result[rows, features] = ((full[rows] - last) + (first - base)) / 2
    return result


def leading_reasons(reasons: Reasons, usual: UsualValues, sentence: Sentence, limit: int) -> tuple[Usual, ...]:
    """The features that explain most over all rows, most first, each with its value on the row where it counts most.

    The peers' usual value is the profile's, or else the model's.
    """
    gains = np.maximum(reasons.contributions, 0)
    total = gains.sum(axis=0)
    named: list[Usual] = []
    for j in np.argsort(-total, kind="stable")[:limit].tolist():
        if total[j] <= 0 or total[j] < MIN_SHARE * total.sum():
            break
        feature, row = reasons.features[j], int(np.argmax(gains[:, j]))
        value = float(reasons.values[row, j])
        own, peers = usual.get(feature, (None, None))
        peers = float(reasons.peers[row, j]) if peers is None else peers
        named.append(Usual(feature, value, own, peers, sentence(feature, value, own, peers)))
    return tuple(named)
