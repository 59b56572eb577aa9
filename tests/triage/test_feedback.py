"""What decisions teach the ranking, and how little a few wrong ones do."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest

from detector.alerts.rarity import Rate, speaker
from detector.alerts.weigh import weigh
from detector.alerts.worth import nats
from detector.records import Finding
from detector.triage.feedback import MOST_SHIFT, Feedback, feedback
from detector.triage.models import Alert
from detector.triage.services import decide, raise_alerts

pytestmark = pytest.mark.usefixtures("home")
NEXT = NIGHT + timedelta(1)


def decided(verdict: str, *findings: Finding, night: date = NIGHT) -> None:
    """The same verdict on an alert about each of the persons."""
    raise_alerts(night, findings, NOW, budget(1000))
    people = {item.actor_id for item in findings}
    alerts = Alert.objects.filter(actor_id__in=people, first_night=night).values_list("alert_id", flat=True)
    decide(list(alerts), verdict=verdict, reason="case_work", who="alice", now=NOW)


def history(rule: str, confirmed: int, cleared: int) -> None:
    for verdict, number in (("true_positive", confirmed), ("benign_positive", cleared)):
        if number:
            decided(verdict, *(finding(f"{rule}-{verdict}-{n}", rule) for n in range(number)))


def shift(rule: str, actor: str = "P-new") -> float:
    return feedback(NEXT).shift(finding(actor, rule))


def test_without_decisions_nothing_is_shifted() -> None:
    raise_alerts(NIGHT, [finding()], NOW, budget())
    assert feedback(NEXT) == Feedback()
    assert shift("rule_a") == 0


def test_what_is_confirmed_more_often_than_others_weighs_more() -> None:
    history("good", confirmed=15, cleared=5)
    history("bad", confirmed=0, cleared=20)
    # overall (15 + 1) / (40 + 2); good (15 + 20 p) / 40, bad 20 p / 40
    overall = 16 / 42
    for rule, precision in (("good", (15 + 20 * overall) / 40), ("bad", 20 * overall / 40)):
        expected = math.log(precision / (1 - precision)) - math.log(overall / (1 - overall))
        assert shift(rule) == pytest.approx(expected)
    assert shift("never decided") == 0


def test_a_few_wrong_decisions_move_little() -> None:
    history("good", confirmed=9, cleared=11)
    history("other", confirmed=1, cleared=19)
    before = shift("good")
    decided("false_positive", *(finding(f"wrong-{n}", "good") for n in range(2)))
    assert 0 < before - shift("good") < 0.2


def test_no_number_of_decisions_shifts_further_than_the_limit() -> None:
    history("bad", confirmed=0, cleared=150)
    history("good", confirmed=60, cleared=0)
    assert -MOST_SHIFT <= shift("bad") < 0 < shift("good") <= MOST_SHIFT


def test_each_signal_is_credited_with_its_share_of_the_weight() -> None:
    """What merely happened to be there is not what was confirmed."""
    reason = [finding(f"P-{n}", "reason", strength=80.0) for n in range(20)]
    decided("true_positive", *reason, *(finding(f"P-{n}", "bystander", strength=1.0) for n in range(20)))
    history("other", confirmed=0, cleared=20)
    assert shift("reason") > 10 * shift("bystander") > 0


def test_what_was_cleared_about_a_person_weighs_less_about_that_person() -> None:
    decided("benign_positive", finding("P-1", "rule_a"))
    assert shift("rule_a", "P-1") == pytest.approx(shift("rule_a", "P-2") - math.log(2))
    assert shift("rule_b", "P-1") == 0  # another signal is news


def test_what_was_cleared_long_ago_is_asked_again() -> None:
    decided("benign_positive", finding("P-1", "rule_a"))
    later = feedback(NIGHT + timedelta(91))
    assert later.shift(finding("P-1", "rule_a")) == later.shift(finding("P-2", "rule_a"))


def test_of_somebody_confirmed_nothing_is_taken_for_cleared() -> None:
    decided("benign_positive", finding("P-1", "rule_a"))
    decided("true_positive", finding("P-1", "rule_b", night=NIGHT + timedelta(20)), night=NIGHT + timedelta(20))
    learned = feedback(NIGHT + timedelta(30))
    assert learned.shift(finding("P-1", "rule_a")) == learned.shift(finding("P-2", "rule_a"))


def test_a_night_learns_only_from_alerts_that_ended_before_it() -> None:
    decided("true_positive", finding("P-1", "rule_a"))
    assert feedback(NIGHT) == Feedback()
    assert feedback(NEXT) != Feedback()


@pytest.mark.parametrize("verdict", ["duplicate", "insufficient"])
def test_a_verdict_that_says_nothing_of_the_signal_teaches_nothing(verdict: str) -> None:
    decided(verdict, finding("P-1", "rule_a"))
    assert feedback(NEXT) == Feedback()


def test_the_forest_learns_as_rules_do() -> None:
    decided("false_positive", *(forest(f"P-{n}") for n in range(20)))
    history("good", confirmed=10, cleared=0)
    assert feedback(NEXT).shift(forest("P-new")) < 0


def test_the_shift_is_added_to_the_weight_but_what_is_usual_stays_worth_nothing() -> None:
    rare, usual = finding(rule="rare"), finding("P-2", rule="usual")
    rates = {speaker(rare): Rate(0.003, 500), speaker(usual): Rate(0.9, 500)}
    plain = {item.rule_id: nats(item.strength) for item in weigh([rare, usual], rates)}
    more = {item.rule_id: nats(item.strength) for item in weigh([rare, usual], rates, shift=lambda item: 1.5)}
    less = {item.rule_id: nats(item.strength) for item in weigh([rare, usual], rates, shift=lambda item: -9.0)}
    assert plain["rare"] == pytest.approx(math.log(100))
    assert more == {"rare": pytest.approx(math.log(100) + 1.5), "usual": 0.0}
    assert less == {"rare": 0.0, "usual": 0.0}
