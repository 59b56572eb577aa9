"""Writes the sample logs: five weeks of an invented force, in the formats its systems would write.

    python sample_logs/make_samples.py --seed 7 OUT

The same seed gives the same content on every machine; only how tightly gzip and zip pack it is up to the machine's
zlib. Needs nothing but the standard library.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # this folder is scanned: no caches in it

from making import records, tables  # noqa: E402
from making.dice import Dice  # noqa: E402
from making.force import Person, make_force  # noqa: E402
from making.habits import AGENCIES, ordinary_days  # noqa: E402
from making.log import Log  # noqa: E402
from making.misuse import plant  # noqa: E402


def samples(seed: int) -> dict[str, bytes]:
    """Every file by its path."""
    force, log = make_force(seed), Log(seed)
    agencies = [Person(name, name, "", "", "", 0, "", "") for name in AGENCIES]
    ordinary_days(log, Dice(seed, "days"), force, agencies)
    plant(log, Dice(seed, "misuse"), force)
    files: dict[str, bytes] = {}
    for write in (
        tables.pnc, tables.portal, tables.organisations, tables.network, records.cris, records.custody,
        records.evidence, records.intel, records.bureau,
    ):  # fmt: skip
        files |= write(log)
    labels = [(x.event_id, x.episode, x.scenario) for x in log.lookups if x.episode]
    rows = [("event_id", "episode_id", "scenario"), *sorted(labels, key=lambda row: (row[1], row[0]))]
    return files | {"labels.csv": b"".join(tables.csv_lines(rows))}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the sample logs.")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write into")
    parser.add_argument("--seed", type=int, default=7, help="7 makes the ones that are shipped")
    arguments = parser.parse_args()
    for name, content in samples(arguments.seed).items():
        path = arguments.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
