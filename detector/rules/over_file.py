"""`rules run`: rules over an events file, matches written as they come."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from detector.engine import connect
from detector.errors import ConfigError, RuleError, Where
from detector.rules.files.opening import open_events, reading
from detector.rules.files.rows import Events
from detector.rules.files.text import BadRow
from detector.rules.filters import in_force
from detector.rules.load import load_rules
from detector.rules.over_spark import spark_events
from detector.rules.pack import Correlation, Detection, RulePack
from detector.rules.pipeline import Given, Placeholders
from detector.rules.run import Hits, Notice, run_in_lots
from detector.safe_yaml import load_one

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

#: Bad lines named one by one; more are counted.
_MOST_NAMED = 20


@dataclass(frozen=True)
class RunResult:
    """`remarks` are for a person: refused rules, lines that are no events.

    `ran` and `matched` count rules, `rejected` rows that no rule could see.
    """

    matches: int
    ran: int
    matched: int
    refused: int
    rejected: int
    reasons: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line of figures, most frequent reason of a refusal first."""
        why = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons)
        refused = f"{self.refused:,} refused" + (f" ({why})" if why else "")
        rejected = f"; rejected rows: {self.rejected:,}" if self.rejected else ""
        found = f"{self.matched:,} of them matched, {self.matches:,} matches"
        return f"{self.ran:,} rules ran, {refused}; {found}{rejected}."


def rules_over_file(
    rules: Sequence[Path],
    events: Path,
    *,
    time_field: str,
    today: date,
    write: Callable[[str], object],
    given: Given | None = None,
    memory_limit: str = "1500MB",
    threads: int = 2,
    spark: bool = False,
    reject: Callable[[str], object] | None = None,
) -> RunResult:
    """Write one JSON line per match, many lines at once. Filters that expired before `today` do not apply.

    `reject` is given one JSON line for each row that is no event. A rule with placeholders that are not `given` is
    refused. With `spark`, a Spark of our own runs the rules over a Parquet file.

    Raises RuleError, InputError for paths that do not exist or cannot be read, ConfigError where Spark cannot start.
    """
    pack, ended = in_force(load_rules(rules, strict=False, given=given, named=True), today)
    remarks = [f"refused: {error}" for error in pack.refusals]
    remarks += [*pack.notes, *(f"filter {one.title!r} does not apply: {one.reason}" for one in ended)]
    if not pack.rules:
        if not pack.refusals:
            raise RuleError("these are filters alone", hint="Name the rules that they narrow, too.")
        remarks.append("no rule can be run")
    if spark:
        opened = spark_events(events, threads=threads)
    else:
        opened = _duckdb_events(events, threads=threads, memory_limit=memory_limit)
    matches = 0
    matched: set[str] = set()
    with opened as (con, found):
        notice = Notice()
        file, lots = _lots(con, pack, found, time_field, notice)
        for hits in lots:
            write(_lines(hits))
            matched |= {hits.rules[index].about.key for index in set(hits.which)}
            matches += len(hits.which)
        rejects = Rejects(reject)
        for bad in file.bad_rows(notice.broken):
            rejects.add(bad)
        remarks += [*file.notes, *rejects.named(file.path)]
        if notice.untimed:
            remarks.append(
                f"{file.path}: {notice.untimed:,} matching events have no time in {time_field!r} that can be read; "
                "no correlation sees them (--time-field names another field)"
            )
    reasons = Counter(error.code or "other" for error in pack.refusals).most_common()
    return RunResult(
        matches,
        ran=len(pack.rules),
        matched=len(matched),
        refused=len(pack.refusals),
        rejected=rejects.count,
        reasons=tuple(reasons),
        remarks=tuple(remarks),
    )


def _lots(con: Backend, pack: RulePack, file: Events, time_field: str, notice: Notice) -> tuple[Events, Iterator[Hits]]:
    """The matches, and the events as they could be read in the end."""
    lots = run_in_lots(con, pack, file.source, time_field=time_field, notice=notice)
    try:
        # what has to be read twice has all been read before there is a first match
        first = next(lots, None)
    except duckdb.Error:
        if file.again is None:
            raise
        return _lots(con, pack, file.again(), time_field, notice)
    return file, chain([] if first is None else [first], lots)


@contextmanager
def _duckdb_events(path: Path, *, threads: int, memory_limit: str) -> Iterator[tuple[Backend, Events]]:
    with tempfile.TemporaryDirectory(prefix="detector-rules-") as spill:
        aside = Path(spill, "events")
        aside.mkdir()
        con = connect(readable=[path, aside], threads=threads, memory_limit=memory_limit, spill=Path(spill))
        try:
            file = open_events(con, path, spill=aside)
            with reading(path):
                yield con, file
        finally:
            con.disconnect()


def _lines(hits: Hits) -> str:
    starts = {index: _start(hits.rules[index]) for index in set(hits.which)}
    # a row number is written the same by Python and in JSON, and so is a list of them
    return "".join([f"{starts[index]}{found}}}\n" for index, found in zip(hits.which, hits.matched, strict=True)])


def _start(rule: Detection | Correlation) -> str:
    """The part of a line that is the same for every match of a rule."""
    about = rule.about
    text = json.dumps({"rule_id": about.rule_id, "title": about.title, "level": about.level})
    return f'{text[:-1]}, "{"events" if isinstance(rule, Correlation) else "event"}": '


@dataclass
class Rejects:
    """Rows that no rule could see: the first few are named, all are counted and written."""

    write: Callable[[str], object] | None = None
    count: int = 0
    first: list[BadRow] = field(default_factory=list)

    def add(self, bad: BadRow) -> None:
        self.count += 1
        if len(self.first) < _MOST_NAMED:
            self.first.append(bad)
        if self.write:
            self.write(json.dumps({"row": bad.row, "line": bad.line, "reason": bad.why}) + "\n")

    def named(self, path: Path) -> Iterator[str]:
        """Sentences for a person."""
        for bad in self.first:
            yield f"{path}:{bad.line}: row {bad.row} {bad.why}; no rule sees it"
        if self.count > len(self.first):
            yield f"{path}: {self.count - len(self.first):,} more rows are no events (--rejects names all)"


def read_placeholders(path: Path) -> Placeholders:
    """A YAML file of names and their values, one or a list. Raises ConfigError."""
    given, lines = load_one(path)
    if not isinstance(given, dict):
        raise ConfigError("expected placeholders as `name: [value, …]`", where=Where(path, 1))
    found: dict[str, list[str]] = {}
    for name, values in given.items():
        listed = values if isinstance(values, list) else [values]
        if not all(isinstance(value, str | int | float) for value in listed) or not listed:
            raise ConfigError(
                f"placeholder {name!r} must be a text or a list of texts", where=Where(path, lines.get(str(name), 1))
            )
        found[str(name)] = [str(value) for value in listed]
    return found
