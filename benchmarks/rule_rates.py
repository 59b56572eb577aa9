"""How loud each rule is on what was scanned: `python benchmarks/rule_rates.py HOME`.

Reads the lake of a home, as `detector scan` left it, and prints a Markdown table: findings (one a rule, person and
night), the people they are about, and findings per 1,000 look-ups. Rules that said nothing are listed too.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.dataset as ds

from detector.rules.load import load_rules

RULES = Path(__file__).resolve().parent.parent / "rules"


def table(home: Path) -> str:
    """The rates of the home's lake, loudest first."""
    events = ds.dataset(home / "lake" / "events")
    actors = events.to_table(columns=["actor_id"])["actor_id"]
    look_ups = len(actors)
    found: Counter[str] = Counter()
    people: defaultdict[str, set[str]] = defaultdict(set)
    findings = ds.dataset(home / "lake" / "findings")
    columns = ["detector", "rule_id", "actor_id"]
    for row in findings.to_table(columns=columns, filter=ds.field("detector") == "rule").to_pylist():
        found[row["rule_id"]] += 1
        people[row["rule_id"]].add(row["actor_id"])
    lines = [
        f"{look_ups:,} look-ups by {len(actors.unique()):,} people.",
        "",
        "| rule | level | findings | people | per 1,000 look-ups |",
        "|---|---|---|---|---|",
    ]
    rules = load_rules([RULES], strict=True).rules
    for rule in sorted(rules, key=lambda rule: (-found[rule.about.rule_id], rule.about.theme, rule.about.title)):
        name = rule.about.file.relative_to(RULES).with_suffix("").as_posix()
        count = found[rule.about.rule_id]
        who = len(people[rule.about.rule_id])
        lines.append(f"| {name} | {rule.about.level} | {count:,} | {who:,} | {1000 * count / look_ups:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    print(table(parser.parse_args().home))
