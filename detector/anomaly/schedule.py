"""Which model scores a night, and when a new one is trained: when the one in use is old, or no longer fits.

A night is scored by the newest model that knows only nights before it. That depends on what is on disk and on the night
alone, not on the day of the scan: a rescan of an old night takes the model that it took then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from detector.anomaly.artifact import SavedModel, load, save, saved_models
from detector.anomaly.comparison import SHIFTED, compare
from detector.anomaly.drift import drift
from detector.anomaly.model import TrainedModel
from detector.anomaly.specification import FeatureLike, ModelSpecification
from detector.anomaly.train import NothingToLearnError, current_recipe, train, unflagged
from detector.features.catalogue import FEATURES
from detector.home import Home

#: (first night, last night), both inclusive -> the rows of `feature_sample` of those nights, with a `night` column
#: and perhaps `train.FLAGGED`.
SampleLoader = Callable[[date, date], pa.Table]


#: A model no longer fits when this share of its features has shifted (comparison.SHIFTED) over the nights before the
#: scored one: a whole week of them, since week-ends differ from week-days; and not one that is all but new, as features
#: with a long memory go on moving while a home is young.
DRIFT_SHARE: Final = 0.25
DRIFT_NIGHTS: Final = 7
DRIFT_LEAST_AGE: Final = 3


def choose(known: Sequence[SavedModel], night: date, recipe: str) -> SavedModel | None:
    """The newest model of this recipe that knows only nights before `night`."""
    usable = [one for one in known if one.manifest.trained_through < night and one.manifest.recipe == recipe]
    return max(
        usable, key=lambda one: (one.manifest.trained_through, one.manifest.created_at, one.version), default=None
    )


def due(chosen: SavedModel | None, night: date, spec: ModelSpecification) -> bool:
    """Whether a new model is wanted for `night`: there is none, or it ends more than `retrain_nights` before."""
    return chosen is None or (night - chosen.manifest.trained_through).days > spec.retrain_nights


def shifted(model: TrainedModel, load_sample: SampleLoader, night: date) -> dict[str, float]:
    """Feature -> stability index of those that have shifted in the DRIFT_NIGHTS before `night`, if they are so many
    that the model no longer fits; else none."""
    if (night - model.through).days < DRIFT_LEAST_AGE:
        return {}
    recent = load_sample(night - timedelta(days=DRIFT_NIGHTS), night - timedelta(days=1))
    found = {name: index for name, index in drift(model, recent).items() if index > SHIFTED}
    return found if len(found) >= DRIFT_SHARE * len(model.features) else {}


def train_if_due(
    home: Home,
    load_sample: SampleLoader,
    night: date,
    spec: ModelSpecification,
    *,
    now: datetime,
    catalogue: Mapping[str, FeatureLike] = FEATURES,
) -> tuple[TrainedModel | None, str]:
    """The model for `night`, trained and saved under the home if due, and one plain sentence about it.

    The sample is asked for nights before `night` only. With too little history the model in use stays, or there is
    none. Raises StateError for a damaged model, ConfigError for a specification that does not fit the catalogue.
    """
    known = saved_models(home.models)
    chosen = choose(known, night, current_recipe(spec, catalogue))
    moved: dict[str, float] = {}
    if chosen is not None and not due(chosen, night, spec):
        model = _loaded(home, chosen, spec)
        moved = shifted(model, load_sample, night)
        if not moved:
            return model, _in_use(chosen, night)
    trained, status = train_through(home, load_sample, night - timedelta(days=1), spec, now=now, catalogue=catalogue)
    if trained is None and chosen is not None:
        return _loaded(home, chosen, spec), f"{_in_use(chosen, night)}; a new one {status}"
    early = f", early: {len(moved)} features had shifted, {max(moved, key=lambda n: moved[n])} most" if moved else ""
    return trained, status + early


def train_through(
    home: Home,
    load_sample: SampleLoader,
    through: date,
    spec: ModelSpecification,
    *,
    now: datetime,
    catalogue: Mapping[str, FeatureLike] = FEATURES,
) -> tuple[TrainedModel | None, str]:
    """Train on the window that ends with the night `through`, and save, with a comparison with the newest model that
    ended before; (None, why) with too little history."""
    sample = load_sample(through - timedelta(days=spec.window_nights - 1), through)
    clean = unflagged(sample)
    nights, rows = len(pc.unique(clean.column("night"))), clean.num_rows
    if nights < spec.min_nights or rows < spec.min_events:
        return None, f"needs {spec.min_nights} nights and {spec.min_events:,} events; has {nights} and {rows:,}"
    try:
        model = train(sample, spec, catalogue, through=through, now=now)
        before = choose(saved_models(home.models), through, model.recipe)
        compared = compare(model, _loaded(home, before, spec), clean) if before is not None else None
        model = save(model, home.models, compared)
    except NothingToLearnError as exc:
        return None, exc.message
    left_out = f"; left out: {', '.join(model.left_out)}" if model.left_out else ""
    flagged = f" ({model.flagged:,} flagged ones not learned from)" if model.flagged else ""
    beside = (
        f"; beside {compared.before} ranks correlate by {compared.rank_correlation:.2f}" if compared is not None else ""
    )
    return model, f"trained {model.version} on {nights} nights and {model.rows:,} events{flagged}{left_out}{beside}"


def _loaded(home: Home, chosen: SavedModel, spec: ModelSpecification) -> TrainedModel:
    """The model with the specification of today: the recipe vouches that they differ in nothing that was learned."""
    return replace(_read_once(home.models, chosen.version), specification=spec)


@lru_cache(maxsize=1)
def _read_once(models: Path, version: str) -> TrainedModel:
    """Reading the trees takes half a second, and a catch-up scores many nights in a row by one model; a version
    vouches for its bytes, so that what was read once stays right."""
    return load(models, version)


def _in_use(chosen: SavedModel, night: date) -> str:
    age = (night - chosen.manifest.trained_through).days
    return f"model {chosen.version} in use, {age} {'night' if age == 1 else 'nights'} old"
