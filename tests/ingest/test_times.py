"""Times: strict forms, zones with their gaps and overlaps, offsets."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.ingest import times
from detector.ingest.times import DAY, EPOCH, MINUTE, REASON_CODES, SECOND, Fold, Zone, parse


def us(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment - EPOCH) / timedelta(microseconds=1))


def read(
    text: str, *formats: str, zone: str | None = None, gap: Fold = "reject", overlap: Fold = "reject"
) -> int | str:
    """UTC microseconds, or the reason why not."""
    found = parse(pa.array([text]), formats or ("iso8601",), Zone(zone) if zone else None, gap, overlap)
    return REASON_CODES[found.reason[0]] or int(found.us[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02 10:00:00.789+00:00", "2026-03-02T10:00:00.789+00:00"),
        ("2026-03-02T10:00:00,5-0800", "2026-03-02T18:00:00.5+00:00"),
        ("2026-03-02T10:00:00.1234567Z", "2026-03-02T10:00:00.123456+00:00"),
        ("2026-03-02T10:00+01", "2026-03-02T09:00:00+00:00"),
        (" 2026-03-02T10:00:00Z\n", "2026-03-02T10:00:00+00:00"),
        ("2024-02-29T00:00:00z", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_iso(text: str, expected: str) -> None:
    assert read(text) == us(expected)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T10:00:00Z", "2026-04-31T10:00:00Z", "2026-03-02T24:00:00Z", "2026-03-02T10:60:00Z", "2026-03-02",
        "2026-3-2T10:00:00Z", "2026-03-02T10:00:00+19:00", "02/03/2026 10:00:00", "1772445600", "",
        "٢٠٢٦-03-02T10:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_iso_time(text: str) -> None:
    assert read(text, zone="UTC") == "bad_time"


def test_no_zone_no_naive_time() -> None:
    assert read("2026-03-02T10:00:00") == "bad_time"
    assert read("2026-03-02T10:00:00", zone="UTC") == us("2026-03-02T10:00:00+00:00")


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("11/14/2025, 09:53:36 AM UTC", "%m/%d/%Y, %I:%M:%S %p UTC", "2025-11-14T09:53:36+00:00"),
        ("11/14/2025, 12:00:00 AM UTC", "%m/%d/%Y, %I:%M:%S %p UTC", "2025-11-14T00:00:00+00:00"),
        ("11/14/2025, 12:00:00 PM UTC", "%m/%d/%Y, %I:%M:%S %p UTC", "2025-11-14T12:00:00+00:00"),
        ("1/2/2025 7:31:00", "%m/%d/%Y %H:%M:%S", "2025-01-02T07:31:00+00:00"),
        ("1/2/2025 7:31:00", "%d/%m/%Y %H:%M:%S", "2025-02-01T07:31:00+00:00"),
        ("Mar 02 2026 10:00:00.5", "%b %d %Y %H:%M:%S.%f", "2026-03-02T10:00:00.5+00:00"),
        ("02 March 2026 10:00 +0100", "%d %b %Y %H:%M %z", "2026-03-02T09:00:00+00:00"),
        ("1772445600", "epoch_s", "2026-03-02T10:00:00+00:00"),
        ("1772445600.25", "epoch_s", "2026-03-02T10:00:00.25+00:00"),
        ("1772445600789", "epoch_ms", "2026-03-02T10:00:00.789+00:00"),
    ],
)
def test_formats(text: str, form: str, expected: str) -> None:
    assert read(text, form, zone="UTC") == us(expected)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("13/01/2025 7:31:00", "%m/%d/%Y %H:%M:%S"),  # never turned round to fit
        ("13:00:00 AM 1/1/2025", "%I:%M:%S %p %m/%d/%Y"),
        ("1772445600789", "epoch_s"),  # milliseconds are no seconds
        ("11/14/2025, 09:53:36 AM PST", "%m/%d/%Y, %I:%M:%S %p UTC"),
    ],
)
def test_what_does_not_fit_the_format(text: str, form: str) -> None:
    assert read(text, form, zone="UTC") == "bad_time"


@pytest.mark.parametrize(
    "form", ["%d/%m %H:%M", "%Y-%m-%d", "%m/%d/%Y %I:%M", "%Y-%m-%d %H:%M %Q", "%Y %Y-%m-%d %H:%M"]
)
def test_formats_that_leave_something_open(form: str) -> None:
    with pytest.raises(ValueError, match="time format"):
        times.compile_format(form)


def test_first_format_that_fits_wins_row_by_row() -> None:
    texts = pa.array(["2026-03-02T10:00:00Z", "03/02/2026 10:00:00", "nonsense"])
    found = parse(texts, ("iso8601", "%m/%d/%Y %H:%M:%S"), Zone("UTC"), "reject", "reject")
    assert found.us[0] == found.us[1] == us("2026-03-02T10:00:00+00:00")
    assert list(found.reason) == [0, 0, 1]
    assert list(found.has_offset) == [True, False, False]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("reject", "nonexistent_time"),
        ("earlier", us("2026-03-29T00:30:00+00:00")),
        ("later", us("2026-03-29T01:30:00+00:00")),
    ],
)
def test_gap(policy: Fold, expected: int | str) -> None:
    assert read("2026-03-29T01:30:00", zone="Europe/London", gap=policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("reject", "ambiguous_time"),
        ("earlier", us("2026-10-25T00:30:00+00:00")),
        ("later", us("2026-10-25T01:30:00+00:00")),
    ],
)
def test_overlap(policy: Fold, expected: int | str) -> None:
    assert read("2026-10-25T01:30:00", zone="Europe/London", overlap=policy) == expected


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29T00:59:59", "2026-03-29T00:59:59+00:00"),
        ("2026-03-29T02:00:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25T00:59:59", "2026-10-24T23:59:59+00:00"),
        ("2026-10-25T02:00:00", "2026-10-25T02:00:00+00:00"),
        ("2026-07-01T12:00:00", "2026-07-01T11:00:00+00:00"),
    ],
)
def test_around_the_changes_of_the_clock(local: str, utc: str) -> None:
    assert read(local, zone="Europe/London") == us(utc)


@given(
    second=st.integers(us("1971-01-01T00:00:00+00:00") // SECOND, us("2037-12-31T00:00:00+00:00") // SECOND),
    zone=st.sampled_from(
        ["Europe/London", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu", "Etc/GMT+8"]
    ),
)
def test_local_time_and_back(second: int, zone: str) -> None:
    """What zoneinfo makes of a UTC instant, read again, is that instant, unless it happened twice."""
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    instant = second * SECOND
    offset = Zone(zone).offset_seconds(np.array([instant]))[0]
    assert timedelta(seconds=int(offset)) == local.utcoffset()
    back, reason = Zone(zone).to_utc(np.array([instant + int(offset) * SECOND]), "reject", "reject")
    if REASON_CODES[reason[0]] == "ambiguous_time":
        folded = local.replace(tzinfo=None)
        assert {folded.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)} != {local.utcoffset()}
    else:
        assert (back[0], reason[0]) == (instant, 0)


def test_offsets_of_a_whole_year() -> None:
    hours = np.arange(us("2025-01-01T00:00:00+00:00"), us("2026-01-01T00:00:00+00:00"), 3600 * SECOND)
    found = Zone("America/Los_Angeles").offset_seconds(hours) // 3600
    zone = ZoneInfo("America/Los_Angeles")
    expected = [(EPOCH + timedelta(microseconds=int(h))).astimezone(zone).utcoffset() for h in hours]
    assert [timedelta(hours=int(h)) for h in found] == expected
    assert DAY == 24 * 60 * MINUTE


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("+01:00", 60), ("-0330", -210), ("Z", 0), ("Europe/London", 0), ("+19:00", None), ("EU", None)],
)
def test_offsets_as_ecs_writes_them(text: str, minutes: int | None) -> None:
    found = times.offset_of(text, np.array([us("2026-03-02T10:00:00+00:00")]))
    assert (None if found is None else int(found[0])) == minutes


@pytest.mark.parametrize("unit", ["epoch_s", "epoch_ms", "epoch_us", "epoch_ns"])
def test_a_number_counts_in_the_stated_unit_and_is_no_time_in_any_other(unit: str) -> None:
    numbers = {"epoch_s": "1772445600", "epoch_ms": "1772445600000", "epoch_us": "1772445600000000",
               "epoch_ns": "1772445600000000999"}  # fmt: skip
    parsed = times.parse(pa.array([*numbers.values(), "9" * 19, "0", "-1"]), [unit], None, "reject", "reject")
    right = list(numbers).index(unit)
    assert [reason == 0 for reason in parsed.reason] == [index == right for index in range(7)]
    assert parsed.us[right] == 1_772_445_600_000_000
