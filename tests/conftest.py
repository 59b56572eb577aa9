"""Fixtures and set-up that every room's tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from detector.database import open_database
from detector.home import Home

ROOT = Path(__file__).resolve().parents[1]

# The same examples every time and no deadline: a red run must mean a fault, never a slow or unlucky machine.
settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
# Fresh examples, and more of them: for hunting by hand (HYPOTHESIS_PROFILE=hunt).
settings.register_profile("hunt", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Set Django up before any test module imports a model; no database is opened or made here."""
    for name in [n for n in os.environ if n.startswith("DETECTOR_") or n == "DATABASE_URL"]:
        del os.environ[name]  # a developer's own settings must not steer the tests
    open_database(Home(Path(os.devnull) / "no-home"), env={}, migrate=False)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A new home with its database open and migrated; Django's default connection points at it."""
    from django.db import connections

    new = Home(tmp_path / "home")
    open_database(new, env={})
    yield new
    connections.close_all()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real published exports beside the checkout; tests that need it skip where it is not there."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no {folder.relative_to(ROOT.parent)} beside the checkout: no real exports to test with")
    return folder
