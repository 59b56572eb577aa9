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


def earlier(days: int, *, first: int | None = None, theme: str = "curiosity", alert_id: str = "A-old") -> Held:
    """An alert about P-1 whose last evidence is `days` before NIGHT, its first `first` days before."""
    begun = NIGHT - timedelta(first if first is not None else days)
    last = NIGHT - timedelta(days)
    return Held(alert_id, "P-1", theme, begun, last, (Evidence.of(finding(rule="old", night=last, theme=theme)),))


def test_findings_of_one_actor_and_theme_make_one_alert() -> None:
    a, b = finding(rule="a"), finding(rule="b")
    (alert,) = run(a, b)
    assert (alert.alert_id, alert.is_new) == (stable_id("A", "P-1", "curiosity", NIGHT), True)
    assert {item.finding_id for item in alert.added} == {a.finding_id, b.finding_id}


def test_actors_and_themes_are_kept_apart() -> None:
    alerts = run(finding("P-1"), finding("P-2"), finding("P-1", "c", theme="self"))
    assert sorted((alert.actor_id, alert.theme) for alert in alerts) == [
        ("P-1", "curiosity"), ("P-1", "self"), ("P-2", "curiosity"),
    ]  # fmt: skip


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


def test_another_theme_is_not_joined() -> None:
    (alert,) = run(finding(), held=(earlier(1, theme="self"),))
    assert alert.is_new


def test_a_decided_alerts_id_is_not_taken_again() -> None:
    first = stable_id("A", "P-1", "curiosity", NIGHT)
    (alert,) = group([finding()], (), night=NIGHT, join_days=7, taken={first})
    assert alert.alert_id == stable_id("A", "P-1", "curiosity", NIGHT, 2)


def test_a_forest_finding_joins_the_actors_strongest_rule_alert() -> None:
    strange = forest()
    alerts = run(
        strange, finding(rule="a", theme="self", level="low"), finding(rule="b", theme="curiosity", level="high")
    )
    assert {alert.theme: strange in alert.added for alert in alerts} == {"self": False, "curiosity": True}


def test_a_forest_finding_alone_makes_its_own_alert() -> None:
    alerts = run(forest("P-1"), finding("P-2"))
    assert sorted((alert.actor_id, alert.theme) for alert in alerts) == [
        ("P-1", "unusual_pattern"),
        ("P-2", "curiosity"),
    ]


def test_a_forest_finding_does_not_join_a_rule_alert_of_an_earlier_night() -> None:
    (alert,) = run(forest(), held=(earlier(1),))
    assert (alert.theme, alert.is_new) == ("unusual_pattern", True)


def test_a_weak_finding_raises_no_alert_alone() -> None:
    assert run(finding(level="informational")) == ()
    assert run(finding(level="informational"), held=(earlier(1),)) == ()


def test_a_weak_finding_is_added_to_its_themes_alert_else_to_the_strongest() -> None:
    weak = finding(rule="weak", level="informational", theme="self")
    elsewhere = finding(rule="weaker", level="informational", theme="nothing_else")
    alerts = run(
        weak,
        elsewhere,
        finding(rule="a", theme="self", level="low"),
        finding(rule="b", theme="curiosity", level="high"),
    )
    assert {alert.theme: {f.rule_id for f in alert.added} for alert in alerts} == {
        "self": {"a", "weak"},
        "curiosity": {"b", "weaker"},
    }


def test_what_a_voice_says_anew_goes_where_it_was() -> None:
    seat = Held("A-seat", "P-1", "self", NIGHT, NIGHT, (Evidence.of(finding(rule="b", theme="self")),))
    strange = forest()
    alerts = group(
        [strange, finding(rule="a", level="critical")],
        (seat,),
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
