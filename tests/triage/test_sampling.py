from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from made_findings import NIGHT, NOW, finding, forest

from detector import cli
from detector.cli.alert_export import as_csv, as_json
from detector.config import Settings
from detector.evaluate.run import ranked_alerts
from detector.home import Home
from detector.metrics.collector import expose
from detector.records import Finding, Usual
from detector.triage.misses import misses
from detector.triage.models import Alert, AlertFinding, SampleDraw
from detector.triage.queue import as_full_record
from detector.triage.scorecard import scores, wilson
from detector.triage.services import decide, draw_samples, get_alert, list_alerts, raise_alerts, reserve_slots

pytestmark = pytest.mark.usefixtures("home")

PEOPLE = [f"P-{n}" for n in range(20)]


def settings(share: float = 0.5, slots: int = 4) -> Settings:
    return Settings.model_validate({"budget": {"alerts_per_night": slots, "sample_share": share, "sample_seed": "s"}})


def patterns(people: Sequence[str], night: date = NIGHT) -> dict[str, Finding]:
    return {
        who: forest(who, strength=7.0, level="low", title="Unusual pattern of look-ups", night=night) for who in people
    }


def scan(*findings: Finding, night: date = NIGHT, people: Sequence[str] = PEOPLE, with_: Settings | None = None) -> int:
    """What a night's scan does about alerts."""
    chosen = with_ or settings()
    reserve_slots(night, chosen.budget)
    raise_alerts(night, findings, NOW, chosen)
    return draw_samples(
        night,
        people,
        findings,
        NOW,
        chosen.budget,
        lambda drawn: patterns(drawn, night),
    )


def found(number: int, night: date = NIGHT) -> list[Finding]:
    """So many nights of people that a rule and the forest spoke of."""
    return [each for n in range(number) for each in (finding(f"P-{n}", night=night), forest(f"P-{n}", night=night))]


def samples() -> list[Alert]:
    return list(Alert.objects.filter(sample_probability__isnull=False).order_by("alert_id"))


def stored() -> list[list[Any]]:
    """Every column of every row."""
    return [
        list(Alert.objects.order_by("pk").values()),
        list(AlertFinding.objects.order_by("pk").values()),
        list(SampleDraw.objects.order_by("pk").values()),
    ]


def test_samples_take_their_share_of_the_slots_from_the_weakest() -> None:
    assert scan(*found(6)) == 2
    queue = list_alerts()
    drawn = {alert.alert_id for alert in samples()}
    assert len(queue) == 4
    assert len([alert for alert in queue if alert.alert_id not in drawn]) == 2
    assert {alert.actor_id for alert in samples()}.isdisjoint({"P-0", "P-1"}), "those are in the queue already"
    assert {alert.sample_probability for alert in samples()} == {2 / 18}
    assert SampleDraw.objects.get().eligible == 18
    assert sorted(alert.rank for alert in list_alerts(everything=True)) == list(range(1, 9))


def test_a_night_scanned_again_draws_the_same() -> None:
    scan(*found(6))
    before = stored()
    assert scan(*reversed(found(6))) == 0
    assert scan(*found(6), with_=settings(share=1.0, slots=9)) == 0, "what a night was dealt with stays its own"
    assert stored() == before


def test_people_who_come_late_can_be_drawn_and_nobody_else() -> None:
    scan(people=PEOPLE[:10])
    first = {alert.actor_id: alert.sample_probability for alert in samples()}
    assert set(first.values()) == {2 / 10}
    scan(people=[f"P-{n}" for n in range(200)])
    now = {alert.actor_id: alert.sample_probability for alert in samples()}
    assert {actor: now[actor] for actor in first} == first
    late = now.keys() - first.keys()
    assert late, "of 200 people two are drawn, and those are seldom among the first ten"
    assert late.isdisjoint(PEOPLE[:10])
    assert {now[actor] for actor in late} == {2 / 200}
    assert SampleDraw.objects.get().eligible == 200


def test_nothing_in_the_queue_tells_a_sample_from_a_finding_of_the_forest() -> None:
    scan(forest("P-0", strength=90.0, title="Unusual pattern of look-ups"), with_=settings(slots=2))
    (sample,) = samples()
    real = next(alert for alert in list_alerts() if alert.actor_id == "P-0")
    drawn = get_alert(sample.alert_id)
    records = [as_full_record(alert) for alert in (real, drawn)]
    assert records[0].keys() == records[1].keys()
    assert records[0]["findings"][0].keys() == records[1]["findings"][0].keys()
    for name in ("title", "state", "theme", "in_budget", "sample", "decisions"):
        assert records[0][name] == records[1][name], name
    assert drawn.sample is None
    assert drawn.findings[0].rule_id == real.findings[0].rule_id
    assert (real.level, drawn.level) == ("medium", "medium"), "borrowed, like the score"
    assert real.score <= drawn.score <= real.score + 2
    assert drawn.score == pytest.approx(drawn.findings[0].strength, abs=0.01), "by the formula of any alert"
    written = as_csv(list_alerts()) + as_json(list_alerts())
    for word in ("sampl", "random", "blind"):
        assert word not in written.lower()


def test_once_decided_it_is_told(capsys: pytest.CaptureFixture[str], home: Home) -> None:
    scan(finding("P-0", level="critical"), with_=settings(slots=2))
    (sample,) = samples()
    other = next(alert.alert_id for alert in list_alerts() if alert.alert_id != sample.alert_id)
    assert shown(capsys, home, sample.alert_id) == (None, False)
    decide([sample.alert_id], "insufficient", reason="needs_information", who="r", now=NOW)
    assert shown(capsys, home, sample.alert_id) == (None, False)
    decide([sample.alert_id, other], "benign_positive", reason="case_work", who="r", now=NOW)
    assert shown(capsys, home, sample.alert_id) == (True, True)
    assert shown(capsys, home, other) == (False, False)


def shown(capsys: pytest.CaptureFixture[str], home: Home, alert_id: str) -> tuple[bool | None, bool]:
    """What the JSON says, and whether the page of text speaks of it."""
    assert cli.run(["alerts", "show", alert_id, "--home", str(home.root), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["sample"]
    assert cli.run(["alerts", "show", alert_id, "--home", str(home.root)]) == 0
    return told, "drawn at random" in " ".join(capsys.readouterr().out.replace("\n", " ").split())


def test_what_was_found_of_somebody_drawn_leads_however_weak() -> None:
    weak = [finding(who, "weak", level="informational") for who in PEOPLE]
    strong = [finding(who, level="low", events=[f"{who}-x"]) for who in PEOPLE[:12]]
    scan(*weak, *strong, finding("P-19", "grave", level="critical"), with_=settings(slots=10))
    assert len(samples()) == 5
    for alert in samples():
        view = get_alert(alert.alert_id)
        ruled = alert.actor_id in PEOPLE[:12]
        assert [f.rule_id for f in view.findings] == (["rule_a", "weak"] if ruled else ["weak"])
        assert view.title == ("Title of rule_a (and 1 more signal)" if ruled else "Title of weak")
        assert view.level == "low", "its own, or that of one in the queue: informational ones raise nothing"
        real = [other.score for other in list_alerts() if other.sample_probability is None]
        assert min(real) <= view.score <= sorted(real)[len(real) // 2] + 2
    assert {alert.actor_id in PEOPLE[:12] for alert in samples()} == {True, False}


def test_where_nothing_was_found_the_first_reason_is_the_title() -> None:
    usual = Usual("lookups_24h", 7.0, 2.0, 3.0, "look-ups in 24 hours: 7; usual for this actor 2, for peers 3")
    chosen = settings(slots=2)
    reserve_slots(NIGHT, chosen.budget)
    draw_samples(
        NIGHT, PEOPLE, [], NOW, chosen.budget, lambda who: {name: forest(name, usual=(usual,)) for name in who}
    )
    (sample,) = samples()
    assert (sample.title, sample.theme, sample.level) == ("Look-ups in 24 hours: 7", "unusual_pattern", "low")


def test_nothing_joins_a_sample_and_a_sample_joins_nothing() -> None:
    scan(with_=settings(slots=2))
    (sample,) = samples()
    again = [forest(sample.actor_id, night=NIGHT + timedelta(1), strength=99.0)]
    raise_alerts(NIGHT + timedelta(1), again, NOW, settings(share=0.0))
    raised = Alert.objects.get(sample_probability=None)
    assert (raised.actor_id, raised.first_night) == (sample.actor_id, NIGHT + timedelta(1))
    assert Alert.objects.get(pk=sample.pk).night == NIGHT
    late = forest(sample.actor_id, strength=99.0)
    raise_alerts(NIGHT, [late], NOW, settings(share=0.0))
    assert AlertFinding.objects.get(pk=late.finding_id).alert.sample_probability is None


def test_ranking_precision_and_metrics_leave_samples_out() -> None:
    findings = [*found(1), *(finding(f"P-{n}", level="low") for n in range(1, 20))]
    scan(*findings)
    assert {alert.alert_id for alert in ranked_alerts()}.isdisjoint({alert.alert_id for alert in samples()})
    assert len(ranked_alerts()) == Alert.objects.count() - 2
    before = expose().decode(), scores()
    decide([alert.alert_id for alert in samples()], "false_positive", reason="rule_too_wide", who="r", now=NOW)
    assert scores() == before[1]
    assert "detector_rule_precision_ratio{" not in expose().decode()


def test_without_slots_or_share_nothing_is_drawn() -> None:
    assert scan(*found(2), with_=settings(share=0.0)) == scan(*found(2), with_=settings(slots=0)) == 0
    assert samples() == []
    assert misses().as_json() == {
        "nights": 0, "unflagged_actor_nights": 0, "drawn": 0, "decided": 0, "confirmed": 0, "per_1000": None,
        "missed": None,
    }  # fmt: skip


def test_the_estimate_weighs_each_sample_by_whom_it_stands_for(capsys: pytest.CaptureFixture[str], home: Home) -> None:
    scan(people=[f"Q-{n}" for n in range(100)])
    scan(people=[f"Q-{n}" for n in range(1000)], night=NIGHT + timedelta(1))
    quiet, busy = ([a for a in samples() if a.night == night] for night in (NIGHT, NIGHT + timedelta(1)))
    assert (len(quiet), len(busy)) == (2, 2)
    assert misses().share is None
    decide([quiet[0].alert_id], "true_positive", reason="no_policing_purpose", who="r", now=NOW)
    decide([quiet[1].alert_id, busy[0].alert_id], "benign_positive", reason="case_work", who="r", now=NOW)
    decide([busy[1].alert_id], "insufficient", reason="needs_information", who="r", now=NOW)
    told = misses()
    assert (told.nights, told.unflagged, told.drawn, told.decided, told.confirmed) == (2, 1100, 4, 3, 1)
    # weights 50 and 50 on the quiet night, 500 on the busy one; 600^2 / (50^2 + 50^2 + 500^2) = 1.41 samples' worth
    assert told.share == pytest.approx(50 / 600)
    effective = 600**2 / (2 * 50**2 + 500**2)
    assert (told.low, told.high) == pytest.approx(wilson(effective / 12, effective))
    assert cli.run(["status", "--home", str(home.root), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)["samples"]
    assert report == told.as_json()
    assert (report["per_1000"]["value"], report["missed"]["value"]) == (83.3, 91.7)
    assert cli.run(["status", "--home", str(home.root)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "Blind samples: 4 drawn from 1,100 actor-nights that were not in the queue (2 nights), 3 decided, 1 confirmed."
        " Estimated misuse among these: 83.3 in 1,000 (95 % interval"
    ) in said


def test_the_estimate_is_near_what_one_would_find_by_looking_at_everybody() -> None:
    for n in range(120):
        night = NIGHT + timedelta(n)
        scan(people=[f"R-{i}" for i in range(100)], night=night, with_=settings(share=0.5, slots=1))
    verdicts = {
        alert.alert_id: "true_positive" if int(alert.actor_id.removeprefix("R-")) < 8 else "benign_positive"
        for alert in samples()
    }
    for verdict in set(verdicts.values()):
        ids = [alert_id for alert_id, given in verdicts.items() if given == verdict]
        decide(ids, verdict, reason="x", who="r", now=NOW)
    told = misses()
    assert told.decided == pytest.approx(60, abs=17)  # three standard deviations
    assert told.unflagged == 12_000
    assert told.confirmed > 0
    assert told.share == pytest.approx(told.confirmed / told.decided)
    assert told.low < 0.08 < told.high
