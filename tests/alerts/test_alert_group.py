from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_findings import NIGHT, finding, forest

from detector.alerts.evidence import Evidence
from detector.alerts.group import Grouped, Held, group, voice
from detector.records import Finding, stable_id
from detector.schema import LEVELS


def run(
    *findings: Finding, held: tuple[Held, ...] = (), night: date = NIGHT, join_days: int = 7
) -> tuple[Grouped, ...]:
    return group(findings, held, night=night, join_days=join_days)


def earlier(days: int, *, first: int | None = None, alert_id: str = "A-old") -> Held:
    """An alert about P-1 whose last evidence is `days` before NIGHT, its first `first` days before."""
    begun = NIGHT - timedelta(first if first is not None else days)
    last = NIGHT - timedelta(days)
    return Held(alert_id, "P-1", begun, last, (Evidence.of(finding(rule="old", night=last)),))


def test_findings_of_one_actor_make_one_alert_whatever_they_are_about() -> None:
    a, b, c = finding(rule="a"), finding(rule="b", theme="self"), forest()
    (alert,) = run(a, b, c)
    assert (alert.alert_id, alert.is_new) == (stable_id("A", "P-1", NIGHT), True)
    assert {item.finding_id for item in alert.added} == {a.finding_id, b.finding_id, c.finding_id}


def test_actors_are_kept_apart() -> None:
    alerts = run(finding("P-1"), finding("P-2"), forest("P-3"))
    assert sorted(alert.actor_id for alert in alerts) == ["P-1", "P-2", "P-3"]


@pytest.mark.parametrize(("days", "joins"), [(0, True), (1, True), (7, True), (8, False)])
def test_a_finding_joins_a_recent_alert(days: int, joins: bool) -> None:
    (alert,) = run(finding(), held=(earlier(days),))
    assert (alert.alert_id == "A-old", alert.is_new) == (joins, not joins)


def test_an_alert_that_began_later_is_not_joined() -> None:
    later = earlier(-2)
    (alert,) = run(finding(), held=(later,))
    assert alert.is_new


def test_late_evidence_joins_the_alert_that_covers_its_night() -> None:
    covering = earlier(-3, first=2, alert_id="A-covering")
    (alert,) = run(finding(), held=(earlier(1, alert_id="A-before"), covering))
    assert alert.alert_id == "A-covering"


def test_a_decided_alerts_id_is_not_taken_again() -> None:
    first = stable_id("A", "P-1", NIGHT)
    (alert,) = group([finding()], (), night=NIGHT, join_days=7, taken={first})
    assert alert.alert_id == stable_id("A", "P-1", NIGHT, 2)


def test_a_weak_finding_raises_no_alert_alone() -> None:
    assert run(finding(level="informational")) == ()
    assert run(finding(level="informational"), held=(earlier(1),)) == ()


def test_a_weak_finding_is_added_to_what_its_actor_has_this_night() -> None:
    weak = finding(rule="weak", level="informational", theme="self")
    of_another = finding("P-2", rule="weak", level="informational")
    (alert,) = run(weak, of_another, finding(rule="a"), held=(earlier(1),))
    assert (alert.alert_id, {item.rule_id for item in alert.added}) == ("A-old", {"a", "weak"})


def test_a_weak_finding_goes_to_the_stronger_of_two_alerts_of_a_night() -> None:
    """A home of an earlier release may hold several, by theme."""
    held = tuple(
        Held(name, "P-1", NIGHT, NIGHT, (Evidence.of(finding(rule=name, level=level)),))
        for name, level in (("A-strong", "high"), ("A-weaker", "low"))
    )
    (alert,) = run(finding(rule="weak", level="informational"), held=held)
    assert alert.alert_id == "A-strong"


def test_what_a_voice_says_anew_goes_where_it_was() -> None:
    seat = Held("A-seat", "P-1", NIGHT, NIGHT, (Evidence.of(finding(rule="b")),))
    other = Held("A-zeat", "P-1", NIGHT, NIGHT, (Evidence.of(finding(rule="c")),))
    strange = forest()
    alerts = group(
        [strange, finding(rule="a", level="critical")],
        (seat, other),
        night=NIGHT,
        join_days=7,
        seats={voice(strange): "A-seat"},
    )
    assert next(alert for alert in alerts if strange in alert.added).alert_id == "A-seat"


findings = st.builds(
    lambda actor, rule, theme, level, hour, strange: (
        forest(actor, level=level, hour=hour) if strange else finding(actor, rule, theme=theme, level=level, hour=hour)
    ),
    st.sampled_from(["P-1", "P-2", "P-3"]),
    st.sampled_from("abc"),
    st.sampled_from(["curiosity", "self", "ex_partner"]),
    st.sampled_from(LEVELS),
    st.integers(0, 5),
    st.booleans(),
)


@given(st.lists(findings, max_size=20, unique_by=lambda item: item.finding_id), st.randoms())
def test_every_strong_finding_is_in_exactly_one_alert_whatever_the_order(items: list[Finding], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    alerts = run(*items)
    assert alerts == run(*shuffled)
    placed = [f.finding_id for alert in alerts for f in alert.added]
    assert len(placed) == len(set(placed))
    assert {f.finding_id for f in items if f.level != "informational"} <= set(placed)
    assert all(f.actor_id == alert.actor_id for alert in alerts for f in alert.added)
    assert all(any(f.level != "informational" for f in alert.added) for alert in alerts)
