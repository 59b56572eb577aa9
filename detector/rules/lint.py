"""What a rule of the project is refused for at load, beyond whether it can run: every fault that is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from detector.errors import RuleError
from detector.rules import checks
from detector.rules.checks.correlations import Linked
from detector.rules.document import Document
from detector.rules.pack import Correlation, Detection


def lint(document: Document) -> Iterator[RuleError]:
    """The errors of one rule document, first things first."""
    return (error for error in checks.in_document(document) if checks.kind_of(error).severity == "error")


def lint_correlation(
    document: Document, rule: Correlation, rules: Mapping[str, Detection | Correlation]
) -> Iterator[RuleError]:
    """The errors of a correlation beside the rules that it builds on."""
    found = (error for one in checks.correlations.CHECKS for error in one(Linked(document, rule, rules)))
    return (error for error in found if checks.kind_of(error).severity == "error")


def lint_pack(documents: Sequence[Document]) -> list[RuleError]:
    """The errors that only show between rules."""
    return [error for error in checks.between_documents(documents) if checks.kind_of(error).severity == "error"]
