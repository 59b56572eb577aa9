"""Which fields a rule names, and whether its values can be theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from detector.errors import RuleError
from detector.rules.checks.kind import check
from detector.rules.document import Document
from detector.rules.names import ENUMERATIONS, feature_names, field_kind, known_fields, nearest
from detector.schema import ACTIONS, OUTCOMES

Path = tuple[str | int, ...]
_ORDER: Final = frozenset({"gt", "gte", "lt", "lte"})
_SPELLING: Final = frozenset({"contains", "startswith", "endswith", "re"})


@check(
    "unknown-field",
    "error",
    finds="a field that is neither a column of an event nor a feature: the rule would be silent for ever",
    mend="Correct it; the nearest known one is named.",
    bad="detection:\n  s: {streak_day|gte: 5}\n  condition: s\n",
    good="detection:\n  s: {streak_days|gte: 5}\n  condition: s\n",
)
def unknown_field(document: Document) -> Iterator[RuleError]:
    fields = known_fields()
    for field, path in fields_of(document):
        if field and field not in fields:
            yield document.error(f"unknown column or feature {field!r}", *path, hint=nearest(field, fields))


@check(
    "names-feature",
    "note",
    finds="a rule on a feature, which other products do not compute: it runs here alone",
    mend="Nothing, unless the rule is to run elsewhere: then write it on columns, with a correlation where it counts.",
    bad="detection:\n  s: {streak_days|gte: 5}\n  condition: s\n",
    good="detection:\n  s: {action: print}\n  condition: s\n",
)
def names_feature(document: Document) -> Iterator[RuleError]:
    features = feature_names()
    found: dict[str, Path] = {}
    for field, path in fields_of(document):
        if field in features:
            found.setdefault(field, path)
    if found:
        names = ", ".join(found)
        path = next(iter(found.values()))
        yield document.error(f"the rule runs here alone: {names} {'is' if len(found) == 1 else 'are'} computed", *path)


@check(
    "unknown-value",
    "error",
    finds="a value that the column can never have: `action` and `outcome` have a fixed set",
    mend=f"action: {', '.join(ACTIONS)}. outcome: {', '.join(OUTCOMES)}.",
    bad="detection:\n  s: {action: serach}\n  condition: s\n",
    good="detection:\n  s: {action: search}\n  condition: s\n",
)
def unknown_value(document: Document) -> Iterator[RuleError]:
    for field, modifiers, values, path in comparisons_of(document):
        if field not in ENUMERATIONS or modifiers:
            continue
        for index, value in enumerate(values):
            plain = isinstance(value, str) and value and not set("*?\\") & set(value)
            if plain and value.lower() not in ENUMERATIONS[field]:
                yield document.error(
                    f"{field} is never {value!r}", *path, index, hint=nearest(value.lower(), ENUMERATIONS[field])
                )


@check(
    "number-or-text",
    "warning",
    finds="a column of texts compared by size, or a number by its spelling",
    mend="`gt gte lt lte` for numbers; `contains startswith endswith re` for texts.",
    bad="detection:\n  s: {streak_days|contains: '5'}\n  condition: s\n",
    good="detection:\n  s: {streak_days|gte: 5}\n  condition: s\n",
)
def number_or_text(document: Document) -> Iterator[RuleError]:
    for field, modifiers, _, path in comparisons_of(document):
        kind = field_kind(field)
        size, spelling = sorted(_ORDER & set(modifiers)), sorted(_SPELLING & set(modifiers))
        if kind == "text" and size:
            yield document.error(f"{field} is a text, compared by size ({size[0]})", *path)
        elif kind in ("integer", "decimal") and spelling and "fieldref" not in modifiers:
            yield document.error(f"{field} is a number, compared by its spelling ({spelling[0]})", *path)


@check(
    "wildcard-for-modifier",
    "note",
    finds="`*text*` where a modifier says the same more plainly",
    mend="`field|contains: text`, `field|startswith: text` or `field|endswith: text`.",
    bad="detection:\n  s: {reason_text: '*test*'}\n  condition: s\n",
    good="detection:\n  s: {reason_text|contains: test}\n  condition: s\n",
)
def wildcard_for_modifier(document: Document) -> Iterator[RuleError]:
    for field, modifiers, values, path in comparisons_of(document):
        if not field or modifiers or not all(isinstance(value, str) for value in values):
            continue
        shapes = {(value.startswith("*"), value.endswith("*")) for value in values}
        inner = [value.strip("*") for value in values]
        if (
            len(shapes) == 1
            and shapes != {(False, False)}
            and all(inner)
            and not any(set("*?\\") & set(i) for i in inner)
        ):
            ((opens, closes),) = shapes
            modifier = "contains" if opens and closes else "endswith" if opens else "startswith"
            yield document.error(f"a wildcard where `{field}|{modifier}` says the same", *path)


CHECKS: Final = (unknown_field, names_feature, unknown_value, number_or_text, wildcard_for_modifier)


def fields_of(document: Document) -> Iterator[tuple[str, Path]]:
    """Every field a rule names, with its place: in selections, `fieldref` values, `group-by`, correlations' values."""
    for field, modifiers, values, path in comparisons_of(document):
        if field:
            yield field, path
        if "fieldref" in modifiers:
            yield from ((str(other), path) for other in values)
    body = document.data.get("correlation")
    if isinstance(body, dict):
        condition = body.get("condition")
        places = (
            (body.get("group-by"), ("correlation", "group-by")),
            (condition.get("field") if isinstance(condition, dict) else None, ("correlation", "condition", "field")),
        )
        aliases = body.get("aliases")
        made = frozenset(aliases) if isinstance(aliases, dict) else frozenset()
        for names, path in places:
            yield from ((str(name), path) for name in _list(names) if name not in made)
        for alias, fields in aliases.items() if isinstance(aliases, dict) else ():
            for field in fields.values() if isinstance(fields, dict) else ():
                yield str(field), ("correlation", "aliases", str(alias))


def comparisons_of(document: Document) -> Iterator[tuple[str, list[str], list[Any], Path]]:
    """Every comparison of the selections (a filter's too): field ('' for keywords), modifiers, values, where."""
    for top in ("detection", "filter"):
        body = document.data.get(top)
        for name, definition in body.items() if isinstance(body, dict) else ():
            if name not in ("condition", "rules"):
                yield from _comparisons(definition, (top, str(name)))


def _comparisons(definition: Any, path: Path) -> Iterator[tuple[str, list[str], list[Any], Path]]:
    if isinstance(definition, dict):
        for key, value in definition.items():
            field, *modifiers = str(key).split("|")
            yield field, modifiers, value if isinstance(value, list) else [value], (*path, str(key))
    elif isinstance(definition, list) and any(isinstance(item, dict | list) for item in definition):
        for index, item in enumerate(definition):
            yield from _comparisons(item, (*path, index))
    else:
        yield "", [], _list(definition), path


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
