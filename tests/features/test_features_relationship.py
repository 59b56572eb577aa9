"""What the person looking is to whom they look at."""

from __future__ import annotations

import math

import pytest
from feature_world import LACKING, Connect, Values, at, column, features_of, known, look

STAFF: list[dict[str, object]] = [
    {"staff_id": "alice", "surname": "O'Neil", "person_record_id": "P-alice", "home_address_id": "A1"},
    {"staff_id": "alice", "surname": "O'Neil", "home_address_id": "A0", "end_date": at(-400, "00:00")},
    {"staff_id": "bob", "surname": "Ash", "person_record_id": "P-bob"},
    {"staff_id": "carol"},
]
RECORDS = [
    {"record_id": "P-alice", "surname": "O'Neil", "address_id": "A1"},
    {"record_id": "P-bob", "surname": "Ash", "address_id": "A2"},
    {"record_id": "V-alice", "vehicle_keeper_id": "P-alice"},
    {"record_id": "V-bob", "vehicle_keeper_id": "P-bob"},
    {"record_id": "V-sister", "vehicle_keeper_id": "P-sister"},
    {"record_id": "P-sister", "surname": "ONEIL", "address_id": "A0"},
    {"record_id": "P-other", "surname": "Elm", "address_id": "A9"},
    {"record_id": "P-unnamed"},
]
ASSOCIATIONS = [
    {"staff_id": "alice", "record_id": "P-sister", "kind": "Family"},
    {"staff_id": "alice", "record_id": "P-ex", "kind": "former_partner"},
    {"staff_id": "alice", "record_id": "V-own", "kind": "self"},
    {"staff_id": "bob", "record_id": "P-other", "kind": "neighbour"},
    {"staff_id": "off-duty", "record_id": "V-off", "kind": "Self"},
]
WORLD = known(staff=STAFF, records=RECORDS, associations=ASSOCIATIONS)


def look_at(*records: str | None, who: str = "alice", **columns: object) -> list[dict[str, object]]:
    return [look(f"{who}-{record}", at(0, "10:00"), operator_id=who, record_id=record, **columns) for record in records]


ROWS = [
    *look_at("P-alice", "V-alice", "V-own", "A1", "A0", "P-bob", "V-bob", None, ""),
    *look_at("P-sister", "V-sister", "P-ex", "P-other", "P-unnamed", "V-off"),
    *look_at("P-alice", "P-bob", "P-other", "P-sister", who="bob"),
    *look_at("P-alice", "P-bob", who="carol"),
    *look_at("P-alice", who="dan", role="Vetting officer"),
    *look_at("P-alice", who="***"),
    *look_at("P-bob", who="eve", unit="Force Vetting Unit"),
    *look_at("P-bob", who="fay", unit="Traffic"),
]


@pytest.fixture(scope="module")
def values(engine: Connect) -> Values:
    return features_of(engine, ROWS, reference=WORLD)


def test_ones_own_person_vehicle_and_home(values: Values) -> None:
    own = ["alice-P-alice", "alice-V-alice", "alice-V-own", "alice-A1", "alice-A0", "bob-P-bob"]
    assert column(values, "self_match", *own) == [1] * 6
    assert column(values, "self_match", "alice-P-bob", "alice-P-sister", "bob-P-alice") == [0, 0, 0]
    # No record, a blank one; staff without a person record; not staff; masked.
    unknown = ["alice-None", "alice-", "carol-P-alice", "dan-P-alice", "***-P-alice"]
    assert column(values, "self_match", *unknown) == [None] * 5


def test_associates_are_told_by_their_kind_and_through_their_vehicle(values: Values) -> None:
    order = ["alice-P-sister", "alice-V-sister", "alice-P-ex", "alice-V-own", "alice-P-other", "bob-P-other"]
    assert column(values, "declared_link", *order) == [1, 1, 1, 0, 0, 1]
    assert column(values, "family_link", *order) == [1, 1, 0, 0, 0, 0]
    assert column(values, "partner_link", *order) == [0, 0, 1, 0, 0, 0]


def test_colleagues_are_staff_but_for_those_who_vet(values: Values) -> None:
    assert column(values, "staff_subject", "alice-P-bob", "alice-V-bob", "fay-P-bob") == [1, 1, 1]
    # What somebody declared to be their own is theirs, whether they are at work that night or not.
    assert column(values, "staff_subject", "alice-V-off") == [1]
    assert column(values, "staff_subject", "alice-P-alice", "alice-P-other", "eve-P-bob", "dan-P-alice") == [0] * 4


def test_an_address_is_shared_with_every_home_there_ever_was(values: Values) -> None:
    order = ["alice-P-sister", "alice-A0", "alice-P-other", "alice-P-unnamed", "bob-P-sister"]
    assert column(values, "shared_address", *order) == [1, 1, 0, None, None]


def test_a_common_surname_says_less_than_a_rare_one(values: Values) -> None:
    # Four records have a name: two are O'Neil, however written, one is Ash.
    assert values["alice-P-sister"]["surname_rarity"] == pytest.approx(math.log2(4 / 2))
    assert values["bob-P-bob"]["surname_rarity"] == pytest.approx(math.log2(4 / 1))
    assert column(values, "surname_rarity", "alice-P-other", "alice-P-unnamed", "carol-P-bob") == [0, None, None]


def test_without_its_table_a_tie_is_not_known(engine: Connect) -> None:
    rows = look_at("P-alice", "P-sister")
    values = features_of(engine, rows, reference=known(staff=STAFF, without=LACKING))
    assert column(values, "self_match", "alice-P-alice", "alice-P-sister") == [1, 0]
    for name in ("declared_link", "family_link", "partner_link", "shared_address", "surname_rarity"):
        assert column(values, name, "alice-P-alice", "alice-P-sister") == [None, None], name
