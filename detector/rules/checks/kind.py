"""What a fault is: its id, how grave it is, an example and the mend. One function a fault, as pySigma's validators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from detector.errors import RuleError

#: `error`: the rule is refused. `warning`: it runs, but hardly as meant. `note`: worth knowing, no fault.
Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Kind:
    """One kind of fault. `finds` completes 'Finds …'; `mend` says what to do.

    `bad` has the fault and `good` has not: top-level keys of a rule that take the place of those of the sound rule in
    docs/rule-faults.md, or whole files where `whole`. A test runs both. What cannot be shown as text is told in `bad`
    and has no `good`.
    """

    id: str
    severity: Severity
    finds: str
    mend: str
    bad: str
    good: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """A kind of fault with the function that looks for it."""

    kind: Kind
    find: Callable[[Subject], Iterator[RuleError]]

    def __call__(self, subject: Subject) -> Iterator[RuleError]:
        for error in self.find(subject):
            error.code = self.kind.id
            yield error


def check(
    fault: str, severity: Severity, *, finds: str, mend: str, bad: str, good: str = "", whole: bool = False
) -> Callable[[Callable[[Subject], Iterator[RuleError]]], Check[Subject]]:
    """Makes a check of a function that yields `document.error(…)` for each place where it finds the fault."""
    kind = Kind(fault, severity, finds, mend, bad, good, whole)

    def made(find: Callable[[Subject], Iterator[RuleError]]) -> Check[Subject]:
        return Check(kind, find)

    return made
