"""Sigma detections as anyone would write them down: one event, one comparison at a time, from the rule's own YAML.

Slow, reading keys and conditions by itself, and sharing no code with the program or with pySigma.
"""

from __future__ import annotations

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Event = Mapping[str, Any]
Detection = Mapping[str, Any]
#: A field that is not there.
ABSENT = object()

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
}


def holds(detection: Detection, event: Event) -> bool:
    """Does the condition hold? It may use the selections' names, and, or, not, brackets, `1 of` and `all of`."""
    seen = {name: selected(body, event) for name, body in detection.items() if name != "condition"}

    def some(match: re.Match[str]) -> str:
        names = [name for name in seen if match[2] == "them" or re.fullmatch(match[2].replace("*", ".*"), name)]
        return f"({(' or ' if match[1] == '1' else ' and ').join(names)})"

    words = re.sub(r"\b(1|all) of ([\w*]+)", some, detection["condition"])
    return bool(eval(words, {}, seen))  # noqa: S307 - the test's own words


def selected(body: Any, event: Event) -> bool:
    if isinstance(body, dict):
        return all(item(key, value, event) for key, value in body.items())
    if isinstance(body, list) and any(isinstance(one, dict) for one in body):
        return any(selected(one, event) for one in body)
    return any(keyword(word, event) for word in (body if isinstance(body, list) else [body]))


def item(key: str, value: Any, event: Event) -> bool:
    field, *modifiers = key.split("|")
    values = value if isinstance(value, list) else [value]
    each = [one_value(find(event, field), one, modifiers, event) for one in values]
    found = all(each) if "all" in modifiers else any(each)
    return not found if "neq" in modifiers else found


def one_value(given: Any, wanted: Any, modifiers: list[str], event: Event) -> bool:
    if "exists" in modifiers:
        return bool(wanted) == (given is not ABSENT)
    if wanted is None:
        return given is ABSENT or given is None or given == [] or (isinstance(given, list) and None in given)
    others = [wanted]
    if "fieldref" in modifiers:
        other = find(event, wanted)
        if is_number(given) and is_number(other):
            return bool(given == other)
        others = other if isinstance(other, list) else [other]
    elements = given if isinstance(given, list) else [given]
    present = [one for one in elements if one is not ABSENT and one is not None]
    return any(scalar(one, other, modifiers) for one in present for other in others)


def is_number(value: Any) -> bool:
    """Outside a list; of what lies in one, only the text counts."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def scalar(given: Any, wanted: Any, modifiers: list[str]) -> bool:
    text = as_text(given)
    if "fieldref" in modifiers:
        return wanted is not ABSENT and wanted is not None and text.lower() == as_text(wanted).lower()
    if "re" in modifiers:
        flags = (re.I if "i" in modifiers else 0) | (re.S if "s" in modifiers else 0)
        return re.search(wanted, text, flags) is not None
    if "cidr" in modifiers:
        return within(text, wanted)
    if isinstance(wanted, bool):
        return text.lower() == str(wanted).lower()
    if isinstance(wanted, int | float):
        number = as_number(given)
        compare = next((_COMPARE[name] for name in modifiers if name in _COMPARE), operator.eq)
        return number is not None and compare(number, wanted)
    return like_text(text, wanted, modifiers)


def within(text: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(network)
    except ValueError:
        return False


def like_text(text: str, wanted: str, modifiers: list[str]) -> bool:
    pattern = list(signs(wanted))
    if "contains" in modifiers or "startswith" in modifiers:
        pattern = [*pattern, "any"]
    if "contains" in modifiers or "endswith" in modifiers:
        pattern = ["any", *pattern]
    if "cased" in modifiers:
        return like(pattern, text)
    return like([sign.lower() if len(sign) == 1 else sign for sign in pattern], text.lower())


def keyword(word: Any, event: Event) -> bool:
    """Within any one value, at any depth."""
    pattern = ["any", *(sign.lower() if len(sign) == 1 else sign for sign in signs(str(word))), "any"]
    return any(like(pattern, as_text(value).lower()) for value in leaves(event))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def find(event: Event, field: str) -> Any:
    """A field by its name; `a.b` also as b within a, or within each of a list of objects."""
    if field in event:
        return event[field]
    outer, dot, inner = field.partition(".")
    within = event.get(outer) if dot else None
    if isinstance(within, list):
        return [one[inner] for one in within if inner in one]
    return within.get(inner, ABSENT) if isinstance(within, Mapping) else ABSENT


def signs(text: str) -> Iterator[str]:
    r"""A value's characters, `any` for `*` and `one` for `?`; `\` takes the meaning of `*`, `?` and itself away."""
    place = 0
    while place < len(text):
        sign = text[place]
        if sign == "\\" and text[place + 1 : place + 2] in ("*", "?", "\\"):
            place += 1
            yield text[place]
        else:
            yield {"*": "any", "?": "one"}.get(sign, sign)
        place += 1


def like(pattern: list[str], text: str) -> bool:
    """Does the whole text fit? By the set of places in the pattern that each further character can lead to."""

    def onward(places: set[int]) -> set[int]:
        for place in range(len(pattern)):
            if place in places and pattern[place] == "any":
                places.add(place + 1)
        return places

    places = onward({0})
    for character in text:
        after = {place for place in places if place < len(pattern) and pattern[place] == "any"}
        after |= {place + 1 for place in places if place < len(pattern) and pattern[place] in (character, "one")}
        places = onward(after)
    return len(pattern) in places


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None
