"""The generated part of docs/reference-tables.md: of each table its columns, its history, and what rests on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from detector.context.columns import SHAPES
from detector.context.document import columns_table
from detector.features.catalogue import FEATURES
from detector.rules.load import load_rules
from detector.rules.pack import RulePack, active_rules

HERE = Path(__file__).resolve().parent
#: More rules than these are counted, and named in docs/rules.md alone.
MOST_NAMED = 10


def tables() -> str:
    """Markdown: one section a table, in the order of the contract."""
    pack = load_rules([HERE.parent / "rules"], strict=True)
    return "\n\n".join("\n\n".join(_section(name, pack)) for name in SHAPES)


def _section(name: str, pack: RulePack) -> Iterator[str]:
    shape = SHAPES[name]
    yield f"### {name}"
    yield columns_table(name)
    said = []
    if shape.period:
        said.append(f"A row holds from `{shape.period[0]}` to `{shape.period[1]}`.")
    if shape.key:
        key = " and ".join(f"`{column}`" for column in shape.key)
        said.append(f"There is one row for each {key}.")
    if said:
        yield " ".join(said)
    features = ", ".join(f"`{feature.name}`" for feature in FEATURES.values() if name in feature.needs)
    yield f"Inactive without it: {features or 'no feature'}; {_rules(name, pack)}."


def _rules(table: str, pack: RulePack) -> str:
    """The shipped rules that a scan without this table, and with all others, would call inactive."""
    columns = frozenset(field for rule in pack.all for field in rule.fields)
    _, inactive = active_rules(pack, columns, SHAPES.keys() - {table})
    ids = {rule.rule_id for rule in inactive}
    about = sorted((rule.about for rule in pack.rules if rule.about.rule_id in ids), key=lambda about: about.title)
    if len(about) > MOST_NAMED:
        named = f"those with `{table}` under *needs* in [rules.md](rules.md)"
        return f"{len(about)} of {len(pack.rules)} shipped rules, {named}"
    links = [f"[{each.file.stem}]({Path(os.path.relpath(each.file, HERE)).as_posix()})" for each in about]
    return f"rules {', '.join(links)}" if links else "no shipped rule"
