"""What is looked at: lists, stories, cold records, tiers, mixes, addresses."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from feature_world import Connect, Values, at, column, features_of, known, look

WORLD = known(
    staff=[{"staff_id": "alice", "unit": "Press"}],
    cases=[
        {"case_ref": "C1", "closed_at": at(-366, "12:00")},
        {"case_ref": "C2", "opened_at": at(-900, "00:00")},
        {"case_ref": "C3", "closed_at": at(-364, "12:00")},
    ],
    case_staff=[{"case_ref": "C4", "staff_id": "alice"}],
    case_records=[
        {"case_ref": "C1", "record_id": "K-closed"},
        {"case_ref": "C2", "record_id": "K-open"},
        {"case_ref": "C3", "record_id": "K-recent"},
        {"case_ref": "C4", "record_id": "S-own"},
    ],
    incidents=[
        {"incident_id": "I1", "record_id": "K-old", "unit": "Traffic", "started_at": at(-366, "12:00")},
        {"incident_id": "I2", "record_id": "K-new", "unit": "Traffic", "started_at": at(-365, "12:00")},
    ],
    watchlist=[
        {"record_id": "W1", "kind": "VIP"},
        {"record_id": "W2", "kind": "canary"},
        {"record_id": "W3", "kind": "organised_crime", "active_to": at(0, "12:00")},
        {"record_id": "W4", "kind": "staff", "active_from": at(0, "12:00")},
        {"record_id": "S-own", "kind": "protected"},
    ],
    publicity=[
        {"record_id": "P1", "published_at": at(0, "09:00")},
        {"record_id": "P1", "published_at": at(0, "20:00")},
        {"record_id": "P2", "published_at": at(-14, "12:00")},
        {"record_id": "P3", "published_at": at(1, "00:00")},
        {"record_id": "S-own", "published_at": at(0, "09:00")},
    ],
    records=[
        *({"record_id": f"A{n}", "address_id": "X"} for n in range(4)),
        {"record_id": "B1", "address_id": "Y"},
    ],
)


def of(name: str, record: str | None, clock: str = "12:00", **columns: Any) -> dict[str, Any]:
    return look(name, at(0, clock), record_id=record, unit="Press", **columns)


ROWS = [
    of("vip", "W1"), of("canary", "W2"), of("listed", "W3", "11:59:59"), of("ended", "W3"), of("starts", "W4"),
    of("not-yet", "W4", "11:59:59"), of("unlisted", "A0", "07:00"), of("bare", None), of("vip-own", "S-own"),
    of("before", "P1", "08:00"), of("after", "P1"), of("second", "P1", "19:00"), of("two-weeks", "P2"),
    of("longer", "P2", "12:00:01"), of("unpublished", "P3"),
    of("k-old", "K-old"), of("k-old-then", "K-old", "11:59"), of("k-new", "K-new"), of("k-closed", "K-closed"),
    of("k-open", "K-open"), of("k-recent", "K-recent"), of("k-nothing", "A1", "06:00"),
    of("sweep-1", "A0", "10:00"), of("sweep-2", "A1", "10:10"), of("sweep-3", "A1", "10:15"),
    of("sweep-4", "A2", "10:29:59"),
    of("sweep-5", "A3", "10:30"), of("sweep-else", "B1", "10:30"), of("sweep-who", "A3", "10:30", operator_id="bob"),
]  # fmt: skip


@pytest.fixture(scope="module")
def values(engine: Connect) -> Values:
    return features_of(engine, ROWS, reference=WORLD)


def test_a_list_counts_while_the_record_is_on_it(values: Values) -> None:
    order = ("vip", "canary", "listed", "ended", "starts", "not-yet", "unlisted", "bare")
    assert column(values, "watchlisted", *order) == [1, 0, 1, 0, 1, 0, 0, None]
    assert column(values, "canary_record", *order) == [0, 1, 0, 0, 0, 0, 0, None]
    assert column(values, "organised_crime_record", *order) == [0, 0, 1, 0, 0, 0, 0, None]
    assert column(values, "high_profile_record", *order) == [1, 0, 0, 0, 0, 0, 0, None]


def test_a_list_means_little_to_those_on_the_case(values: Values) -> None:
    order = ("vip", "vip-own", "unlisted", "bare")
    assert column(values, "watchlisted", "vip-own") == [1]
    assert column(values, "watchlisted_uncased", *order) == [1, 0, 0, None]


def test_the_lag_is_to_the_nearest_publication_known_that_night(values: Values) -> None:
    order = ("before", "after", "second", "two-weeks", "longer", "unpublished", "vip-own", "unlisted")
    assert column(values, "publicity_lag", *order) == [-1, 3, -1, 336, None, None, None, None]


def test_a_record_is_cold_after_a_year_without_incident_or_case(values: Values) -> None:
    order = ("k-old", "k-old-then", "k-new", "k-closed", "k-open", "k-recent", "k-nothing", "bare")
    assert column(values, "cold_record", *order) == [1, 1, 0, 1, 0, 0, 1, None]


def test_records_of_one_address_within_half_an_hour(values: Values) -> None:
    order = ("sweep-1", "sweep-2", "sweep-3", "sweep-4", "sweep-5", "sweep-else", "sweep-who", "vip")
    assert column(values, "address_sweep", *order) == [1, 2, 2, 3, 3, 1, 1, None]


YOUNG, OLD = date(2000, 3, 3), date(1950, 1, 1)


@pytest.fixture(scope="module")
def history(engine: Connect) -> Values:
    """On MONDAY Alice looks up ten young women, and Bob five and five young men; the day after she goes on."""
    people = [{"record_id": f"F{n}", "sex": "Female", "date_of_birth": YOUNG, "sensitivity": 0.0} for n in range(13)]
    people += [{"record_id": f"M{n}", "sex": "m", "date_of_birth": YOUNG, "sensitivity": 0.0} for n in range(6)]
    people += [{"record_id": "O1", "sex": "F", "date_of_birth": OLD, "sensitivity": 2.0}, {"record_id": "U1"}]
    people += [{"record_id": "V1", "sensitivity": 1.0}]  # a vehicle
    stories = [
        {"record_id": "F0", "published_at": at(1, "09:00")},
        {"record_id": "F1", "published_at": at(0, "23:00")},
        {"record_id": "M1", "published_at": at(1, "09:00")},
    ]
    world = known(
        records=people,
        publicity=stories,
        case_staff=[{"case_ref": "C1", "staff_id": "bob"}],
        case_records=[{"case_ref": "C1", "record_id": "M1"}, {"case_ref": "C1", "record_id": "O1"}],
    )
    rows = [look(f"a{n}", at(0, f"10:{n:02}"), record_id=f"F{n % 10}") for n in range(11)]
    rows += [look(f"b{n}", at(0, f"11:{n:02}"), record_id=f"F{n}", operator_id="bob") for n in range(5)]
    rows += [look(f"c{n}", at(0, f"11:{n:02}"), record_id=f"M{n}", operator_id="bob") for n in range(5)]
    rows += [look(f"n{n}", at(1, f"10:{n:02}"), record_id=f"F{n % 2 + 10}") for n in range(3)]
    rows += [look("man", at(1, "10:10"), record_id="M5"), look("old", at(1, "10:20"), record_id="O1")]
    rows += [look("unknown", at(1, "10:30"), record_id="U1")]
    rows += [look("vehicle", at(1, "10:35"), record_id="V1"), look("masked", at(1, "10:35"), record_id="V1")]
    rows[-1] |= {"operator_id": "***", "actor_id": "***"}
    rows += [look("bob", at(1, "10:40"), record_id="O1", operator_id="bob")]
    return features_of(engine, rows, reference=world)


def _llr(mine: int, subjects: int, p: float) -> float:
    q = mine / subjects
    return subjects * (q * math.log2(q / p) + ((1 - q) * math.log2((1 - q) / (1 - p)) if q < 1 else 0))


def test_a_sex_and_age_beyond_the_peers_mix(history: Values) -> None:
    assert column(history, "demographic_llr", "a9", "b0", "unknown") == [None, None, None]
    # Everybody's: 15 of 20, eight groups possible; the peers' others are Bob's: 5 of 10, shrunk with 50.
    p = (5 + 50 * (15 + 8 / 8) / (20 + 8)) / (10 + 50)
    assert history["n0"]["demographic_llr"] == pytest.approx(_llr(11, 11, p))
    assert history["n1"]["demographic_llr"] == pytest.approx(_llr(12, 12, p))
    assert history["n2"]["demographic_llr"] == pytest.approx(_llr(12, 12, p)), "the same woman again"
    # One man and one old woman among 13 and 14: the peers look up more men, and no old women.
    assert history["man"]["demographic_llr"] == 0
    p = (0 + 50 * (0 + 8 / 8) / (20 + 8)) / (10 + 50)
    assert history["old"]["demographic_llr"] == pytest.approx(_llr(1, 14, p))


def test_a_tier_above_the_peers_but_for_the_team(history: Values) -> None:
    assert column(history, "sensitivity_gap", "a0") == [None]
    assert column(history, "sensitivity_gap", "n0", "old", "bob", "unknown") == [0, 2, 0, None]
    # The tier is the record's, whoever looks, and whether or not it is a person.
    assert column(history, "sensitivity_gap", "vehicle", "masked") == [1, 1]


def test_stories_about_records_looked_at_in_the_week_before(history: Values) -> None:
    # F0 was looked at the night before it was in the news; F1 only that day. Bob is on the case of M1, and saw F0 too.
    assert column(history, "stories_fed", "n0", "bob", "a0") == [1, 1, 0]
