"""One matcher a kind of Sigma value: does this field's value match? Never NULL: an event without the field does not.

Comparison of texts disregards case unless `|cased`, by the engine's simple lower-casing, which `fold` does here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
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

from detector.rules.fields import NUMBER, SEPARATOR, Fields, Part, Views
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


def fold(text: str) -> str:
    """Lower case, character by character: the same as the engine's lower() for every character of Unicode."""
    return "".join(_fold_character(character) for character in text)


def plain(value: SigmaString) -> str | None:
    """The literal text of a value without wildcards, else None."""
    return None if value.contains_special() else "".join(part for part in value.s if isinstance(part, str))


def string(view: Views, value: SigmaString, fields: Fields) -> ir.BooleanValue:
    """Equality, or a match with `*` (any text, also none) and `?` (one character)."""
    del fields
    cased = isinstance(value, SigmaCasedString)
    text = view.text if cased else view.folded
    parts = [part if cased or not isinstance(part, str) else fold(part) for part in value.s]
    literal = plain(value)
    matched = _match_parts(text, parts)
    if literal is not None and re.search(NUMBER, literal) and view.kind in ("integer", "decimal"):
        matched = matched | _equals_number(view, _number(literal))
    return _sure(matched)


def number(view: Views, value: SigmaNumber, fields: Fields) -> ir.BooleanValue:
    """The same number, be it a number in the event or a text that reads as one."""
    del fields
    return _sure(_equals_number(view, value.number))


def boolean(view: Views, value: SigmaBool, fields: Fields) -> ir.BooleanValue:
    """True or false, be it a boolean in the event or the text `true` or `false`."""
    del fields
    return _sure(view.folded == ("true" if value.boolean else "false"))


def null(view: Views, value: SigmaNull, fields: Fields) -> ir.BooleanValue:
    """The event has no such field, or its value is null."""
    del value, fields
    return view.text.isnull()


def exists(view: Views, value: SigmaExists, fields: Fields) -> ir.BooleanValue:
    """The event has the field, whatever is in it (in JSON also null)."""
    del fields
    return view.present if value.exists else ~view.present


def regular_expression(view: Views, value: SigmaRegularExpression, fields: Fields) -> ir.BooleanValue:
    """The expression is found somewhere in the value; with regard to case, and `.` is no newline, unless flagged."""
    del fields
    return _sure(view.text.re_search(pattern(value)))


def comparison(view: Views, value: SigmaCompareExpression, fields: Fields) -> ir.BooleanValue:
    """A numeric comparison; a value that is no number does not match."""
    del fields
    return _sure(_COMPARE[value.op](view.number, value.number.number))


def network(view: Views, value: SigmaCIDRExpression, fields: Fields) -> ir.BooleanValue:
    """The value is an address within the network."""
    del fields
    if isinstance(value.network, IPv4Network):
        return _sure(in_ipv4(view.ipv4, value.network))
    return _sure(in_ipv6(view.ipv6, value.network))


def field_reference(view: Views, value: SigmaFieldReference, fields: Fields) -> ir.BooleanValue:
    """The value of another field of the same event; two missing fields are not equal."""
    other = fields.view(value.field)
    if value.starts_with and value.ends_with:
        return _sure(view.folded.contains(other.folded))
    if value.starts_with:
        return _sure(view.folded.startswith(other.folded))
    if value.ends_with:
        return _sure(view.folded.endswith(other.folded))
    same = view.folded == other.folded
    if "decimal" in (view.kind, other.kind):
        same = same | (view.number == other.number)
    return _sure(same)


def timestamp_part(view: Views, value: SigmaTimestampPart, fields: Fields) -> ir.BooleanValue:
    """A part (in UTC) of a value that is a time."""
    del fields
    return _sure(_PARTS[value.timestamp_part](view.time) == value.number)


Matcher = Callable[[Views, Any, Fields], ir.BooleanValue]

#: Sigma's value types, the more special first: their matcher, and the parts of the field that it looks at.
MATCHERS: tuple[tuple[type, Matcher, tuple[Part, ...]], ...] = (
    (SigmaCasedString, string, ("text", "number")),
    (SigmaString, string, ("folded", "number")),
    (SigmaTimestampPart, timestamp_part, ("time",)),
    (SigmaNumber, number, ("number",)),
    (SigmaBool, boolean, ("folded",)),
    (SigmaNull, null, ("text",)),
    (SigmaExists, exists, ("present",)),
    (SigmaRegularExpression, regular_expression, ("text",)),
    (SigmaCompareExpression, comparison, ("number",)),
    (SigmaCIDRExpression, network, ("ipv4", "ipv6")),
    (SigmaFieldReference, field_reference, ("folded", "number")),
)
#: What can be looked for without a field.
KEYWORDS = (SigmaString, SigmaNumber, SigmaRegularExpression)


def match(view: Views, value: object, fields: Fields) -> ir.BooleanValue:
    """Does the field's value match? Raises TypeError for a value that load.py should have refused."""
    for kind, matcher, _ in MATCHERS:
        if isinstance(value, kind):
            return matcher(view, value, fields)
    raise TypeError(f"no matcher for {type(value).__name__}")


def parts_of(value: object) -> frozenset[Part]:
    """The parts of a field that the matcher of a value looks at."""
    if isinstance(value, SigmaExpansion):
        return frozenset().union(*(parts_of(item) for item in value.values))
    return frozenset(next((parts for kind, _, parts in MATCHERS if isinstance(value, kind)), ()))


def keyword(value: object, fields: Fields) -> ir.BooleanValue:
    """A value without a field: found somewhere within any one value of the event."""
    if isinstance(value, SigmaRegularExpression):
        expression = pattern(value)
        return _sure(fields.all_values().filter(lambda text: text.re_search(expression)).length() > 0)
    if isinstance(value, SigmaCasedString):
        expression = "(?s)" + _as_expression(_stripped(list(value.s)))
        return _sure(fields.all_values().filter(lambda text: text.re_search(expression)).length() > 0)
    if isinstance(value, SigmaNumber):  # load.py refuses parts of times without a field
        return _sure(fields.all_text().contains(str(value.number)))
    if isinstance(value, SigmaString):
        parts = [fold(part) if isinstance(part, str) else part for part in _stripped(list(value.s))]
        if len(parts) == 1 and isinstance(parts[0], str):
            return _sure(fields.all_text().contains(parts[0]))
        return _sure(fields.all_text().re_search(_as_expression(parts, any_character=f"[^{SEPARATOR}]")))
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
    return text.re_search(r"(?s)\A" + _as_expression(parts) + r"\z")


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


def _sure(matched: ir.BooleanValue) -> ir.BooleanValue:
    return matched.fill_null(False)
