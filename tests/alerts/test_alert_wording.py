from __future__ import annotations

from datetime import timedelta

from made_findings import NIGHT, finding, forest

from detector.alerts.evidence import Evidence
from detector.alerts.wording import MAX_SENTENCES, TITLE_LENGTH, explanation, title


def test_sentences_come_strongest_first() -> None:
    items = [
        finding(rule="low_one", level="low", explanation="A small thing."),
        finding(
            rule="high_one", level="high", explanation="14 look-ups of this person on 9 days with no case; peers: 0.2"
        ),
        forest(strength=59.0, explanation="Stranger than 99 % of look-ups."),
    ]
    assert explanation([Evidence.of(item) for item in items]) == (
        "14 look-ups of this person on 9 days with no case; peers: 0.2. Stranger than 99 % of look-ups. A small thing."
    )


def test_a_rule_that_came_back_says_its_newest_and_how_often() -> None:
    items = [finding(night=NIGHT + timedelta(n), explanation=f"{n + 1} look-ups without a case") for n in (0, 1, 3)]
    assert explanation([Evidence.of(item) for item in items]) == "4 look-ups without a case. Also on 2 earlier nights."


def test_one_sentence_is_said_once_and_the_rest_is_counted() -> None:
    same = [finding(hour=hour, explanation="The same.") for hour in (9, 12)]
    assert explanation([Evidence.of(item) for item in same]) == "The same."
    many = [finding(rule=f"r{n:02}", explanation=f"Reason {n}.") for n in range(MAX_SENTENCES + 2)]
    assert explanation([Evidence.of(item) for item in many]).endswith("And 2 weaker signals.")


def test_title_is_the_strongest_ones_and_counts_the_others() -> None:
    strong = Evidence.of(finding(rule="strong", level="high", title="Own record looked up"))
    weak = Evidence.of(finding(rule="weak", level="low"))
    assert title([strong]) == "Own record looked up"
    assert title([weak, strong]) == "Own record looked up (and 1 more signal)"
    long = Evidence.of(finding(rule="long", level="critical", title="x" * 500))
    assert len(title([long, weak, strong])) == TITLE_LENGTH
