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

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from detector.errors import RuleError, Where
from detector.rules.document import examples_file, read_documents, rule_files
from detector.rules.names import known_fields, nearest
from detector.rules.proof.values import MOST_EVENTS, BadValueError, every, repeated, sound, times
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
Value = TypeVar("Value")


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


def load_examples(rule: Path) -> list[Example]:
    """The examples beside a rule file. Raises RuleError where there are none, or they are not as they should be."""
    path = examples_file(rule)
    if not path.is_file():
        raise RuleError(
            "the rule has no examples",
            where=Where(rule, 1),
            hint=f"Write {path.name} beside it: a match and a near miss.",
        )
    return _Reader(path, *load_one(path, error=RuleError)).examples()


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


@dataclass
class _Reader:
    """One file of examples: its content, and the line of every key."""

    path: Path
    data: Any
    lines: Lines
    events: int = 0

    def examples(self) -> list[Example]:
        if not isinstance(self.data, dict) or not isinstance(self.data.get("examples"), list):
            raise RuleError(
                "expected a list `examples`",
                where=Where(self.path, 1),
                hint="examples: [{name: …, expect: {exactly: 1}, events: [{…}]}, …]",
            )
        for key in self.data:
            if key not in ("common", "examples"):
                raise self.fault(f"unknown key {key!r}", str(key), hint="Known here: common, examples.")
        common = self.data.get("common")
        common = self.fields(common, "common") if common is not None else {}
        found: dict[str, Example] = {}
        for index, item in enumerate(self.data["examples"]):
            example = self.example(f"examples.{index}", item, common, found)
            found[example.name] = example
        if not any(item.number for item in found.values()) or not any(item.near_miss for item in found.values()):
            raise RuleError(
                "the examples need a match and a near miss",
                where=Where(self.path, 1),
                hint="One with `expect: {exactly: 1}`, and one with `near_miss_of`, `change` and `expect: none`.",
            )
        return list(found.values())

    def example(self, at: str, item: Any, common: Mapping[str, Any], before: Mapping[str, Example]) -> Example:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise self.fault("an example needs a name, and a name is a text", f"{at}.name", hint="- name: five days")
        for key in item:
            if key not in _KEYS:
                raise self.fault(f"unknown key {key!r}", f"{at}.{key}", hint=nearest(key, _KEYS))
        if item["name"] in before:
            raise self.fault(f"two examples are named {item['name']!r}", f"{at}.name", hint="Give each its own name.")
        bound, number = self.expected(f"{at}.expect", item.get("expect"))
        other = item.get("near_miss_of")
        if other is None:
            events = self.of_events(at, item.get("events"), common)
        else:
            if not isinstance(other, str) or other not in before:
                raise self.fault(
                    f"no example above is named {other!r}", f"{at}.near_miss_of", hint=nearest(other, before)
                )
            change = item.get("change")
            if not isinstance(change, dict) or len(change) != 1 or "events" in item:
                raise self.fault(
                    "a near miss changes one field of the other example's events",
                    f"{at}.change",
                    hint="For example `change: {streak_days: 4}`, and no `events`.",
                )
            changed = self.fields(change, f"{at}.change")
            events = tuple({**event, **changed} for event in before[other].events)
            self.count(len(events), f"{at}.name")
        line = self.lines.get(f"{at}.name", 1)
        return Example(self.path, line, item["name"], events, bound, number, near_miss=other is not None)

    def expected(self, at: str, expect: Any) -> tuple[Bound, int]:
        if expect == "none":
            return "exactly", 0
        if isinstance(expect, dict) and len(expect) == 1:
            ((bound, number),) = expect.items()
            if bound in ("exactly", "at_least") and type(number) is int and 0 < number <= MOST_EVENTS:
                return bound, number
        raise self.fault(
            "`expect` must be none, {exactly: N} or {at_least: N}",
            at,
            hint="N is a whole number of matches, from 1 on.",
        )

    def of_events(self, at: str, events: Any, common: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        if not isinstance(events, list) or not events or not all(isinstance(event, dict) for event in events):
            raise self.fault(
                "an example needs a list of `events`", f"{at}.events", hint="events: [{action: view, unit: Traffic}]"
            )
        return tuple(
            one for number, event in enumerate(events) for one in self.repeated(f"{at}.events.{number}", event, common)
        )

    def repeated(self, at: str, event: Mapping[str, Any], common: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """`times: 5, every: 10` (minutes) stands for five events ten minutes apart."""
        own = {key: value for key, value in event.items() if key not in ("times", "every")}
        fields = {**common, **self.fields(own, at, also=frozenset({"times", "every"}))}
        number = self.tried(f"{at}.times", times, event.get("times", 1))
        step = self.tried(f"{at}.every", every, event.get("every", 1))
        self.count(number, f"{at}.times")
        start = fields.get("event_time", DEFAULTS["event_time"])
        moments = self.tried(f"{at}.every", repeated, start, step, number)
        return [{**fields, "event_time": moment} for moment in moments]

    def fields(self, event: Any, at: str, also: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The values of columns and features, each as it should be."""
        if not isinstance(event, dict):
            raise self.fault("columns and features are given as a mapping", at, hint="{action: view, unit: Traffic}")
        known = known_fields()
        found: dict[str, Any] = {}
        for name, value in event.items():
            if name not in known:
                hint = nearest(name, known | also)
                raise self.fault(f"unknown column or feature {name!r}", f"{at}.{name}", hint=hint)
            found[name] = self.tried(f"{at}.{name}", sound, name, value)
        return found

    def count(self, events: int, at: str) -> None:
        self.events += events
        if self.events > MOST_EVENTS:
            raise self.fault(
                f"the examples have more than {MOST_EVENTS:,} events",
                at,
                hint="Repeat fewer (`times`), or split the rule file.",
            )

    def tried(self, at: str, read: Callable[..., Value], *values: Any) -> Value:
        try:
            return read(*values)
        except BadValueError as exc:
            raise self.fault(exc.message, at, hint=exc.hint) from None

    def fault(self, message: str, key: str, *, hint: str | None = None) -> RuleError:
        line, above = self.lines.get(key), key
        while line is None and above:
            above = above.rpartition(".")[0]
            line = self.lines.get(above)
        return RuleError(message, where=Where(self.path, line or 1, key), hint=hint)
