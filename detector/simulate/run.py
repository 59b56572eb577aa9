"""A simulation from its options to its files, day by day: what is written is forgotten."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from detector.errors import UsageError, Where
from detector.progress import Progress
from detector.simulate.chance import Bools
from detector.simulate.clock import DAY
from detector.simulate.day import Day
from detector.simulate.desks import desk_rows
from detector.simulate.groups import EVENT_GROUPS, GROUP, STARTERS, TRANSFERS
from detector.simulate.indices import PERSON
from detector.simulate.jobs import Incidents, job_rows
from detector.simulate.misuse import Misuse, misuse_rows, plan_misuse
from detector.simulate.names import COMMUNITY
from detector.simulate.options import FileFormat, Options
from detector.simulate.organisation import KINDS
from detector.simulate.people import NEVER
from detector.simulate.render import FEEDS, Texts, event_ids, feeds_of, in_order, make_texts
from detector.simulate.rows import NONE, Rows, together
from detector.simulate.scenarios.registry import SCENARIOS
from detector.simulate.sittings import pair_rows, sitting_rows
from detector.simulate.tables import ReferenceWriter
from detector.simulate.twins import twin_rows
from detector.simulate.world import World, make_world


@dataclass
class Summary:
    """What a run wrote. `scenarios`: episodes by scenario; `groups`: look-ups by hard-negative group of events."""

    events: int = 0
    labelled: int = 0
    episodes: int = 0
    actors: int = 0
    files: int = 0
    scenarios: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)


def simulate(out: Path, options: Options, progress: Progress) -> Summary:
    """Write events, reference tables, labels and groups into `out`, which must be new or empty.

    Memory follows the staff and two days of look-ups, not the days. Raises UsageError where `out` cannot be written.
    """
    _make_room(out)
    progress.update("making the force")
    world = make_world(options)
    misuse = plan_misuse(world)
    texts = make_texts(world)
    summary = Summary(episodes=0)
    touched = np.zeros(len(texts.record_ids), dtype=np.bool_)
    reference = ReferenceWriter(world, texts, out / "reference")
    with _Answers(out, texts, misuse) as answers:
        answers.people(world)
        for day, rows in _utc_days(world, misuse, reference, progress):
            ordered = in_order(texts, rows)
            _touch(touched, ordered)
            answers.events(ordered, summary)
            for feed, table in feeds_of(world, texts, ordered).items():
                name = f"{feed}-{world.clock.date(day).isoformat()}.{options.file_format}"
                _write(out / "events" / feed / name, table, options.file_format)
                summary.files += 1
            summary.events += len(ordered)
        answers.finish(summary)
    progress.update("writing the reference tables")
    reference.finish(misuse, touched)
    return summary


def _make_room(out: Path) -> None:
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(
                "the folder is not empty", where=Where(out), hint="Name a new one: nothing is overwritten."
            )
        for feed in FEEDS:
            (out / "events" / feed).mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"the folder cannot be made: {exc.strerror}", where=Where(out)) from None


def _utc_days(
    world: World, misuse: Misuse, reference: ReferenceWriter, progress: Progress
) -> Iterator[tuple[int, Rows]]:
    """Each UTC day of the run with its look-ups, once no later local day can add to it."""
    waiting = together([])
    for number in range(world.days):
        progress.update(f"day {number + 1} of {world.days}", number / world.days)
        rows, incidents = local_day(world, misuse, number)
        reference.incidents(number, incidents)
        waiting = together([waiting, rows.having(time=world.clock.utc(rows["time"]))])
        # A local day begins at most an hour before the UTC day of its date, so the day before is complete.
        done = [number - 1] if number + 1 < world.days else [number - 1, number]
        for day in (day for day in done if day >= 0):
            start = world.clock.origin + day * DAY
            mine = (waiting["time"] >= start) & (waiting["time"] < start + DAY)
            yield day, waiting.take(mine)
            waiting = waiting.take(waiting["time"] >= start + DAY)


def local_day(world: World, misuse: Misuse, number: int) -> tuple[Rows, Incidents]:
    """All look-ups of turns of duty that begin on that local day, in local time, and its incident log."""
    day = Day(world, number)
    jobs, log = job_rows(day)
    desks, arrivals = desk_rows(day)
    twins, live = twin_rows(day)
    ordinary = together([jobs, sitting_rows(day), pair_rows(day), desks, twins])
    rows = together([ordinary, misuse_rows(day, misuse.acts.get(number, ()), ordinary)])
    incidents = Incidents(
        *(
            np.concatenate([getattr(part, name) for part in (log, arrivals, live)])
            for name in Incidents.__dataclass_fields__
        )
    )
    return _with_surnames(world, rows), incidents


def _with_surnames(world: World, rows: Rows) -> Rows:
    """Puts look-ups of namesakes in a community of few surnames into their group."""
    indices = world.indices
    actor = np.where(rows["requester"] >= 0, rows["requester"], rows["operator"])
    person = indices.segment(rows["record"]) == PERSON
    surname = indices.surname[np.where(person, rows["record"], 0)]
    same = person & (surname == indices.surname[actor]) & np.isin(surname, COMMUNITY)
    same &= (rows["group"] == NONE) & (rows["episode"] == NONE)
    return rows.having(group=np.where(same, GROUP["common_surname"], rows["group"]))


def _touch(touched: Bools, rows: Rows) -> None:
    touched[rows["record"][(rows["record"] >= 0) & (rows["found"] == 1)]] = True


def _write(path: Path, table: pa.Table, file_format: FileFormat) -> None:
    if file_format == "parquet":
        pq.write_table(table, path, compression="zstd")
        return
    columns = {name: _plain(table[name]) for name in table.column_names}
    pacsv.write_csv(pa.table(columns), path, pacsv.WriteOptions(quoting_style="needed"))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As a log would write it: ISO times, true and false, nothing for nothing."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(pc.cast(column, pa.timestamp("s", tz="UTC")), "%Y-%m-%dT%H:%M:%SZ")
    return column


class _Answers:
    """labels.csv, groups.csv and scenarios.csv: kept apart from what the detector is given."""

    def __init__(self, out: Path, texts: Texts, misuse: Misuse) -> None:
        self._out, self._texts, self._misuse = out, texts, misuse
        self._labels: list[tuple[str, int]] = []

    def __enter__(self) -> _Answers:
        self._file: TextIOWrapper = (self._out / "groups.csv").open("w", encoding="utf-8", newline="")
        self._groups = csv.writer(self._file, lineterminator="\n")
        self._groups.writerow(("event_id", "actor_id", "group"))
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def people(self, world: World) -> None:
        """The groups that people belong to as such."""
        staff, ids = world.staff, self._texts.staff_ids
        kind = world.units.kind[staff.unit]
        groups: dict[str, Bools] = {each.group: kind == number for number, each in enumerate(KINDS) if each.group}
        groups[STARTERS] = (staff.starts_on > -60) & (staff.starts_on < world.days)
        groups[TRANSFERS] = staff.moves_on < NEVER
        for name, members in groups.items():
            self._groups.writerows(sorted(("", str(ids[i]), name) for i in np.flatnonzero(members)))

    def events(self, rows: Rows, summary: Summary) -> None:
        """Labels and groups of one day's look-ups. What is misuse is in no group."""
        wrong = rows["episode"] != NONE
        ids = event_ids(self._texts, rows["key"][wrong]).to_pylist()
        self._labels += zip(ids, rows["episode"][wrong].tolist(), strict=True)
        twin = (rows["group"] != NONE) & ~wrong
        names = [EVENT_GROUPS[code] for code in rows["group"][twin]]
        self._groups.writerows(
            (event, "", name)
            for event, name in zip(event_ids(self._texts, rows["key"][twin]).to_pylist(), names, strict=True)
        )
        summary.groups.update(names)

    def finish(self, summary: Summary) -> None:
        episodes = self._misuse.episodes
        written = sorted({episode for _, episode in self._labels})
        rows = sorted((f"E{episode + 1:05d}", event, episodes[episode].scenario) for event, episode in self._labels)
        _write_csv(
            self._out / "labels.csv", ("event_id", "episode_id", "scenario"),
            [(event, episode, scenario) for episode, event, scenario in rows],
        )  # fmt: skip
        _write_csv(
            self._out / "scenarios.csv", ("scenario", "family", "split"),
            [(scenario.name, scenario.family, scenario.split) for scenario in SCENARIOS],
        )  # fmt: skip
        summary.labelled, summary.episodes = len(rows), len(written)
        summary.actors = len({actor for episode in written for actor in episodes[episode].actors})
        summary.scenarios.update(episodes[episode].scenario for episode in written)


def _write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def as_record(summary: Summary) -> Mapping[str, object]:
    """For JSON."""
    return {
        "events": summary.events, "labelled": summary.labelled, "episodes": summary.episodes, "actors": summary.actors,
        "files": summary.files, "scenarios": dict(sorted(summary.scenarios.items())),
        "groups": dict(sorted(summary.groups.items())),
    }  # fmt: skip
