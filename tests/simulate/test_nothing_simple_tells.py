"""No one number, worked out naively, tells misuse from the rest: whatever finds it has to put things together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import pytest
from made_force import Made

#: No simple number may separate misuse better than this.
LIMIT: Final = 0.90


def auc(values: pd.Series, wrong: pd.Series) -> float:
    """The chance that a case of misuse has the higher value, ties half, in the better direction; 0.5 tells nothing."""
    ranks = values.astype(float).fillna(values.astype(float).median()).rank()
    positives = int(wrong.sum())
    area = (ranks[wrong].sum() - positives * (positives + 1) / 2) / (positives * (len(wrong) - positives))
    return float(max(area, 1 - area))


@pytest.fixture(scope="module")
def events(force: Made) -> pd.DataFrame:
    frame = force.events[force.events["parent_id"].isna()].copy()
    given = frame["requester_id"].fillna("")
    frame["actor"] = given.where(given != "", frame["operator_id"])
    frame["local"] = frame["event_time"] + pd.to_timedelta(frame["utc_offset_minutes"].fillna(0), unit="m")
    frame["day"] = frame["event_time"].dt.date
    frame["week"] = frame["event_time"].dt.isocalendar().week.to_numpy()
    frame["wrong"] = frame["event_id"].isin(force.labels["event_id"])
    frame["scenario"] = frame["event_id"].map(force.labels.set_index("event_id")["scenario"])
    return frame


EVENT_NUMBERS: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "hour": lambda e: (e["local"].dt.hour - 13).abs(),
    "weekend": lambda e: e["local"].dt.day_of_week >= 5,
    "position in the log": lambda e: pd.Series(np.arange(len(e)), index=e.index),
    "event id": lambda e: e["event_id"].str.slice(0, 12).apply(int, base=16),
    "second of the minute": lambda e: e["event_time"].dt.second,
    "blank reason": lambda e: e["reason_text"] == "",
    "length of reason": lambda e: e["reason_text"].fillna("").str.len(),
    "how common the reason is": lambda e: e["reason_text"].map(e["reason_text"].value_counts()),
    "blank reference": lambda e: e["case_ref"].fillna("") == "",
    "how often the reference is used": lambda e: e["case_ref"].map(e["case_ref"].value_counts()),
    "new record for the actor": lambda e: ~e.duplicated(["actor", "record_id"]),
    "look-ups of the record": lambda e: e["record_id"].map(e["record_id"].value_counts()),
    "actors on the record": lambda e: e["record_id"].map(e.groupby("record_id")["actor"].nunique()),
    "look-ups of the record by the actor": lambda e: e.groupby(["actor", "record_id"])["event_id"].transform("count"),
    "look-ups that day": lambda e: e.groupby(["actor", "day"])["event_id"].transform("count"),
    "records returned": lambda e: e["result_count"],
    "exports": lambda e: e["export_count"].fillna(0),
    "cameras searched": lambda e: e["scope_count"].fillna(0),
    "on behalf of somebody": lambda e: e["requester_id"].fillna("") != "",
    "record number": lambda e: e["record_id"].str.extract(r"(\d+)", expand=False).astype(float),
    "person number": lambda e: e["actor"].str.extract(r"(\d+)", expand=False).astype(float),
}

WEEK_NUMBERS: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "look-ups": lambda e: e.groupby(["actor", "week"]).size(),
    "records": lambda e: e.groupby(["actor", "week"])["record_id"].nunique(),
    "days": lambda e: e.groupby(["actor", "week"])["day"].nunique(),
    "systems": lambda e: e.groupby(["actor", "week"])["system"].nunique(),
    "blank reasons": lambda e: (e["reason_text"] == "").groupby([e["actor"], e["week"]]).mean(),
    "blank references": lambda e: (e["case_ref"].fillna("") == "").groupby([e["actor"], e["week"]]).mean(),
    "exports": lambda e: e["export_count"].fillna(0).groupby([e["actor"], e["week"]]).sum(),
    "at night": lambda e: (e["local"].dt.hour < 6).groupby([e["actor"], e["week"]]).mean(),
    "at the weekend": lambda e: (e["local"].dt.day_of_week >= 5).groupby([e["actor"], e["week"]]).mean(),
    "same record most": lambda e: e.groupby(["actor", "week", "record_id"]).size().groupby(level=[0, 1]).max(),
    "terminals": lambda e: e.groupby(["actor", "week"])["terminal_id"].nunique(),
    "widest search": lambda e: e["result_count"].groupby([e["actor"], e["week"]]).max(),
}


@pytest.mark.parametrize("name", EVENT_NUMBERS)
def test_no_simple_number_of_an_event_tells(events: pd.DataFrame, name: str) -> None:
    assert auc(EVENT_NUMBERS[name](events), events["wrong"]) <= LIMIT


@pytest.mark.parametrize("name", WEEK_NUMBERS)
def test_no_simple_number_of_an_actor_s_week_tells(events: pd.DataFrame, name: str) -> None:
    wrong = events.groupby(["actor", "week"])["wrong"].any()
    assert auc(WEEK_NUMBERS[name](events).reindex(wrong.index), wrong) <= LIMIT


@pytest.mark.parametrize(
    "name", ["event id", "position in the log", "second of the minute", "record number", "person number"]
)
def test_ids_order_and_seconds_carry_nothing(events: pd.DataFrame, name: str) -> None:
    """Misuse of one episode shares its record and its actor, so the numbers of both are compared once an episode."""
    key = {"record number": ["actor", "record_id"], "person number": ["actor"]}.get(name, ["event_id"])
    once = events.sort_values("wrong", ascending=False).drop_duplicates(key).sort_index()
    if name == "record number":
        once = once[once["record_type"] == "person"]
    limit = 0.5 + 4 * 0.29 / np.sqrt(once["wrong"].sum())  # four standard errors of a mean rank
    assert auc(EVENT_NUMBERS[name](once), once["wrong"]) <= limit
