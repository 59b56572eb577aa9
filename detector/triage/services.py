"""What the command line and the pages do with alerts: the same few functions for both."""

from __future__ import annotations

from detector.triage.chain import ChainReport, verify_chain
from detector.triage.deciding import Decided, decide
from detector.triage.queue import AlertView, as_full_record, as_record, count_below_budget, get_alert, list_alerts
from detector.triage.raising import raise_alerts

__all__ = [
    "AlertView",
    "ChainReport",
    "Decided",
    "as_full_record",
    "as_record",
    "count_below_budget",
    "decide",
    "get_alert",
    "list_alerts",
    "raise_alerts",
    "verify_chain",
]
