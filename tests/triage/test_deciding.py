from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from made_findings import NOW, budget, finding

from detector.alerts.worth import ASSUMED_RATE, EXPECTED, strength, weight
from detector.errors import StateError, UsageError
from detector.schema import ALERT_STATES, VERDICTS
from detector.triage.chain import GENESIS, link_hash
from detector.triage.models import Alert, ChainHead, Decision
from detector.triage.services import decide, get_alert, list_alerts, raise_alerts, verify_chain
from detector.triage.transitions import DECIDED, REASONS, TRANSITIONS, UNDECIDED, after

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def ids(home: object) -> list[str]:
    raise_alerts(finding().night, [finding(f"P-{n}") for n in range(4)], NOW, budget())
    return [alert.alert_id for alert in list_alerts()]


def give(alert_ids: list[str], verdict: str = "false_positive", **more: object) -> None:
    decide(alert_ids, verdict, **({"reason": "case_work", "who": "reviewer", "now": NOW} | more))  # type: ignore[arg-type]


def tamper(sequence: int, **columns: object) -> None:
    """As somebody with the database open would: past the model, which refuses."""
    from django.db.models import QuerySet

    QuerySet(Decision).filter(sequence=sequence).update(**columns)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        ("true_positive", "referred"),
        ("benign_positive", "closed"),
        ("false_positive", "closed"),
        ("duplicate", "closed"),
        ("insufficient", "under_review"),
    ],
)
def test_a_verdict_moves_the_alert(ids: list[str], verdict: str, state: str) -> None:
    give(ids[:1], verdict, note="seen the roster")
    alert = get_alert(ids[0])
    assert alert.state == state
    assert (Alert.objects.get(pk=ids[0]).closed_at == NOW) == (state == "closed")
    (decision,) = alert.decisions
    assert (decision.verdict, decision.reason, decision.note, decision.decided_by, decision.decided_at) == (
        verdict, "case_work", "seen the roster", "reviewer", NOW,
    )  # fmt: skip
    assert (decision.from_state, decision.to_state) == ("open", state)


def test_the_table_knows_every_verdict_and_nothing_leaves_a_decided_state() -> None:
    assert {verdict for _, verdict in TRANSITIONS} == set(VERDICTS)
    assert set(UNDECIDED) | set(DECIDED) == set(ALERT_STATES)
    assert all(after(state, verdict) is None for state in DECIDED for verdict in VERDICTS)


def test_a_decided_alert_leaves_the_queue(ids: list[str]) -> None:
    give(ids[:2])
    assert [alert.alert_id for alert in list_alerts()] == ids[2:]
    assert {alert.alert_id for alert in list_alerts(states=["closed"])} == set(ids[:2])
    assert len(list_alerts(everything=True)) == 4


def test_many_at_once_with_one_note(ids: list[str]) -> None:
    give([*ids, ids[0]], note="one roster mistake")
    assert Decision.objects.count() == 4
    assert set(Decision.objects.values_list("note", flat=True)) == {"one roster mistake"}


def test_all_or_none(ids: list[str]) -> None:
    give(ids[:1])
    with pytest.raises(UsageError, match=f"alert {ids[0]} is closed: duplicate cannot be given there"):
        give(ids, "duplicate")
    with pytest.raises(UsageError, match="no alert has the id A-nowhere"):
        give([ids[1], "A-nowhere"])
    assert Decision.objects.count() == 1
    assert Alert.objects.filter(state="open").count() == 3


def test_insufficient_can_be_followed_by_a_verdict(ids: list[str]) -> None:
    give(ids[:1], "insufficient")
    give(ids[:1], "benign_positive", now=NOW + timedelta(1))
    assert [d.to_state for d in get_alert(ids[0]).decisions] == ["under_review", "closed"]


def test_a_state_changed_meanwhile_is_noticed(ids: list[str]) -> None:
    give(ids[:1], "insufficient")
    with pytest.raises(UsageError, match="is under_review by now, not open"):
        give(ids[:1], seen={ids[0]: "open"})
    assert Decision.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reason": "  "}, "needs a reason"),
        ({"reason": "x" * 101}, "longer than 100"),
        ({"who": ""}, "needs a name"),
        ({"note": "x" * 10_001}, "longer than 10,000"),
        ({"note": "a\x00b"}, "no text"),
        ({"who": "\udcff"}, "no text"),
    ],
)
def test_a_decision_without_what_it_needs_is_refused(ids: list[str], change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        give(ids[:1], "false_positive", **change)
    assert Decision.objects.count() == 0


def test_an_unknown_verdict_and_no_alert_are_refused(ids: list[str]) -> None:
    with pytest.raises(UsageError, match="'guilty' is no verdict"):
        give(ids, "guilty")
    with pytest.raises(UsageError, match="name 1 to"):
        give([])


def test_the_chain_is_whole(ids: list[str]) -> None:
    assert verify_chain().faults == ()
    give(ids[:2])
    give(ids[2:])
    report = verify_chain()
    assert (report.rows, report.faults) == (4, ())
    links = list(Decision.objects.order_by("sequence"))
    assert links[0].prev_hash == GENESIS
    assert [row.prev_hash for row in links[1:]] == [row.hash for row in links[:-1]]


def test_an_edited_decision_is_found(ids: list[str]) -> None:
    give(ids)
    tamper(2, note="never happened")
    assert verify_chain().faults == (f"decision 2 (alert {ids[1]}) was changed",)


def test_an_edited_decision_with_its_hash_made_anew_is_found(ids: list[str]) -> None:
    give(ids)
    row = Decision.objects.get(sequence=2)
    row.verdict = "true_positive"
    tamper(2, verdict="true_positive", hash=link_hash(row))
    assert verify_chain().faults == ("decision 3 does not follow the one before it",)


def test_a_removed_decision_is_found(ids: list[str]) -> None:
    from django.db.models import QuerySet

    give(ids)
    QuerySet(Decision).filter(sequence=2)._raw_delete(using="default")
    assert verify_chain().faults == (
        "decision 2 is missing: the next is 3",
        "decision 3 does not follow the one before it",
    )


def test_a_cut_tail_is_found(ids: list[str]) -> None:
    from django.db.models import QuerySet

    give(ids)
    QuerySet(Decision).filter(sequence=4)._raw_delete(using="default")
    assert verify_chain().faults == ("the chain ends at decision 3, its head says 4",)


def test_two_swapped_decisions_are_found(ids: list[str]) -> None:
    give(ids[:1], note="first")
    give(ids[1:2], note="second")
    tamper(1, alert_id=ids[1], note="second")
    tamper(2, alert_id=ids[0], note="first")
    assert len(verify_chain().faults) == 2


def test_a_lost_head_stops_decisions(ids: list[str]) -> None:
    ChainHead.objects.all().delete()
    with pytest.raises(StateError, match="lost its head"):
        give(ids)
    assert Alert.objects.filter(state="open").count() == 4
    assert verify_chain().faults == ("the chain has lost its head",)


def test_decisions_cannot_be_changed_through_the_model(ids: list[str]) -> None:
    give(ids)
    row = Decision.objects.get(sequence=1)
    for attempt in (row.save, row.delete, Decision.objects.all().delete, lambda: Decision.objects.update(note="x")):
        with pytest.raises(StateError):
            attempt()
    assert verify_chain().faults == ()


def test_a_fork_of_the_chain_cannot_be_stored(ids: list[str]) -> None:
    from django.db import IntegrityError

    give(ids[:1])
    row = Decision.objects.get()
    row.sequence, row.hash, row._state.adding = 7, "f" * 64, True
    with pytest.raises(IntegrityError):
        row.save(force_insert=True)
    assert connection.is_usable()


def test_every_verdict_reason_and_worth_is_documented(root: Path) -> None:
    page = (root / "docs" / "reviewing.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert {name: rows[name] for name in REASONS} == REASONS
    after_open = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `(\w+)` \|$", page, re.MULTILINE))
    assert after_open == {verdict: after("open", verdict) for verdict in VERDICTS}
    levels = re.findall(r"^\| `(\w+)` \| ([\d.]+) % \| ([\d.]+) % \| (\d+) \|$", page, re.MULTILINE)
    assert {name: (float(expected), float(rate), int(points)) for name, expected, rate, points in levels} == {
        name: (100 * EXPECTED[name], 100 * rate, round(strength(weight(name, rate))))
        for name, rate in ASSUMED_RATE.items()
    }
