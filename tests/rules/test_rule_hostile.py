"""Rules that a tired or a hostile writer hands in: each is caught at its line, in words that say what to do.

All cases are one run of the check, as one file each. The line that is expected ends in `# here`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from detector.rules.document import rule_files
from detector.rules.report import Fault, check_rules

HEAD = """\
title: Case {number}
id: {id}
status: experimental
description: Says what it finds.
references: [https://example.org/report]
author: somebody
date: 2026-11-23
tags: [misuse.curiosity]
falsepositives: [overtime]
level: low
detector: {{risk: notable, explanation: Says it, triage: Ask first.}}
"""
SOURCE = "logsource: {category: record_access, product: police_index}\n"

#: What stands under `detection:`; the fault's id; words of it and of its hint.
DETECTIONS = [
    ("s: {unit: no}  # here\ncondition: s", "unquoted-value", "no is read as false", "quotes: 'no'"),
    ("s: {unit: on}  # here\ncondition: s", "unquoted-value", "on is read as true", "quotes: 'on'"),
    ("s: {unit: 010}  # here\ncondition: s", "unquoted-value", "010 is read as 8", "quotes: '010'"),
    ("s: {streak_days|gte: 010}  # here\ncondition: s", "unquoted-value", "010 is read as 8", "8 if it is that number"),
    ("s: {unit: 12:30}  # here\ncondition: s", "unquoted-value", "12:30 is read as 750", "quotes: '12:30'"),
    ("s: {unit: 1_000}  # here\ncondition: s", "unquoted-value", "1_000 is read as 1000", "quotes: '1_000'"),
    ("s: {unit: 0x10}  # here\ncondition: s", "unquoted-value", "0x10 is read as 16", "quotes: '0x10'"),
    ("s: {unit: 1e3}  # here\ncondition: s", "unquoted-value", "a text here, and a number to other", "'1e3'"),
    ("s: {unit: 0o17}  # here\ncondition: s", "unquoted-value", "a text here, and a number to other", "'0o17'"),
    ("s: {unit: 1.10}  # here\ncondition: s", "unquoted-value", "1.10 is read as 1.1", "quotes: '1.10'"),
    ("s: {unit: ~}  # here\ncondition: s", "unquoted-value", "~ is read as null", "write null"),
    ("s: {unit: NULL}  # here\ncondition: s", "unquoted-value", "NULL is read as null", "'NULL'"),
    ("s:\n  unit:  # here\ncondition: s", "unquoted-value", "no value is written", "Write null"),
    ("s:\n  unit:\n    - Traffic\n    - off  # here\ncondition: s", "unquoted-value", "off is read as false", "'off'"),
    ("s:\n  - no  # here\ncondition: s", "unquoted-value", "no is read as false", "'no'"),
    ("on: {unit: x}  # here\ncondition: 'on'", "unquoted-value", "the name 'on' without quotes", "quotes: 'on'"),
    ("s: {unit: 2026-01-01}  # here\ncondition: s", "bad-value", "not a date", "Put a date in quotes"),
    ("s: {streak_days|gt: .inf}  # here\ncondition: s", "unquoted-value", ".inf is read as inf", "'.inf'"),
    ("s: {unit|contains: null}  # here\ncondition: s", "bad-value", "'contains' does not take null", ""),
    ("s: {unit|contains: 5}  # here\ncondition: s", "bad-value", "'contains' does not take '5'", "in quotes"),
    ("s: {result_count|gt: '5'}  # here\ncondition: s", "bad-value", "'gt' does not take '5'", "without quotes"),
    ("s: {event_time|hour: '5'}  # here\ncondition: s", "bad-value", "'hour' does not take '5'", "without quotes"),
    ("s: {unit|exists: 'yes'}  # here\ncondition: s", "bad-value", "'exists' does not take 'yes'", "true or false"),
    ("s: {unit|re|cased: A}  # here\ncondition: s", "bad-value", "'cased' does not take a regular", "`re` last"),
    ("s: {result_count|gt: 9007199254740992}  # here\ncondition: s", "bad-value", "too large", "below 2^53"),
    ("s: {unit|all: [a, b], x: no}\ncondition: no  # here", "bad-condition", "must be a text", "need quotes"),
    ("s: {reason_text|contains|all: test}  # here\ncondition: s", "lone-all", "`all` of one value", "missing?"),
    ("s: {reason_text|contains|all: [test]}  # here\ncondition: s", "lone-all", "`all` of one value", "missing?"),
    ("s: {unit: [A, null]}  # here\ncondition: s", "null-in-list", "every event without unit matches", "'null'"),
    ("s: {event_time|hour: 25}  # here\ncondition: s", "unknown-value", "never 25", "from 0 to 23"),
    ("s: {event_time|hour: [22, 24]}  # here\ncondition: s", "unknown-value", "never 24", "from 0 to 23"),
    ("s: {event_time|month: 0}\ncondition: s  # here", "never-true", "no event can meet", "from 1 to 12"),
    ("s: {event_time|hour|gte: 0}\ncondition: s  # here", "always-true", "every event meets", "a bound that all meet"),
    ("s: {event_time|hour|gt: 23}\ncondition: s  # here", "never-true", "no event can meet", "from 0 to 23"),
    (
        "s: {event_time|hour|gte: 22}\nt: {event_time|hour|lt: 6}\ncondition: s and t  # here",
        "never-true",
        "no event can meet",
        "exclude each other",
    ),
    ("s: {unit: '*'}\nt: {unit: null}\ncondition: s and t  # here", "never-true", "no event can meet", "exclude"),
    ("s: {unit: '*'}\nt: {unit: null}\ncondition: s or t  # here", "always-true", "every event meets", "`or` too many"),
    ("s: {action: view}\ncondition: s and not s  # here", "never-true", "no event can meet", "and its opposite"),
    (
        "s: {source_ip|cidr: 10.0.0.0/8}\nt: {source_ip|cidr: 11.0.0.0/8}\ncondition: s and t  # here",
        "never-true",
        "no event can meet",
        "exclude each other",
    ),
    (
        "s: {source_ip|cidr|all: [10.0.0.0/8, '2001:db8::/32']}\ncondition: s  # here",
        "never-true",
        "no event can meet",
        "",
    ),
    (
        "s: {source_ip|cidr: 10.1.0.0/16}\nt: {source_ip|cidr: 10.0.0.0/8}  # here\ncondition: s and t",
        "idle-selection",
        "changes nothing",
        "",
    ),
    ("s: {peer_percentile|gt: 100}\ncondition: s  # here", "never-true", "no event can meet", "from 0 to 100"),
    ("s: {peer_percentile: 120}  # here\ncondition: s", "unknown-value", "never 120", "from 0 to 100"),
    ("s: {reason_missing|gt: 1}\ncondition: s  # here", "never-true", "no event can meet", "from 0 to 1"),
    ("s: {new_terminal|gte: 2}\ncondition: s  # here", "never-true", "no event can meet", "new_terminal is 0 or 1"),
    ("s: {new_terminal: 0.5}  # here\ncondition: s", "unknown-value", "never 0.5", "new_terminal is 0 or 1"),
    ("s: {result_count|lt: 0}\ncondition: s  # here", "never-true", "no event can meet", "a whole number from 0 on"),
    ("s: {result_count: [-1, 5]}  # here\ncondition: s", "unknown-value", "never -1", "a whole number from 0 on"),
    ("s: {result_count: lots}  # here\ncondition: s", "unknown-value", "never 'lots'", "a whole number from 0 on"),
    ("s: {is_automatic: 'yes'}  # here\ncondition: s", "unknown-value", "never 'yes'", "is true or false"),
    ("s: {action: wiev}  # here\ncondition: s", "unknown-value", "never 'wiev'", "Did you mean view? One of search"),
    ("s: {action|gt: 5}  # here\ncondition: s", "number-or-text", "compared by size", ""),
    ("s: {result_count|gte: 0}  # here\ncondition: s", "matches-anything", "whatever result_count can be", "exists"),
    ("s: {peer_percentile|lte: 100}  # here\ncondition: s", "matches-anything", "peer_percentile can be", "exists"),
    ("s: {reason_text|contains: ''}  # here\ncondition: s", "matches-anything", "reason_text can be", "exists: true"),
    ("s: {reason_text|re: '.*'}  # here\ncondition: s", "matches-anything", "reason_text can be", "exists: true"),
    ("s: {reason_text|re: ''}  # here\ncondition: s", "matches-anything", "reason_text can be", "exists: true"),
]
#: Keys of the rule in the place of its own; the fault's id, words of it and of its hint.
METADATA = [
    ("title: 2026  # here", "wrong-type", "`title` must be a text", "reads it as a number. Put it in quotes: '2026'"),
    ("title: no  # here", "wrong-type", "`title` must be a text", "true or false. Put it in quotes: 'no'"),
    ("title: 2026-01-01  # here", "wrong-type", "`title` must be a text", "reads it as a date"),
    ("title: [a]  # here", "wrong-type", "`title` must be a text", "Write one text."),
    ("author: 007  # here", "wrong-type", "`author` must be a text", "Put it in quotes: '007'"),
    ("description: {a: b}  # here", "wrong-type", "`description` must be a text", "Write one text."),
    ("status: [test]  # here", "wrong-type", "`status` must be a text", "Write one text."),
    ("level: 5  # here", "unknown-level", "unknown level 5", "One of informational, low, medium, high, critical."),
    ("level: no  # here", "unknown-level", "unknown level False", "One of informational"),
    ("date: no  # here", "bad-date", "'no' is no date", "2026-11-23"),
    ("tags: 5  # here", "wrong-type", "`tags` must be a list of texts", "begins each entry"),
    ("falsepositives: [no]  # here", "wrong-type", "`falsepositives` must be a list of texts", "quotes: 'no'"),
    ("detector: {risk: [a]}  # here", "unknown-risk", "unknown risk ['a']", "grave, notable, weak"),
    ("detector: {risk: weak, not_alone: maybe}  # here", "wrong-type", "`not_alone` must be true or false", ""),
    ("detector: {risk: weak, explanation: no}  # here", "wrong-type", "`explanation` must be a text", "'no'"),
    ("detector: {risk: weak, reference_tables: {a: b}}  # here", "unknown-table", "unknown reference table", ""),
    ("detector: 5  # here", "wrong-type", "`detector` must be a mapping", "risk: notable"),
]
#: What stands under `correlation:` beside `timespan: 1h`, on a rule on views and one on prints and exports.
CORRELATIONS = [
    ("type: value_count\nrules: viewed\ngroup-by: [actor_id]\ncondition: {field: actor_id, gte: 3}  # here",
     "impossible-count", "actor_id has only one value", "The correlation groups by actor_id."),
    ("type: value_count\nrules: viewed\ngroup-by: [actor_id]\ncondition: {field: action, gte: 2}  # here",
     "impossible-count", "action has only one value", "action can be: view."),
    ("type: value_count\nrules: [viewed, taken]\ngroup-by: [actor_id]\ncondition: {field: action, gt: 3}  # here",
     "impossible-count", "action has at most 3 different values", "action can be: export, print, view."),
    ("type: value_count\nrules: viewed\ngroup-by: [actor_id]\ncondition: {field: outcome, gte: 40}  # here",
     "impossible-count", "outcome has at most 4 different values", "denied, error, no_trace, success"),
    ("type: value_count\nrules: viewed\ngroup-by: [actor_id]\ncondition: {field: new_terminal, gte: 3}  # here",
     "impossible-count", "new_terminal has at most 2", "0, 1"),
    ("type: value_count\nrules: viewed\ngroup-by: [unit]\ncondition: {field: is_automatic, gt: 2}  # here",
     "impossible-count", "is_automatic has at most 2", "false, true"),
    ("type: value_count\nrules: viewed\ngroup-by: [who]\naliases: {who: {viewed: actor_id}}\n"  # noqa: ISC004
     "condition: {field: actor_id, gte: 2}  # here", "impossible-count", "actor_id has only one value", "groups by"),
    ("type: value_avg\nrules: viewed\ncondition: {field: reason_missing, gt: 1}  # here",
     "impossible-count", "reason_missing is never that much", "from 0 to 1"),
    ("type: value_median\nrules: viewed\ncondition: {field: peer_percentile, gt: 100}  # here",
     "impossible-count", "peer_percentile is never that much", "from 0 to 100"),
    ("type: value_sum\nrules: viewed\ncondition: {field: result_count, lt: 0}  # here",
     "impossible-count", "result_count never adds up to it", "from 0 on"),
    ("type: event_count\nrules: viewed\ncondition: {gte: 1}  # here",
     "idle-correlation", "every event of its only rule meets", "too low"),
    ("type: event_count\nrules: [viewed, taken]\ncondition: {neq: 0}  # here",
     "idle-correlation", "every event of any of its rules meets", "too low"),
    ("type: value_count\nrules: viewed\ncondition: {field: record_id, gt: 0}  # here",
     "idle-correlation", "every event of its only rule meets", "too low"),
    ("type: temporal\nrules: viewed  # here\ngroup-by: [actor_id]",
     "idle-correlation", "every event of its only rule meets", "a rule that is missing"),
    ("type: temporal_ordered\nrules: viewed  # here\ngroup-by: [actor_id]",
     "idle-correlation", "every event of its only rule meets", "a rule that is missing"),
    ("type: temporal\nrules: [viewed, viewed]  # here\ngroup-by: [actor_id]",
     "repeated-rule", "'viewed' is named twice, and counts once", "temporal_ordered"),
    ("type: temporal\nrules: [viewed, taken]\ncondition: viewed or taken  # here",
     "idle-correlation", "any of its rules meets", ""),
    ("type: temporal\nrules: [viewed, taken]\ncondition: {gte: 1}  # here",
     "idle-correlation", "any of its rules meets", ""),
    ("type: event_count\nrules: [viewed, viewed]  # here\ncondition: {gte: 5}",
     "repeated-rule", "'viewed' is named twice", "temporal_ordered"),
    ("type: value_sum\nrules: viewed\ncondition: {field: record_id, gte: 5}  # here",
     "text-as-number", "record_id is a text, and value_sum", "value_count"),
    ("type: value_avg\nrules: viewed\ncondition: {field: event_time, gte: 5}  # here",
     "text-as-number", "event_time is a time", "value_count"),
    ("type: value_count\nrules: viewed\ncondition: {field: rate_z, gte: 3}  # here",
     "count-of-measures", "rate_z is a measure", "a bound on rate_z"),
    ("type: event_count\nrules: viewed\ncondition: {lt: 0}  # here", "cannot-run", "no count meets", "from 1 on"),
    ("type: event_count\nrules: viewed\ncondition: {lt: 1}  # here", "cannot-run", "nothing to happen", "temporal"),
    ("type: event_count\nrules: viewed\ncondition: {gte: 30, lt: 3}  # here",
     "cannot-run", "no count meets", "from 1 on"),
    ("type: value_avg\nrules: viewed\ncondition: {field: rate_z, gt: 5, lt: 3}  # here",
     "cannot-run", "no number meets", "exclude each other"),
    ("type: temporal\nrules: [viewed, taken]\ncondition: {gt: 2}  # here", "cannot-run", "there are 2 rules", "2"),
    ("type: event_count\nrules: viewed\ncondition: {gte: '3'}  # here", "cannot-run", "'3' is no number", "quotes"),
    ("type: event_count\nrules: viewed\ncondition: {gte: 010}  # here", "unquoted-value", "010 is read as 8", "8"),
    ("type: event_count\nrules: vieewd  # here\ncondition: {gte: 3}", "cannot-run", "no rule is named", "viewed?"),
]  # fmt: skip
VIEWED = "detection:\n  s: {action: view}\n  condition: s\n"
BASES = (
    f"title: Viewed\nname: viewed\n{SOURCE}{VIEWED}---\n"
    f"title: Taken\nname: taken\n{SOURCE}{VIEWED.replace('view', '[print, export]')}---\n"
)
Case = tuple[str, str, str, str]


def rule(number: int, keys: str) -> str:
    """A sound rule with these top-level keys in the place of its own."""
    head = HEAD.format(number=number, id=UUID(int=number + (4 << 76) + (8 << 60)))
    given = {line.partition(":")[0] for line in keys.splitlines()}
    own = "".join(line for line in (head + SOURCE).splitlines(keepends=True) if line.partition(":")[0] not in given)
    if "correlation" in given:
        return BASES + own + keys
    return own + keys + ("" if "detection" in given else VIEWED)


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def texts() -> Iterator[tuple[str, Case]]:
    cases = [
        *((f"detection:\n{indented(one[0])}", one) for one in DETECTIONS),
        *((f"{one[0]}\n", one) for one in METADATA),
        *((f"correlation:\n  timespan: 1h\n{indented(one[0])}", one) for one in CORRELATIONS),
    ]
    for number, (keys, case) in enumerate(cases):
        yield rule(number, keys), case


CASES = list(texts())


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, list[Fault]]:
    """What is said of each case."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, (text, _) in enumerate(CASES):
        (folder / f"{number:03}.yml").write_text(text)
    found: dict[int, list[Fault]] = {number: [] for number in range(len(CASES))}
    for fault in check_rules([folder]).faults:
        found[int(Path(fault.file).stem)].append(fault)
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0].replace("\n", "; ") for _, case in CASES])
def test_it_is_caught_at_its_line_and_says_what_to_do(faults: Mapping[int, list[Fault]], number: int) -> None:
    text, (_, code, said, hint) = CASES[number]
    line = next(index for index, one in enumerate(text.splitlines(), 1) if "# here" in one)
    matching = [fault for fault in faults[number] if fault.id == code and said in fault.message]
    assert [fault.line for fault in matching] == [line], faults[number]
    assert hint in str(matching[0].hint), matching[0]


#: What is written as Sigma has it: nothing is to be said of it.
SOUND = [
    "s: {is_automatic: true}\ncondition: s",
    "s: {is_automatic: off}\ncondition: s",
    "s: {unit|exists: yes}\ncondition: s",
    "s: {unit|exists: false}\ncondition: s",
    "s: {unit: null}\ncondition: s",
    "s: {unit: [null, '']}\ncondition: s",
    "s: {unit: ['', '-', null]}\ncondition: s",
    "s: {unit: 12}\ncondition: s",
    "s: {unit: '010'}\ncondition: s",
    "s: {unit: y}\ncondition: s",
    "s: {unit: 12a}\ncondition: s",
    "s: {rate_z|gte: 4.0}\ncondition: s",
    "s: {rate_z|gte: .5}\ncondition: s",
    "s: {rate_z|lt: -2}\ncondition: s",
    "s: {result_count|gte: 1_000}\ncondition: s",
    "s: {result_count: 0x10}\ncondition: s",
    "s: {event_time|hour: [22, 23, 0]}\ncondition: s",
    "s: {event_time|hour|gte: 22, event_time|minute|lt: 10}\ncondition: s",
    "s: {event_time|hour: 5}\nt: {event_time|minute: 5}\ncondition: s and not t",
    "s: {peer_percentile|gte: 100}\ncondition: s",
    "s: {result_count: 0}\ncondition: s",
    "s: {reason_text|contains|all: [test, only]}\ncondition: s",
    "s: {reason_text|re: '^$'}\ncondition: s",
    "s: {source_ip|cidr: [10.0.0.0/8, 11.0.0.0/8]}\ncondition: s",
    "s: {publicity_lag|gte: -2}\ncondition: s",
]


def test_nothing_is_said_of_what_is_as_sigma_has_it(tmp_path: Path) -> None:
    for number, detection in enumerate(SOUND):
        (tmp_path / f"{number:03}.yml").write_text(rule(number, f"detection:\n{indented(detection)}"))
    told = [
        f"{SOUND[int(Path(fault.file).stem)]}: {fault.message} [{fault.id}]"
        for fault in check_rules([tmp_path]).faults
        if fault.severity != "note" and fault.id not in ("no-examples", "undeclared-table")
    ]
    assert told == []


ODD: list[Any] = [None, True, 5, -1.5, 10**400, "", "\x1b[2J", [], [[]], [None], {}, {"a": "b"}]
CORRELATION = (
    "title: Base\nname: base\n" + SOURCE + VIEWED + "---\n" + HEAD.format(number=0, id=UUID(int=1)) + "correlation:\n"
    "  type: temporal_ordered\n  rules: [base, base]\n  group-by: [who]\n  timespan: 1h\n"
    "  aliases: {who: {base: unit}}\n"
)
FILTER = (
    "title: Except\nid: 11111111-1111-4111-8111-111111111111\n" + SOURCE + "filter:\n  rules: any\n  s: {unit: Audit}\n"
    "  condition: not s\ndetector: {owner: a, reason: b, expires: 2027-01-01}\n"
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


def dumps(document: Any) -> str:
    """JSON is YAML, and quicker to write."""
    return json.dumps(document, default=str)


def test_whatever_stands_in_the_place_of_a_value_is_answered_in_words(tmp_path: Path) -> None:
    """Every value of a rule, a correlation and a filter in turn by every odd one: a fault or none, never a crash."""
    sound = [
        rule(0, f"detection:\n{indented('s: {unit|contains: [a, b], streak_days|gte: 3}' + chr(10) + 'condition: s')}"),
        CORRELATION,
        FILTER,
    ]
    count = 0
    for text in sound:
        documents = list(yaml.safe_load_all(text))
        for path in places(documents[-1]):
            for odd in ODD:
                changed = copy.deepcopy(documents)
                below: Any = changed[-1]
                for key in path[:-1]:
                    below = below[key]
                below[path[-1]] = odd
                (tmp_path / f"{count:04}.yml").write_text("\n---\n".join(map(dumps, changed)))
                count += 1
    report = check_rules([tmp_path])
    assert len(rule_files([tmp_path])) == count > 700
    assert {Path(fault.file).stem for fault in report.faults if fault.severity == "error"} > set()
    assert "object at 0x" not in json.dumps(report.as_json())


def test_a_file_without_a_rule_is_named_beside_those_that_have_one(tmp_path: Path) -> None:
    """A file that was cut off must not drop out of a folder unseen."""
    (tmp_path / "good.yml").write_text(
        "title: Good\nlogsource: {category: any}\ndetection: {s: {a: b}, condition: s}\n"
    )
    for name, text in (("empty", ""), ("remark", "# remark\n"), ("marks", "---\n---\n")):
        (tmp_path / f"{name}.yml").write_text(text)
    faults = [fault for fault in check_rules([tmp_path]).faults if fault.id == "no-rules"]
    assert sorted(Path(fault.file).name for fault in faults) == ["empty.yml", "marks.yml", "remark.yml"]
