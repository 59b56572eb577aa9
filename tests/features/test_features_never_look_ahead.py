"""What must hold whatever the log: no later event matters, and no order of rows.

Every feature of the catalogue is looked at by name: one that comes new is checked like all others, and its test fails
until the random nights tell it anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from feature_world import Connect, Nights, Values
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_events import History, Look
from plain_features import PLAIN, history, plain_values
from random_events import DAYS, SETTINGS, UPSIDE_DOWN, WORLD, in_order, night_of, random_night

from detector.context.reference import Reference
from detector.features.catalogue import FEATURES

Rows = list[dict[str, Any]]
SEED, EVENTS = 11, 90
TONIGHT = DAYS[-1]
#: Everything about an event but what it is called and when it happens.
_ITS_OWN = ("event_id", "event_time", "ingested_at", "source_name")


def other_endings(ordered: Rows) -> dict[str, tuple[Rows, Rows]]:
    """What might have come after the first events of a night instead: name -> those events, and the whole night."""
    endings: dict[str, tuple[Rows, Rows]] = {}
    for kept in (len(ordered) // 3, 2 * len(ordered) // 3):
        first, later = ordered[:kept], ordered[kept:]
        # The same people at the same records, terminals and cases as before: nothing is nearer to those events.
        again = [
            {**earlier, **{name: row[name] for name in _ITS_OWN}}
            for row, earlier in zip(later, first[::-1] * len(ordered), strict=False)
        ]
        more = [
            {**row, "event_id": f"z-{row['event_id']}-{n}", "event_time": max(first[-1]["event_time"], time)}
            for row in first
            for n, time in enumerate((row["event_time"], first[-1]["event_time"] + timedelta(seconds=1)))
        ]
        endings |= {
            f"{kept}, then nothing": (first, first),
            f"{kept}, then the same again": (first, first + again),
            f"{kept}, then more of it": (first, [*first, *more, *later]),
        }
    return endings


def looked_ahead(name: str, values: Mapping[str, Any], others: Sequence[tuple[Rows, Mapping[str, Any]]]) -> set[str]:
    """The events whose feature another ending of the night changes."""
    return {
        row["event_id"]
        for first, other in others
        for row in first
        if values[row["event_id"]][name] != other[row["event_id"]][name]
    }


@pytest.fixture(scope="module")
def tonight() -> Rows:
    return sorted(random_night(SEED, TONIGHT, EVENTS), key=in_order)


@pytest.fixture(scope="module")
def runs(engine: Connect, tonight: Rows) -> tuple[Values, list[tuple[Rows, Values]]]:
    """The last night's features, and those of its first events with every other ending; the last one is as it was, but
    that it is scanned when the profiles of that night and of the next are there already."""
    nights = Nights(engine, SETTINGS, WORLD)
    for day in DAYS[:-1]:
        nights.run(night_of(day), random_night(SEED, day, EVENTS))
    night = night_of(TONIGHT)
    others = [(first, nights.look_again(night, whole)) for first, whole in other_endings(tonight).values()]
    values = nights.run(night, tonight)
    nights.run(night_of(TONIGHT + 1), random_night(SEED, TONIGHT + 1, EVENTS))
    return values, [*others, (tonight, nights.look_again(night, tonight))]


@pytest.mark.parametrize("name", list(FEATURES))
def test_a_feature_depends_on_nothing_later(runs: tuple[Values, list[tuple[Rows, Values]]], name: str) -> None:
    values, others = runs
    assert looked_ahead(name, values, others) == set()
    # A check of a feature that these events tell nothing would check nothing.
    first = max((first for first, _ in others[:-1]), key=len)
    assert len({values[row["event_id"]][name] for row in first}) > 1


class AllOfTonight(History):
    """A history that looks ahead: what has happened so far is all of the night."""

    def so_far(self, e: Look) -> Sequence[Look]:
        return [*(x for x in self.looks if x.night <= e.night and x.id != e.id), e]


def test_a_feature_that_looked_ahead_would_be_found(tonight: Rows) -> None:
    """Each of plain Python's, made to look at the whole night instead of what came before."""
    before = [row for day in DAYS[:-1] for row in random_night(SEED, day, EVENTS)]
    night = night_of(TONIGHT)
    honest = plain_values(history([*before, *tonight]), night)
    peeking = plain_values(history([*before, *tonight], AllOfTonight), night)
    others = [
        (first, plain_values(history([*before, *whole], AllOfTonight), night))
        for first, whole in other_endings(tonight).values()
    ]
    windows = {name for name in PLAIN if any(honest[event][name] != peeking[event][name] for event in honest)}
    assert len(windows) >= 20
    # What is rare about an explanation turns on the night only where a colleague's look-up explains, which none of
    # these endings gives or takes.
    assert {name for name in windows if not looked_ahead(name, peeking, others)} <= {"explanation_surprisal"}


def _two_nights(engine: Connect, rows: Sequence[Rows], reference: Reference) -> tuple[Values, dict[str, pa.Table]]:
    nights = Nights(engine, SETTINGS, reference)
    nights.run(night_of(DAYS[-2]), rows[0])
    values = nights.run(night_of(TONIGHT), rows[1])
    return values, {name: tables[-1] for name, tables in nights.profiles.items()}


@settings(max_examples=2)
@given(seed=st.integers(0, 2**20), events=st.integers(1, 40))
def test_no_order_of_rows_matters(engine: Connect, seed: int, events: int) -> None:
    nights = [random_night(seed, day, events) for day in DAYS[-2:]]
    values, profiles = _two_nights(engine, nights, WORLD)
    assert set(values) == {row["event_id"] for row in nights[-1]}
    shuffled = [Random(seed).sample(rows, len(rows)) for rows in nights]  # noqa: S311
    assert _two_nights(engine, shuffled, UPSIDE_DOWN) == (values, profiles)
