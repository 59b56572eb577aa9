"""Where the shipped rules and model specifications lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from detector.errors import StateError

_PACKAGE = Path(__file__).resolve().parent


def rules_dir(package: Path = _PACKAGE) -> Path:
    """The folder of the shipped Sigma rules. Raises StateError when the installation lacks it."""
    return _folder("rules", package)


def models_dir(package: Path = _PACKAGE) -> Path:
    """The folder of the shipped model specifications. Raises StateError when the installation lacks it."""
    return _folder("models", package)


def _folder(name: str, package: Path) -> Path:
    # The wheel's copy first: beside an installed package there may well be somebody else's `rules` or `models`.
    for folder in (package / "shipped_files" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise StateError(f"the shipped {name} are not in this installation", hint="Install the detector anew.")
