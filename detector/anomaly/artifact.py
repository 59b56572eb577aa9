"""A model on disk: `models/<version>/` with model.skops, peers.json, manifest.json and model_card.md.

The version is made of the manifest's content and the manifest holds the SHA-256 of the other files, so a version noted
in the ledger vouches for every byte that decides a score.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Final

from detector.anomaly.comparison import Comparison
from detector.anomaly.forestfile import dump_forest, load_forest
from detector.anomaly.manifest import (
    Manifest,
    bins_from,
    calibration_from,
    manifest_of,
    parse,
    peers_from_bytes,
    peers_to_bytes,
)
from detector.anomaly.model import TrainedModel
from detector.anomaly.train import libraries
from detector.errors import StateError, Where
from detector.shipped import models_dir

VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{12}")
PICKLES: Final = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".pt"})
_ASIDE: Final = ".new-"
_MOVE_AWAY: Final = "Move the model's folder away; the next scan trains anew."


@dataclass(frozen=True)
class SavedModel:
    """A model on disk, as its manifest tells; the trees are read by `load` alone."""

    version: str
    manifest: Manifest


def save(model: TrainedModel, models: Path, compared: Comparison | None = None) -> TrainedModel:
    """Write the model and return it with its version. Whole or not at all; a version that is there is left as it is.

    `compared` is told in its card.

    Raises StateError when the folder cannot be written.
    """
    files = {"model.skops": dump_forest(model.forest), "peers.json": peers_to_bytes(model.peers)}
    manifest = manifest_of(model, libraries(), files)
    version = manifest.version()
    files["manifest.json"] = manifest.to_bytes()
    files["model_card.md"] = _card(model, version, manifest, compared).encode("utf-8", "surrogatepass")
    aside, final = models / f"{_ASIDE}{version}", models / version
    try:
        models.mkdir(parents=True, exist_ok=True)
        for leftover in models.glob(f"{_ASIDE}*"):
            shutil.rmtree(leftover)
        if not final.exists():
            aside.mkdir()
            for name, data in files.items():
                _write(aside / name, data)
            _sync(aside)
            aside.rename(final)
            _sync(models)
    except OSError as exc:
        raise StateError(
            f"the model cannot be written: {exc.strerror}",
            where=Where(models),
            hint="Free some space or check its rights.",
        ) from None
    return replace(model, version=version)


def saved_models(models: Path) -> tuple[SavedModel, ...]:
    """All models on disk by their manifests, oldest first; only `load` looks at the trees.

    Raises StateError for a folder that is no whole model: leaving it out would quietly change which model scores
    a night.
    """
    if not models.is_dir():
        return ()
    folders = sorted(path for path in models.iterdir() if path.is_dir() and not path.name.startswith("."))
    return tuple(SavedModel(path.name, _manifest(path)) for path in folders)


def load(models: Path, version: str) -> TrainedModel:
    """The model of that version, every file held against its SHA-256 first.

    Raises StateError for a missing, altered or foreign file, and for a name that is no version (a pickle, a path).
    """
    if Path(version).suffix.lower() in PICKLES:
        raise StateError(
            "pickle and joblib files are never read: they can run any code",
            where=Where(models / version),
            hint="Train a model instead: detector train.",
        )
    folder = models / version
    if not VERSION.fullmatch(version):
        raise StateError(f"{version!r} is no model version", hint="A version looks like 2026-11-01-0123456789ab.")
    if not folder.is_dir():
        raise StateError(
            f"model {version} is not there",
            where=Where(folder),
            hint="Restore it from a backup, or train: detector train.",
        )
    manifest = _manifest(folder)
    parts = {name: _verified(folder / name, sha256) for name, sha256 in manifest.files.items()}
    peers = peers_from_bytes(parts["peers.json"], Where(folder / "peers.json"))
    if peers.directions != manifest.features:
        raise StateError("peers.json and manifest.json name different features", where=Where(folder), hint=_MOVE_AWAY)
    where = Where(folder / "model.skops")
    ours, theirs = libraries()["scikit-learn"], manifest.libraries.get("scikit-learn", "")
    if ours.split(".")[:2] != theirs.split(".")[:2]:
        raise StateError(
            f"made by scikit-learn {theirs}, and this is {ours}", where=where, hint="Train anew: detector train."
        )
    return TrainedModel(
        forest=load_forest(parts["model.skops"], features=len(peers.features), where=where),
        peers=peers,
        calibration=calibration_from(manifest.calibration),
        bins=bins_from(manifest.bins),
        left_out=manifest.left_out,
        specification=manifest.specification,
        recipe=manifest.recipe,
        first_night=manifest.first_night,
        through=manifest.trained_through,
        nights=manifest.nights,
        rows=manifest.rows,
        created_at=manifest.created_at,
        flagged=manifest.flagged,
        version=version,
    )


def _manifest(folder: Path) -> Manifest:
    path = folder / "manifest.json"
    manifest = parse(Manifest, _read(path), Where(path))
    if manifest.version() != folder.name:
        raise StateError(
            f"does not belong to version {folder.name}: it was altered, or the folder renamed",
            where=Where(path),
            hint=_MOVE_AWAY,
        )
    return manifest


def _verified(path: Path, sha256: str) -> bytes:
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise StateError(
            f"altered since it was trained: SHA-256 is {found[:12]}…, the manifest says {sha256[:12]}…",
            where=Where(path),
            hint=_MOVE_AWAY,
        )
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise StateError(f"cannot be read: {exc.strerror}", where=Where(path), hint=_MOVE_AWAY) from None


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _card(model: TrainedModel, version: str, manifest: Manifest, compared: Comparison | None) -> str:
    spec, groups = model.specification, model.peers.groups
    count = sum(group.level == "peers" for group in groups)
    return Template((models_dir() / "model-card.md").read_text(encoding="utf-8")).substitute(
        name=spec.name,
        version=version,
        title=spec.title,
        first_night=model.first_night,
        through=model.through,
        nights=model.nights,
        rows=f"{model.rows:,}",
        flagged=f"{model.flagged:,}",
        actors=f"{groups[0].actors:,}",
        created_at=f"{manifest.created_at:%Y-%m-%d %H:%M} UTC",
        seed=spec.seed,
        trees=spec.trees,
        max_samples=spec.max_samples,
        libraries=", ".join(f"{name} {number}" for name, number in manifest.libraries.items()),
        groups=f"{count} of role x unit with at least {spec.peers.min_actors} actors",
        min_actors=spec.peers.min_actors,
        features="\n".join(f"- `{name}` (strange when {_side(side)})" for name, side in model.peers.directions.items()),
        left_out="\n".join(f"- `{name}`: {why}" for name, why in model.left_out.items()) or "None.",
        compared="\n".join(compared.sentences() if compared else ("There was none.",)),
    )


def _side(direction: str) -> str:
    return "high or low" if direction == "both" else direction
