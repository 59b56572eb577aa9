"""One small force, made once for all tests of this room."""

from __future__ import annotations

import pytest
from made_force import Made, make

from detector.simulate.options import Options


@pytest.fixture(scope="session")
def force(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """300 people over five weeks with the change of the clocks; a sixth of them misuse, so that all scenarios occur."""
    return make(tmp_path_factory.mktemp("force") / "out", Options(300, 35, 5, prevalence=0.16))
