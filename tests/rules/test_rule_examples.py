"""Examples that no event could be: each is refused with its line and with what would do; and examples stay apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector import cli
from detector.errors import RuleError
from detector.rules.proof.examples import load_examples
from detector.rules.proof.prove import run_examples

#: The second event of an example, in line 6; what is said of it, and what is said to do.
EVENTS = [
    ("event_time: yesterday", "event_time is a time, not 'yesterday'", "Write it as 2026-03-02T10:00:00Z."),
    ("event_time: 5", "event_time is a time, not 5", "2026-03-02T10:00:00Z"),
    ("event_time: null", "event_time is never missing", "Leave it out"),
    ("event_time: [2026-03-02]", "event_time is a time, not a list", "2026-03-02T10:00:00Z"),
    ("event_time: 0001-01-01T00:00:00Z", "event_time is never 0001-01-01", "from 1970 to 2099"),
    ("event_time: 9999-12-31T23:59:59-10:00", "event_time is never 9999-12-31", "from 1970 to 2099"),
    ("event_time: 2026-02-30", "'2026-02-30' cannot be read", "quotes"),
    ("repeat_days: lots", "repeat_days is a number, not 'lots'", "a number from 0 on"),
    ("repeat_days: .inf", "repeat_days is a number, not inf", "or null if it is not known"),
    ("repeat_days: -1", "repeat_days is never -1", "a number from 0 on"),
    ("peer_percentile: 101", "peer_percentile is never 101", "a number from 0 to 100"),
    ("reason_missing: 1.5", "reason_missing is never 1.5", "a number from 0 to 1"),
    ("record_new_to_unit: true", "record_new_to_unit is a number, not true", "It takes 0 or 1."),
    ("record_new_to_unit: 0.5", "record_new_to_unit is never 0.5", "It takes 0 or 1."),
    (f"rate_z: {10**300}", "rate_z is a number of 997 bits, which is too large", "Less than 9,007,199,254,740,992."),
    (f"rate_z: {'9' * 5000}", "cannot be read: Exceeds the limit", "quotes"),
    ("result_count: 99999999999999999999", "which is too large to be exact", "Less than"),
    ("result_count: 1.5", "result_count is never 1.5", "a whole number from 0 on"),
    ("result_count: '5'", "result_count is a number, not '5'", "a whole number from 0 on"),
    ("utc_offset_minutes: 99999", "utc_offset_minutes is never 99999", "from -1440 to 1440"),
    ("is_automatic: maybe", "is_automatic is true or false, not 'maybe'", "without quotes"),
    ("is_automatic: 1", "is_automatic is true or false, not 1", "without quotes"),
    ("source_ip: [a]", "source_ip is a text, not a list", "One text an event."),
    ("source_ip: {a: b}", "source_ip is a text, not a mapping", "One text an event."),
    ("unit: 5", "unit is a text, not 5", "Put it in quotes: '5'."),
    ("unit: no", "unit is a text, not false", "YAML reads yes, no, on and off"),
    ("unit: 2026-01-01", "unit is a text, not 2026-01-01", "Put it in quotes: '2026-01-01'."),
    ("operator_id: null", "operator_id is never missing", "Leave it out"),
    ("action: wiev", "action is never 'wiev'", "Did you mean view? One of search, view, create"),
    ("action: VIEW", "action is never 'VIEW'", "One of search, view, create"),
    ("outcome: zzz", "outcome is never 'zzz'", "One of success, no_trace, denied, error."),
    ("untit: x", "unknown column or feature 'untit'", "Did you mean unit?"),
    ("5: x", "unknown column or feature 5", "Known here:"),
    ("times: -1", "`times` is a whole number from 1 on, not -1", "How many"),
    ("times: 0", "`times` is a whole number from 1 on, not 0", "How many"),
    ("times: true", "`times` is a whole number from 1 on, not true", "How many"),
    ("times: 1.5", "`times` is a whole number from 1 on, not 1.5", "How many"),
    ("times: 100000000", "`times: 100000000` are too many events", "at most 20,000"),
    ("times: 20000", "more than 20,000 events", "Repeat fewer"),
    ("times: 2, every: lots", "`every` is a number of minutes, not 'lots'", "every: 10"),
    ("times: 2, every: -5", "`every` is a number of minutes, not -5", "every: 10"),
    ("times: 2, every: .nan", "`every` is a number of minutes, not nan", "every: 10"),
    (f"times: 2, every: {10**300}", "`every: a number of 997 bits` minutes are too long", "the year 2099"),
    ("times: 9999, every: 9999999", "the last of these events lies too far ahead", "the year 2099"),
]
#: Whole files, the line of what is wrong with them, and what is said.
ONE = "  - {name: one, expect: {exactly: 1}, events: [{action: view}]}\n"
FILES = [
    ("5\n", 1, "expected a list `examples`"),
    ("examples: 5\n", 1, "expected a list `examples`"),
    ("examples: []\n", 1, "need a match and a near miss"),
    ("exmaples: []\nexamples: []\n", 1, "unknown key 'exmaples'"),
    ("common: 5\nexamples: []\n", 1, "given as a mapping"),
    ("common: {unit: 5}\nexamples: []\n", 1, "unit is a text, not 5"),
    ("common: {times: 5}\nexamples: []\n", 1, "unknown column or feature 'times'"),
    ("examples:\n  - 5\n", 2, "an example needs a name"),
    ("examples:\n  - {name: 5}\n", 2, "a name is a text"),
    ("examples:\n  - {name: a, expct: none}\n", 2, "Did you mean expect?"),
    ("examples:\n  - {name: a, expect: {exactly: true}}\n", 2, "`expect` must be none"),
    ("examples:\n  - {name: a, expect: {exactly: 0}}\n", 2, "`expect` must be none"),
    (f"examples:\n  - {{name: a, expect: {{exactly: {10**30}}}}}\n", 2, "`expect` must be none"),
    ("examples:\n  - {name: a, expect: none, events: {action: view}}\n", 2, "needs a list of `events`"),
    ("examples:\n" + ONE + ONE, 3, "two examples are named 'one'"),
    ("examples:\n" + ONE + "  - {name: b, expect: none, near_miss_of: [one]}\n", 3, "no example above is named"),
    ("examples:\n" + ONE + "  - {name: b, expect: none, near_miss_of: onee}\n", 3, "Did you mean one?"),
    ("examples:\n" + ONE + "  - {name: b, expect: none, near_miss_of: one, change: {}}\n", 3, "changes one field"),
    (
        "examples:\n" + ONE + "  - {name: b, expect: none, near_miss_of: one, change: {event_time: soon}}\n",
        3,
        "event_time is a time, not 'soon'",
    ),
]
RULE = "title: Viewed\nlogsource: {category: record_access}\ndetection: {s: {action: view}, condition: s}\n"


def examples_of(folder: Path, text: str) -> Path:
    (folder / "r.yml").write_text(RULE)
    (folder / "r.examples.yml").write_text(text)
    return folder / "r.yml"


@pytest.mark.parametrize(("event", "said", "hint"), EVENTS, ids=[event[:40] for event, *_ in EVENTS])
def test_what_no_event_can_be_is_refused_with_its_line(tmp_path: Path, event: str, said: str, hint: str) -> None:
    rule = examples_of(
        tmp_path,
        "examples:\n  - name: one\n    expect: {exactly: 1}\n    events:\n      - {action: view}\n"
        f"      - {{{event}}}\n  - {{name: two, near_miss_of: one, change: {{action: print}}, expect: none}}\n",
    )
    with pytest.raises(RuleError) as refused:
        load_examples(rule)
    error = refused.value
    assert error.where is not None
    assert (str(error.where.file), error.where.line) == (str(tmp_path / "r.examples.yml"), 6)
    assert said in error.message
    assert hint in str(error.hint)


@pytest.mark.parametrize(("text", "line", "said"), FILES, ids=[said for *_, said in FILES])
def test_a_file_of_examples_that_is_none_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(RuleError) as refused:
        load_examples(examples_of(tmp_path, text))
    assert refused.value.where is not None
    assert refused.value.where.line == line
    assert said in str(refused.value)
    assert refused.value.hint


def test_the_command_says_it_and_leaves_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = examples_of(tmp_path, "examples:\n  - {name: a, expect: none, events: [{action: wiev}]}\n")
    assert cli.run(["rules", "test", str(rule)]) == 3
    said = capsys.readouterr()
    assert "r.examples.yml:2 at examples.0.events.0.action: action is never 'wiev'\n  Did you mean view?" in said.out
    assert said.err == ""


def test_an_example_keeps_its_day_and_a_very_long_window_meets_one_example_alone(tmp_path: Path) -> None:
    """The first file asks for a day of the year; the second looks back over a hundred years, in 90 examples."""
    (tmp_path / "day.yml").write_text(RULE.replace("action: view", "event_time|month: 12, event_time|day: 31"))
    (tmp_path / "day.examples.yml").write_text(
        "examples:\n"
        "  - {name: this year, expect: {exactly: 1}, events: [{event_time: 2026-12-31T10:00:00Z}]}\n"
        "  - {name: last year, expect: {exactly: 1}, events: [{event_time: 2025-12-31T10:00:00Z}]}\n"
        "  - {name: a day before, near_miss_of: last year, change: {event_time: 2025-12-30}, expect: none}\n"
    )
    (tmp_path / "long.yml").write_text(
        RULE.replace("title: Viewed", "title: Viewed\nname: viewed") + "---\ntitle: Twice\n"
        "correlation: {type: event_count, rules: viewed, timespan: 36500d, condition: {gte: 2}}\n"
    )
    singles = "".join(f"  - {{name: one {n}, expect: none, events: [{{action: view}}]}}\n" for n in range(90))
    (tmp_path / "long.examples.yml").write_text(
        "examples:\n"
        "  - {name: two, expect: {exactly: 1}, events: [{action: view, times: 2, every: 9999}]}\n"
        "  - {name: none, near_miss_of: two, change: {action: print}, expect: none}\n" + singles
    )
    report = run_examples([tmp_path])
    assert report.faults == ()
    assert [outcome.example.name for outcome in report.outcomes if not outcome.passed] == []
    assert len(report.outcomes) == 95
