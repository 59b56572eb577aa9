"""Which fields a rule names, and whether its values can be theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from detector.errors import RuleError
from detector.rules.checks.kind import check
from detector.rules.checks.possible import bounds, takes
from detector.rules.document import Document
from detector.rules.names import (
    ENUMERATIONS,
    ORDER,
    TIME_PARTS,
    feature_names,
    field_kind,
    known_fields,
    nearest,
    one_of,
)
from detector.schema import ACTIONS, OUTCOMES

Path = tuple[str | int, ...]
#: Another spelling of the number that anybody takes it for: not octal (`010`), by sixties (`1:30`), or endless.
_SAME_NUMBER: Final = re.compile(
    r"[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+|(0|[1-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?)"
)
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
    finds="a value that the column, the feature or the part of a time can never have: an `action` of no such name, the "
    "25th hour, a percentile of 120",
    mend=f"action: {', '.join(ACTIONS)}. outcome: {', '.join(OUTCOMES)}. Features: docs/features.md.",
    bad="detection:\n  s: {action: serach}\n  condition: s\n",
    good="detection:\n  s: {action: search}\n  condition: s\n",
)
def unknown_value(document: Document) -> Iterator[RuleError]:
    for field, modifiers, values, path in comparisons_of(document):
        of = "|".join([field, *modifiers])
        if modifiers and not (len(modifiers) == 1 and modifiers[0] in TIME_PARTS):
            continue
        for index, value in enumerate(values):
            if _never(of, value):
                hint = one_of(value, ENUMERATIONS[field]) if field in ENUMERATIONS else f"{takes(of)}."
                at = _place(document, path, index)
                said = document.unquoted.get(".".join(map(str, at)), value)
                yield document.error(f"{of} is never {said!r}", *at, hint=hint)


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
        size, spelling = sorted(ORDER & set(modifiers)), sorted(_SPELLING & set(modifiers))
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


@check(
    "unquoted-value",
    "warning",
    finds="a value without quotes that YAML reads as something else than it says: `no` as false, `010` as 8, `12:30` "
    "as 750, nothing at all as null; or that other readers of YAML would (`1e3`)",
    mend="Put it in quotes if it is a text; if not, write true, false, null or the plain number.",
    bad="detection:\n  s: {unit: no}\n  condition: s\n",
    good="detection:\n  s: {unit: 'no'}\n  condition: s\n",
)
def unquoted_value(document: Document) -> Iterator[RuleError]:
    for field, modifiers, values, path in comparisons_of(document):
        for index, value in enumerate(values):
            at = _place(document, path, index)
            written = document.unquoted.get(".".join(map(str, at)))
            if written is not None and not _as_meant(written, value, field, modifiers):
                yield _unquoted(document, written, value, at)
    for key in sorted(document.unquoted_keys):
        names = key.split(".")
        if names[0] in ("detection", "filter", "correlation"):
            yield document.error(
                f"the name {names[-1]!r} without quotes is read as something else",
                *names,
                hint=f"Put it in quotes: '{names[-1]}'.",
            )
    for key, written in document.unquoted.items():
        if key.startswith("correlation.") and not _SAME_NUMBER.fullmatch(written) and key != "correlation.generate":
            yield _unquoted(document, written, _value_at(document.data, key), tuple(key.split(".")))


@check(
    "lone-all",
    "warning",
    finds="`|all` on one value, which changes nothing",
    mend="Write the other values as a list, or take `|all` away.",
    bad="detection:\n  s: {reason_text|contains|all: test}\n  condition: s\n",
    good="detection:\n  s: {reason_text|contains|all: [test, only]}\n  condition: s\n",
)
def lone_all(document: Document) -> Iterator[RuleError]:
    for _, modifiers, values, path in comparisons_of(document):
        if "all" in modifiers and len(values) == 1:
            yield document.error("`all` of one value changes nothing", *path, hint="Are the other values missing?")


@check(
    "null-in-list",
    "warning",
    finds="null among the values of a list: every event without the field matches, too",
    mend="If that is meant, say it in a selection of its own (`none: {unit: null}`, `condition: 1 of …`); if the text "
    "null is meant, put it in quotes.",
    bad="detection:\n  s: {unit: [Traffic, null]}\n  condition: s\n",
    good="detection:\n  s: {unit: [Traffic, 'null']}\n  condition: s\n",
)
def null_in_list(document: Document) -> Iterator[RuleError]:
    for field, _, values, path in comparisons_of(document):
        # null beside '' and the like is a list of the ways to be blank
        if None in values and any(re.search(r"\w", str(value)) for value in values if value is not None):
            yield document.error(
                f"null among other values: every event without {field} matches, too",
                *_place(document, path, values.index(None)),
                hint="Give null a selection of its own, or write 'null' if the text is meant.",
            )


CHECKS: Final = (
    unknown_field,
    names_feature,
    unknown_value,
    number_or_text,
    wildcard_for_modifier,
    unquoted_value,
    lone_all,
    null_in_list,
)


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
        made = frozenset(map(str, aliases)) if isinstance(aliases, dict) else frozenset()
        for names, path in places:
            yield from ((str(name), path) for name in _list(names) if str(name) not in made)
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


def _place(document: Document, path: Path, index: int) -> Path:
    """Where one of the values is: in a list, or alone."""
    at = (*path, index)
    return at if ".".join(map(str, at)) in document.lines else path


def _never(field: str, value: Any) -> bool:
    """Can the field, or the part of a time, not be this value? Only where that is sure."""
    if field in ENUMERATIONS:
        plain = isinstance(value, str) and value and not set("*?\\") & set(value)
        return bool(plain) and value.lower() not in ENUMERATIONS[field]
    kind = "integer" if "|" in field else field_kind(field)
    if kind == "boolean":
        return value is not None and str(value).lower() not in ("true", "false") and not str(value).count("*")
    if kind not in ("integer", "decimal") or value is None:
        return False
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return not set("*?%") & set(str(value))
    low, high, whole = bounds(field)
    beyond = (low is not None and number < low) or (high is not None and number > high)
    return isinstance(value, bool) or beyond or (whole and not number.is_integer())


def _as_meant(written: str, value: Any, field: str, modifiers: list[str]) -> bool:
    """Is what YAML makes of it what belongs there anyway?"""
    kind = field_kind(field)
    if isinstance(value, bool):
        return kind == "boolean" or "exists" in modifiers
    if isinstance(value, int | float):
        counted = kind in ("integer", "decimal") or bool((ORDER | TIME_PARTS) & set(modifiers))
        return counted and _SAME_NUMBER.fullmatch(written) is not None
    return False


def _value_at(data: Any, key: str) -> Any:
    for part in key.split("."):
        data = data[int(part)] if isinstance(data, list) else data.get(part) if isinstance(data, dict) else None
    return data


def _unquoted(document: Document, written: str, value: Any, at: Path) -> RuleError:
    if written == "":
        return document.error("no value is written, which is read as null", *at, hint="Write null, or the value.")
    if isinstance(value, str):
        said = f"{written} is a text here, and a number to other readers of YAML"
        return document.error(said, *at, hint=f"Write the plain number, or put it in quotes: '{written}'.")
    read = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    plain = f"write {read}" if value is None or isinstance(value, bool) else f"write {read} if it is that number"
    return document.error(f"{written} is read as {read}", *at, hint=f"Put it in quotes: '{written}'; or {plain}.")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
