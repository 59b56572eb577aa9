"""A rule's condition tree as one boolean over the fields of an event. Never NULL, so that NOT means what it says."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import SigmaCasedString, SigmaExpansion, SigmaFieldReference, SigmaString

from detector.rules.fields import Fields, Part
from detector.rules.values import LikeOneOf, OneOf, fold, folded, keyword, match, parts_of, plain

#: From so many on, texts with wildcards on one field become one expression: below, a search each is quicker.
_MANY = 12
#: At most so many in one expression, and so many characters: the engines' own bound is some thousands.
_MOST, _LONGEST = 200, 8_000


def condition_boolean(trees: Sequence[Any], fields: Fields) -> ir.BooleanValue:
    """One boolean for a rule, never NULL: any of its conditions (usually the only one) holds.

    Within, NULL stands for no: AND and OR of three values come to the same as of two, only NOT must be sure.
    """
    return _sure(_any([_node(tree, fields) for tree in trees]))


def field_parts(trees: Sequence[Any]) -> Mapping[str, frozenset[Part]]:
    """Every field that the trees compare, those of `fieldref` included, with the parts that its matchers look at."""
    parts: dict[str, frozenset[Part]] = defaultdict(frozenset)
    for leaf in leaves(trees):
        if isinstance(leaf, ConditionFieldEqualsValueExpression):
            parts[leaf.field] |= parts_of(leaf.value)
            if isinstance(leaf.value, SigmaFieldReference):
                parts[leaf.value.field] |= parts_of(leaf.value)
    return dict(parts)


def has_keywords(trees: Sequence[Any]) -> bool:
    return any(isinstance(leaf, ConditionValueExpression) for leaf in leaves(trees))


def leaves(trees: Sequence[Any]) -> Iterator[Any]:
    """The comparisons at the ends of the trees."""
    todo = list(trees)
    while todo:
        node = todo.pop()
        if isinstance(node, ConditionOR | ConditionAND | ConditionNOT):
            todo += node.args
        else:
            yield node


def _node(node: Any, fields: Fields) -> ir.BooleanValue:
    if isinstance(node, ConditionNOT):
        return ~_sure(_node(node.args[0], fields))
    if isinstance(node, ConditionAND):
        return _all([_node(arg, fields) for arg in node.args])
    if isinstance(node, ConditionOR):
        return _any(list(_alternatives(node, fields)))
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _value(node.value, lambda value: match(fields.view(node.field), value, fields))
    if isinstance(node, ConditionValueExpression):
        return _value(node.value, lambda value: keyword(value, fields))
    raise TypeError(f"no such condition: {type(node).__name__}")


def _value(value: Any, one: Callable[[Any], ir.BooleanValue]) -> ir.BooleanValue:
    if isinstance(value, SigmaExpansion):
        return _any([_value(item, one) for item in value.values])
    return one(value)


def _alternatives(node: ConditionOR, fields: Fields) -> Iterator[ir.BooleanValue]:
    """The operands of an OR; many texts of one field are looked for together."""
    plain_texts: dict[str, list[str]] = defaultdict(list)
    wild_texts: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for arg in _flat(node):
        field, value = getattr(arg, "field", None), getattr(arg, "value", None)
        if field is None or not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString):
            yield _node(arg, fields)
        elif (literal := plain(value)) is None:
            wild_texts[field].append(folded(value))
        elif fields.view(field).kind not in ("text", "document"):
            yield _node(arg, fields)
        else:
            plain_texts[field].append(fold(literal))
    for field, literals in plain_texts.items():
        yield match(fields.view(field), OneOf(tuple(literals)), fields)
    for field, texts in wild_texts.items():
        for value in _together(texts):
            yield match(fields.view(field), value, fields)


def _flat(node: Any) -> Iterator[Any]:
    """The operands of an OR, those of an OR within it, and the values of an expansion."""
    for arg in node.args:
        if isinstance(arg, ConditionOR):
            yield from _flat(arg)
        elif isinstance(value := getattr(arg, "value", None), SigmaExpansion) and hasattr(arg, "field"):
            yield from (ConditionFieldEqualsValueExpression(arg.field, item) for item in value.values)
        else:
            yield arg


def _together(texts: Sequence[tuple[Any, ...]]) -> Iterator[LikeOneOf]:
    """Texts with wildcards in lots, each of which is one expression."""
    if len(texts) < _MANY:
        yield from (LikeOneOf((text,)) for text in texts)
        return
    lot: list[tuple[Any, ...]] = []
    size = 0
    for text in texts:
        length = sum(len(part) for part in text if isinstance(part, str))
        if lot and (len(lot) == _MOST or size + length > _LONGEST):
            yield LikeOneOf(tuple(lot))
            lot, size = [], 0
        lot.append(text)
        size += length
    yield LikeOneOf(tuple(lot))


def _sure(matched: ir.BooleanValue) -> ir.BooleanValue:
    return matched.fill_null(False)


def _any(terms: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
    return balanced(terms, operator.or_) if terms else ibis.literal(False)


def _all(terms: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
    return balanced(terms, operator.and_) if terms else ibis.literal(True)


def balanced(terms: Sequence[Any], join: Callable[[Any, Any], Any]) -> Any:
    """Terms joined as a balanced tree: a list of ten thousand is fourteen deep, not ten thousand."""
    level = list(terms)
    while len(level) > 1:
        pairs = [join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]
