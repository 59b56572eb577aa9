"""What to train and when: one YAML file, checked before anything is touched."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field, model_validator

from detector.config import Fraction, Section, validate
from detector.errors import ConfigError, Where
from detector.safe_yaml import load_one
from detector.shipped import models_dir

Direction = Literal["high", "low", "both"]
Points = Annotated[float, Field(ge=0, le=100)]
#: Keys that say how findings are made or the machine is used, not what is learned.
NOT_LEARNED = frozenset({"title", "findings", "threads", "chunk_rows", "retrain_nights", "min_nights", "min_events"})


class FeatureLike(Protocol):
    """What the model asks of a catalogue entry."""

    @property
    def direction(self) -> str: ...
    @property
    def model(self) -> bool: ...


class PeerSpecification(Section):
    min_actors: int = Field(3, ge=1, description="groups with fewer actors are judged by the next larger group")
    shrinkage_actors: float = Field(
        5, ge=0, description="a group of this many actors counts half against the larger one"
    )
    clip: float = Field(
        10, gt=0, le=1000, description="spreads from the peers' median beyond which more is not stranger"
    )


class FindingSpecification(Section):
    threshold: Points = Field(50, description="score from which a look-up is strange")
    max_actors: int = Field(50, ge=0, description="findings a night, strongest first")
    max_events: int = Field(10, ge=1, description="evidence events of one finding, strangest first")
    max_reasons: int = Field(3, ge=1)
    volume_correction: Fraction = Field(0.5, description="share of log10(look-ups that night) taken off the strength")
    levels: dict[Literal["informational", "low", "medium", "high"], Points] = Field(
        default={"low": 50, "medium": 70, "high": 97}, min_length=1, description="level -> strength from which it holds"
    )

    @model_validator(mode="after")
    def _levels_rise(self) -> FindingSpecification:
        order = ("informational", "low", "medium", "high")
        starts = [self.levels[name] for name in order if name in self.levels]
        if starts != sorted(starts):
            raise ValueError("levels must rise: informational <= low <= medium <= high")
        if starts[0] > self.threshold:
            raise ValueError(f"the lowest level must start at or below the threshold ({self.threshold:g})")
        return self


class ModelSpecification(Section):
    """A model specification; `models/isolation-forest.yaml` is the shipped one."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    title: str = Field("Unusual pattern of look-ups", min_length=1, max_length=120)
    features: Literal["all"] | tuple[str, ...] = "all"
    seed: int = Field(20261101, ge=0, lt=2**32)
    window_nights: int = Field(60, ge=1, le=3650)
    retrain_nights: int = Field(7, ge=1, le=3650)
    min_nights: int = Field(7, ge=1)
    min_events: int = Field(1000, ge=2)
    max_rows: int = Field(200_000, ge=100, le=5_000_000)
    trees: int = Field(200, ge=10, le=2000)
    max_samples: int = Field(512, ge=2, le=65_536)
    anchors_per_tree: float = Field(0.5, ge=0, le=5)
    max_missing: Fraction = 0.6
    peers: PeerSpecification = PeerSpecification()
    threads: int = Field(2, ge=1, le=256)
    chunk_rows: int = Field(65_536, ge=1)
    findings: FindingSpecification = FindingSpecification()

    @model_validator(mode="after")
    def _window_is_long_enough(self) -> ModelSpecification:
        if self.min_nights > self.window_nights:
            raise ValueError(f"min_nights ({self.min_nights}) cannot be more than window_nights ({self.window_nights})")
        if self.min_events > self.max_rows:
            raise ValueError(f"min_events ({self.min_events}) cannot be more than max_rows ({self.max_rows})")
        return self


def load_specification(path: Path | None = None) -> ModelSpecification:
    """The specification of a file, or the shipped one. Raises ConfigError naming file, line and key."""
    path = path or models_dir() / "isolation-forest.yaml"
    data, lines = load_one(path)
    if not isinstance(data, dict):
        raise ConfigError("expected a mapping, as in models/isolation-forest.yaml", where=Where(path, 1))
    return validate(ModelSpecification, data, where=path, lines=lines)


def model_features(spec: ModelSpecification, catalogue: Mapping[str, FeatureLike]) -> dict[str, Direction]:
    """Feature -> direction, in order, for what the specification asks of the catalogue.

    Raises ConfigError for a name that the catalogue does not have, or does not offer to models.
    """
    offered = {name: _direction(feature.direction) for name, feature in catalogue.items() if feature.model}
    if spec.features == "all":
        return offered
    for name in spec.features:
        if name in offered:
            continue
        close = difflib.get_close_matches(name, offered, n=1)
        reason = "is not offered to models" if name in catalogue else "is no feature of the catalogue"
        raise ConfigError(
            f"{name!r} {reason}",
            where=Where(f"model specification {spec.name}", key="features"),
            hint=f"Did you mean {close[0]}?" if close else f"Offered: {', '.join(sorted(offered))}.",
        )
    return {name: offered[name] for name in dict.fromkeys(spec.features)}


def recipe(spec: ModelSpecification, features: Mapping[str, str], libraries: Iterable[str]) -> str:
    """SHA-256 of all that decides what is learned from given rows; models of other recipes are not used."""
    learned = spec.model_dump(mode="json", exclude=set(NOT_LEARNED))
    text = json.dumps([learned, list(features.items()), sorted(libraries)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _direction(value: str) -> Direction:
    if value == "high":
        return "high"
    if value == "low":
        return "low"
    if value == "both":
        return "both"
    raise ConfigError(f"{value!r} is no direction of a feature", hint="Allowed: high, low, both.")
