"""What the command line and the pages do with alerts: the same few functions for both."""

from __future__ import annotations

from detector.triage.chain import ChainReport, verify_chain
from detector.triage.deciding import Decided, decide
from detector.triage.misses import Misses, misses
from detector.triage.queue import AlertView, as_full_record, as_record, count_below_budget, get_alert, list_alerts
from detector.triage.raising import raise_alerts
from detector.triage.sampling import draw_samples, reserve_slots

__all__ = [
    "AlertView",
    "ChainReport",
    "Decided",
    "Misses",
    "as_full_record",
    "as_record",
    "count_below_budget",
    "decide",
    "draw_samples",
    "get_alert",
    "list_alerts",
    "misses",
    "raise_alerts",
    "reserve_slots",
    "verify_chain",
]
