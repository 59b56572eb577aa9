"""Whether anything explains a look-up, and whether what is cited for it is true. MONDAY's night, but where said."""

from __future__ import annotations

import math
from typing import Any

import ibis
import pytest
from feature_world import LACKING, Connect, Values, at, column, features_of, known, look

from detector.features.explained import BITS, explained_counts, judged, reasons
from detector.records import Reason

WORLD = known(
    staff=[
        {"staff_id": "alice", "unit": "Burglary", "person_record_id": "P-alice"},
        {"staff_id": "bob", "unit": "burglary"},
        {"staff_id": "carol", "unit": "Traffic"},
    ],
    cases=[
        {"case_ref": "C1", "opened_at": at(-10, "00:00"), "owning_unit": "BURGLARY"},
        {"case_ref": "C2", "opened_at": at(-90, "00:00"), "closed_at": at(-5, "00:00")},
        {"case_ref": "C3", "opened_at": at(-90, "00:00"), "closed_at": at(-28, "12:00")},
        {"case_ref": "C4", "opened_at": at(0, "15:00"), "owning_unit": "Murder"},
        {"case_ref": "C8", "opened_at": at(-10, "00:00"), "owning_unit": "Burglary"},
        {"case_ref": "C11", "opened_at": at(1, "00:00"), "owning_unit": "Burglary"},
    ],
    case_staff=[
        {"case_ref": "C1", "staff_id": "alice", "assigned_from": at(-10, "00:00")},
        {"case_ref": "C2", "staff_id": "alice"},
        {"case_ref": "C3", "staff_id": "alice"},
        {"case_ref": "C6", "staff_id": "alice", "assigned_to": at(-10, "00:00")},
        {"case_ref": "C7", "staff_id": "alice", "assigned_to": at(-30, "00:00")},
        {"case_ref": "C9", "staff_id": "alice", "assigned_from": at(0, "20:00")},
        {"case_ref": "C9", "staff_id": "carol", "assigned_from": at(1, "00:00")},
    ],
    case_records=[
        *({"case_ref": f"C{n}", "record_id": f"R{n}"} for n in (1, 2, 3, 6, 7, 9)),
        {"case_ref": "C10", "record_id": "R10"},
        {"case_ref": "C10", "record_id": "P-alice"},
    ],
    incidents=[
        {"incident_id": "I1", "record_id": "I-own", "staff_id": "alice", "started_at": at(-2, "12:00")},
        {"incident_id": "I2", "record_id": "I-old", "staff_id": "alice", "started_at": at(-2, "11:59")},
        {"incident_id": "I3", "record_id": "I-unit", "unit": "Burglary", "started_at": at(0, "23:00")},
        {"incident_id": "I4", "record_id": "I-other", "unit": "Traffic", "started_at": at(0, "09:00")},
        {"incident_id": "I5", "record_id": "I-bob", "staff_id": "bob", "started_at": at(0, "09:00")},
        {"incident_id": "I6", "record_id": "I-bare", "started_at": at(0, "09:00")},
        {"incident_id": "I7", "record_id": "I-next", "staff_id": "alice", "started_at": at(1, "00:00")},
        {"incident_id": "I8", "staff_id": "alice", "started_at": at(0, "04:00"), "ended_at": at(0, "04:30")},
        {"incident_id": "I9", "record_id": "I-nine", "staff_id": "alice", "started_at": at(0, "11:30")},
        {"incident_id": "I10", "record_id": "I-ten", "unit": "Traffic", "started_at": at(0, "14:00")},
    ],
    records=[
        {"record_id": "V1", "vehicle_keeper_id": "P1"},
        {"record_id": "V2", "vehicle_keeper_id": "P2"},
        {"record_id": "I-own", "vehicle_keeper_id": "P3"},
    ],
)


def of(name: str, record: str | None, clock: str = "12:00", who: str = "alice", **columns: Any) -> dict[str, Any]:
    unit = "Traffic" if who == "carol" else "Burglary"
    return look(name, at(0, clock), operator_id=who, record_id=record, unit=unit, **columns)


ROWS = [
    of("own", "R1"), of("team", "R1", who="bob"), of("stranger", "R1", who="carol"),
    of("stranger-cites", "R1", who="carol", case_ref="C1"),
    of("cites-own", "R90", case_ref="C1"), of("cites-nothing", "R99", case_ref="NOPE"),
    of("cites-others", "R99", who="carol", case_ref="C1"), of("cites-unit", "R91", who="bob", case_ref="C8"),
    of("cites-late", "R99", case_ref="C4"), of("cites-tomorrow", "R99", case_ref="C11"),
    of("blank", "R99", case_ref=""),
    of("closed", "R2"), of("long-closed", "R3"), of("almost", "R3", "11:59:59"),
    of("handed-over", "R6"), of("long-gone", "R7"), of("assigned-late", "R9"), of("tomorrow", "R9", who="carol"),
    of("case-as-record", "C1"), of("own-case", "R10"), of("own-case-cited", None, case_ref="C10"),
    of("i-own", "I-own"), of("i-old", "I-old"), of("i-unit", "I-unit"), of("i-other", "I-other"), of("i-bob", "I-bob"),
    of("i-bare", "I-bare"), of("i-next", "I-next"), of("i-unit-stranger", "I-unit", who="carol"),
    of("too-soon", "R92", "03:44:59"), of("on-the-way", "R92", "03:45"), of("written-up", "R92", "05:30"),
    of("over", "R92", "05:30:01"), of("not-sent", "R93", "04:15", who="bob"),
    of("cites-i", "I-other", case_ref="I4"), of("cites-i-own", "R94", case_ref="I9"),
    of("cites-i-over", "R95", "14:31", case_ref="I9"), of("cites-i-strange", "R95", who="carol", case_ref="I9"),
    of("cites-i-sent", "R92", "04:10", case_ref="I8"), of("cites-i-late", "R95", case_ref="I10"),
    of("before-a-colleague", "R90", "11:59", who="bob"), of("after-a-colleague", "R90", "12:01", who="bob"),
    of("of-another-unit", "R90", "12:01", who="carol"), of("after-a-colleague-again", "R90", "12:02", who="dave"),
    of("own-again", "R90", "12:03"), of("own-person", "P-alice"), of("own-person-cited", "P-alice", case_ref="C10"),
    of("child", "R98", parent_id="own"), of("automatic", "R98", is_automatic=True),
    of("for-alice", "R1", who="opal", requester_id="alice", actor_id="alice"),
    of("for-nothing", "R99", who="opal", requester_id="alice", actor_id="alice"),
    of("for-herself", "R99", who="opal", requester_id=""),
    of("bare", None), of("masked", "R1", who="***"),
    of("plate", "V1", "18:00"), of("keeper", "P1", "18:29:59"), of("keeper-late", "P1", "18:30"),
    of("keeper-first", "P2", "18:40"), of("plate-after", "V2", "18:41"),
    of("plate-stopped", "I-own", "11:00"), of("keeper-stopped", "P3", "11:10"),
    of("cover-0", "R1", "21:30"), of("cover-1", "R1", "22:00"), of("cover-2", "R1", "22:10"),
    of("covered", "R97", "22:30"),
    of("alone", "R97", "08:00", who="carol"),
]  # fmt: skip


@pytest.fixture(scope="module")
def values(engine: Connect) -> Values:
    return features_of(engine, ROWS, reference=WORLD)


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("own", ["case_staff", "unit_case"]),
        ("team", ["team_case", "unit_case"]),
        ("stranger", []),
        ("stranger-cites", []),
        ("cites-own", ["cited_case"]),
        ("cites-nothing", []),
        ("cites-others", []),
        ("cites-unit", ["cited_unit_case"]),
        ("cites-late", []),
        ("closed", ["case_staff"]),
        ("almost", ["case_staff"]),
        ("long-closed", []),
        ("handed-over", ["hand_over"]),
        ("long-gone", []),
        ("assigned-late", ["case_staff"]),
        ("tomorrow", []),
        ("case-as-record", ["case_staff", "unit_case"]),
        ("i-own", ["incident"]),
        ("i-old", []),
        ("i-unit", ["incident"]),
        ("i-other", ["incident_elsewhere"]),
        ("i-bob", ["incident"]),
        ("i-bare", ["incident"]),
        ("i-next", []),
        ("i-unit-stranger", ["incident_elsewhere"]),
        ("too-soon", []),
        ("on-the-way", ["dispatch"]),
        ("written-up", ["dispatch"]),
        ("over", []),
        ("not-sent", []),
        ("cites-i", ["incident_elsewhere", "cited_incident"]),
        ("cites-i-own", ["cited_own_incident"]),
        ("cites-i-over", []),
        ("cites-i-strange", []),
        ("cites-i-sent", ["dispatch"]),
        ("cites-i-late", []),
        ("before-a-colleague", []),
        ("after-a-colleague", ["colleague"]),
        ("after-a-colleague-again", ["colleague"]),
        ("of-another-unit", []),
        ("own-again", []),
        ("child", ["spawned"]),
        ("automatic", ["spawned"]),
        ("for-alice", ["case_staff", "unit_case", "requested"]),
        ("for-nothing", ["requested"]),
    ],
)
def test_what_explains_a_look_up(values: Values, event: str, kinds: list[str]) -> None:
    found = values[event]["explained_by"]
    assert found is not None
    assert [name for name, bit in BITS.items() if int(found) & bit] == kinds
    counting = [kind for kind in kinds if kind not in ("requested", "incident_elsewhere")]
    assert values[event]["unexplained"] == (0 if counting else 1)


def test_a_look_up_that_nobody_can_account_for_is_neither(values: Values) -> None:
    assert column(values, "unexplained", "bare", "masked") == [None, None]


def test_a_citation_is_held_against_what_the_tables_say(values: Values) -> None:
    order = ("cites-own", "cites-nothing", "cites-others", "stranger-cites", "cites-unit", "cites-late")
    assert column(values, "reference_unknown", *order) == [0, 1, 0, 0, 0, 0]
    assert column(values, "reference_mismatch", *order) == [0, 1, 1, 0, 0, 1]
    assert column(values, "reference_unlinked", *order) == [1, None, 1, 0, None, None]
    assert column(values, "reference_posthoc", *order) == [0, None, 0, 0, 0, 3]
    for name in ("reference_unknown", "reference_mismatch", "reference_unlinked", "reference_posthoc"):
        assert column(values, name, "own", "blank") == [None, None], name


def test_an_incident_is_cited_as_a_case_is(values: Values) -> None:
    order = ("cites-i", "cites-i-own", "cites-i-over", "cites-i-strange", "cites-i-sent", "cites-i-late")
    assert column(values, "reference_unknown", *order) == [0, 0, 0, 0, 0, 0]
    assert column(values, "reference_mismatch", *order) == [0, 0, 0, 1, 0, 1]
    assert column(values, "reference_unlinked", *order) == [None] * 6
    assert column(values, "reference_posthoc", *order) == [0, 0, 0, 0, 0, 2]


def test_what_a_colleague_looked_up_the_day_before_with_reason(engine: Connect) -> None:
    rows = [of("tuesday", "R90", case_ref="C1"), of("bob-tuesday", "R89", who="bob")]
    for name, record, when, who in (
        ("bob-wednesday", "R90", at(1, "12:00"), "bob"), ("bob-thursday", "R90", at(2, "11:59"), "bob"),
        ("bob-late", "R90", at(2, "12:01"), "bob"), ("alice-wednesday", "R89", at(1, "12:00"), "alice"),
    ):  # fmt: skip
        rows.append(look(name, when, operator_id=who, record_id=record, unit="Burglary"))
    found = features_of(engine, rows, reference=WORLD)
    bit = BITS["colleague"]
    assert column(found, "explained_by", "bob-wednesday", "bob-thursday", "bob-late") == [bit, bit, 0]
    assert column(found, "explained_by", "alice-wednesday") == [0]  # nothing explains Bob's


def test_a_case_of_tomorrow_is_not_known_yet(values: Values) -> None:
    assert column(values, "reference_unknown", "cites-tomorrow") == [1]


def test_days_since_closing_are_of_the_case_cited_or_of_those_that_hold_it(values: Values) -> None:
    order = ("closed", "long-closed", "own", "cites-own", "cites-nothing", "blank")
    assert column(values, "closed_days", *order) == [5.5, 28, 0, 0, None, None]


def test_the_gap_is_since_the_last_case_or_incident_of_ones_own(values: Values) -> None:
    order = ("own", "closed", "handed-over", "long-gone", "i-own", "i-other", "stranger")
    assert column(values, "revisit_gap", *order) == [0, 0, 10.5, 30.5, 2, None, None]


def test_a_case_that_one_is_part_of(values: Values) -> None:
    order = ("own-case", "own-case-cited", "own-person-cited", "own-person", "own", "team", "masked", "bare")
    assert column(values, "own_case_view", *order) == [1, 1, 1, 0, 0, None, None, None]


def test_a_keyer_answers_for_whom_nothing_links(values: Values) -> None:
    order = ("for-alice", "for-nothing", "for-herself", "stranger")
    assert column(values, "onbehalf_gap", *order) == [0, 1, 0, None]


def test_from_plate_to_keeper_within_half_an_hour(values: Values) -> None:
    order = ("plate", "keeper", "keeper-late", "keeper-first", "plate-after", "keeper-stopped", "bare")
    assert column(values, "plate_chain", *order) == [0, 1, 0, 0, 0, 0, None]


def test_an_unexplained_one_among_explained_ones(values: Values) -> None:
    assert column(values, "cover_ratio", "covered") == [pytest.approx(2 / 3)]
    assert column(values, "cover_ratio", "cover-2", "alone") == [None, None]


def said(row: Any) -> tuple[str, ...]:
    names = (row["explained_case"], row["explained_incident"])
    case, incident = (None if name is None else str(name) for name in names)
    return tuple(reason.sentence for reason in reasons(int(row["explained_by"] or 0), case, incident))


def test_what_a_reviewer_reads_names_the_strongest_case_and_incident(values: Values) -> None:
    assert said(values["own"]) == ("the actor is on case C1, which holds this record",)
    assert said(values["team"]) == ("a colleague of the actor's unit is on case C1, which holds this record",)
    assert said(values["handed-over"]) == (
        "the actor was on case C6, which holds this record, until less than 28 days before",
    )
    assert said(values["cites-own"]) == ("the actor is on case C1, which is cited but does not list this record",)
    assert said(values["i-own"]) == (
        "the actor, or the actor's unit, had incident I1 with this record within 48 hours",
    )
    assert said(values["on-the-way"]) == ("the actor was on incident I8 at the time, which names no record",)
    assert said(values["cites-i"]) == (
        "another unit had an incident with this record within 48 hours",
        "incident I4, which is cited, is about this record, within 48 hours",
    )
    assert said(values["cites-i-own"]) == (
        "the actor was on incident I9 at the time, which is cited but does not list this record",
    )
    assert said(values["after-a-colleague"]) == (
        "a colleague of the actor's unit, whom something explains, looked at this record in the 48 hours before",
    )
    assert said(values["for-nothing"]) == ("it was keyed by somebody else on the actor's behalf",)
    assert said(values["i-other"]) == ("another unit had an incident with this record within 48 hours",)
    assert (said(values["stranger"]), reasons(None)) == ((), ())
    several = reasons(BITS["case_staff"] | BITS["dispatch"] | BITS["unit_case"] | BITS["requested"], "C1", "I8")
    assert several == (
        Reason("the actor is on case C1, which holds this record", counts=True),
        Reason("the actor was on incident I8 at the time, which names no record", counts=True),
        Reason("it was keyed by somebody else on the actor's behalf", counts=False),
    )


def test_what_speaks_for_each_look_up_of_a_finding(engine: Connect) -> None:
    one, other = ("made", "C1"), ("also", "C2")
    rows = [
        {"event_id": event, "source_name": source, "unexplained": open_, "explained_by": bits, "explained_case": case,
         "explained_incident": None}
        for event, open_, bits, (source, case) in [
            ("e0", 0.0, 1, one), ("e1", 0.0, 1, one), ("e1", 0.0, 32, other), ("e2", 1.0, 0, one), ("e3", None, 0, one),
            ("e4", 1.0, BITS["requested"], one), ("e5", None, BITS["spawned"], one), ("other", 0.0, 1, one),
        ]
    ]  # fmt: skip
    kinds = dict.fromkeys(("event_id", "source_name", "explained_case", "explained_incident"), "string")
    schema = ibis.schema({**kinds, "unexplained": "float64", "explained_by": "int64"})
    con = engine()
    features = con.create_table("found", ibis.memtable(rows, schema=schema))
    found = judged(con, features, [f"e{n}" for n in range(9)])
    con.disconnect()
    told = {event: [reason.sentence for reason in each] for event, each in found.reasons.items()}
    mine = "the actor is on case C1, which holds this record"
    assert told == {
        "e0": [mine],
        "e1": ["case C2 of the actor's unit holds this record", mine],
        "e2": [],
        "e4": ["it was keyed by somebody else on the actor's behalf"],
        "e5": ["another query fired this one by itself"],
    }
    assert found.explained == {"e0", "e1"}  # e5 had not to be


def test_what_share_of_a_night_each_explanation_explains(engine: Connect) -> None:
    rows = [
        {"unexplained": open_, "explained_by": bits}
        for open_, bits in [(0.0, 1), (0.0, 33), (1.0, 0), (1.0, 512), (None, 0)]
    ]
    con = engine()
    schema = ibis.schema({"unexplained": "float64", "explained_by": "int64"})
    features = con.create_table("found", ibis.memtable(rows, schema=schema))
    counts = explained_counts(con, features)
    none = explained_counts(con, features.filter(features.unexplained.isnull()))
    con.disconnect()
    assert none is None
    assert counts is not None
    assert counts.as_json() == {
        "lookups": 4,
        "explained": 2,
        "share": 0.5,
        "by": {
            "case_staff": {"lookups": 2, "share": 0.5},
            "unit_case": {"lookups": 1, "share": 0.25},
            "requested": {"lookups": 1, "share": 0.25},
        },
    }


def test_without_incidents_nothing_is_called_unexplained(engine: Connect) -> None:
    values = features_of(engine, ROWS[:4], reference=known(without=LACKING))
    assert column(values, "unexplained", "own", "stranger") == [None, None]
    assert column(values, "explained_by", "own") == [None]
    assert column(values, "reference_unknown", "stranger-cites") == [None]


@pytest.fixture(scope="module")
def weeks(engine: Connect) -> Values:
    """Alice: two of four look-ups unexplained on MONDAY; Bob: none of sixteen. One more of hers on day 1, and on 8."""
    rows = [of(f"a{n}", record, f"10:0{n}") for n, record in enumerate(("R1", "R1", "R99", "R98"))]
    rows += [of(f"b{n}", "R1", f"10:{n + 10}", who="bob") for n in range(16)]
    rows += [look("next", at(1, "12:00"), record_id="R97", unit="Burglary")]
    rows += [look("later", at(8, "12:00"), record_id="R97", unit="Burglary")]
    rows += [look("fine", at(8, "12:30"), record_id="R1", unit="Burglary")]
    return features_of(engine, rows, reference=WORLD)


def test_unexplained_look_ups_add_up_week_by_week(weeks: Values) -> None:
    assert column(weeks, "drip_cusum", "a3", "b0") == [None, None]
    # Day 1: the peers' share is 2 of 20. Of her last week's five, three are unexplained.
    p = 0.1
    assert weeks["next"]["drip_cusum"] == pytest.approx((3 - 5 * p) / math.sqrt(5 * p * (1 - p) + 1) - 0.5)
    # Day 8: 3 of 21. Both nights are a week ago.
    p = 3 / 21
    carried = (3 - 5 * p) / math.sqrt(5 * p * (1 - p) + 1) - 0.5
    now = (1 - p) / math.sqrt(p * (1 - p) + 1) - 0.5
    assert weeks["later"]["drip_cusum"] == pytest.approx(carried + now)
    after = (1 - 2 * p) / math.sqrt(2 * p * (1 - p) + 1) - 0.5
    assert weeks["fine"]["drip_cusum"] == pytest.approx(carried + after)


def test_an_explanation_is_as_surprising_as_it_is_rare_in_the_unit(weeks: Values) -> None:
    assert column(weeks, "explanation_surprisal", "a3") == [None]
    # Two of twenty are without any; thirteen sorts of explanation are possible, none of them one.
    anywhere = (2 + 13 / 13) / (20 + 13)
    assert weeks["next"]["explanation_surprisal"] == pytest.approx(-math.log2((2 + 20 * anywhere) / (20 + 20)))
    # Of 21 look-ups by then two, both Alice's, had a case of her own as their best.
    anywhere = (2 + 13 / 13) / (21 + 13)
    assert weeks["fine"]["explanation_surprisal"] == pytest.approx(-math.log2((2 + 20 * anywhere) / (21 + 20)))
