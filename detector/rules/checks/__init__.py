"""Everything that is held against rules, one function a fault. docs/rule-faults.md lists them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from detector.errors import RuleError
from detector.rules.checks import between, conditions, correlations, fields, filters, metadata, own
from detector.rules.checks.kind import Kind
from detector.rules.checks.refusals import REFUSALS
from detector.rules.document import Document
from detector.rules.pack import RulePack
from detector.rules.pipeline import Given

#: On one document.
DOCUMENT_CHECKS: Final = (*metadata.CHECKS, *own.CHECKS, *fields.CHECKS, *conditions.DOCUMENT_CHECKS)
#: On a filter, which is no rule: it has no level, no tags, no examples.
FILTER_CHECKS: Final = (
    *filters.CHECKS, metadata.wrong_type, metadata.control_character, metadata.bad_uuid, metadata.bad_date,
    *fields.CHECKS,
)  # fmt: skip
#: On a rule written for other products, whose fields a pipeline maps: it has its own keys, tags and logsource.
FOREIGN_CHECKS: Final = (
    metadata.wrong_type, metadata.control_character, fields.unquoted_value, fields.lone_all, fields.null_in_list,
    conditions.unused_selection,
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
            *(check.kind for check in correlations.CHECKS),
        )
    }
)


def in_document(document: Document, given: Given | None = None) -> Iterator[RuleError]:
    """Every fault of one rule, first things first; the logic of a rule that cannot be read is not looked at."""
    given = given or Given()
    foreign = given.foreign(document.file)
    own = FILTER_CHECKS if document.kind == "filter" else DOCUMENT_CHECKS
    for one in FOREIGN_CHECKS if foreign else own:
        yield from one(document)
    logic = conditions.Logic.of(document, given.of(document.file))
    if logic is not None:
        for look in conditions.LOGIC_CHECKS:
            if not foreign or look is not conditions.matches_anything:  # which looks at the names as written
                yield from look(logic)


def between_documents(documents: Sequence[Document], given: Given | None = None) -> Iterator[RuleError]:
    """Every fault that only shows between rules."""
    given = given or Given()
    own = [document for document in documents if not given.foreign(document.file)]
    for one in between.CHECKS:
        yield from one(own if one is between.missing_guidance else documents)


def in_correlations(pack: RulePack, documents: Sequence[Document]) -> Iterator[RuleError]:
    """Every fault that only shows with a correlation and its rules read: `pack` is made of the documents."""
    for linked in correlations.linked(pack, documents):
        for one in correlations.CHECKS:
            yield from one(linked)


def kind_of(error: RuleError) -> Kind:
    """The kind of any error that a rule met."""
    return KINDS.get(error.code, KINDS[OTHER])
