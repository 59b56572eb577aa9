"""`rules test`: all examples of all rules in one run of the engine, and what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.engine import connect
from detector.errors import RuleError
from detector.printable import printable
from detector.rules.load import load_rules
from detector.rules.names import feature_names
from detector.rules.pack import Correlation, Detection, RulePack
from detector.rules.pipeline import Given
from detector.rules.proof.coverage import Part, coverage
from detector.rules.proof.examples import APART, DEFAULTS, Example, all_examples
from detector.rules.proof.values import FIRST
from detector.rules.report import Fault
from detector.rules.run import run_rules
from detector.rules.windows import ROW
from detector.schema import EVENT_SCHEMA

if TYPE_CHECKING:
    from rich.console import Console

#: The last time that Python, and so a finding, can tell.
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """One example, and how many hits the rules of its file had on it."""

    rule: Path
    example: Example
    hits: int

    @property
    def passed(self) -> bool:
        return self.example.met(self.hits)


@dataclass(frozen=True)
class ExamplesReport:
    """`faults` are refused rules, and rules without sound examples; `parts` what the examples exercise of each rule."""

    outcomes: tuple[Outcome, ...]
    faults: tuple[RuleError, ...]
    parts: tuple[Part, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.faults and all(outcome.passed for outcome in self.outcomes)

    @property
    def gaps(self) -> tuple[Part, ...]:
        """The parts that no example exercises."""
        return tuple(part for part in self.parts if not part.covered)

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "coverage": [part.as_json() for part in self.parts],
            "examples": [
                {
                    "rule": str(outcome.rule),
                    "file": str(outcome.example.file),
                    "line": outcome.example.line,
                    "example": outcome.example.name,
                    "expected": outcome.example.expected,
                    "hits": outcome.hits,
                    "passed": outcome.passed,
                }
                for outcome in self.outcomes
            ],
            "faults": [Fault.of(fault).as_json() for fault in self.faults],
        }

    def print(self, out: Console, *, gaps: bool) -> None:
        """Faults, examples that failed, with `gaps` what no example exercises, and a line that counts each."""
        for fault in self.faults:
            out.print(str(fault), soft_wrap=True)
        failed = [outcome for outcome in self.outcomes if not outcome.passed]
        for outcome in failed:
            example = outcome.example
            told = f"{printable(example.name)}: expected {example.expected}, found {outcome.hits}"
            out.print(f"{example.file}:{example.line}: {told}", soft_wrap=True)
        rules = len({outcome.rule for outcome in self.outcomes})
        for part in self.gaps if gaps else ():
            at = f"selection {part.selection!r}" + (f", {part.alternative}" if part.alternative else "")
            out.print(f"{part.file}:{part.line}: {at}: {'; '.join(part.missing)}", soft_wrap=True)
        out.print(f"{len(self.outcomes)} examples of {rules} rule files: {len(self.outcomes) - len(failed)} passed.")
        if self.parts:
            covered = len(self.parts) - len(self.gaps)
            out.print(f"{covered} of {len(self.parts)} selections and alternatives exercised.", soft_wrap=True)


def run_examples(paths: Sequence[Path], given: Given | None = None) -> ExamplesReport:
    """Raises RuleError for a path that does not exist; all else is in the report."""
    pack = load_rules(paths, strict=False, given=given, named=True)
    faults = list(pack.refusals)
    cases: list[Case] = []
    for rule, found in all_examples(paths):
        if isinstance(found, RuleError):
            faults.append(found)
        else:
            cases += [(rule, example) for example in found]
    if not cases:
        return ExamplesReport((), tuple(faults))
    table, belongs = _events(cases)
    con = connect()
    try:
        hits = _hits(con, pack.detections, table, belongs, cases)
        for lot in _lots(pack, cases):
            hits += lot.hits(con, pack, cases)
        parts = coverage(con, paths, ibis.memtable(table), [cases[index][0] for index in belongs], given)
    finally:
        con.disconnect()
    outcomes = tuple(Outcome(rule, example, hits[index]) for index, (rule, example) in enumerate(cases))
    return ExamplesReport(outcomes, tuple(faults), parts)


#: A rule file and one of its examples; in what follows it is known by its number.
Case = tuple[Path, Example]


@dataclass
class _Lot:
    """Examples of files with correlations, by number, each moved so far that no window reaches into another."""

    shifts: dict[int, timedelta] = field(default_factory=dict)

    def hits(self, con: Backend, pack: RulePack, cases: Sequence[Case]) -> Counter[int]:
        table, belongs = _events(cases, self.shifts)
        silent = tuple(replace(rule, about=replace(rule.about, reported=False)) for rule in pack.detections)
        return _hits(con, (*silent, *pack.correlations), table, belongs, cases)


def _lots(pack: RulePack, cases: Sequence[Case]) -> Iterator[_Lot]:
    """As few runs as the calendar has room for: one, but where a window is very long.

    An event on its own stays where it is, whatever its rule asks of the day or the month; what counts events over time
    is moved by whole multiples of four weeks, which keep the hour and the day of the week.
    """
    counting = {rule.about.file for rule in pack.correlations}
    lot, free = _Lot(), FIRST
    for index, (file, example) in enumerate(cases):
        if file not in counting:
            continue
        moments = [event["event_time"] for event in example.events]
        first, last = min(moments), max(moments)
        if _END - free < (last - first) + 2 * APART + pack.lookback:
            yield lot
            lot, free = _Lot(), FIRST
        shift = APART * -((first - free) // APART)
        lot.shifts[index] = shift
        free = last + shift + pack.lookback + timedelta(microseconds=1)
    if lot.shifts:
        yield lot


def _events(cases: Sequence[Case], shifts: Mapping[int, timedelta] | None = None) -> tuple[pa.Table, list[int]]:
    """The events of all examples, or of those that are moved by `shifts`; and for each row its example."""
    moved = shifts if shifts is not None else dict.fromkeys(range(len(cases)), timedelta(0))
    belongs = [index for index in moved for _ in cases[index][1].events]
    rows = [_row(event, shift) for index, shift in moved.items() for event in cases[index][1].events]
    schema = EVENT_SCHEMA
    for name in sorted(feature_names()):
        schema = schema.append(pa.field(name, pa.float64()))
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return pa.Table.from_pylist(rows, schema=nullable).append_column(ROW, pa.array(range(len(rows)))), belongs


def _hits(
    con: Backend,
    rules: Sequence[Detection | Correlation],
    table: pa.Table,
    belongs: Sequence[int],
    cases: Sequence[Case],
) -> Counter[int]:
    """Hits by example. A rule counts on the examples of its own file alone."""
    pack = RulePack(
        tuple(rule for rule in rules if isinstance(rule, Detection)),
        tuple(rule for rule in rules if isinstance(rule, Correlation)),
    )
    counted: Counter[int] = Counter()
    for hit in run_rules(con, pack, ibis.memtable(table)):
        index = belongs[hit.rows[0]]
        counted[index] += hit.rule.about.file == cases[index][0]
    return counted


def _row(event: Mapping[str, Any], shift: timedelta) -> dict[str, Any]:
    row = {**DEFAULTS, **event}
    row["event_time"] += shift
    row.setdefault("actor_id", row.get("requester_id") or row["operator_id"])
    return row
