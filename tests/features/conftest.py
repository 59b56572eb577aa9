"""The engine of the feature tests. Spark runs their cases in tests/engines, all at once: it is slow to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from detector.engine import connect

ENGINES: dict[str, Callable[[], Any]] = {"duckdb": connect}


@pytest.fixture(params=sorted(ENGINES), scope="session")
def engine(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Opens a fresh connection of the engine under test."""
    return ENGINES[request.param]
