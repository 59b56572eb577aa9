"""Is an address within a network? IPv4 and IPv6 from their text, with string functions alone.

An IPv4 network becomes one regular expression over the octets. An IPv6 address has many forms: it becomes its 32 hex
digits, which lie in a network just when they lie between the network's first and last address. Not every text that
looks like an address is one: `10.1.2`, `010.1.2.3` and `1::2::3` are none.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import ibis
import ibis.expr.types as ir

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}[.]){{3}}{_OCTET}"
_GROUP = "[0-9a-f]{1,4}"
_GROUPS = f"({_GROUP}(:{_GROUP}){{0,7}})?"


def in_ipv4(text: ir.StringValue, network: IPv4Network) -> ir.BooleanValue:
    """Is the text an IPv4 address of the network?"""
    pairs = zip(network.network_address.packed, network.broadcast_address.packed, strict=True)
    return text.re_search(r"\A" + "[.]".join(_octets(first, last) for first, last in pairs) + r"\z")


def in_ipv6(digits: ir.StringValue, network: IPv6Network) -> ir.BooleanValue:
    """`digits` as ipv6_digits gives them."""
    return digits.between(format(int(network.network_address), "032x"), format(int(network.broadcast_address), "032x"))


def ipv6_digits(text: ir.StringValue) -> ir.StringValue:
    """An IPv6 address (lower case, a zone index allowed) as its 32 hex digits; NULL for any other text."""
    return _let(_without_ipv4_tail(text.re_replace("%[^\n]*$", "")), _digits)


def _octets(first: int, last: int) -> str:
    """An expression for the numbers from `first` to `last`, which a network's bounds make a run of a power of two."""
    if (first, last) == (0, 255):
        return _OCTET
    return str(first) if first == last else f"({'|'.join(map(str, range(first, last + 1)))})"


def _digits(text: ir.StringValue) -> ir.StringValue:
    return _let(text.split("::"), lambda halves: _joined(text, _groups(halves[0]), _groups(halves[1])))


def _joined(text: ir.StringValue, left: ir.ArrayValue, right: ir.ArrayValue) -> ir.StringValue:
    missing = 8 - left.length() - right.length()
    zeros = ibis.literal("0000").repeat(ibis.greatest(missing, 0))
    whole = ibis.ifelse(text.contains("::"), missing >= 1, missing == 0)
    wellformed = text.re_search(rf"\A{_GROUPS}(::{_GROUPS})?\z") & whole
    return ibis.ifelse(wellformed, _padded(left) + zeros + _padded(right), ibis.null("string"))


def _groups(text: ir.StringValue) -> ir.ArrayValue:
    return text.fill_null("").split(":").filter(lambda group: group != "")


def _padded(groups: ir.ArrayValue) -> ir.StringValue:
    return groups.map(lambda group: group.lpad(4, "0")).join("").fill_null("")


def _without_ipv4_tail(text: ir.StringValue) -> ir.StringValue:
    """`::ffff:10.0.0.1` with its last 32 bits as two hex groups; any other text as it is."""
    tail = text.re_extract(rf":({_IPV4})\z", 1)
    rewritten = text.re_replace(rf"{_IPV4}\z", "") + _let(_number(tail), _two_groups)
    return ibis.ifelse(text.re_search(rf":{_IPV4}\z"), rewritten, text)


def _two_groups(number: ir.IntegerValue) -> ir.StringValue:
    digits = ibis.literal("0123456789abcdef")
    hexes = [digits.substr((number // (1 << 4 * place)) % 16, 1) for place in range(7, -1, -1)]
    return hexes[0] + hexes[1] + hexes[2] + hexes[3] + ":" + hexes[4] + hexes[5] + hexes[6] + hexes[7]


def _number(text: ir.StringValue) -> ir.IntegerValue:
    octets = text.split(".").map(lambda octet: octet.try_cast("int64"))
    return _let(octets, lambda octet: ((octet[0] * 256 + octet[1]) * 256 + octet[2]) * 256 + octet[3])


def _let(value: ir.Value, body: Callable[[Any], ir.Value]) -> Any:
    """`body(value)` with the value worked out once: written out, it would double with every use, and uses nest."""
    return ibis.array([value]).map(body)[0]
