"""Is an address within a network? IPv4 and IPv6 from their text, with string functions alone.

An IPv6 address is brought to its 32 hex digits, and then lies between the network's first and last address just when
its text does. Not every text that looks like an address is one: `10.1.2`, `010.1.2.3` and `1::2::3` match nothing.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import ibis
import ibis.expr.types as ir

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}[.]){{3}}{_OCTET}"
_GROUP = "[0-9a-f]{1,4}"


def in_network(address: ir.StringValue, network: IPv4Network | IPv6Network) -> ir.BooleanValue:
    """`address` is lower-case text; NULL or False when it is no address of that version."""
    if isinstance(network, IPv4Network):
        return _in_ipv4(address, network)
    return _in_ipv6(address, network)


def _in_ipv4(address: ir.StringValue, network: IPv4Network) -> ir.BooleanValue:
    value = _ipv4_number(address)
    within = value.between(int(network.network_address), int(network.broadcast_address))
    return address.re_search(rf"\A{_IPV4}\z") & within.fill_null(False)


def _ipv4_number(text: ir.StringValue) -> ir.IntegerValue:
    octets = text.split(".")
    total: ir.IntegerValue = octets[0].try_cast("int64")
    for index in range(1, 4):
        total = total * 256 + octets[index].try_cast("int64")
    return total


def _in_ipv6(address: ir.StringValue, network: IPv6Network) -> ir.BooleanValue:
    text = _hex_tail(address.re_replace("%.*$", ""))
    halves = text.split("::")
    left, right = _groups(halves[0]), _groups(ibis.coalesce(halves[1], ""))
    missing = 8 - left.length() - right.length()
    compressed = text.contains("::")
    digits = (
        left.map(_padded).join("") + ibis.literal("0").repeat(missing.clip(lower=0) * 4) + right.map(_padded).join("")
    )
    rightly_long = ibis.ifelse(compressed, missing >= 1, missing == 0)
    wellformed = text.re_search(rf"\A({_GROUP}(:{_GROUP})*)?(::({_GROUP}(:{_GROUP})*)?)?\z") & rightly_long
    low = format(int(network.network_address), "032x")
    high = format(int(network.broadcast_address), "032x")
    return wellformed & digits.between(low, high)


def _groups(text: ir.StringValue) -> ir.ArrayValue:
    return text.split(":").filter(lambda group: group != "")


def _padded(group: ir.StringValue) -> ir.StringValue:
    return group.lpad(4, "0")


def _hex_tail(text: ir.StringValue) -> ir.StringValue:
    """`::ffff:10.0.0.1` with its last 32 bits as two hex groups; any other text as it is."""
    tail = text.re_extract(rf":({_IPV4})\z", 1)
    value = _ipv4_number(tail)
    groups = _hex4(value // 65536) + ":" + _hex4(value % 65536)
    has_tail = text.re_search(rf":{_IPV4}\z")
    return ibis.ifelse(has_tail, text.re_replace(rf"{_IPV4}\z", "") + groups, text)


def _hex4(value: ir.IntegerValue) -> ir.StringValue:
    digits = ibis.literal("0123456789abcdef")
    out: ir.StringValue = digits.substr((value // 4096) % 16, 1)
    for power in (256, 16, 1):
        out = out + digits.substr((value // power) % 16, 1)
    return out
