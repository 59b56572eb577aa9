"""One matcher a kind of Sigma value: does this field's value match? NULL, where the event has no such value, is no.

Where the value is a list, it matches if any of its elements does. Comparison of texts disregards case unless `|cased`,
by the engine's simple lower-casing, which `fold` does here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network
from typing import Any

import ibis
import ibis.expr.types as ir
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

from detector.rules.fields import NUMBER, SEPARATOR, Fields, Part, Raw, Views, views_of
from detector.rules.network import in_ipv4, in_ipv6

#: Integers from here on are not exact as a float64; a rule gives them as texts.
EXACT = 1 << 53

_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARE: dict[CompareOperators, Callable[[Any, Any], Any]] = {
    CompareOperators.LT: operator.lt,
    CompareOperators.LTE: operator.le,
    CompareOperators.GT: operator.gt,
    CompareOperators.GTE: operator.ge,
    CompareOperators.NEQ: operator.ne,
}
_PARTS: dict[TimestampPart, Callable[[ir.TimestampValue], ir.IntegerValue]] = {
    TimestampPart.MINUTE: lambda time: time.minute(),
    TimestampPart.HOUR: lambda time: time.hour(),
    TimestampPart.DAY: lambda time: time.day(),
    TimestampPart.WEEK: lambda time: time.week_of_year(),
    TimestampPart.MONTH: lambda time: time.month(),
    TimestampPart.YEAR: lambda time: time.year(),
}


@dataclass(frozen=True)
class OneOf:
    """Any of many plain texts, folded: one look-up in a set, however many they are."""

    literals: tuple[str, ...]


@dataclass(frozen=True)
class LikeOneOf:
    """Any of many texts with wildcards, folded: one expression, which reads the value once."""

    texts: tuple[tuple[Any, ...], ...]


def fold(text: str) -> str:
    """Lower case, character by character: the same as the engine's lower() for every character of Unicode."""
    return "".join(_fold_character(character) for character in text)


def plain(value: SigmaString) -> str | None:
    """The literal text of a value without wildcards, else None."""
    return None if value.contains_special() else "".join(part for part in value.s if isinstance(part, str))


def folded(value: SigmaString) -> tuple[Any, ...]:
    """Its texts, folded, and wildcards."""
    return tuple(fold(part) if isinstance(part, str) else part for part in value.s)


def string(view: Views, value: SigmaString) -> ir.BooleanValue:
    """Equality, or a match with `*` (any text, also none) and `?` (one character)."""
    cased = isinstance(value, SigmaCasedString)
    matched = _match_parts(view.text, list(value.s)) if cased else _match_parts(view.folded, list(folded(value)))
    literal = plain(value)
    if literal is not None and view.kind in ("integer", "decimal") and re.search(NUMBER, literal):
        matched = matched | _equals_number(view, _number(literal))
    return matched


def one_of(view: Views, value: OneOf) -> ir.BooleanValue:
    """Is the text one of these?"""
    return view.folded.isin(value.literals)


def like_one_of(view: Views, value: LikeOneOf) -> ir.BooleanValue:
    """Is the text like one of these?"""
    if len(value.texts) == 1:
        return _match_parts(view.folded, list(value.texts[0]))
    return view.folded.re_search("(?s)" + "|".join(_anchored(list(text)) for text in value.texts))


def number(view: Views, value: SigmaNumber) -> ir.BooleanValue:
    """The same number, be it a number in the event or a text that reads as one."""
    return _equals_number(view, value.number)


def boolean(view: Views, value: SigmaBool) -> ir.BooleanValue:
    """True or false, be it a boolean in the event or the text `true` or `false`."""
    return view.folded == ("true" if value.boolean else "false")


def null(view: Views, value: SigmaNull) -> ir.BooleanValue:
    """The event has no such field, or its value is null."""
    del value
    return view.text.isnull()


def exists(view: Views, value: SigmaExists) -> ir.BooleanValue:
    """The event has the field, whatever is in it (in JSON also null)."""
    return view.present if value.exists else ~view.present


def regular_expression(view: Views, value: SigmaRegularExpression) -> ir.BooleanValue:
    """The expression is found somewhere in the value; with regard to case, and `.` is no newline, unless flagged."""
    return view.text.re_search(pattern(value))


def comparison(view: Views, value: SigmaCompareExpression) -> ir.BooleanValue:
    """A numeric comparison; a value that is no number does not match. `|hour|gt: 3` compares the part of a time."""
    part = _time_part(value)
    found = view.number if part is None else _PARTS[part](view.time)
    return _COMPARE[value.op](found, value.number.number)


def network(view: Views, value: SigmaCIDRExpression) -> ir.BooleanValue:
    """The value is an address within the network."""
    if isinstance(value.network, IPv4Network):
        return in_ipv4(view.text, value.network)
    return in_ipv6(view.ipv6, value.network)


def timestamp_part(view: Views, value: SigmaTimestampPart) -> ir.BooleanValue:
    """A part (in UTC) of a value that is a time."""
    return _PARTS[value.timestamp_part](view.time) == value.number


def field_reference(view: Views, value: SigmaFieldReference, other: Views) -> ir.BooleanValue:
    """The value of another field of the same event; two missing fields are not equal."""
    if value.starts_with and value.ends_with:
        return view.folded.contains(other.folded)
    if value.starts_with:
        return view.folded.startswith(other.folded)
    if value.ends_with:
        return view.folded.endswith(other.folded)
    same = view.folded == other.folded
    if "decimal" in (view.kind, other.kind):
        return same | (view.number == other.number)
    if "document" in (view.kind, other.kind):
        # 5 and 5.0, but not the texts 5 and 05; two whole numbers are compared as they are written, to the last digit
        fraction = view.folded.re_search("[.e]") | other.folded.re_search("[.e]")
        return same | (view.numeric & other.numeric & fraction & (view.number == other.number))
    return same


Matcher = Callable[[Views, Any], ir.BooleanValue]

#: Kinds of values, the more special first: their matcher, and the parts of the field that it looks at.
MATCHERS: tuple[tuple[type, Matcher, tuple[Part, ...]], ...] = (
    (OneOf, one_of, ("folded",)),
    (LikeOneOf, like_one_of, ("folded",)),
    (SigmaCasedString, string, ("text", "number")),
    (SigmaString, string, ("folded", "number")),
    (SigmaTimestampPart, timestamp_part, ("time",)),
    (SigmaNumber, number, ("number",)),
    (SigmaBool, boolean, ("folded",)),
    (SigmaNull, null, ("text",)),
    (SigmaExists, exists, ("present",)),
    (SigmaRegularExpression, regular_expression, ("text",)),
    (SigmaCompareExpression, comparison, ("number",)),
    (SigmaCIDRExpression, network, ("text",)),
)
#: What can be looked for without a field.
KEYWORDS = (SigmaString, SigmaNumber, SigmaRegularExpression)


def match(view: Views, value: object, fields: Fields) -> ir.BooleanValue:
    """Does the field's value match? Raises TypeError for a value that load.py should have refused."""
    if isinstance(value, SigmaFieldReference):
        other = fields.view(value.field)
        if other.elements is None:
            return _any_element(view, lambda one: field_reference(one, value, other))
        # not through _any_element twice: the engine would take the two lambdas' parameters of one name for one
        others = other.elements.filter(
            lambda second: _any_element(view, lambda one: field_reference(one, value, _element(second)))
        )
        alone = _any_element(view, lambda one: field_reference(one, value, other))
        return ibis.ifelse(other.elements.notnull(), others.length() > 0, alone)
    for kind, matcher, _ in MATCHERS:
        if isinstance(value, kind):
            if kind is SigmaExists or view.elements is None:
                return matcher(view, value)
            if kind is SigmaNull:
                return _null_in_list(view, view.elements)
            return _any_element(view, partial(_apply, matcher, value))
    raise TypeError(f"no matcher for {type(value).__name__}")


def _apply(matcher: Matcher, value: object, view: Views) -> ir.BooleanValue:
    return matcher(view, value)


def parts_of(value: object) -> frozenset[Part]:
    """The parts of a field that the matcher of a value looks at."""
    if isinstance(value, SigmaExpansion):
        return frozenset().union(*(parts_of(item) for item in value.values))
    if isinstance(value, SigmaFieldReference):
        return frozenset(("folded", "number", "numeric"))
    if isinstance(value, SigmaCompareExpression) and _time_part(value):
        return frozenset(("time",))
    if isinstance(value, SigmaCIDRExpression) and not isinstance(value.network, IPv4Network):
        return frozenset(("ipv6",))
    return frozenset(next((parts for kind, _, parts in MATCHERS if isinstance(value, kind)), ()))


def _time_part(value: SigmaCompareExpression) -> TimestampPart | None:
    """Which part of a time is compared, if one is."""
    number: Any = value.number
    return number.timestamp_part if isinstance(number, SigmaTimestampPart) else None


def _any_element(view: Views, matcher: Callable[[Views], ir.BooleanValue]) -> ir.BooleanValue:
    """The matcher on the value, or on any element where the value is a list."""
    if view.elements is None:
        return matcher(view)
    found = view.elements.filter(lambda text: matcher(_element(text))).length() > 0
    if view.kind == "list":
        return found
    return ibis.ifelse(view.elements.notnull(), found, matcher(view))


def _null_in_list(view: Views, elements: ir.ArrayValue) -> ir.BooleanValue:
    """An empty list has no value, and so has a list with a null."""
    nothing = (elements.length() == 0) | (elements.filter(lambda text: text.isnull()).length() > 0)
    return ibis.ifelse(elements.notnull(), nothing, view.text.isnull())


def _element(text: ir.StringValue) -> Views:
    return views_of(Raw("document", text, text.notnull()))


def keyword(value: object, fields: Fields) -> ir.BooleanValue:
    """A value without a field: found somewhere within any one value of the event."""
    if isinstance(value, SigmaRegularExpression):
        expression = pattern(value)
        return fields.all_values().filter(lambda text: text.re_search(expression)).length() > 0
    if isinstance(value, SigmaCasedString):
        expression = "(?s)" + _as_expression(_stripped(list(value.s)))
        return fields.all_values().filter(lambda text: text.re_search(expression)).length() > 0
    if isinstance(value, SigmaNumber):  # load.py refuses parts of times without a field
        return fields.all_text().contains(str(value.number))
    if isinstance(value, SigmaString):
        parts = [fold(part) if isinstance(part, str) else part for part in _stripped(list(value.s))]
        if len(parts) == 1 and isinstance(parts[0], str):
            return fields.all_text().contains(parts[0])
        return fields.all_text().re_search(_as_expression(parts, any_character=f"[^{SEPARATOR}]"))
    raise TypeError(f"no keyword for {type(value).__name__}")


def pattern(value: SigmaRegularExpression) -> str:
    """The expression for the engine's search, with exactly its own flags."""
    on = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    # said outright, because engines and versions of Ibis differ in what they switch on for a search
    off = "" if "s" in on else "-s"
    return f"(?{on}{off}){value.regexp.to_plain_regex()}"


def _fold_character(character: str) -> str:
    if character == "İ":
        return "i"
    lower = character.lower()
    return lower if len(lower) == 1 else character


def _match_parts(text: ir.StringValue, parts: list[Any]) -> ir.BooleanValue:
    """`parts` (texts and wildcards) against the whole of `text`, by the cheapest way that says the same."""
    literals = [part for part in parts if isinstance(part, str)]
    wildcards = [part for part in parts if not isinstance(part, str)]
    if not wildcards:
        return text == "".join(literals)
    if SpecialChars.WILDCARD_SINGLE not in wildcards and len(literals) <= 1:
        opens, closes = not isinstance(parts[0], str), not isinstance(parts[-1], str)
        if not literals:
            return text.notnull()
        if opens and closes:
            return text.contains(literals[0])
        return text.endswith(literals[0]) if opens else text.startswith(literals[0])
    return text.re_search("(?s)" + _anchored(parts))


def _anchored(parts: list[Any]) -> str:
    """An expression for a search that says whole value, but for a `*` at either end."""
    opens, closes = (part is SpecialChars.WILDCARD_MULTI for part in (parts[0], parts[-1]))
    return ("" if opens else r"\A") + _as_expression(_stripped(parts)) + ("" if closes else r"\z")


def _as_expression(parts: list[Any], any_character: str = ".") -> str:
    spelled = {SpecialChars.WILDCARD_MULTI: any_character + "*", SpecialChars.WILDCARD_SINGLE: any_character}
    return "".join(_quote(part) if isinstance(part, str) else spelled[part] for part in parts)


def _quote(text: str) -> str:
    """A literal for RE2 and for Java: every ASCII character that could mean something, escaped."""
    return "".join(f"\\{c}" if c in r"\.+*?()|[]{}^$" else c for c in text)


def _stripped(parts: list[Any]) -> list[Any]:
    """Without `*` at either end, which add nothing to a search anywhere."""
    while len(parts) > 1 and parts[0] is SpecialChars.WILDCARD_MULTI:
        parts = parts[1:]
    while len(parts) > 1 and parts[-1] is SpecialChars.WILDCARD_MULTI:
        parts = parts[:-1]
    return parts


def _equals_number(view: Views, wanted: float) -> ir.BooleanValue:
    if view.kind in ("boolean", "time"):
        return ibis.literal(False)
    return view.number == wanted


def _number(text: str) -> float:
    try:
        whole = int(text)
    except ValueError:
        return float(text)
    return whole if abs(whole) < 1 << 63 else float(text)
