"""Every scenario, and which of them detection may be tuned on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from detector.errors import UsageError
from detector.simulate.scenarios import access, concealment, curiosity, dispute, leaks, personal, predatory, selling
from detector.simulate.scenarios.scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    sorted(
        (
            scenario
            for family in (curiosity, personal, dispute, predatory, leaks, selling, concealment, access)
            for scenario in family.SCENARIOS
        ),
        key=lambda scenario: scenario.number,
    )
)
BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}


def chosen(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of those names, all for none. Raises UsageError for a name there is not."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise UsageError(f"no scenario is called {unknown[0]!r}", hint=f"There are: {', '.join(BY_NAME)}.")
    return tuple(BY_NAME[name] for name in dict.fromkeys(names)) or SCENARIOS
