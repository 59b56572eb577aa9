"""A rule's own examples: what it must match, and near misses that differ in one field and that it must not.

They lie beside the rule as NAME.examples.yml and give columns and features directly:

    common: {system: PNC}
    examples:
      - name: five days in a row
        expect: {exactly: 1}
        events: [{streak_days: 5}]
      - name: four days in a row
        near_miss_of: five days in a row
        change: {streak_days: 4}
        expect: none
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from detector.errors import RuleError, Where
from detector.rules.document import read_documents, rule_files
from detector.rules.names import known_fields, nearest
from detector.safe_yaml import Lines, load_one

#: Where an event of an example says nothing else.
DEFAULTS: Mapping[str, Any] = {
    "event_time": datetime(2026, 3, 2, 10, tzinfo=UTC),
    "system": "PNC",
    "action": "search",
    "operator_id": "OP1",
    "source_name": "examples",
    "source_file": "examples",
    "source_sha256": "",
}
#: Apart from each other by a multiple of four weeks, examples cannot meet, and keep their day of the week and hour.
APART = timedelta(days=28)
_KEYS = frozenset({"name", "expect", "events", "near_miss_of", "change"})

Bound = Literal["exactly", "at_least"]


@dataclass(frozen=True)
class Example:
    """`events` are complete; `bound` and `number` say how many hits are expected."""

    file: Path
    line: int
    name: str
    events: tuple[Mapping[str, Any], ...]
    bound: Bound
    number: int
    near_miss: bool

    def met(self, hits: int) -> bool:
        return hits == self.number if self.bound == "exactly" else hits >= self.number

    @property
    def expected(self) -> str:
        if self.bound == "at_least":
            return f"at least {self.number}"
        return f"exactly {self.number}" if self.number else "none"


def examples_file(rule: Path) -> Path:
    return rule.with_name(f"{rule.stem}.examples{rule.suffix}")


def load_examples(rule: Path) -> list[Example]:
    """The examples beside a rule file. Raises RuleError where there are none, or they are not as they should be."""
    path = examples_file(rule)
    if not path.is_file():
        raise RuleError(
            "the rule has no examples",
            where=Where(rule, 1),
            hint=f"Write {path.name} beside it: a match and a near miss.",
        )
    data, lines = load_one(path, error=RuleError)
    if not isinstance(data, dict) or not isinstance(data.get("examples"), list):
        raise RuleError("expected a list `examples`", where=Where(path, 1))
    for key in data:
        if key not in ("common", "examples"):
            raise _fault(path, lines, f"unknown key {key!r}", str(key), hint="Known here: common, examples.")
    common = data.get("common") or {}
    _known_fields(path, lines, common, "common")
    examples: dict[str, Example] = {}
    for index, item in enumerate(data["examples"]):
        example = _example(path, lines, index, item, common, examples)
        examples[example.name] = example
    found = list(examples.values())
    if not any(item.number for item in found) or not any(item.near_miss for item in found):
        raise RuleError("the examples need a match and a near miss", where=Where(path, 1))
    return found


def all_examples(paths: Sequence[Path]) -> Iterator[tuple[Path, list[Example] | RuleError]]:
    """For every rule file its examples, or what is wrong with them."""
    for rule in rule_files(paths):
        documents, _ = read_documents(rule)
        if documents and all(document.kind == "filter" for document in documents):
            continue  # a filter is proved by the rules it narrows
        try:
            yield rule, load_examples(rule)
        except RuleError as exc:
            yield rule, exc


def _example(
    path: Path, lines: Lines, index: int, item: Any, common: Mapping[str, Any], before: Mapping[str, Example]
) -> Example:
    at = f"examples.{index}"
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise _fault(path, lines, "an example needs a name", at)
    for key in item:
        if key not in _KEYS:
            raise _fault(path, lines, f"unknown key {key!r}", f"{at}.{key}", hint=nearest(str(key), _KEYS))
    if item["name"] in before:
        raise _fault(path, lines, f"two examples are named {item['name']!r}", f"{at}.name")
    bound, number = _expected(path, lines, at, item.get("expect"))
    other = item.get("near_miss_of")
    if other is None:
        events = _events(path, lines, at, item.get("events"), common)
    else:
        if other not in before:
            raise _fault(path, lines, f"no example above is named {other!r}", f"{at}.near_miss_of")
        change = item.get("change")
        if not isinstance(change, dict) or len(change) != 1 or "events" in item:
            raise _fault(path, lines, "a near miss changes one field of the other example's events", f"{at}.change")
        _known_fields(path, lines, change, f"{at}.change")
        events = tuple({**event, **change} for event in before[other].events)
    line = lines.get(f"{at}.name", 1)
    return Example(path, line, item["name"], events, bound, number, near_miss=other is not None)


def _events(path: Path, lines: Lines, at: str, events: Any, common: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(events, list) or not events or not all(isinstance(event, dict) for event in events):
        raise _fault(path, lines, "an example needs a list of `events`", f"{at}.events")
    for number, event in enumerate(events):
        _known_fields(path, lines, event, f"{at}.events.{number}", also=frozenset({"times", "every"}))
    return tuple(one for event in events for one in _repeated({**common, **event}))


def _repeated(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`times: 5, every: 10` (minutes) stands for five events ten minutes apart."""
    fields = {key: value for key, value in event.items() if key not in ("times", "every")}
    start = _time(fields.get("event_time", DEFAULTS["event_time"]))
    for index in range(int(event.get("times", 1))):
        yield {**fields, "event_time": start + index * timedelta(minutes=float(event.get("every", 1)))}


def _expected(path: Path, lines: Lines, at: str, expect: Any) -> tuple[Bound, int]:
    if expect == "none":
        return "exactly", 0
    if isinstance(expect, dict) and len(expect) == 1:
        ((bound, number),) = expect.items()
        if bound in ("exactly", "at_least") and isinstance(number, int) and number > 0:
            return bound, number
    raise _fault(path, lines, "`expect` must be none, {exactly: N} or {at_least: N}", f"{at}.expect")


def _known_fields(
    path: Path, lines: Lines, event: Mapping[str, Any], at: str, also: frozenset[str] = frozenset()
) -> None:
    known = known_fields() | also
    for name in event:
        if name not in known:
            raise _fault(path, lines, f"unknown column or feature {name!r}", f"{at}.{name}", hint=nearest(name, known))


def _time(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fault(path: Path, lines: Lines, message: str, key: str, *, hint: str | None = None) -> RuleError:
    line, above = lines.get(key), key
    while line is None and above:
        above = above.rpartition(".")[0]
        line = lines.get(above)
    return RuleError(message, where=Where(path, line or 1, key), hint=hint)
