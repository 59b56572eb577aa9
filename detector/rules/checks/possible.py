"""Which comparisons of one field can hold together.

A field has one value (or none) in an event, so `action: view` and `action: print` cannot both hold, nor can `gt: 5` and
`lt: 3`. The values are cut into regions in which every comparison that can be judged has one outcome: each text that a
rule names, each number and each gap between numbers, any other text, no value. What cannot be judged in a region is
left open there, so a combination is called impossible only where it is: never the other way round.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import re2  # type: ignore[import-untyped]
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from detector.rules.fields import NUMBER
from detector.rules.names import ENUMERATIONS, field_bounds, field_kind
from detector.rules.values import fold, pattern, plain
from detector.schema import EVENT_SCHEMA

#: Parts of a time, from the first to the last.
_PART_BOUNDS = {
    "minute": (0.0, 59.0),
    "hour": (0.0, 23.0),
    "day": (1.0, 31.0),
    "week": (1.0, 53.0),
    "month": (1.0, 12.0),
    "year": (1.0, 9999.0),
}
#: (one, other, implied): where one holds, the other must (implied) or cannot.
Tie = tuple[int, int, bool]


@dataclass(frozen=True)
class Pattern:
    """One way that the atoms of a field can stand: True, False, or None where either can be, but for `ties`."""

    holds: tuple[bool | None, ...]
    ties: tuple[Tie, ...] = ()


def compared(field: str, value: Any) -> str:
    """What of the field a value is compared with: itself, or `field|hour` and the like."""
    part = value.number if isinstance(value, SigmaCompareExpression) else value
    return f"{field}|{part.timestamp_part.name.lower()}" if isinstance(part, SigmaTimestampPart) else field


def bounds(field: str) -> tuple[float | None, float | None, bool]:
    """The least and the greatest number that a field or a part of a time can be, and whether it is a whole one."""
    part = field.partition("|")[2]
    return (*_PART_BOUNDS[part], True) if part else field_bounds(field)


def takes(field: str) -> str | None:
    """What values a column, a feature or a part of a time has, where they are bounded: for people."""
    name, _, part = field.partition("|")
    if field in ENUMERATIONS:
        return f"{field} is one of {', '.join(ENUMERATIONS[field])}"
    kind = "integer" if part else field_kind(name)
    if kind == "boolean":
        return f"{field} is true or false"
    if kind not in ("integer", "decimal"):
        return None
    low, high, whole = bounds(field)
    if (low, high, whole) == (0.0, 1.0, True):
        return f"{field} is 0 or 1"
    if low is None:
        return f"{field} is a number"
    noun = "a whole number" if whole else "a number"
    return f"{field} is {noun} from {low:g} {'on' if high is None else f'to {high:g}'}"


def holds_for_all(field: str, value: Any) -> bool:
    """Does it hold for whatever the field can be, if it is there at all?"""
    if isinstance(value, SigmaExists | SigmaNull):
        return False
    of = compared(field, value)
    return all(_judge(value, region) for region in _regions(of, [value]) if region.kind != "absent")


def patterns(field: str, atoms: Sequence[Sequence[Any]]) -> set[Pattern]:
    """Every way that the atoms of a field (each a list of values, any of which holds) can stand together."""
    choices = [_Choice.of(list(flat(values))) for values in atoms]
    named = [value for values in atoms for value in flat(values)]
    found = {tuple(choice.judge(region) for choice in choices) for region in _regions(field, named)}
    return {Pattern(holds, _ties(holds, choices)) for holds in found}


class Covering:
    """Which of some values, texts with wildcards, hold wherever another of them does; only where that is sure."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        # once for each, as the values of a list are compared each with each
        self.shapes = [None if is_plain(value) else _shape(value) for value in values]
        self.texts = [fold(plain(value) or "") if is_plain(value) else None for value in values]
        self.wide = [index for index, text in enumerate(self.texts) if text is None]

    def over(self, index: int) -> Iterator[Any]:
        """The values that cover the one of that index."""
        text, narrow = self.texts[index], self.shapes[index]
        for at in self.wide:
            value, wide = self.values[at], self.shapes[at]
            if at == index:
                continue
            if text is not None:
                found = _holds_in(wide, text) if wide else isinstance(value, SigmaString) and _matches(value, text)
                if found and not isinstance(value, SigmaCasedString):
                    yield value
            # the same text twice is told of by its second place alone
            elif wide != narrow and _implies(wide=wide, narrow=narrow):
                yield value


def _holds_in(shape: _Shape, text: str) -> bool:
    if shape is None:
        return False
    kind, fixed = shape
    return fixed in text if kind == "contains" else text.startswith(fixed) if kind == "starts" else text.endswith(fixed)


@dataclass(frozen=True)
class _Choice:
    """The values of one atom: plain texts, of which there may be thousands, as a set; the rest one by one."""

    literals: frozenset[str]
    others: tuple[Any, ...]

    @classmethod
    def of(cls, values: Sequence[Any]) -> _Choice:
        plain_ones = [value for value in values if is_plain(value)]
        # a text that reads as a number may equal a number that is spelled otherwise
        numeric = [value for value in plain_ones if re.search(NUMBER, plain(value) or "")]
        others = [value for value in values if not is_plain(value)]
        return cls(frozenset(fold(plain(value) or "") for value in plain_ones), (*others, *numeric))

    def judge(self, region: _Region) -> bool | None:
        if region.text is not None and fold(region.text) in self.literals:
            return True
        judged = _any([_judge(value, region) for value in self.others])
        return bool(judged) if judged is not None else None


def is_plain(value: Any) -> bool:
    """A text without wildcards, compared regardless of case."""
    return isinstance(value, SigmaString) and not isinstance(value, SigmaCasedString) and plain(value) is not None


def _ties(holds: Sequence[bool | None], choices: Sequence[_Choice]) -> tuple[Tie, ...]:
    free = [index for index, one in enumerate(holds) if one is None]
    return tuple(
        (one, other, implied)
        for one in free
        for other in free
        if one != other
        for implied in (True, False)
        if _tied(choices[one].others, choices[other].others, implied=implied)
    )


@dataclass(frozen=True)
class _Region:
    """Some values of a field. `text` is one very value, `number` one number however spelled; neither is other text."""

    kind: str
    present: bool = True
    text: str | None = None
    number: float | None = None
    exact: bool = True  # the case of the text is known


def _regions(field: str, values: Sequence[Any]) -> Iterator[_Region]:
    name, _, part = field.partition("|")
    kind = field_kind(name)
    column = EVENT_SCHEMA.field(name) if name in EVENT_SCHEMA.names else None
    if column is None or column.nullable:
        yield _Region("absent", present=False)
    if part:
        if kind != "time":
            yield _Region("absent", present=True)  # there, and no time
        yield from (_Region("number", number=number) for number in _numbers(field, values))
        return
    if kind == "other":
        yield _Region("absent", present=True)  # JSON's null: there, and yet no value
    if field in ENUMERATIONS:
        yield from (_Region("text", text=name) for name in ENUMERATIONS[field])
        return
    if kind == "boolean":
        yield from (_Region("text", text=name) for name in ("true", "false"))
        return
    yield from (_Region("number", number=number) for number in _numbers(field, values))
    if kind in ("integer", "decimal"):
        return
    for text in {literal for value in values if (literal := _literal(value)) is not None}:
        yield _Region("text", text=text, exact=not re.search(r"[^\W\d_]", text))
    cased = [plain(value) for value in values if isinstance(value, SigmaCasedString)]
    yield from (_Region("text", text=text) for text in cased if text is not None)
    yield from (_Region("text", text=name) for name in ("true", "false"))
    yield _Region("other")


def _literal(value: Any) -> str | None:
    """The one text, of any case, that a value names."""
    if is_plain(value):
        return fold(plain(value) or "")
    return str(value.number) if type(value) is SigmaNumber else None


def _numbers(field: str, values: Sequence[Any]) -> list[float]:
    """Each number that is compared with, one in each gap, one beyond either end; of those the field can have."""
    named = set()
    for value in values:
        if isinstance(value, SigmaCompareExpression):
            named.add(float(value.number.number))
        elif isinstance(value, SigmaNumber):
            named.add(float(value.number))
        elif isinstance(value, SigmaString) and re.search(NUMBER, plain(value) or ""):
            named.add(float(str(plain(value))))
    low, high, whole = bounds(field)
    edges = sorted({*named, *(bound for bound in (low, high) if bound is not None)}) or [0.0]
    found = [edges[0] - 1, *edges, edges[-1] + 1]
    for below, above in pairwise(edges):
        if not whole:
            found.append((below + above) / 2)
        elif int(below // 1) + 1 < above:
            found.append(float(int(below // 1) + 1))
    return [
        number
        for number in found
        if (low is None or number >= low) and (high is None or number <= high) and (not whole or number == int(number))
    ]


def _judge(value: Any, region: _Region) -> bool | None:
    """Does the comparison hold in the region? None where it may or may not."""
    if isinstance(value, SigmaExists | SigmaNull) or region.kind == "absent":
        return _judge_presence(value, region)
    if region.kind == "number":
        return _judge_number(value, region.number or 0.0)
    if region.kind == "text":
        sensitive = isinstance(value, SigmaCasedString | SigmaRegularExpression)
        return None if sensitive and not region.exact else _judge_text(value, region.text or "")
    if _matches_anything(value):
        return True
    return (
        False
        if isinstance(value, SigmaCompareExpression | SigmaBool) or type(value) is SigmaNumber or _names_one_text(value)
        else None
    )


def _judge_presence(value: Any, region: _Region) -> bool:
    if isinstance(value, SigmaExists):
        return bool(value.exists) == region.present
    return isinstance(value, SigmaNull) and region.kind == "absent"


def _judge_number(value: Any, number: float) -> bool | None:
    """Of a number, which a text column may spell in many ways."""
    if isinstance(value, SigmaCompareExpression):
        return _compare(value, number)
    if isinstance(value, SigmaNumber):
        return float(value.number) == number
    if _matches_anything(value):
        return True
    if _names_one_text(value):
        equal = re.search(NUMBER, plain(value) or "") and float(plain(value) or "") == number
        return None if equal else False
    return False if isinstance(value, SigmaBool) else None


def _matches_anything(value: Any) -> bool:
    """Any text, the empty one too: `*`, or an expression that finds nothing in nothing, wherever it looks."""
    if isinstance(value, SigmaRegularExpression):
        return not re.search(r"[$^]|\\[AbBzZG]", str(value.regexp)) and _finds(pattern(value), "")
    return (
        isinstance(value, SigmaString)
        and bool(value.s)
        and all(part is SpecialChars.WILDCARD_MULTI for part in value.s)
    )


def _finds(expression: str, text: str) -> bool:
    return bool(re2.search(expression, text))


def _judge_text(value: Any, text: str) -> bool | None:
    for kind, judge in _TEXT_JUDGES:
        if isinstance(value, kind):
            return judge(value, text)
    return None


def _matches(value: SigmaString, text: str) -> bool:
    cased = isinstance(value, SigmaCasedString)
    return bool(_wildcards(tuple(value.s), cased).fullmatch(text if cased else fold(text)))


def _is_number(value: Any, text: str) -> bool:
    number = float(text) if re.search(NUMBER, text) else None
    if number is None:
        return False
    return _compare(value, number) if isinstance(value, SigmaCompareExpression) else float(value.number) == number


def _names_one_text(value: Any) -> bool:
    return isinstance(value, SigmaString) and plain(value) is not None


def _within(value: SigmaCIDRExpression, text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version == value.network.version and address in value.network


def _compare(value: SigmaCompareExpression, number: float) -> bool:
    other = float(value.number.number)
    match value.op:
        case CompareOperators.LT:
            return number < other
        case CompareOperators.LTE:
            return number <= other
        case CompareOperators.GT:
            return number > other
        case CompareOperators.GTE:
            return number >= other
        case _:
            return number != other


#: What a comparison says of one very text; kinds that are not here are left open.
_TEXT_JUDGES: tuple[tuple[type, Callable[[Any, str], bool | None]], ...] = (
    (SigmaString, _matches),
    (SigmaTimestampPart, lambda _, __: None),
    (SigmaNumber, _is_number),
    (SigmaCompareExpression, _is_number),
    (SigmaBool, lambda value, text: fold(text) == ("true" if value.boolean else "false")),
    (SigmaRegularExpression, lambda value, text: _finds(pattern(value), text)),
    (SigmaCIDRExpression, _within),
)


@lru_cache(maxsize=1024)
def _wildcards(parts: tuple[Any, ...], cased: bool) -> re.Pattern[str]:
    spelled = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}
    texts = (re.escape(part if cased else fold(part)) if isinstance(part, str) else spelled[part] for part in parts)
    return re.compile("".join(texts), re.DOTALL)


#: How a text with a wildcard at an end or both looks: starts, ends, contains; and its fixed part, folded.
_Shape = tuple[str, str] | None


def _shape(value: Any) -> _Shape:
    if not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString):
        return None
    parts = list(value.s)
    fixed = [part for part in parts if isinstance(part, str)]
    if len(fixed) != 1 or len(parts) > 3 or any(part is SpecialChars.WILDCARD_SINGLE for part in parts):
        return None
    opens, closes = not isinstance(parts[0], str), not isinstance(parts[-1], str)
    kind = "contains" if opens and closes else "ends" if opens else "starts" if closes else ""
    return (kind, fold(fixed[0])) if kind else None


def _implies(*, wide: _Shape, narrow: _Shape) -> bool:
    if wide is None or narrow is None:
        return False
    if wide[0] == "contains":
        return wide[1] in narrow[1]
    if wide[0] != narrow[0]:
        return False
    return narrow[1].startswith(wide[1]) if wide[0] == "starts" else narrow[1].endswith(wide[1])


def _cidr_implies(narrow: Any, wide: Any) -> bool:
    if not isinstance(narrow, SigmaCIDRExpression) or not isinstance(wide, SigmaCIDRExpression):
        return False
    inner: Any = narrow.network
    return inner.version == wide.network.version and bool(inner.subnet_of(wide.network))


def _cidr_excludes(one: Any, other: Any) -> bool:
    if not isinstance(one, SigmaCIDRExpression) or not isinstance(other, SigmaCIDRExpression):
        return False
    return one.network.version != other.network.version or not one.network.overlaps(other.network)


def _excludes(one: _Shape, other: _Shape) -> bool:
    if one is None or other is None or one[0] != other[0] or one[0] == "contains":
        return False
    return not _implies(wide=one, narrow=other) and not _implies(wide=other, narrow=one)


def _tied(one: Sequence[Any], other: Sequence[Any], *, implied: bool) -> bool:
    if implied:
        return all(
            any(_cidr_implies(narrow, wide) or _implies(wide=_shape(wide), narrow=_shape(narrow)) for wide in other)
            for narrow in one
        )
    return all(_cidr_excludes(a, b) or _excludes(_shape(a), _shape(b)) for a in one for b in other)


def flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, SigmaExpansion):
            yield from flat(value.values)
        else:
            yield value


def _any(outcomes: Sequence[bool | None]) -> bool | None:
    if any(outcomes):
        return True
    return None if None in outcomes else False
