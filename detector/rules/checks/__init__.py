"""Everything that is held against rules, one function a fault. docs/rule-faults.md lists them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from detector.errors import RuleError
from detector.rules.checks import between, conditions, fields, filters, metadata, own
from detector.rules.checks.kind import Kind
from detector.rules.checks.refusals import REFUSALS
from detector.rules.document import Document

#: On one document.
DOCUMENT_CHECKS: Final = (*metadata.CHECKS, *own.CHECKS, *fields.CHECKS, *conditions.DOCUMENT_CHECKS)
#: On a filter, which is no rule: it has no level, no tags, no examples.
FILTER_CHECKS: Final = (
    *filters.CHECKS, metadata.wrong_type, metadata.control_character, metadata.bad_uuid, metadata.bad_date,
    *fields.CHECKS,
)  # fmt: skip
#: What refuses a rule whose code is none of these says so in its own words.
OTHER: Final = "cannot-run"
#: Every kind of fault, by its id.
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.id: kind
        for kind in (
            *REFUSALS,
            *(check.kind for check in (*DOCUMENT_CHECKS, *filters.CHECKS)),
            *(check.kind for check in conditions.LOGIC_CHECKS),
            *(check.kind for check in between.CHECKS),
        )
    }
)


def in_document(document: Document) -> Iterator[RuleError]:
    """Every fault of one rule, first things first; the logic of a rule that cannot be read is not looked at."""
    for one in FILTER_CHECKS if document.kind == "filter" else DOCUMENT_CHECKS:
        yield from one(document)
    logic = conditions.Logic.of(document)
    if logic is not None:
        for look in conditions.LOGIC_CHECKS:
            yield from look(logic)


def between_documents(documents: Sequence[Document]) -> Iterator[RuleError]:
    """Every fault that only shows between rules."""
    for one in between.CHECKS:
        yield from one(documents)


def kind_of(error: RuleError) -> Kind:
    """The kind of any error that a rule met."""
    return KINDS.get(error.code, KINDS[OTHER])
