"""What is weak only ever adds up: the shipped rules that never stand alone raise no alert, alone or all together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from detector.alerts.evidence import Evidence
from detector.alerts.group import group
from detector.alerts.rarity import Rate, speaker
from detector.alerts.score import level, score
from detector.alerts.weigh import weigh
from detector.alerts.wording import title
from detector.engine import connect
from detector.records import Finding
from detector.rules.findings import rule_findings
from detector.rules.load import load_rules
from detector.rules.names import feature_names
from detector.rules.nightly import NightlyRules
from detector.rules.pack import Correlation, RulePack
from detector.rules.proof.examples import APART, DEFAULTS, load_examples
from detector.schema import EVENT_SCHEMA

NIGHT = date(2026, 3, 2)


@pytest.fixture(scope="module")
def weak(root: Path) -> RulePack:
    """The rules that never stand alone, with the rules that they build on."""
    pack = load_rules([root / "rules"], strict=True)
    correlations = tuple(rule for rule in pack.correlations if rule.about.own.not_alone)
    needed = {key for rule in correlations for key in rule.rules}
    detections = tuple(rule for rule in pack.detections if rule.about.own.not_alone or rule.about.key in needed)
    return replace(pack, detections=detections, correlations=correlations)


@pytest.fixture(scope="module")
def findings(weak: RulePack) -> list[Finding]:
    """What they say of their own examples: of one night, and of one person but where a rule counts people."""
    rows: list[dict[str, Any]] = []
    for number, rule in enumerate(weak.rules):
        example = next(example for example in load_examples(rule.about.file) if example.number)
        for event in example.events:
            moment: datetime = event["event_time"] + number * APART
            row = {**DEFAULTS, **event, "event_time": moment, "event_id": f"E{len(rows)}", "in_night": True}
            crowd = isinstance(rule, Correlation) and "actor_id" in rule.values
            rows.append({**row, "actor_id": row["operator_id"] if crowd else "P-1", "source_line": 1})
    schema = pa.schema([field.with_nullable(True) for field in EVENT_SCHEMA])
    for name in sorted(feature_names()):
        schema = schema.append(pa.field(name, pa.float64()))
    table = pa.Table.from_pylist(rows, schema=schema.append(pa.field("in_night", pa.bool_())))
    con = connect()
    try:
        found = rule_findings(con, NightlyRules(weak), NIGHT, ibis.memtable(table))
    finally:
        con.disconnect()
    return [replace(item, actor_id="P-1") for item in found]


def test_each_of_them_speaks(weak: RulePack, findings: list[Finding]) -> None:
    assert {item.rule_id for item in findings} == {rule.about.rule_id for rule in weak.rules}
    assert {item.level for item in findings} == {"informational"}
    assert len(weak.rules) >= 8


def test_one_alone_raises_nothing(findings: list[Finding]) -> None:
    for item in findings:
        assert group([item], (), night=NIGHT, join_days=7) == (), item.title


def test_all_together_raise_nothing(findings: list[Finding]) -> None:
    assert group(findings, (), night=NIGHT, join_days=7) == ()


def test_beside_something_stronger_each_adds_a_little(findings: list[Finding]) -> None:
    start = datetime(2026, 3, 2, 10, tzinfo=UTC)
    strong = replace(
        findings[0],
        rule_id="strong",
        title="Something stronger",
        level="low",
        theme="stalking",
        first_event_time=start,
        last_event_time=start + timedelta(hours=1),
        event_ids=("S1",),
    )
    # The weak speak of colleagues more often: below one night in twenty, or they would add nothing at all.
    rates = {speaker(item): Rate(0.04, 5000) for item in findings} | {speaker(strong): Rate(0.01, 5000)}
    alone = score(Evidence.of(item) for item in weigh([strong], rates))
    for item in findings:
        (alert,) = group(weigh([strong, item], rates), (), night=NIGHT, join_days=7)
        assert alone < score(alert.evidence) < alone + 5, item.title
        assert level(alert.evidence) == "low"
        assert title(alert.evidence) == "Something stronger (and 1 more signal)"
