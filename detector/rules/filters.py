"""Sigma filters: exceptions kept apart from the rules they narrow. An allowlist is a filter that ends one day.

As in Sigma's reference implementation a filtered rule matches where its own condition and the filter's both hold; so a
filter that takes something out says `condition: not selection`. Its selections are its own, whatever the rule's are
called. It narrows detections, and so what correlations count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sigma.conditions import ConditionAND, ConditionOR

from detector.errors import RuleError
from detector.rules.compile import field_parts, has_keywords
from detector.rules.document import Document
from detector.rules.pack import Detection, Filter, Filtered, Inactive, RulePack
from detector.rules.parse_detection import parse_trees
from detector.rules.pipeline import Given
from detector.rules.references import References

_LOGSOURCE = ("category", "product", "service")


@dataclass(frozen=True)
class Scope:
    """A filter, what it adds to a rule, and the rules that it names (None: any that its logsource fits)."""

    filter: Filter
    tree: Any
    logsource: Mapping[str, Any]
    keys: frozenset[str] | None

    def fits(self, document: Document) -> bool:
        """Is the rule named, and of the filter's logsource?"""
        return (self.keys is None or document.key in self.keys) and _within(document, self.logsource)


def parse_filter(document: Document, references: References, given: Given, *, strict: bool) -> tuple[Scope, list[str]]:
    """The filter, and what it names in vain. Raises RuleError; where `strict`, for what it names in vain too."""
    body, source = document.data["filter"], document.data.get("logsource")
    title = document.data.get("title")
    if not isinstance(title, str) or not title.strip():
        raise document.error("a filter needs a title", "title", code="missing-metadata")
    if not isinstance(source, dict) or not any(source.get(key) for key in _LOGSOURCE):
        raise document.error(
            "a filter needs a logsource", "logsource", hint="The one of the rules that it narrows, or a part of it."
        )
    if not isinstance(body, dict):
        raise document.error("`filter` must be a mapping", "filter", hint="{rules: […], selection: …, condition: …}")
    if not isinstance(body.get("condition"), str):
        raise document.error("a filter needs one condition", "filter", "condition", hint="`condition: not selection`")
    keys, vain = _named(document, body.get("rules"), source, references, strict=strict)
    (tree,) = _trees(document, body, given)
    made = Filter(
        key=document.key,
        filter_id=str(document.data.get("id") or title),
        title=title.strip(),
        file=document.file,
        line=document.line("title"),
        expires=_expires(document),
    )
    return Scope(made, tree, source, keys), vain


def filtered(detection: Detection, scopes: Sequence[Scope]) -> Detection:
    """The detection, narrowed by these filters."""
    return _narrowed(detection, tuple(Filtered(scope.filter, scope.tree) for scope in scopes))


def in_force(
    pack: RulePack, night: date, columns: Collection[str] | None = None
) -> tuple[RulePack, tuple[Inactive, ...]]:
    """The pack with the filters that still apply on `night`, and those that do not. Where `columns` are given, a filter
    on others does not apply either: nobody is left out by what cannot be looked at.
    """
    ended: dict[str, Inactive] = {}

    def applies(one: Filtered) -> bool:
        reason = ""
        missing = sorted(set(field_parts([one.tree])) - set(columns)) if columns is not None else []
        if one.filter.expires is not None and night > one.filter.expires:
            reason = f"expired: it applied up to {one.filter.expires}"
        elif missing:
            reason = f"needs {', '.join(missing)}"
        if reason:
            ended[one.filter.key] = Inactive(one.filter.filter_id, one.filter.title, reason)
        return not reason

    detections = []
    for detection in pack.detections:
        kept = tuple(one for one in detection.filters if applies(one))
        detections.append(detection if kept == detection.filters else _narrowed(detection, kept))
    return replace(pack, detections=tuple(detections)), tuple(ended.values())


def _narrowed(detection: Detection, filters: tuple[Filtered, ...]) -> Detection:
    own = detection.own or detection.trees
    trees = own
    if filters:
        either = own[0] if len(own) == 1 else ConditionOR(list(own))
        trees = (ConditionAND([either, *(one.tree for one in filters)]),)
    return replace(
        detection, trees=trees, parts=field_parts(trees), keywords=has_keywords(trees), filters=filters, own=own
    )


def _trees(document: Document, body: Mapping[str, Any], given: Given) -> tuple[Any, ...]:
    """The filter's condition, read as a rule's would be; what is wrong with it is said of the filter."""
    selections = {name: value for name, value in body.items() if name != "rules"}
    lines = {_moved(key, "filter", "detection"): line for key, line in document.lines.items()}
    data = {key: value for key, value in document.data.items() if key != "filter"} | {"detection": selections}
    try:
        return parse_trees(replace(document, data=data, lines=lines), given)
    except RuleError as exc:
        where = exc.where
        if where is not None and where.key is not None:
            where = replace(where, key=_moved(where.key, "detection", "filter"))
        raise RuleError(exc.message, where=where, hint=exc.hint, code=exc.code) from None


def _moved(key: str, old: str, new: str) -> str:
    return new + key[len(old) :] if key == old or key.startswith(f"{old}.") else key


def _named(
    document: Document, rules: Any, source: Mapping[str, Any], references: References, *, strict: bool
) -> tuple[frozenset[str] | None, list[str]]:
    if isinstance(rules, str) and rules.lower() == "any":
        return None, []
    names = rules if isinstance(rules, list) else [rules]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise document.error(
            "a filter needs `rules`",
            "filter",
            "rules",
            hint="Ids or names of rules, or `any` for all of the logsource.",
        )
    keys, vain = set(), []
    for index, name in enumerate(names):
        at = ("filter", "rules", index)
        found = references.find(name, document)
        if not found and not strict:
            vain.append(f"filter {document.data['title']!r} names {name!r}, which is not among these rules")
            continue
        rule = references.one(name, document, *at)
        if rule.kind == "correlation":
            raise document.error(
                f"{name!r} is a correlation, and filters narrow detections", *at, hint="Name the rules it builds on."
            )
        if not _within(rule, source):
            said = f"{name!r} is of another logsource"
            if strict:
                raise document.error(said, *at, hint="A filter's logsource is that of its rules, or a part of it.")
            vain.append(f"filter {document.data['title']!r} does not apply: {said}")
        keys.add(rule.key)
    return frozenset(keys), vain


def _within(document: Document, source: Mapping[str, Any]) -> bool:
    """Has the rule all that the filter's logsource says?"""
    own = document.data.get("logsource")
    own = own if isinstance(own, dict) else {}
    return all(own.get(key) == source[key] for key in _LOGSOURCE if source.get(key))


def _expires(document: Document) -> date | None:
    own = document.data.get("detector")
    value = own.get("expires") if isinstance(own, dict) else None
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise document.error(
            f"{value!r} is no date", "detector", "expires", hint="The last day it applies: 2026-12-31."
        ) from None
