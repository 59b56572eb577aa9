"""Conformance cases: a detection, events, and exactly the rows that match. One line of reasoning each."""

# ruff: noqa: RUF001 - letters that look alike are the point

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Case:
    name: str
    detection: str
    events: list[Event]
    rows: list[int]


def _one(name: str, selection: str, values: list[Any], rows: list[int]) -> Case:
    """One selection over events whose only field is `f`; a value of `...` is an event without it."""
    events: list[Event] = [{"other": 1} if value is ... else {"f": value, "other": 1} for value in values]
    return Case(name, f"s: {{{selection}}}\ncondition: s", events, rows)


def _all(name: str, detection: str, events: list[Event], rows: list[int]) -> Case:
    return Case(name, detection, events, rows)


STRINGS = [
    _one("equality disregards case", "f: View", ["view", "VIEW", "views", "vie", ...], [0, 1]),
    _one("cased regards it", "f|cased: View", ["view", "View", "VIEW"], [1]),
    _one("beyond ASCII too", "f: straße ÄÖ", ["STRAßE äö", "straße ÄÖ", "strasse äö"], [0, 1]),
    _one("Greek final sigma", "f: ΟΔΟΣ", ["οδοσ", "ΟΔΟΣ", "οδος"], [0, 1]),
    _one("dotted capital I", "f: 'İSTANBUL'", ["istanbul", "İstanbul", "ıstanbul"], [0, 1]),
    _one("star at the end", "f: 'ab*'", ["ab", "abc", "AB\nC", "cab", ...], [0, 1, 2]),
    _one("star at the start", "f: '*ab'", ["ab", "xAB", "abx"], [0, 1]),
    _one("stars on both sides", "f: '*ab*'", ["xxabyy", "ab", "a b"], [0, 1]),
    _one("star in the middle", "f: 'a*z'", ["az", "A to Z", "azx", "a\nz"], [0, 1, 3]),
    _one("several stars", "f: 'a*b*c'", ["abc", "a1b2c", "acb", "aXbXbXc"], [0, 1, 3]),
    _one("question mark", "f: 'a?c'", ["abc", "ac", "abbc", "a\nc", "aéc"], [0, 3, 4]),
    _one("question mark alone", "f: '?'", ["", "a", "ab", "é"], [1, 3]),
    _one("star alone", "f: '*'", ["", "a", None, ...], [0, 1]),
    _one("escaped star", r"f: 'a\*'", ["a*", "ab", "a\\*"], [0]),
    _one("escaped question mark", r"f: 'a\?c'", ["a?c", "abc"], [0]),
    _one("escaped backslash before a star", r"f: 'a\\*'", ["a\\", "a\\b", "a*", "ab"], [0, 1]),
    _one("a plain backslash", r"f: 'C:\Temp'", ["c:\\temp", "C:Temp"], [0]),
    _one("percent and underscore are themselves", "f: '100%_*'", ["100%_x", "100xyz", "100%yx"], [0]),
    _one("expression signs are themselves", "f: 'a.b+(c)*[d]'", ["a.b+(c)x[d]", "aXb+(c)[d]"], [0]),
    _one("quotes are values, not text of a query", 'f: "\'; DROP TABLE x --"', ["'; drop table x --", "x"], [0]),
    _one("empty", "f: ''", ["", " ", None, ...], [0]),
    _one("contains", "f|contains: B C", ["ab cd", "b  c", "bc"], [0]),
    _one("contains, with a wildcard inside", "f|contains: 'b*d'", ["abxxde", "abd", "adb"], [0, 1]),
    _one("startswith", "f|startswith: Ab", ["abc", "cab", "AB"], [0, 2]),
    _one("endswith", "f|endswith: Yz", ["xyz", "yzx", "YZ"], [0, 2]),
    _one("contains and cased", "f|contains|cased: B", ["abc", "aBc"], [1]),
    _one("a list is any of them", "f: [a, B, 'c*']", ["A", "b", "cde", "d"], [0, 1, 2]),
    _one("contains all", "f|contains|all: [a, b]", ["xaybz", "a", "BA"], [0, 2]),
    _one("contains any", "f|contains: [aa, bb]", ["xaay", "bbb", "ab"], [0, 1]),
    _one("windash", "f|windash|contains: ' -x'", ["a -x", "a /x", "a \u2013x", "a x"], [0, 1, 2]),
    _one("base64", "f|base64: foobar", ["Zm9vYmFy", "zm9vYMFY", "foobar"], [0, 1]),
    _one("base64offset", "f|base64offset|contains: foobar", ["Zm9vYmFy", "IGZvb2Jhcg==", "ICBmb29iYXI="], [0, 1, 2]),
    _one("wide then base64", "f|wide|base64: ab", ["YQBiAA==", "YWI="], [0]),
    _one("windash, every dash", "f|windash: '-a'", ["-a", "/A", "\u2013a", "\u2014a", "\u2015a", "a"], [0, 1, 2, 3, 4]),
    _one("windash within a word stays", "f|windash: 'a-b'", ["a-b", "a/b"], [0]),
    _one("windash, all", "f|contains|windash|all: [' -a', ' /b']", ["x /a -b", "x -a", "x \u2014a \u2014b"], [0, 2]),
    _one("utf16le is wide", "f|utf16le|base64: ab", ["YQBiAA==", "YWI="], [0]),
    _one("utf16be", "f|utf16be|base64: ab", ["AGEAYg==", "YQBiAA=="], [0]),
    _one("utf16 has a byte order mark", "f|utf16|base64: ab", ["//5hAGIA", "YQBiAA=="], [0]),
    _one("wide and base64offset", "f|wide|base64offset|contains: cmd", ["YwBtAGQA", "IABjAG0AZAA=", "cmd"], [0, 1]),
    _one("base64 of all", "f|base64|contains|all: [foobar, barfoo]", ["Zm9vYmFy YmFyZm9v", "Zm9vYmFy"], [0]),
    _one("cased startswith", "f|startswith|cased: Ab", ["Abc", "abc"], [0]),
    _one("cased list", "f|cased: [A, b]", ["A", "a", "b", "B"], [0, 2]),
    _one("cased wildcards", "f|cased: 'A?c*'", ["Abcd", "abcd", "AbC"], [0]),
    _one("a list of many to contain", f"f|contains: {[f'w{i}x' for i in range(30)]}", ["aW7xb", "w7", "w29X"], [0, 2]),
    _one(
        "a list of many: at either end, within, and whole",
        f"f: {[text for i in range(10) for text in (f'w{i}*', f'*v{i}', f'a{i}?b')]}",
        ["w3z", "zw3", "zV3", "v3z", "a5xb", "a5b", "za5xb", "a5xbz", "w1\nq"],
        [0, 2, 4, 8],
    ),
    _one("neq of a list: none of them", "f|neq: [a, b]", ["a", "b", "c", ...], [2, 3]),
    _one("neq and contains", "f|contains|neq: a", ["xax", "b", ...], [1, 2]),
    _one("neq of null: it has a value", "f|neq: null", ["a", None, ..., ""], [0, 3]),
    _one("neq", "f|neq: a", ["a", "A", "b", ...], [2, 3]),
]
NUMBERS = [
    _one("a number in rule and event", "f: 5", [5, 6, 5.0, ...], [0, 2]),
    _one("a number in the rule, a text in the event", "f: 5", ["5", "5.0", "05", "five", "5 "], [0, 1, 2]),
    _one("a text in the rule, a number in the event", "f: '5'", [5, "5", 6, 55], [0, 1]),
    _one("a text is no number where both are texts", "f: '5'", ["5", "5.0", "05"], [0]),
    _one("a decimal", "f: 0.5", [0.5, ".5", "0.50", 5], [0, 1, 2]),
    _one("a negative", "f: -3", [-3, "-3", 3], [0, 1]),
    _one(
        "beyond what a double can tell",
        "f: '9007199254740993'",
        [9007199254740993, 9007199254740992, "9007199254740993"],
        [0, 2],
    ),
    _one("a wildcard over a number", "f: '12*'", [12, 123, 312, "12"], [0, 1, 3]),
    _one("gt", "f|gt: 5", [5, 6, "7", "x", None, ...], [1, 2]),
    _one("gte", "f|gte: 5", [4.9, 5, "5"], [1, 2]),
    _one("lt", "f|lt: 5", [5, 4, "-1", "", ...], [1, 2]),
    _one("lte", "f|lte: 5", [5.1, 5, "1e0"], [1, 2]),
    _one("comparison with any of a list", "f|gt: [5, 9]", [4, 6, 10], [1, 2]),
    _one("what a cast would take is no number", "f|gte: 0", ["1_000", " 1 ", "inf", "nan", "0x1", "1"], [5]),
    _one("neq of a number", "f|neq: 5", [5, "5", 6, "x", ...], [2, 3, 4]),
    _one("a range", "f|gte: 3, f|lt: 5", [2, 3, 4.9, 5, "4"], [1, 2, 4]),
    _one("a comparison with a decimal", "f|gt: 0.5", [0.4, 0.6, "0.51", ".7"], [1, 2, 3]),
    _one("an exponent", "f: 1000", ["1e3", 1e3, "1E+3", "1e"], [0, 1, 2]),
    _one("numbers and texts in one list", "f: [5, a, '6*']", [5, "A", 66, "5", "b"], [0, 1, 2, 3]),
    _one("true", "f: true", [True, "true", "TRUE", False, 1], [0, 1, 2]),
    _one("false", "f: false", [False, "False", 0, ...], [0, 1]),
]
ABSENCE = [
    _one("null", "f: null", [None, ..., "", "null", 0], [0, 1]),
    _one("exists", "f|exists: true", [None, "", 0, ...], [0, 1, 2]),
    _one("does not exist", "f|exists: false", [None, "", 0, ...], [3]),
    _one("a list with null", "f: [null, a]", [None, ..., "A", "b"], [0, 1, 2]),
    _one("a list with null and empty", "f: [null, '']", [None, ..., "", " "], [0, 1, 2]),
    _all("not is null-safe", "s: {f: a}\ncondition: not s", [{"f": "a"}, {"f": "b"}, {"f": None}, {}], [1, 2, 3]),
    _all("not of a comparison", "s: {f|gt: 3}\ncondition: not s", [{"f": 4}, {"f": 3}, {"f": "x"}, {}], [1, 2, 3]),
    _all("not of a regex", "s: {f|re: a}\ncondition: not s", [{"f": "bab"}, {"f": "b"}, {}], [1, 2]),
    _all("not not", "s: {f: a}\ncondition: not (not s)", [{"f": "a"}, {}], [0]),
    _all("not of a network", "s: {f|cidr: 10.0.0.0/8}\ncondition: not s", [{"f": "10.1.1.1"}, {"f": "x"}, {}], [1, 2]),
    _all("a field no event has", "s: {nowhere: a}\nn: {nowhere: null}\ncondition: s or n", [{"f": 1}, {}], [0, 1]),
]
EXPRESSIONS = [
    _one("re searches", "f|re: 'b.d'", ["abcde", "abde", "bd"], [0]),
    _one("re regards case", "f|re: AB", ["ab", "AB"], [1]),
    _one("re i", "f|re|i: AB", ["ab", "xaBx", "a"], [0, 1]),
    _one("re anchors", "f|re: '^ab$'", ["ab", "xab", "ab\n"], [0]),
    _one("dot is no newline", "f|re: 'a.b'", ["a\nb", "axb"], [1]),
    _one("re s", "f|re|s: 'a.b'", ["a\nb", "axb"], [0, 1]),
    _one("re m", "f|re|m: '^b$'", ["a\nb\nc", "ab", "b"], [0, 2]),
    _one("re i m s", "f|re|i|m|s: '^B.c$'", ["a\nb\nc", "bxc", "abc"], [0, 1]),
    _one("re with classes", r"f|re: '^\d{2}-\w+$'", ["12-ab", "1-ab", "12-"], [0]),
    _one("re, all of a list", "f|re|all: [a, b]", ["ab", "a"], [0]),
    _one("re over a number", "f|re: '^1[0-9]$'", [12, 21, "19"], [0, 2]),
    _one("re with a quote", 'f|re: "o\'b"', ["o'brien", "ob"], [0]),
]
NETWORKS = [
    _one("cidr 4", "f|cidr: 10.1.0.0/16", ["10.1.2.3", "10.2.2.3", "10.1.0.0", "10.1.255.255"], [0, 2, 3]),
    _one("cidr 4, odd prefix", "f|cidr: 192.168.4.0/22", ["192.168.7.255", "192.168.8.0", "192.168.3.255"], [0]),
    _one("cidr 4, one address", "f|cidr: 1.2.3.4/32", ["1.2.3.4", "1.2.3.5"], [0]),
    _one("cidr 4, everything", "f|cidr: 0.0.0.0/0", ["255.255.255.255", "::1", "x", ""], [0]),
    _one("no addresses", "f|cidr: 10.0.0.0/8", ["10.1.2", "010.1.2.3", "10.1.2.256", "10.1.2.3.4", "10.1.2.3 "], []),
    _one(
        "cidr 6",
        "f|cidr: '2001:db8::/32'",
        ["2001:db8::1", "2001:DB8:ffff::", "2001:db9::1", "2001:db8:1:2:3:4:5:6"],
        [0, 1, 3],
    ),
    _one(
        "cidr 6, long and short forms", "f|cidr: '::1/128'", ["::1", "0:0:0:0:0:0:0:1", "0000::0001", "::2"], [0, 1, 2]
    ),
    _one("cidr 6, odd prefix", "f|cidr: 'fe80::/10'", ["fe80::1", "febf::1", "fec0::1", "fe80::1%eth0"], [0, 1, 3]),
    _one(
        "cidr 6, an IPv4 tail", "f|cidr: '::ffff:10.0.0.0/104'", ["::ffff:10.1.2.3", "::ffff:11.1.2.3", "10.1.2.3"], [0]
    ),
    _one(
        "no IPv6 addresses",
        "f|cidr: '::/0'",
        ["1::2::3", ":::", "12345::", "1:2:3:4:5:6:7", "g::", "1:2:3:4:5:6:7:8:9"],
        [],
    ),
    _one("cidr 4, half of an octet", "f|cidr: 10.0.0.128/25", ["10.0.0.127", "10.0.0.128", "10.0.0.255"], [1, 2]),
    _one("cidr 4, not as a part", "f|cidr: 1.2.3.0/24", ["11.2.3.4", "1.2.3.44", "1.2.3.4\n", "x1.2.3.4"], [1]),
    _one("several networks", "f|cidr: [10.0.0.0/8, 'fc00::/7']", ["10.0.0.1", "fd00::1", "11.0.0.1"], [0, 1]),
]
LOGIC = [
    _all(
        "a map is all of its fields", "s: {a: 1, b: x}\ncondition: s", [{"a": 1, "b": "x"}, {"a": 1}, {"b": "x"}], [0]
    ),
    _all(
        "a list of maps is any",
        "s:\n- {a: 1}\n- {b: 2, c: 3}\ncondition: s",
        [{"a": 1}, {"b": 2}, {"b": 2, "c": 3}],
        [0, 2],
    ),
    _all(
        "and or not bind so",
        "x: {a: 1}\ny: {b: 1}\nz: {c: 1}\ncondition: x or y and not z",
        [{"a": 1, "c": 1}, {"b": 1}, {"b": 1, "c": 1}],
        [0, 1],
    ),
    _all(
        "brackets",
        "x: {a: 1}\ny: {b: 1}\nz: {c: 1}\ncondition: (x or y) and not z",
        [{"a": 1, "c": 1}, {"b": 1}, {"a": 1}],
        [1, 2],
    ),
    _all("1 of", "s_a: {a: 1}\ns_b: {b: 1}\nt: {c: 1}\ncondition: 1 of s_*", [{"a": 1}, {"b": 1}, {"c": 1}], [0, 1]),
    _all("all of", "s_a: {a: 1}\ns_b: {b: 1}\ncondition: all of s_*", [{"a": 1}, {"a": 1, "b": 1}], [1]),
    _all(
        "them leaves out names with an underscore in front",
        "_x: {a: 1}\ny: {b: 1}\ncondition: 1 of them",
        [{"a": 1}, {"b": 1}],
        [1],
    ),
    _all("such a name, given", "_x: {a: 1}\ny: {b: 1}\ncondition: _x and not y", [{"a": 1}, {"a": 1, "b": 1}], [0]),
    _all("a pattern's end", "a_s: {a: 1}\nb_s: {b: 1}\ncondition: all of *_s", [{"a": 1, "b": 1}, {"a": 1}], [0]),
    _all(
        "a list of maps, with a list in one",
        "s:\n- {a: [1, 2], b: x}\n- c|contains: [y, z]\ncondition: s",
        [{"a": 2, "b": "x"}, {"a": 2}, {"c": "azb"}],
        [0, 2],
    ),
    _all("not a map", "s: {a: 1, b: 1}\ncondition: not s", [{"a": 1}, {"a": 1, "b": 1}, {}], [0, 2]),
    _all("not all of", "s_a: {a: 1}\ns_b: {b: 1}\ncondition: not all of s_*", [{"a": 1}, {"a": 1, "b": 1}], [0]),
    _all("all of them", "x: {a: 1}\ny: {b: 1}\ncondition: all of them", [{"a": 1, "b": 1}, {"a": 1}], [0]),
    _all("1 of them", "x: {a: 1}\ny: {b: 1}\ncondition: 1 of them", [{"b": 1}, {"c": 1}], [0]),
    _all(
        "not 1 of",
        "s: {z: 1}\nf_a: {a: 1}\nf_b: {b: 1}\ncondition: s and not 1 of f_*",
        [{"z": 1}, {"z": 1, "b": 1}],
        [0],
    ),
    _all(
        "names that begin with an operator",
        "notepad: {a: 1}\nandroid: {b: 1}\ncondition: notepad and android",
        [{"a": 1, "b": 1}, {"a": 1}],
        [0],
    ),
    _all("several conditions: any", "x: {a: 1}\ny: {b: 1}\ncondition: [x, y]", [{"a": 1}, {"b": 1}, {}], [0, 1]),
    _all(
        "two modifiers on one field",
        "s: {f|startswith: a, f|endswith: z}\ncondition: s",
        [{"f": "a-z"}, {"f": "a"}, {"f": "z"}],
        [0],
    ),
]
FIELDS = [
    _all(
        "fieldref",
        "s: {a|fieldref: b}\ncondition: s",
        [{"a": "X", "b": "x"}, {"a": "x", "b": "y"}, {"a": "x"}, {}],
        [0],
    ),
    _all(
        "fieldref over numbers",
        "s: {a|fieldref: b}\ncondition: s",
        [{"a": 1, "b": 1}, {"a": 1, "b": "1"}, {"a": 1, "b": 2}],
        [0, 1],
    ),
    _all(
        "fieldref: numbers as numbers, texts as texts",
        "s: {p|fieldref: q}\ncondition: s",
        [
            {"p": 5, "q": 5.0},
            {"p": 5, "q": 5.5},
            {"p": "5", "q": "05"},
            {"p": "1.10", "q": "1.1"},
            {"p": 9007199254740993, "q": 9007199254740992},
        ],
        [0],
    ),
    _all(
        "fieldref startswith",
        "s: {a|fieldref|startswith: b}\ncondition: s",
        [{"a": "abc", "b": "AB"}, {"a": "ab", "b": "abc"}],
        [0],
    ),
    _all(
        "fieldref contains",
        "s: {a|fieldref|contains: b}\ncondition: s",
        [{"a": "xaby", "b": "ab"}, {"a": "x", "b": "ab"}],
        [0],
    ),
    _all(
        "fieldref endswith",
        "s: {a|fieldref|endswith: b}\ncondition: s",
        [{"a": "xAB", "b": "ab"}, {"a": "abx", "b": "ab"}],
        [0],
    ),
    _all(
        "fieldref takes signs as they are",
        "s: {a|fieldref|contains: b}\ncondition: s",
        [{"a": "x", "b": "*"}, {"a": "x%", "b": "_"}, {"a": "a*b", "b": "*"}],
        [2],
    ),
    _all(
        "fieldref neq", "s: {a|fieldref|neq: b}\ncondition: s", [{"a": "x", "b": "X"}, {"a": "x", "b": "y"}, {}], [1, 2]
    ),
    _all("an empty key", "s: {'a.': 1}\ncondition: s", [{"a": {"": 1}}, {"a.": 1}, {"a": 1}], [0, 1]),
    _all("not fieldref", "s: {a|fieldref: b}\ncondition: not s", [{"a": "x", "b": "x"}, {"a": "x"}, {}], [1, 2]),
    _all(
        "nested by dotted name",
        "s: {user.name: ann}\ncondition: s",
        [{"user": {"name": "Ann"}}, {"user": "ann"}, {"name": "ann"}],
        [0],
    ),
    _all(
        "a dot in the key itself",
        "s: {user.name: ann}\ncondition: s",
        [{"user.name": "ann"}, {"user": {"name": "ann"}}],
        [0, 1],
    ),
    _all(
        "deep and mixed",
        "s: {a.b.c: 1}\ncondition: s",
        [{"a": {"b.c": 1}}, {"a.b": {"c": 1}}, {"a": {"b": {"c": 1}}}, {"a.b.c": 1}],
        [0, 1, 2, 3],
    ),
    _all(
        "spaces, quotes, slashes, tildes",
        's: {"we ird \'na\\"me/~1": 1}\ncondition: s',
        [{"we ird 'na\"me/~1": 1}, {"weird": 1}],
        [0],
    ),
    _all("names beyond ASCII", "s: {Überprüft: ja}\ncondition: s", [{"Überprüft": "JA"}, {"überprüft": "ja"}], [0]),
    _all(
        "names differ by case",
        "s: {User: a}\nt: {user: b}\ncondition: s and t",
        [{"User": "a", "user": "b"}, {"user": "a", "User": "b"}],
        [0],
    ),
    _all("dollar and star in a name", "s: {'$.x*': 1}\ncondition: s", [{"$.x*": 1}, {"x": 1}], [0]),
]
KEYWORDS = [
    _all(
        "anywhere",
        "k: [evil, 'b?d']\ncondition: k",
        [{"a": "so EVIL!"}, {"b": {"c": "a bad one"}}, {"a": "bd"}],
        [0, 1],
    ),
    _all("one word", "k: evil\ncondition: k", [{"a": "devilish"}, {"evil": "no"}], [0]),
    _all(
        "all of them, in any field",
        "k:\n  '|all': [one, two]\ncondition: k",
        [{"a": "one", "b": "two"}, {"a": "one"}],
        [0],
    ),
    _all(
        "not across two fields", "k: ['one*two']\ncondition: k", [{"a": "one", "b": "two"}, {"a": "one and two"}], [1]
    ),
    _all("a number", "k: [4711]\ncondition: k", [{"a": 4711}, {"a": "nr 4711b"}, {"a": 47}], [0, 1]),
    _all("an expression", "k:\n  '|re': '^ab?$'\ncondition: k", [{"x": "a"}, {"x": "cab"}, {"y": [1, "ab"]}], [0, 2]),
    _all("cased", "k:\n  '|cased': Evil\ncondition: k", [{"a": "an Evil one"}, {"a": "evil"}], [0]),
    _all("not a keyword", "k: [evil]\ncondition: not k", [{"a": "evil"}, {"a": "good"}, {}], [1, 2]),
    _all("keyword and field", "k: [evil]\ns: {b: 1}\ncondition: k and s", [{"a": "evil", "b": 1}, {"a": "evil"}], [0]),
]
TIMES = [
    _one(
        "hour", "f|hour: 3", ["2026-03-01T03:59:00Z", "2026-03-01T04:00:00Z", "2026-03-01T05:10:00+02:00", "x"], [0, 2]
    ),
    _one("minute", "f|minute: 59", ["2026-03-01T03:59:00Z", "2026-03-01 03:58"], [0]),
    _one(
        "day, month and year",
        "f|day: 1, f|month: 3, f|year: 2026",
        ["2026-03-01T03:59:00Z", "2026-04-01", "2025-03-01"],
        [0],
    ),
    _one("a part of a time compared", "f|hour|gte: 4", ["2026-03-01T03:59:00Z", "2026-03-01T04:00:00Z", "x"], [1]),
    _one(
        "any of two parts", "f|hour: [3, 4]", ["2026-03-01T03:59Z", "2026-03-01T04:00:00Z", "2026-03-01T05:00"], [0, 1]
    ),
    _one("not a part", "f|hour|neq: 3", ["2026-03-01T03:59:00Z", "2026-03-01T04:00:00Z", "x", ...], [1, 2, 3]),
    _one(
        "a part of a time since 1970, in seconds to nanoseconds, as number and as text",
        "f|minute: 30",
        [1772325000, 1772325000123, 1772325000123456, 1772325000123456789, "1772325000", 1772325000.5, 1772326000],
        [0, 1, 2, 3, 4, 5],
    ),
    _one(
        "a number that is no time has no hour",
        "f|hour|gte: 0",
        [5, 20260301, 202603010015, 20260301001500, -1772325000, 1e300, True],
        [],
    ),
    _one("week", "f|week: 53", ["2027-01-01", "2027-01-04"], [0]),
]

#: A field whose value is a list, or that lies within lists, matches by any element.
LISTS = [
    _one("any element", "f: b", [["A", "B"], ["a"], "b", [], "[b]"], [0, 2]),
    _one("an element whole, not in part", "f: ab", [["abc", "x"], ["AB"]], [1]),
    _one("not: no element", "f|neq: b", [["a", "b"], ["a"], [], ...], [1, 2, 3]),
    _one("any element contains", "f|contains: b", [["xx", "abc"], ["a", "c"]], [0]),
    _one("all, not of one element", "f|contains|all: [a, b]", [["xa", "bx"], ["ab"], ["a"]], [0, 1]),
    _one("any element of a set", "f: [a, b]", [["x", "B"], ["x"], "a"], [0, 2]),
    _one("any element matches an expression", "f|re: '^b$'", [["a", "b"], ["ab"]], [0]),
    _one("any element is greater", "f|gt: 5", [[1, 9], [1, 2], ["7"], 6], [0, 2, 3]),
    _one("any element is the number", "f: 5", [[1, 5], ["5.0"], [55]], [0, 1]),
    _one("any element is true", "f: true", [[False, True], [False]], [0]),
    _one("any element in a network", "f|cidr: 10.0.0.0/8", [["x", "10.1.1.1"], ["11.1.1.1"]], [0]),
    _one("any element in an IPv6 network", "f|cidr: 'fc00::/7'", [["x", "fd00::1"], ["fe00::1"]], [0]),
    _one("any element's hour", "f|hour: 3", [["x", "2026-03-01T03:00:00Z"], ["2026-03-01T04:00:00Z"]], [0]),
    _one("an empty list has no value", "f: null", [[], ["a"], [None], ["a", None], ...], [0, 2, 3, 4]),
    _one("an empty list is there", "f|exists: true", [[], ["a"], ...], [0, 1]),
    _one("a blank element", "f: ''", [["a", ""], [], ["a"]], [0]),
    _one("a text that looks like a list is a text", "f: '[a]'", ["[a]", ["a"]], [0]),
    _one("a list in a list is one element, its JSON text", "f: '[1,2]'", [[[1, 2], "c"], [1, 2]], [0]),
    _all(
        "a field of objects in a list",
        "s: {a.b: x}\ncondition: s",
        [{"a": [{"b": "y"}, {"b": "X"}]}, {"a": [{"c": "x"}]}, {"a": {"b": ["x"]}}, {"a": [{"b": ["y", "x"]}]}],
        [0, 2, 3],
    ),
    _all(
        "not all of one object: each field for itself",
        "s: {a.b: x, a.c: y}\ncondition: s",
        [{"a": [{"b": "x"}, {"c": "y"}]}, {"a": [{"b": "x"}]}],
        [0],
    ),
    _all(
        "there within a list, if any object has it, whatever is in it",
        "s: {a.b|exists: true}\ncondition: s",
        [
            {"a": [{"c": 1}]},
            {"a": [{"c": "y"}, {"b": "x"}]},
            {"a": []},
            {"a": [{"b": []}]},
            {"a": [{"b": None}, 1]},
            {},
        ],
        [1, 3, 4],
    ),
    _all("absent within a list", "s: {a.b: null}\ncondition: s", [{"a": [{"c": 1}]}, {"a": [{"b": 1}]}, {}], [0, 2]),
    _all(
        "fieldref over lists: any of either",
        "s: {a|fieldref: b}\ncondition: s",
        [{"a": ["x", "y"], "b": ["Y"]}, {"a": ["x"], "b": "x"}, {"a": ["x"], "b": ["z"]}],
        [0, 1],
    ),
    _all(
        "keywords in lists, and never in keys",
        "k: [evil]\ncondition: k",
        [{"a": ["x", {"b": "EVIL"}]}, {"a": {"evil": 1}}, {"a": [{"evil": 1}]}],
        [0],
    ),
]

CASES = [*STRINGS, *NUMBERS, *ABSENCE, *EXPRESSIONS, *NETWORKS, *LOGIC, *FIELDS, *KEYWORDS, *TIMES, *LISTS]
