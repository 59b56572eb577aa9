"""Rule files to a pack. A rule that cannot be run with its full meaning is refused, with file, line and what would do.

Foreign rules (`strict=False`) may carry keys of their own; the project's (`strict=True`) are also linted. Among those,
rules below a folder with a pipeline of its own are foreign, but their fields must be known once they are mapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from detector.errors import RuleError
from detector.rules.compile import field_parts
from detector.rules.document import Document, read_rules
from detector.rules.filters import Scope, filtered, parse_filter
from detector.rules.names import known_fields, nearest
from detector.rules.pack import Correlation, Detection, RulePack
from detector.rules.parse_correlation import Resolve, named_rules, parse_correlation
from detector.rules.parse_detection import parse_detection
from detector.rules.pipeline import Given, rewritten_correlation
from detector.rules.references import References

__all__ = ["RulePack", "load_rules"]


def load_rules(paths: Sequence[Path], *, strict: bool, given: Given | None = None, named: bool = False) -> RulePack:
    """Every rule of the files and folders, and what was refused. Where somebody `named` these paths, a file without a
    rule and a folder without files are refused too: it would look as if nothing was found.

    Raises RuleError only for a path that does not exist; all else is in the pack's `refusals`: what is missing, then
    the others in file order.
    """
    read = read_rules(paths)
    pack = load_documents(read.documents, strict=strict, given=given)
    refusals = sorted((*read.errors, *pack.refusals), key=_place)
    return replace(pack, refusals=(*(read.missing if named else ()), *refusals))


def load_documents(documents: Sequence[Document], *, strict: bool, given: Given | None = None) -> RulePack:
    """The pack that documents already read make."""
    given = given or Given()
    refusals: list[RuleError] = []
    rules = [document for document in documents if document.kind != "filter"]
    references = References.of(rules)
    served = _served(rules, references)
    loaded: dict[str, Detection | Correlation] = {}
    scopes: list[Scope] = []
    notes: list[str] = []
    for document in (item for item in documents if item.kind == "filter"):
        try:
            its = _linted(document, given, strict=strict)
            scope, vain = parse_filter(document, references, its, strict=strict)
            _known(document, "filter", field_parts([scope.tree]), given)
        except RuleError as exc:
            refusals.append(exc)
        else:
            scopes.append(scope)
            notes += vain
    for document in (item for item in rules if item.kind == "detection"):
        try:
            its = _linted(document, given, strict=strict)
            reported = document.key not in served
            detection = parse_detection(document, its, reported=reported)
            _known(document, "detection", detection.parts, given)
            loaded[document.key] = filtered(detection, [scope for scope in scopes if scope.fits(document)])
        except RuleError as exc:
            refusals.append(exc)
    for document in _in_order(rules, references, refusals):
        try:
            its = _linted(document, given, strict=strict)
            resolve = _resolver(document, references, loaded)
            reported = document.key not in served
            correlation = parse_correlation(document, resolve, reported=reported)
            if its.pipeline is not None:
                bases = {name: references.one(name, document, *path) for name, path in named_rules(document)}
                rewritten = rewritten_correlation(document, bases, its.pipeline)
                correlation = parse_correlation(rewritten, resolve, reported=reported)
            _known(document, "correlation", correlation.fields, given)
            if strict and not given.foreign(document.file):
                from detector.rules.lint import lint_correlation

                _raise_first(lint_correlation(document, correlation, loaded))
            loaded[document.key] = correlation
        except RuleError as exc:
            refusals.append(exc)
    if strict:
        from detector.rules.lint import lint_pack

        refusals += lint_pack(documents)
    found = [loaded[document.key] for document in rules if document.key in loaded]
    return RulePack(
        tuple(rule for rule in found if isinstance(rule, Detection)),
        tuple(rule for rule in found if isinstance(rule, Correlation)),
        tuple(sorted(refusals, key=_place)),
        tuple(notes),
    )


def _linted(document: Document, given: Given, *, strict: bool) -> Given:
    """What the document is given, once nothing is held against it. Raises RuleError."""
    if strict and not given.foreign(document.file):
        from detector.rules.lint import lint  # all checks: foreign rules need none of them

        _raise_first(lint(document))
    return given.of(document.file)


def _known(document: Document, key: str, fields: Iterable[str], given: Given) -> None:
    """All that is asked of a foreign rule among one's own: on a field that no event has it would be silent for ever."""
    known = known_fields() if given.foreign(document.file) else frozenset(fields)
    for name in fields:
        if name not in known:
            raise document.error(
                f"unknown column or feature {name!r}, once the pipeline has mapped the names",
                key,
                hint=f"Map it in the pipeline. {nearest(name, known)}",
                code="unknown-field",
            )


def _resolver(document: Document, references: References, loaded: Mapping[str, Detection | Correlation]) -> Resolve:
    def resolve(name: str, path: tuple[str | int, ...]) -> Detection | Correlation:
        rule = loaded.get(references.one(name, document, *path).key)
        if rule is None:
            raise document.error(f"builds on {name!r}, which was refused", *path, hint="Mend that rule first.")
        return rule

    return resolve


def _in_order(documents: Sequence[Document], references: References, refusals: list[RuleError]) -> Iterator[Document]:
    """Correlations, each after those that it builds on; those that build on themselves are refused."""
    waiting = {document.key: document for document in documents if document.kind == "correlation"}
    bases = {
        key: {one.key for name, _ in named_rules(document) for one in references.find(name, document)} & set(waiting)
        for key, document in waiting.items()
    }
    while waiting:
        ready = [key for key in waiting if not bases[key] & set(waiting)]
        for key in ready:
            yield waiting.pop(key)
        if not ready:
            for document in _circle(waiting, bases):
                around = " and ".join(repr(name) for name, _ in named_rules(document))
                refusals.append(
                    document.error(
                        f"the correlation builds on itself, by way of {around}",
                        "correlation",
                        "rules",
                        hint="Name rules that do not build on this one.",
                    )
                )
                del waiting[document.key]


def _circle(waiting: Mapping[str, Document], bases: Mapping[str, set[str]]) -> list[Document]:
    """The correlations, of those that wait for each other, that wait for themselves."""
    found = []
    for start in waiting:
        seen: set[str] = set()
        todo = [*bases[start] & set(waiting)]
        while todo:
            key = todo.pop()
            if key not in seen:
                seen.add(key)
                todo += bases[key] & set(waiting)
        if start in seen:
            found.append(waiting[start])
    return found


def _raise_first(errors: Iterable[RuleError]) -> None:
    for error in errors:
        raise error


def _served(documents: Iterable[Document], references: References) -> set[str]:
    """Rules that only serve a correlation: its own hits are reported, theirs are not unless it says `generate`."""
    served: set[str] = set()
    for document in documents:
        body = document.data.get("correlation")
        if isinstance(body, dict) and body.get("generate") is not True:
            served |= {one.key for name, _ in named_rules(document) for one in references.find(name, document)}
    return served


def _place(error: RuleError) -> tuple[str, int]:
    return (str(error.where.file), error.where.line or 0) if error.where else ("", 0)
