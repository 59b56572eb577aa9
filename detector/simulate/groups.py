"""The hard-negative groups: legitimate work that looks like misuse, by event; those by person are in organisation."""

from __future__ import annotations

from typing import Final

EVENT_GROUPS: Final = (
    "surge",
    "night_response",
    "unlogged_stop",
    "closed_appeal",
    "common_surname",
    "fugitive_hunt",
    "live_incident",
    "log_in_test",
    "wide_description",
    "shared_kiosk",
    "staff_victim",
    "press_interest",
)
GROUP: Final = {name: number for number, name in enumerate(EVENT_GROUPS)}

#: Groups of people besides those of the kinds of unit.
STARTERS, TRANSFERS = "new_starters", "transfers"
