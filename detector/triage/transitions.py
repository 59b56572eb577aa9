"""The one table of what may become of an alert."""

from __future__ import annotations

from typing import Final

from detector.schema import ALERT_STATES, VERDICTS

OPEN, UNDER_REVIEW, AWAITING_APPROVAL, REFERRED, CLOSED = ALERT_STATES

#: In the reviewers' hands: new findings join, and a verdict may be given.
UNDECIDED: Final = (OPEN, UNDER_REVIEW, AWAITING_APPROVAL)

#: Done with: new findings raise a new alert, so that what came after the decision is looked at too.
DECIDED: Final = (REFERRED, CLOSED)

#: (state, verdict) -> state. What is not here is refused.
TRANSITIONS: Final[dict[tuple[str, str], str]] = {
    (state, verdict): after
    for state in (OPEN, UNDER_REVIEW)
    for verdict, after in {
        "true_positive": REFERRED,
        "benign_positive": CLOSED,
        "false_positive": CLOSED,
        "duplicate": CLOSED,
        "insufficient": UNDER_REVIEW,
    }.items()
}

#: Reason codes that the project's own reports know; a force may use its own words instead.
REASONS: Final[dict[str, str]] = {
    "no_policing_purpose": "no case, incident, tasking or duty explains the access",
    "case_work": "the access belongs to a case",
    "incident": "the access belongs to an incident, a stop or custody",
    "supervision": "dip sampling, audit or supervision",
    "training_or_test": "training, a log-in test or system maintenance",
    "shared_duty": "a duty that the peer group does not show, such as vetting",
    "data_error": "the log or a reference table is wrong",
    "rule_too_wide": "the rule or the model should not have spoken",
    "same_as_other": "another alert is about the same access",
    "needs_information": "cannot be decided without asking somebody",
}


def after(state: str, verdict: str) -> str | None:
    """The state that `verdict` leads to from `state`; None where it may not be given."""
    return TRANSITIONS.get((state, verdict))


assert {verdict for _, verdict in TRANSITIONS} == set(VERDICTS)  # noqa: S101 - a table error, not a run-time one
