from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from made_findings import NIGHT, NOW, budget, finding, forest

from detector.home import Home
from detector.records import Finding, Usual
from detector.triage.models import Alert, AlertFinding
from detector.triage.services import decide, get_alert, list_alerts, raise_alerts

pytestmark = pytest.mark.usefixtures("home")

DAY = timedelta(1)


def rows() -> tuple[list[Any], list[Any]]:
    """Everything stored, so that "nothing changed" means every column of every row."""
    return (
        list(Alert.objects.order_by("alert_id").values()),
        list(AlertFinding.objects.order_by("finding_id").values()),
    )


def put(*findings: Finding, night: date = NIGHT, slots: int = 10, later: timedelta = timedelta(0)) -> Any:
    return raise_alerts(night, findings, NOW + later, budget(slots))


def only() -> Alert:
    return Alert.objects.get()


def test_a_night_becomes_ranked_alerts() -> None:
    result = put(finding("P-1", level="low"), finding("P-2", level="critical"), finding("P-3", level="high"), slots=2)
    assert [(a.level, a.rank, a.in_budget) for a in result.raised] == [
        ("critical", 1, True),
        ("high", 2, True),
        ("low", 3, False),
    ]
    assert (result.in_budget, result.findings_added) == (2, 3)
    assert [a.actor_id for a in list_alerts()] == ["P-2", "P-3"]
    assert [a.actor_id for a in list_alerts(everything=True)] == ["P-2", "P-3", "P-1"]


def test_the_same_findings_again_change_nothing() -> None:
    findings = [
        finding("P-1"),
        forest("P-1"),
        finding("P-2", level="high"),
        finding("P-2", "weak", level="informational"),
    ]
    put(*findings, slots=1)
    before = rows()
    again = put(*reversed(findings), slots=1, later=DAY)
    assert rows() == before
    assert (again.touched, again.findings_added) == ((), 0)


def test_additional_findings_are_added_to_the_same_alert() -> None:
    first = finding(rule="a")
    put(first)
    before = only()
    result = put(first, finding(rule="b", level="high"), later=DAY)
    after = only()
    assert (after.alert_id, after.created_at) == (before.alert_id, before.created_at)
    assert (after.score, after.level, after.rule_id, after.updated_at) == (83.5, "high", "b", NOW + DAY)
    assert result.raised == ()
    assert [item.alert_id for item in result.touched] == [before.alert_id]


def test_a_second_night_joins_and_uses_no_slot() -> None:
    put(finding("P-1"), slots=1)
    result = put(
        finding("P-1", night=NIGHT + DAY),
        finding("P-2", night=NIGHT + DAY, level="low"),
        night=NIGHT + DAY,
        slots=1,
    )
    assert [(a.actor_id, a.in_budget) for a in Alert.objects.order_by("rank")] == [("P-1", True), ("P-2", True)]
    assert len(result.raised) == 1
    joined = Alert.objects.get(actor_id="P-1")
    assert (joined.first_night, joined.night, joined.queued_on) == (NIGHT, NIGHT + DAY, NIGHT)
    assert joined.explanation == "rule_a spoke. Also on 1 earlier night."


def test_an_alert_too_long_ago_is_left_alone() -> None:
    put(finding())
    put(finding(night=NIGHT + 8 * DAY), night=NIGHT + 8 * DAY)
    assert Alert.objects.count() == 2


def test_an_old_night_scanned_again_after_later_ones() -> None:
    old, new = finding(), finding(night=NIGHT + 2 * DAY)
    put(old)
    put(new, night=NIGHT + 2 * DAY)
    before = rows()
    put(old, later=DAY)
    assert rows() == before
    late = finding(rule="late", level="high")
    put(old, late, later=DAY)
    alert = only()
    assert (alert.first_night, alert.night, alert.level) == (NIGHT, NIGHT + 2 * DAY, "high")
    assert AlertFinding.objects.count() == 3
    after = rows()
    put(late, old, later=2 * DAY)
    assert rows() == after


def test_what_a_rule_says_anew_replaces_what_it_said() -> None:
    put(finding(events=["e1", "e2"], explanation="2 look-ups."))
    put(finding(events=["e1", "e2", "e3"], explanation="3 look-ups."), later=DAY)
    (alert,) = list_alerts()
    assert (alert.explanation, alert.event_ids) == ("3 look-ups.", ("e1", "e2", "e3"))
    assert AlertFinding.objects.count() == 2  # what a reviewer may have read is marked, not deleted
    put(finding(events=["e1", "e2"], explanation="2 look-ups."), later=2 * DAY)
    assert get_alert(alert.alert_id).explanation == "2 look-ups."
    assert AlertFinding.objects.filter(superseded_at=None).count() == 1


def test_a_finding_that_is_merely_gone_stays() -> None:
    put(finding(rule="a"), finding(rule="b"))
    before = rows()
    put(finding(rule="a"))
    assert rows() == before


def test_a_decided_alert_is_not_touched_and_new_evidence_raises_another() -> None:
    known = finding(events=["e1", "e2"])
    put(known)
    first = only().alert_id
    decide([first], "false_positive", reason="case_work", who="reviewer", now=NOW)
    before = rows()
    put(known, finding(events=["e2"]))  # nothing that the reviewer had not seen
    assert rows() == before
    result = put(known, finding(events=["e1", "e2", "e3"]), later=DAY)
    assert [item.is_new for item in result.touched] == [True]
    assert Alert.objects.get(pk=first).state == "closed"
    assert Alert.objects.get(state="open").findings.get().event_ids == ["e1", "e2", "e3"]
    after = rows()
    put(known, finding(events=["e1", "e2", "e3"]), later=2 * DAY)
    assert rows() == after


def test_a_referred_alert_takes_no_more_findings() -> None:
    put(finding())
    decide([only().alert_id], "true_positive", reason="no_policing_purpose", who="reviewer", now=NOW)
    put(finding(night=NIGHT + DAY), night=NIGHT + DAY)
    assert sorted(Alert.objects.values_list("state", flat=True)) == ["open", "referred"]


def test_an_alert_under_review_goes_on_collecting() -> None:
    put(finding())
    decide([only().alert_id], "insufficient", reason="needs_information", who="reviewer", now=NOW)
    put(finding(night=NIGHT + DAY), night=NIGHT + DAY)
    assert (only().state, only().night) == ("under_review", NIGHT + DAY)


def test_late_evidence_brings_a_strong_alert_into_a_dealt_queue() -> None:
    put(finding("P-1"), finding("P-2", level="low"), slots=1)
    put(finding("P-1"), finding("P-2", level="low"), finding("P-3", level="critical"), slots=1, later=DAY)
    assert {a.actor_id: (a.rank, a.in_budget) for a in Alert.objects.all()} == {
        "P-3": (1, True),
        "P-1": (2, True),
        "P-2": (3, False),
    }


def test_it_can_be_undone_with_what_is_around_it() -> None:
    class _StopError(Exception):
        pass

    def interrupted() -> None:
        with transaction.atomic():
            put(finding())
            raise _StopError

    with pytest.raises(_StopError):
        interrupted()
    assert rows() == ([], [])


def test_a_finding_of_another_night_is_refused() -> None:
    with pytest.raises(ValueError, match="another night than 2026-03-02"):
        put(finding(night=NIGHT + DAY))


def test_a_night_without_findings_is_fine() -> None:
    assert put().touched == ()


def test_usual_values_and_event_order_are_kept() -> None:
    usual = Usual("rate_z", 6.4, 0.1, float("nan"), "Look-ups in 24 h")
    put(finding(events=["z", "a", "m"], usual=(usual,)))
    (stored,) = get_alert(only().alert_id).findings
    assert stored.event_ids == ("z", "a", "m")
    (kept,) = stored.usual
    assert (kept.value, kept.own, kept.peers, kept.sentence) == (6.4, 0.1, None, "Look-ups in 24 h")


def test_a_busy_night_is_quick() -> None:
    findings = [
        forest(f"P-{n // 2}")
        if n % 4 == 0
        else finding(f"P-{n // 2}", f"r{n % 7}", events=[f"{n}-{e}" for e in range(20)])
        for n in range(500)
    ]
    start = time.perf_counter()
    result = put(*findings)
    assert time.perf_counter() - start < 1.5  # 0.07 s on two idle cores; the limit only catches a query for each row
    assert result.findings_added == 500


def test_queries_do_not_grow_with_the_findings(home: Home) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for number, night in ((5, NIGHT), (40, NIGHT + 30 * DAY)):
        with CaptureQueriesContext(connection) as queries:
            put(*(finding(f"P-{n}", night=night) for n in range(number)), night=night)
        counts.append(len(queries))
    assert counts[0] == counts[1]
