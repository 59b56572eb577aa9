"""Rule files to a pack. A rule that cannot be run with its full meaning is refused, with file, line and what would do.

Foreign rules (`strict=False`) may carry keys of their own; the project's (`strict=True`) are also linted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from detector.errors import RuleError
from detector.rules.document import Document, read_documents, rule_files
from detector.rules.lint import lint, lint_pack
from detector.rules.pack import Correlation, Detection, RulePack
from detector.rules.parse_correlation import parse_correlation
from detector.rules.parse_detection import parse_detection

__all__ = ["RulePack", "load_rules"]

Placeholders = Mapping[str, Sequence[str]]


def load_rules(paths: Sequence[Path], *, strict: bool, placeholders: Placeholders | None = None) -> RulePack:
    """Every rule of the files and folders, and what was refused. `placeholders` are the values of `|expand`.

    Raises RuleError only for a path that does not exist; all else is in the pack's `refusals`, in file order.
    """
    documents: list[Document] = []
    refusals: list[RuleError] = []
    for path in rule_files(paths):
        read, errors = read_documents(path)
        documents += read
        refusals += errors
    pack = load_documents(documents, strict=strict, placeholders=placeholders)
    return replace(pack, refusals=tuple(sorted((*refusals, *pack.refusals), key=_place)))


def load_documents(
    documents: Sequence[Document], *, strict: bool, placeholders: Placeholders | None = None
) -> RulePack:
    """The pack that documents already read make."""
    refusals: list[RuleError] = []
    served = _served(documents)
    detections: list[Detection] = []
    refused: set[str] = set()
    for document in (item for item in documents if item.kind != "correlation"):
        try:
            if strict:
                _raise_first(lint(document))
            detections.append(parse_detection(document, placeholders or {}, reported=not _names(document) & served))
        except RuleError as exc:
            refusals.append(exc)
            refused |= _names(document)
    correlations: list[Correlation] = []
    for document in (item for item in documents if item.kind == "correlation"):
        try:
            if strict:
                _raise_first(lint(document))
            correlations.append(parse_correlation(document, detections, refused, _correlation_names(documents)))
        except RuleError as exc:
            refusals.append(exc)
    if strict:
        refusals += lint_pack(documents)
    return RulePack(tuple(detections), tuple(correlations), tuple(sorted(refusals, key=_place)))


def _raise_first(errors: Iterable[RuleError]) -> None:
    for error in errors:
        raise error


def _names(document: Document) -> set[str]:
    """What a correlation may call this rule."""
    return {str(document.data[key]) for key in ("id", "name") if document.data.get(key)}


def _correlation_names(documents: Iterable[Document]) -> set[str]:
    return {name for item in documents if item.kind == "correlation" for name in _names(item)}


def _served(documents: Iterable[Document]) -> set[str]:
    """Names of rules that only serve a correlation: its own hits are reported, theirs are not unless `generate`."""
    served: set[str] = set()
    for document in documents:
        body = document.data.get("correlation")
        if isinstance(body, dict) and body.get("generate") is not True:
            rules = body.get("rules")
            served |= {str(rule) for rule in (rules if isinstance(rules, list) else [rules])}
    return served


def _place(error: RuleError) -> tuple[str, int]:
    return (str(error.where.file), error.where.line or 0) if error.where else ("", 0)
