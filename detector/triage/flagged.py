"""Which look-ups a model must not take for normal: those that a rule flagged, and those that a reviewer confirmed.

A river's baseline does not learn from what it flagged; here the same holds for rules and for people:

- a reviewer's latest verdict decides: confirmed, and every finding's evidence of that alert is left out; cleared
  (benign or false), and it is learned, so that lawful work that was asked about once is not asked about for ever;
- without a verdict a rule's evidence from level medium is left out;
- what only the forest flagged is learned. If it were left out, each forest would see less of the rare but lawful than
  the one before, call ever more of it strange, and never get used to a change.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db.models import Q

from detector.alerts.worth import level_rank
from detector.schema import LEVELS
from detector.triage.models import AlertFinding
from detector.triage.scorecard import CONFIRMED, latest_verdicts

LEAST_LEVEL: Final = "medium"
CLEARED: Final = frozenset({"benign_positive", "false_positive"})
#: Rows asked for by id at once: below the number of parameters that any database takes.
_CHUNK: Final = 500


def flagged_events(first: date, last: date) -> frozenset[str]:
    """Ids of the look-ups of the nights first..last, both inclusive, that nobody should learn from as normal."""
    verdicts = latest_verdicts()
    strong = [name for name in LEVELS if level_rank(name) >= level_rank(LEAST_LEVEL)]
    by_rule = Q(detector="rule", level__in=strong)
    confirmed = [alert for alert, verdict in verdicts.items() if verdict == CONFIRMED]
    rows = AlertFinding.objects.filter(night__range=(first, last), superseded_at=None)
    flagged: set[str] = set()
    for alert_id, events in rows.filter(by_rule).values_list("alert_id", "event_ids").iterator():
        if verdicts.get(alert_id) not in CLEARED:
            flagged.update(events)
    for start in range(0, len(confirmed), _CHUNK):
        for events in rows.filter(alert_id__in=confirmed[start : start + _CHUNK]).values_list("event_ids", flat=True):
            flagged.update(events)
    return frozenset(flagged)
