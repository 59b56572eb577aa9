from __future__ import annotations

from made_findings import finding

from detector.alerts.context import MAX_REASONS, speaks_for, with_reasons
from detector.records import Reason

CASE = Reason("the actor is on case C1, which holds this record", counts=True)
INCIDENT = Reason("the actor was on incident I8 at the time, which names no record", counts=True)
KEYED = Reason("it was keyed by somebody else on the actor's behalf", counts=False)


def test_what_speaks_for_and_against_is_told_with_its_number_of_look_ups() -> None:
    known = {"e1": (CASE,), "e2": (CASE, INCIDENT), "e3": (KEYED,), "e4": ()}
    for_it = (
        "For the access: the actor is on case C1, which holds this record (2 of 4 look-ups); the actor was on incident"
        " I8 at the time, which names no record (1 of 4 look-ups)."
    )
    assert speaks_for(known) == (
        for_it,
        "Known, but no explanation by itself: it was keyed by somebody else on the actor's behalf (1 of 4 look-ups).",
        "Against it: no case, incident or hand-over that is known explains 2 of the 4 look-ups.",
    )


def test_one_look_up_all_and_none() -> None:
    assert speaks_for({"e1": (CASE,)}) == ("For the access: the actor is on case C1, which holds this record.",)
    assert speaks_for({"e1": ()}) == ("Against it: no case, incident or hand-over that is known explains the look-up.",)
    assert speaks_for({"e1": (), "e2": ()}) == (
        "Against it: no case, incident or hand-over that is known explains any of the 2 look-ups.",
    )
    assert speaks_for({"e1": (CASE,), "e2": (CASE,)}) == (
        "For the access: the actor is on case C1, which holds this record (all 2 look-ups).",
    )
    assert speaks_for({}) == ()


def test_of_many_reasons_the_rest_is_counted() -> None:
    many = {f"e{n}": (Reason(f"case C{n} of the actor's unit holds this record", counts=True),) for n in range(9)}
    (told,) = speaks_for(many)
    assert told.count("(1 of 9 look-ups)") == MAX_REASONS
    assert told.endswith("; and 5 more.")


def test_a_finding_gets_the_reasons_of_its_events_and_none_where_nothing_is_judged() -> None:
    judged, beside = finding(events=["e1", "e2", "e3"]), finding("P-2", events=["x"])
    given, other = with_reasons([judged, beside], {"e1": (CASE,), "e3": ()})
    assert given.reasons == ((CASE,), None, ())
    assert given.finding_id == judged.finding_id
    assert other is beside
