"""Small tools of the rule tests: rules from text, events to a file, and what a run says."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from detector.rules.over_file import RunResult, rules_over_file


def rule_text(title: str, detection: str, extra: str = "") -> str:
    head = f"title: {json.dumps(title)}\n{extra}logsource: {{category: any}}"
    return f"{head}\ndetection:\n{indent(dedent(detection), '  ')}\n"


def write_rules(path: Path, *texts: str) -> Path:
    path.write_text("---\n".join(dedent(text).strip() + "\n" for text in texts), encoding="utf-8")
    return path


def write_events(path: Path, events: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def run(
    rules: Sequence[Path] | Path,
    events: Path,
    time_field: str = "event_time",
    today: date = date(2026, 3, 2),
    reject: Callable[[str], object] | None = None,
) -> tuple[list[dict[str, Any]], RunResult]:
    written: list[str] = []
    paths = [rules] if isinstance(rules, Path) else rules
    result = rules_over_file(paths, events, time_field=time_field, today=today, write=written.append, reject=reject)
    return [json.loads(line) for line in "".join(written).splitlines()], result


def rows_by_title(matches: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for match in matches:
        found[match["title"]].append(match.get("event", match.get("events")))
    return found
