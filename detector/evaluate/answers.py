"""What is known to be misuse, and what is known to look like it: labels, groups, splits, each from a CSV file."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from detector.errors import InputError, Where


@dataclass(frozen=True)
class Answers:
    """`episodes`: episode -> its events; `scenario`: episode -> scenario; `groups`: name -> events and people of it."""

    episodes: Mapping[str, frozenset[str]]
    scenario: Mapping[str, str]
    group_events: Mapping[str, frozenset[str]] = field(default_factory=dict)
    group_people: Mapping[str, frozenset[str]] = field(default_factory=dict)
    split: Mapping[str, str] = field(default_factory=dict)

    @property
    def labelled(self) -> frozenset[str]:
        return frozenset().union(*self.episodes.values()) if self.episodes else frozenset()


def read_answers(labels: Path, groups: Path | None = None, scenarios: Path | None = None) -> Answers:
    """Raises InputError, with file and line, for a file that cannot be read or a row that cannot be understood."""
    episodes: dict[str, set[str]] = defaultdict(set)
    scenario: dict[str, str] = {}
    for line, row in _rows(labels, ("event_id", "episode_id", "scenario")):
        event, episode, name = row["event_id"], row["episode_id"], row["scenario"]
        if not (event and episode and name):
            raise InputError("a label needs event_id, episode_id and scenario", where=Where(labels, line))
        if scenario.setdefault(episode, name) != name:
            raise InputError(
                f"episode {episode} is {scenario[episode]} above and {name} here",
                where=Where(labels, line),
                hint="An episode has one scenario.",
            )
        episodes[episode].add(event)
    if not episodes:
        raise InputError("no labels", where=Where(labels), hint="Without misuse there is nothing to measure recall on.")
    events: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    for line, row in _rows(groups, ("event_id", "actor_id", "group")) if groups else ():
        if bool(row["event_id"]) == bool(row["actor_id"]) or not row["group"]:
            raise InputError("give a group and either event_id or actor_id", where=Where(groups, line))
        (events if row["event_id"] else people)[row["group"]].add(row["event_id"] or row["actor_id"])
    split = {row["scenario"]: row["split"] for _, row in _rows(scenarios, ("scenario", "split"))} if scenarios else {}
    return Answers(_frozen(episodes), scenario, _frozen(events), _frozen(people), split)


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(sets[name]) for name in sorted(sets)}


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line; other columns are passed over."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"column {missing[0]} is missing", where=Where(path, 1), hint=f"Expected: {', '.join(columns)}."
                )
            for row in reader:
                yield reader.line_num, {name: (row[name] or "").strip() for name in columns}
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise InputError(f"cannot be read: {reason}", where=Where(path)) from None
