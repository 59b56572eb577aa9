"""Which look-ups a model must not take for normal, by rules and by reviewers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest

from detector.records import Finding
from detector.triage.flagged import flagged_events
from detector.triage.models import Alert
from detector.triage.services import decide, raise_alerts

pytestmark = pytest.mark.usefixtures("home")


def put(*findings: Finding) -> None:
    raise_alerts(NIGHT, findings, NOW, budget())


def judge(actor: str, verdict: str) -> None:
    decide([Alert.objects.get(actor_id=actor).alert_id], verdict, reason="x", who="r", now=NOW)


def tonight() -> frozenset[str]:
    return flagged_events(NIGHT, NIGHT)


def test_a_rule_flags_from_level_medium() -> None:
    put(finding("P-1", events=["m"]), finding("P-2", level="low", events=["l"]))
    assert tonight() == {"m"}


def test_the_forest_alone_flags_nothing_until_confirmed() -> None:
    put(forest("P-1", events=["f"]))
    assert tonight() == frozenset()
    judge("P-1", "true_positive")
    assert tonight() == {"f"}


@pytest.mark.parametrize("verdict", ["benign_positive", "false_positive"])
def test_what_is_cleared_is_learned_again(verdict: str) -> None:
    put(finding("P-1", events=["m"]))
    judge("P-1", verdict)
    assert tonight() == frozenset()


def test_no_answer_leaves_it_flagged() -> None:
    put(finding("P-1", events=["m"]))
    judge("P-1", "insufficient")
    assert tonight() == {"m"}


def test_only_the_nights_asked_for() -> None:
    put(finding("P-1", events=["m"]))
    after = NIGHT + timedelta(1)
    assert flagged_events(after, after) == frozenset()
