"""Learning a model from the trailing nights' sample."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import IsolationForest

from detector.anomaly.calibration import calibrate
from detector.anomaly.drift import learn_bins
from detector.anomaly.model import TrainedModel
from detector.anomaly.peers import Matrix, PeerTable, column, learn_peers, signed_log
from detector.anomaly.score import strangeness
from detector.anomaly.specification import Direction, FeatureLike, ModelSpecification, model_features, recipe
from detector.errors import DetectorError, StateError

Doubles = npt.NDArray[np.float64]

#: Columns of the sample that are no features.
SAMPLE_KEYS = ("night", "event_id", "actor_id", "organisation", "unit", "role")
#: A column that the sample may have: true for a look-up that must not be taken for normal.
FLAGGED = "flagged"
#: A tree of nothing but anchors would learn nothing.
MAX_ANCHOR_SHARE = 0.3


class NothingToLearnError(StateError):
    """The sample has no rows, or no feature that varies."""


def libraries() -> dict[str, str]:
    """The versions that decide whether a saved forest means the same here."""
    return {name: version(name) for name in ("numpy", "scikit-learn", "skops")}


def current_recipe(spec: ModelSpecification, catalogue: Mapping[str, FeatureLike]) -> str:
    """The recipe that a model trained now would have. A forest of another scikit-learn minor version is another one."""
    major, minor, *_ = version("scikit-learn").split(".")
    return recipe(spec, model_features(spec, catalogue), [f"scikit-learn {major}.{minor}"])


def train(
    sample: pa.Table,
    spec: ModelSpecification,
    catalogue: Mapping[str, FeatureLike],
    *,
    through: date,
    now: datetime,
    seed: int | None = None,
) -> TrainedModel:
    """A model of the sample: rows of `feature_sample` (SAMPLE_KEYS + a number column a feature), in any order. Those
    that are FLAGGED are not learned from.

    Depends on the rows, the specification and the seed alone (`now` is only noted). `through` is the last night that
    may occur. Raises NothingToLearnError where no feature varies, DetectorError for a row of a later night.
    """
    whole, sample = sample, unflagged(sample)
    if sample.num_rows == 0:
        raise NothingToLearnError("there are no rows to learn from")
    latest = pc.max(sample.column("night")).as_py()
    if latest > through:
        raise DetectorError(f"training rows of {latest} for a model that may know nothing after {through}")
    spec = spec if seed is None else spec.model_copy(update={"seed": seed})
    rows = _thin(sample, spec)
    directions, y, raw, left_out = _usable(rows, spec, model_features(spec, catalogue))
    peers = learn_peers(rows, y, directions, spec.peers)
    z = peers.transform(rows, peers.groups_of(rows))
    forest = _grow(z, peers, spec)
    return TrainedModel(
        forest=forest,
        peers=peers,
        calibration=calibrate(strangeness(forest, z, spec.threads, spec.chunk_rows)),
        bins={name: learn_bins(raw[:, j]) for j, name in enumerate(directions)},
        left_out=left_out,
        specification=spec,
        recipe=current_recipe(spec, catalogue),
        first_night=pc.min(rows.column("night")).as_py(),
        through=through,
        nights=len(pc.unique(rows.column("night"))),
        rows=rows.num_rows,
        created_at=now,
        flagged=whole.num_rows - sample.num_rows,
    )


def unflagged(sample: pa.Table) -> pa.Table:
    """The rows that may be taken for normal, without the column that says so."""
    if FLAGGED not in sample.column_names:
        return sample
    return sample.filter(pc.invert(sample.column(FLAGGED))).drop_columns([FLAGGED])


def _thin(sample: pa.Table, spec: ModelSpecification) -> pa.Table:
    """At most `max_rows` rows, those with the smallest hashes, in an order that does not depend on how they came."""
    salt = spec.seed.to_bytes(8, "little")
    identity = [sample.column(name).cast(pa.string()).to_pylist() for name in ("night", "event_id", "actor_id")]
    digests = [
        hashlib.blake2b(
            "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16, salt=salt
        ).digest()
        for parts in zip(*identity, strict=True)
    ]
    # Two sources may use one event id: then the values themselves decide, and equal rows need no order.
    names = [name for name in sorted(sample.column_names) if name not in {"night", "event_id", "actor_id"}]
    keyed = sample.append_column("\x00hash", pa.array(digests, pa.binary()))
    keys = [("\x00hash", "ascending")]
    if len(set(digests)) < len(digests):
        keys += [(name, "ascending") for name in names]
    chosen = pc.sort_indices(keyed, sort_keys=keys)[: spec.max_rows]
    return sample.take(chosen)


def _usable(
    rows: pa.Table, spec: ModelSpecification, wanted: Mapping[str, Direction]
) -> tuple[dict[str, Direction], Doubles, Doubles, dict[str, str]]:
    """The features that can be learned with their columns (after and before `signed_log`), and why others cannot."""
    kept: dict[str, Direction] = {}
    left_out: dict[str, str] = {}
    columns: list[Doubles] = []
    for name, direction in wanted.items():
        if name not in rows.column_names:
            left_out[name] = "not in the sample"
            continue
        values = column(rows, name)
        known = values[np.isfinite(values)]
        missing = 1 - len(known) / len(values)
        if missing > spec.max_missing:
            left_out[name] = f"missing in {missing:.0%} of the rows"
        elif len(known) == 0 or np.ptp(signed_log(known)) < 1e-6:
            left_out[name] = "the same in all rows"
        else:
            kept[name] = direction
            columns.append(values)
    if not kept:
        why = "; ".join(f"{name} is {reason}" for name, reason in left_out.items()) or "the specification names none"
        raise NothingToLearnError(f"no feature can be learned from: {why}")
    raw = np.stack(columns, axis=1)
    y = signed_log(raw)
    return kept, np.where(np.isfinite(y), y, np.nan), raw, left_out


def _grow(z: Matrix, peers: PeerTable, spec: ModelSpecification) -> IsolationForest:
    """The forest over the rows and their anchors."""
    learned = np.ascontiguousarray(np.vstack([z, _anchors(z, peers, spec)]))
    forest = IsolationForest(
        n_estimators=spec.trees, max_samples=min(spec.max_samples, len(learned)), random_state=spec.seed
    )
    return forest.fit(learned)


def _anchors(z: Matrix, peers: PeerTable, spec: ModelSpecification) -> Matrix:
    """Copies of training rows with one feature moved to its far end, each feature and end in turn.

    A tree splits only between the smallest and largest value that it has seen. Without anchors a feature that is 0 in
    all but one row in 1,000 is split by hardly any tree and never found strange, and beyond the largest value seen all
    would be alike.
    """
    ends = [(j, end) for bound in peers.bounds for j, end in enumerate(bound.tolist()) if end != 0]
    share = min(spec.anchors_per_tree * len(ends) / min(spec.max_samples, len(z)), MAX_ANCHOR_SHARE)
    count = round(len(z) * share / (1 - share))
    if share > 0:
        count = max(count, len(ends))
    chosen = np.random.default_rng(spec.seed).integers(0, len(z), count)
    anchors = z[chosen].copy()
    for row in range(count):
        feature, end = ends[row % len(ends)]
        anchors[row, feature] = end
    return anchors
