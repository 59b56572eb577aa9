"""Hours, blocks of work, days without rest; and the published analysis of a real log."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from feature_world import Connect, Nights, at, column, features_of, look


def test_a_streak_counts_local_days_and_breaks_with_a_day_of_rest(engine: Connect) -> None:
    rows = [
        look("sun", at(0, "06:00"), utc_offset_minutes=-480),  # still Sunday there
        look("mon1", at(0, "09:00"), utc_offset_minutes=-480),
        look("mon2", at(1, "07:59"), utc_offset_minutes=-480),  # Tuesday in UTC, Monday there
        look("tue", at(1, "08:00"), utc_offset_minutes=-480),
        look("thu", at(3, "12:00"), utc_offset_minutes=-480),
    ]
    assert column(features_of(engine, rows), "streak_days", "sun", "mon1", "mon2", "tue", "thu") == [1, 2, 2, 3, 1]


def test_the_working_block_grows_until_six_hours_of_rest(engine: Connect) -> None:
    rows = [
        look("start", at(0, "20:00")),
        look("later", at(1, "01:59:59")),  # carried over midnight
        look("last", at(1, "07:00")),
        look("in", at(1, "08:00"), action="login"),
        look("rested", at(1, "13:00")),
    ]
    values = features_of(engine, rows)
    assert column(values, "span_hours", "start", "later", "last", "in", "rested") == pytest.approx(
        [0, 6 - 1 / 3600, 11, None, 0]
    )
    assert column(values, "idle_days", "start", "rested") == [None, pytest.approx(0.25)]


def test_an_hour_is_as_surprising_as_own_habit_and_peers_make_it(engine: Connect) -> None:
    rows = [look(f"n{week}", at(7 * week, "09:30"), utc_offset_minutes=60) for week in range(4)]
    rows += [look("usual", at(28, "09:45"), utc_offset_minutes=60), look("odd", at(28, "22:00"), utc_offset_minutes=60)]
    values = features_of(engine, rows)
    # Four active hours, all in one of 168; everybody = (4 + 168/168) / (4 + 168), then twice shrunk with 40.
    everybody, nowhere = 5 / 172, 1 / 172
    peers, never = (4 + 40 * everybody) / 44, (40 * nowhere) / 44
    assert values["usual"]["hour_surprisal"] == pytest.approx(-math.log2((4 + 40 * peers) / 44))
    assert values["odd"]["hour_surprisal"] == pytest.approx(-math.log2((40 * never) / 44))


def test_a_local_hour_is_the_same_habit_on_both_sides_of_a_clock_change(engine: Connect) -> None:
    rows = [look(f"w{week}", at(7 * week, "09:30"), utc_offset_minutes=0) for week in range(4)]
    rows += [
        look("summer", at(28, "08:30"), utc_offset_minutes=60),
        look("winter", at(28, "09:30"), utc_offset_minutes=0),
    ]
    values = features_of(engine, rows)
    assert values["summer"]["hour_surprisal"] == values["winter"]["hour_surprisal"]


def test_a_zone_that_goes_back_a_day_does_not_break_the_streak(engine: Connect) -> None:
    rows = [
        look("east", at(0, "20:00"), utc_offset_minutes=600),  # already Tuesday
        look("west", at(0, "20:10"), utc_offset_minutes=-480),  # Monday
        look("next", at(1, "20:00"), utc_offset_minutes=-480),  # Tuesday
        look("after", at(2, "20:00"), utc_offset_minutes=-480),
    ]
    assert column(features_of(engine, rows), "streak_days", "east", "west", "next", "after") == [1, 1, 1, 2]


Streak = tuple[str, int, date]
PACIFIC = ZoneInfo("America/Los_Angeles")


def _published(folder: Path) -> set[Streak]:
    with (folder / "eugene" / "streaks_published.csv").open(newline="") as stream:
        return {
            (row["user_id"], int(row["consecutive_days"]), date.fromisoformat(row["streak_start"]))
            for row in csv.DictReader(stream)
        }


def _searches(folder: Path) -> Iterator[dict[str, Any]]:
    """Every search before the day of the analysis twice: under a fixed UTC-8, and under the zone's own offset."""
    with (folder / "eugene" / "search_audit.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            time = datetime.fromisoformat(row["searchDate"]).replace(tzinfo=UTC)
            if time < datetime(2025, 9, 21, tzinfo=UTC):
                shift = time.astimezone(PACIFIC).utcoffset() or timedelta()
                for clock, minutes in (("fixed", -480), ("zone", int(shift.total_seconds() // 60))):
                    who = f"{clock} {row['userId']}"
                    yield look(f"{clock} {row['id']}", time, operator_id=who, utc_offset_minutes=minutes)


def _streaks(engine: Connect, folder: Path) -> set[Streak]:
    """Runs of five and more days, read off the feature: the highest value of each actor and start; nights in order."""
    nights: dict[date, list[dict[str, Any]]] = {}
    for event in _searches(folder):
        nights.setdefault(event["event_time"].date(), []).append(event)
    run, longest = Nights(engine), dict[tuple[str, date], int]()
    for night in sorted(nights):
        values = run.run(night, nights[night])
        for event in nights[night]:
            days = int(values[event["event_id"]]["streak_days"] or 0)
            local = event["event_time"] + timedelta(minutes=event["utc_offset_minutes"])
            key = (event["operator_id"], local.date() - timedelta(days=days - 1))
            longest[key] = max(longest.get(key, 0), days)
    return {(actor, days, start) for (actor, start), days in longest.items() if days >= 5}


@pytest.mark.slow
def test_the_published_streaks_of_a_real_log_are_reproduced_exactly(engine: Connect, shared_data: Path) -> None:
    published = _published(shared_data)
    streaks = _streaks(engine, shared_data)
    fixed = {(actor.removeprefix("fixed "), *rest) for actor, *rest in streaks if actor.startswith("fixed ")}
    with_daylight_saving = {streak for streak in streaks if streak[0].startswith("zone ")}
    assert len(published) == 27
    assert fixed == published
    assert len(with_daylight_saving) == 30
