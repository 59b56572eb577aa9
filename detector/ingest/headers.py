"""Header names of tables: which column of a file is which source field of a mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from detector.errors import InputError, Where
from detector.ingest.mapping import Mapping


def loose(name: str) -> str:
    """A header name without case, spaces, `_`, `-` and `.`: `Org_Name`, `org name` and `orgName` are one."""
    return name.strip().lstrip("\ufeff").casefold().translate(_SEPARATORS)


#: For the names that mappings state: few, and asked for with every line that may be a header.
_stated: Final = lru_cache(maxsize=4096)(loose)
_SEPARATORS: Final = str.maketrans("", "", " _-.\t\u00a0")


def header_columns(header: Sequence[str], mapping: Mapping) -> dict[str, str]:
    """Source field of the mapping -> the column of this header that holds it; fields that are not there are left out.

    An exact name wins over a loose one, the field's own name over its aliases, and the earlier column over the later.
    """
    exact = set(header)
    own = set(mapping.fields)
    by_loose: dict[str, str] = {}
    for column in header:
        if column not in own:
            by_loose.setdefault(loose(column), column)
    found: dict[str, str] = {}
    heads = mapping.header
    known = [*mapping.fields, *((*heads.must, *(n for g in heads.any_of for n in g), *heads.must_not) if heads else ())]
    if mapping.embedded_json:
        known.append(mapping.embedded_json)
    for field in known:
        names = (field, *mapping.aliases.get(field, ()))
        hit = next((n for n in names if n in exact), None) or next(
            (by_loose[_stated(n)] for n in names if _stated(n) in by_loose), None
        )
        if hit is not None:
            found[field] = hit
    return found


def distinct_columns(header: Sequence[str], name: str, mapping: Mapping) -> list[str]:
    """The header with a name for every column, none twice: blank ones and repeated ones become `(column N)`.

    Raises InputError when a column that the mapping reads is there twice: which of the two is meant is not guessed.
    """
    used = set(header_columns(header, mapping).values())
    twice = sorted(column for column, count in Counter(header).items() if count > 1 and column in used)
    if twice:
        raise InputError(
            f"the header has the column {twice[0]} twice",
            where=Where(name, key=twice[0]),
            hint="Rename one of the two.",
        )
    seen: set[str] = set()
    out: list[str] = []
    for index, column in enumerate(header, 1):
        out.append(f"(column {index})" if not column.strip() or column in seen else column)
        seen.add(column)
    return out


def fits_header(header: Sequence[str], mapping: Mapping) -> bool:
    """Whether a header has what the mapping says it must have."""
    if mapping.header is None or not _may_fit(header, mapping):
        return False
    found = header_columns(header, mapping)
    return (
        all(name in found for name in mapping.header.must)
        and all(any(name in found for name in group) for group in mapping.header.any_of)
        and not any(name in found for name in mapping.header.must_not)
    )


def _may_fit(header: Sequence[str], mapping: Mapping) -> bool:
    """A quick look that turns away nearly every line that is no header of the mapping: is each column that must be
    there called so at all?"""
    there = _loose_names(tuple(header))
    must = mapping.header.must if mapping.header else ()
    return all(any(_stated(n) in there for n in (name, *mapping.aliases.get(name, ()))) for name in must)


@lru_cache(maxsize=64)
def _loose_names(header: tuple[str, ...]) -> frozenset[str]:
    """Of one line; every mapping asks for the same few lines in turn."""
    return frozenset(map(loose, header))
