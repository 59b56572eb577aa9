"""The pages. One so far: the alerts that wait for a decision, as a reviewer reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from detector.ledger.models import Night
from detector.triage.models import Alert
from detector.triage.queue import AlertView, count_below_budget, list_alerts
from detector.triage.transitions import UNDECIDED

#: Alerts on the page; the command line has no such limit.
MOST: Final = 100
#: Evidence events listed with a finding.
MOST_EVENTS: Final = 50

_STYLESHEET: Final = Path(__file__).parent / "static" / "triage" / "detector.css"


@dataclass(frozen=True)
class Tonight:
    """What the page says above its table. `night` and `scanned_at` are of the latest night scanned, None before any."""

    night: date | None
    scanned_at: datetime | None
    waiting: int
    below: int


def tonight(request: HttpRequest) -> HttpResponse:
    """The queue: this night's alerts and those still open from before, best first."""
    alerts = list_alerts(limit=MOST)
    latest = Night.objects.order_by("-night").first()
    head = Tonight(
        latest.night if latest else None,
        latest.scanned_at if latest else None,
        Alert.objects.filter(in_budget=True, state__in=UNDECIDED).count(),
        count_below_budget(),
    )
    context = {
        "head": head,
        "alerts": alerts,
        "new": sum(1 for alert in alerts if _is_new(alert, head.night)),
        "most": MOST,
        "most_events": MOST_EVENTS,
    }
    return render(request, "triage/tonight.html", context)


def stylesheet(_: HttpRequest) -> HttpResponse:
    """The one stylesheet. It holds nothing of anybody, so a browser may keep it for a while."""
    response = HttpResponse(_STYLESHEET.read_bytes(), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "max-age=300"
    return response


def _is_new(alert: AlertView, night: date | None) -> bool:
    return alert.first_night == night
