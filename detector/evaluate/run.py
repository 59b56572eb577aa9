"""An evaluation of a home: its alerts, its lake, and the answers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from detector.errors import StateError, UsageError
from detector.evaluate.answers import read_answers
from detector.evaluate.facts import read_facts
from detector.evaluate.measure import Evaluation, evaluate
from detector.evaluate.ranking import Ranked
from detector.home import Home
from detector.ledger.models import LakeFile
from detector.triage import services


def ranked_alerts(since: date | None = None) -> list[Ranked]:
    """Every alert as `alerts list --all` orders them, with all the evidence that is kept of each; `since`: of those
    that have evidence of that night or a later one.

    Without blind samples: they have a score to look like others, and whom chance found is no merit of the ranking.
    """
    found = []
    for alert in services.list_alerts(everything=True):
        if alert.sample_probability is not None or (since is not None and alert.night < since):
            continue
        events = dict.fromkeys(event for finding in alert.findings for event in finding.event_ids)
        sources = dict.fromkeys(f.rule_id if f.detector == "rule" else f.detector for f in alert.findings)
        found.append(
            Ranked(alert.alert_id, alert.actor_id, alert.score, alert.in_budget, tuple(events), tuple(sources))
        )
    return found


def evaluate_home(
    home: Home, labels: Path, groups: Path | None, scenarios: Path | None, since: date | None = None
) -> Evaluation:
    """The database of the home must be open. With `since` nothing before that night is looked at.

    Raises InputError for the answers, StateError for an empty lake, UsageError for one that ends before `since`.
    """
    answers = read_answers(labels, groups, scenarios)
    ranking = ranked_alerts(since)
    rows = LakeFile.objects.filter(table="events").order_by("night", "path").values_list("night", "path")
    files = [
        (night, home.lake / path) for night, path in rows if night is not None and (since is None or night >= since)
    ]
    if not files and since is not None:
        raise UsageError(f"no night from {since} on was scanned", hint="Give an earlier date to --since.")
    if not files:
        raise StateError("nothing was scanned into this home", hint="Run `detector scan` first.")
    evidence = frozenset(event for alert in ranking for event in alert.events)
    return evaluate(ranking, answers, read_facts(files, answers, evidence))
