"""What lies beside a model's trees, in JSON: the manifest and the peers' table."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from detector.anomaly.calibration import Calibration
from detector.anomaly.drift import Bins
from detector.anomaly.model import TrainedModel
from detector.anomaly.peers import PeerGroup, PeerTable
from detector.anomaly.specification import Direction, ModelSpecification
from detector.errors import StateError, Where

Sha256 = str


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CalibrationPart(Part):
    raw: tuple[float, ...] = Field(min_length=1)
    surprise: tuple[float, ...] = Field(min_length=1)
    mean_excess: float = Field(gt=0)
    rows: int = Field(ge=1)


class BinsPart(Part):
    edges: tuple[float, ...]
    shares: tuple[float, ...] = Field(min_length=2)


class Manifest(Part):
    """What a model learned from and how, and the SHA-256 of its other files."""

    format: Literal[1] = 1
    created_at: AwareDatetime
    trained_through: date
    first_night: date
    nights: int = Field(ge=1)
    rows: int = Field(ge=1)
    flagged: int = Field(0, ge=0)  # look-ups of those nights that were not learned from
    seed: int
    recipe: str
    specification: ModelSpecification
    features: dict[str, Direction] = Field(min_length=1)
    left_out: dict[str, str]
    libraries: dict[str, str]
    calibration: CalibrationPart
    bins: dict[str, BinsPart]
    files: dict[Literal["model.skops", "peers.json"], Sha256] = Field(min_length=2)

    def digest(self) -> str:
        """SHA-256 of everything but the time of making: equal for equal models."""
        later = set() if self.flagged else {"flagged"}  # manifests of earlier releases have no such key
        return hashlib.sha256(_json(self.model_dump(mode="json", exclude={"created_at", *later}))).hexdigest()

    def version(self) -> str:
        """The model's name: last night learned from, and the beginning of the digest."""
        return f"{self.trained_through.isoformat()}-{self.digest()[:12]}"

    def to_bytes(self) -> bytes:
        return _json(self.model_dump(mode="json"))


class GroupPart(Part):
    level: Literal["everybody", "organisation", "peers"]
    organisation: str | None
    unit: str | None
    role: str | None
    actors: int
    rows: int
    centre: tuple[float, ...]
    spread: tuple[float, ...]


class PeersPart(Part):
    clip: float = Field(gt=0)
    features: dict[str, Direction]
    groups: tuple[GroupPart, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_a_table(self) -> PeersPart:
        width = len(self.features)
        for group in self.groups:
            if not len(group.centre) == len(group.spread) == width or min(group.spread, default=1.0) <= 0:
                raise ValueError(f"a group needs {width} centres and {width} spreads above 0")
        if self.groups[0].level != "everybody":
            raise ValueError("the first group must be everybody")
        return self


PartT = TypeVar("PartT", bound=Part)


def manifest_of(model: TrainedModel, libraries: dict[str, str], files: dict[str, bytes]) -> Manifest:
    calibration, spec = model.calibration, model.specification
    return Manifest.model_validate(
        {
            "created_at": model.created_at.astimezone(UTC),
            "trained_through": model.through,
            "first_night": model.first_night,
            "nights": model.nights,
            "rows": model.rows,
            "flagged": model.flagged,
            "seed": spec.seed,
            "recipe": model.recipe,
            "specification": spec,
            "features": dict(model.peers.directions),
            "left_out": dict(model.left_out),
            "libraries": libraries,
            "calibration": vars(calibration),
            "bins": {name: vars(bins) for name, bins in model.bins.items()},
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        }
    )


def peers_to_bytes(peers: PeerTable) -> bytes:
    groups = [
        {
            "level": group.level,
            **dict(zip(("organisation", "unit", "role"), group.key, strict=True)),
            "actors": group.actors,
            "rows": group.rows,
            "centre": centre.tolist(),
            "spread": spread.tolist(),
        }
        for group, centre, spread in zip(peers.groups, peers.centre, peers.spread, strict=True)
    ]
    return _json({"clip": peers.clip, "features": dict(peers.directions), "groups": groups})


def peers_from_bytes(data: bytes, where: Where) -> PeerTable:
    """Raises StateError for anything but a table of peers."""
    part = parse(PeersPart, data, where)
    return PeerTable(
        part.features,
        part.clip,
        tuple(PeerGroup(g.level, (g.organisation, g.unit, g.role), g.actors, g.rows) for g in part.groups),
        np.asarray([g.centre for g in part.groups], np.float32),
        np.asarray([g.spread for g in part.groups], np.float32),
    )


def calibration_from(part: CalibrationPart) -> Calibration:
    return Calibration(part.raw, part.surprise, part.mean_excess, part.rows)


def bins_from(parts: dict[str, BinsPart]) -> dict[str, Bins]:
    return {name: Bins(part.edges, part.shares) for name, part in parts.items()}


def parse(kind: type[PartT], data: bytes, where: Where) -> PartT:
    """JSON as `kind`. Raises StateError, naming the key, for anything else."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        key = ".".join(map(str, first["loc"])) or None
        raise StateError(
            first["msg"].removeprefix("Value error, "),
            where=Where(where.file, key=key),
            hint="The file was altered or damaged. Move the model's folder away; the next scan trains anew.",
        ) from None


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass") + b"\n"
