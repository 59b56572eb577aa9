"""`rules check`: everything that is held against rules, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import RuleError, Where
from detector.rules.checks import between_documents, in_correlations, in_document, kind_of
from detector.rules.checks.kind import SEVERITIES, Severity
from detector.rules.document import read_rules
from detector.rules.load import load_documents
from detector.rules.pipeline import Given

if TYPE_CHECKING:
    from rich.console import Console

_BLANK = Where()


@dataclass(frozen=True)
class Fault:
    """One fault at one place. `id` is a key of checks.KINDS, `line` 1-based; `key` is a dotted path, as in YAML."""

    id: str
    severity: Severity
    file: str
    line: int
    key: str | None
    message: str
    hint: str | None

    @classmethod
    def of(cls, error: RuleError, *, strict: bool = False) -> Fault:
        """`strict` makes an error of a warning."""
        kind, where = kind_of(error), error.where or _BLANK
        severity: Severity = "error" if strict and kind.severity == "warning" else kind.severity
        return cls(kind.id, severity, str(where.file or ""), where.line or 1, where.key, error.message, error.hint)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "key": self.key,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True)
class CheckReport:
    """`rules` of `files` were looked at; `faults` in order of file and line."""

    rules: int
    files: int
    faults: tuple[Fault, ...]

    @property
    def failed(self) -> bool:
        return any(fault.severity == "error" for fault in self.faults)

    def of(self, severity: Severity) -> list[Fault]:
        return [fault for fault in self.faults if fault.severity == severity]

    def as_json(self) -> dict[str, Any]:
        counts = {f"{severity}s": len(self.of(severity)) for severity in SEVERITIES}
        return {"rules": self.rules, "files": self.files, **counts, "faults": [one.as_json() for one in self.faults]}

    def print(self, out: Console, *, notes: bool) -> None:
        """A paragraph a file, a line a fault with its hint below, then one line that counts."""
        file = None
        for fault in self.faults:
            if fault.severity == "note" and not notes:
                continue
            if file is not None and fault.file != file:
                out.print()
            file = fault.file
            at = f" at {fault.key}" if fault.key else ""
            out.print(f"{fault.file}:{fault.line}{at}: {fault.severity}: {fault.message} [{fault.id}]", soft_wrap=True)
            if fault.hint:
                out.print(f"  {fault.hint}", soft_wrap=True)
        if file is not None:
            out.print()
        told = ", ".join(count(len(self.of(severity)), severity) for severity in SEVERITIES)
        hidden = not notes and self.of("note")
        out.print(f"{count(self.rules, 'rule')} in {count(self.files, 'file')}: {told}.", soft_wrap=True)
        if hidden:
            kinds = Counter(fault.id for fault in self.of("note"))
            out.print(f"  Notes ({', '.join(f'{number} {name}' for name, number in kinds.items())}): see --notes.")


def check_rules(paths: Sequence[Path], *, strict: bool = False, given: Given | None = None) -> CheckReport:
    """Rules below a folder that has a pipeline in `given` are looked at as it leaves them.

    Raises RuleError for a path that does not exist.
    """
    read = read_rules(paths)
    documents, errors = read.documents, [*read.errors, *read.missing]
    errors += [error for document in documents for error in in_document(document, given)]
    errors += between_documents(documents, given)
    pack = load_documents(documents, strict=False, given=given)
    errors += [*pack.refusals, *in_correlations(pack, documents)]
    return CheckReport(len(documents), len(read.files), _ordered(Fault.of(error, strict=strict) for error in errors))


def count(number: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _ordered(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """By place, then gravest first; what two parts of the program say of one place is said once."""
    found = {(fault.file, fault.line, fault.key, fault.message): fault for fault in faults}
    return tuple(
        sorted(
            found.values(), key=lambda one: (one.file, one.line, SEVERITIES.index(one.severity), one.id, one.message)
        )
    )
