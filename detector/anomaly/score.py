"""How strange each look-up is: 0-100, higher = stranger."""

from __future__ import annotations

from collections.abc import Callable

import joblib
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.ensemble import IsolationForest

from detector.anomaly.model import TrainedModel
from detector.anomaly.peers import Matrix

Doubles = npt.NDArray[np.float64]


def score(model: TrainedModel, features: pa.Table, *, threads: int | None = None) -> Doubles:
    """Points 0-100 of each row, higher = stranger. Holds `threads` blocks of `chunk_rows` rows at a time.

    `features` has organisation, unit, role and the model's features; a column that it lacks counts as usual.
    Threads take blocks of rows, not trees: the sum over the trees is then always taken in the same order, and a rescan
    gives the same bits (scikit-learn's own threads add up in the order in which they happen to finish).
    """
    spec = model.specification
    rows = features.num_rows
    if rows == 0:
        return np.empty(0)
    groups = model.peers.groups_of(features)
    wanted = features.select([name for name in model.features if name in features.column_names])

    def block(start: int) -> Doubles:
        stop = min(start + spec.chunk_rows, rows)
        z = model.peers.transform(wanted.slice(start, stop - start), groups[start:stop])
        return _flipped(model.forest, z)

    return model.calibration.points_of(_in_blocks(block, rows, spec.chunk_rows, threads or spec.threads))


def strangeness(forest: IsolationForest, z: Matrix, threads: int, chunk_rows: int) -> Doubles:
    """The forest's anomaly score of rows already relative to their peers: 0-1, higher = stranger."""
    if len(z) == 0:
        return np.empty(0)
    return _in_blocks(lambda start: _flipped(forest, z[start : start + chunk_rows]), len(z), chunk_rows, threads)


def _flipped(forest: IsolationForest, z: Matrix) -> Doubles:
    """scikit-learn's sign, in which lower is stranger, is turned here and nowhere else."""
    return -np.asarray(forest.score_samples(z), np.float64)


def _in_blocks(block: Callable[[int], Doubles], rows: int, chunk_rows: int, threads: int) -> Doubles:
    with joblib.parallel_backend("threading", n_jobs=threads):
        parts = joblib.Parallel()(joblib.delayed(block)(start) for start in range(0, rows, chunk_rows))
    return np.concatenate(parts)
