"""What each finding of a night adds, around the look-up on which most weight meets."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_findings import NIGHT, finding, forest

from detector.alerts.evidence import Evidence
from detector.alerts.rarity import Rate, speaker
from detector.alerts.score import score
from detector.alerts.weigh import EXPLAINED_NATS, NEXT, how_often, weigh
from detector.alerts.worth import EXPECTED, nats, strength
from detector.records import Finding
from detector.schema import LEVELS


def rated(nats: float, level: str = "medium", nights: int = 10_000) -> Rate:
    """The rate at which a finding of this level weighs so much."""
    return Rate(EXPECTED[level] * math.exp(-nats), nights)


def added(weights: dict[Finding, float], explained: frozenset[str] = frozenset()) -> dict[str, float]:
    """Rule -> nats that it adds."""
    rates = {speaker(item): rated(nats, item.level) for item, nats in weights.items()}
    return {item.rule_id: round(nats(item.strength), 6) for item in weigh(weights, rates, explained)}


def about(rule: str, *events: str, actor: str = "P-1", level: str = "medium") -> Finding:
    return finding(actor, rule, events=events, level=level)


def test_a_finding_alone_adds_its_weight() -> None:
    assert added({about("a", "e1"): 4.0}) == {"a": 4.0}


def test_on_one_look_up_the_second_adds_half_and_the_third_a_quarter() -> None:
    weights = {about("a", "e1", "e2"): 2.0, about("b", "e2"): 6.0, about("c", "e2", "e3"): 4.0}
    assert added(weights) == {"b": 6.0, "c": 4.0 * NEXT, "a": 2.0 * NEXT**2}


def test_what_meets_on_one_look_up_comes_before_what_is_heavier_elsewhere() -> None:
    weights = {about("alone", "e9"): 5.0, about("a", "e1"): 4.0, about("b", "e1"): 3.0}
    assert added(weights) == {"a": 4.0, "b": 3.0 * NEXT, "alone": 5.0 * NEXT**2}


def test_a_rule_that_speaks_twice_comes_after_all_that_say_something_else() -> None:
    first, again = about("a", "e1"), about("a", "e2", "e3")
    other = about("b", "e4")
    rates = {speaker(first): rated(4.0), speaker(other): rated(1.0)}
    found = {item.event_ids: nats(item.strength) for item in weigh([again, first, other], rates)}
    assert sorted(found.values()) == pytest.approx([1.0 * NEXT, 4.0 * NEXT**2, 4.0])


def test_what_is_explained_carries_less() -> None:
    assert added({about("a", "e1"): 4.0}, frozenset({"e1"})) == {"a": 4.0 - EXPLAINED_NATS}
    assert added({about("a", "e1"): 1.0}, frozenset({"e1"})) == {"a": 0.0}


def test_the_look_up_that_nothing_explains_is_the_one_that_counts() -> None:
    weights = {about("a", "covered"): 5.0, about("b", "open"): 4.0}
    assert added(weights, frozenset({"covered"})) == {"b": 4.0, "a": 5.0 * NEXT}


def test_actors_are_weighed_apart() -> None:
    weights = {about("a", "e1"): 4.0, about("b", "e1", actor="P-2"): 3.0}
    assert added(weights) == {"a": 4.0, "b": 3.0}


def test_what_everybody_does_weighs_nothing() -> None:
    common = about("a", "e1", level="critical")
    (item,) = weigh([common], {speaker(common): Rate(1.0, 10_000)})
    assert (item.strength, item.finding_id) == (0.0, common.finding_id)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Rate(0.001, 199), ()),  # still more assumed than counted
        (Rate(0.7, 500), ("Of comparable colleagues this is so on most nights.",)),
        (Rate(0.25, 500), ("Of comparable colleagues this is so on about one night in 4.",)),
        (Rate(1 / 34_567, 50_000), ("Of comparable colleagues this is so on about one night in 35,000.",)),
        # so much is assumed, not seen: of 521 nights none had it
        (Rate(1 / 34_567, 521), ("Of comparable colleagues this is so on less than one night in 520.",)),
    ],
)
def test_a_reviewer_reads_how_usual_it_is(rate: Rate, words: tuple[str, ...]) -> None:
    assert how_often(rate) == words


def test_the_sentence_follows_the_findings_own() -> None:
    item = finding(explanation="14 look-ups of one record")
    (told,) = weigh([item], {speaker(item): Rate(0.01, 500)})
    assert told.explanation == (
        "14 look-ups of one record. Of comparable colleagues this is so on about one night in 100."
    )


findings = st.lists(
    st.builds(
        lambda rule, level, events, strange: (
            forest(level=level, events=sorted(events)) if strange else about(rule, *sorted(events), level=level)
        ),
        st.sampled_from("abcd"),
        st.sampled_from(LEVELS),
        st.sets(st.sampled_from(["e1", "e2", "e3", "e4"]), min_size=1),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda item: item.finding_id,
)


@given(findings, st.sets(st.sampled_from(["e1", "e2"])), st.floats(1e-5, 1), st.randoms())
def test_the_order_of_findings_is_no_matter_and_no_busy_night_outweighs_twice_its_heaviest(
    items: list[Finding], explained: set[str], rate: float, random: object
) -> None:
    rates = {speaker(item): Rate(rate, 500) for item in items}
    found = {item.finding_id: item.strength for item in weigh(items, rates, explained)}
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert {item.finding_id: item.strength for item in weigh(shuffled, rates, explained)} == found
    heaviest = max(max(math.log(EXPECTED[item.level] / rate), 0) for item in items)
    assert sum(map(nats, found.values())) <= 2 * heaviest + 1e-6
    assert score([Evidence.of(item) for item in weigh(items, rates)]) <= round(strength(2 * heaviest), 2) + 0.01


def test_other_nights_are_other_findings() -> None:
    """A night is weighed by itself; score.py puts nights together."""
    later = finding(night=NIGHT + timedelta(1))
    (item,) = weigh([later], {speaker(later): rated(3.0)})
    assert nats(item.strength) == pytest.approx(3.0)
