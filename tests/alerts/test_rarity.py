"""How rare a signal is among peers: worked examples, and a plain loop over the same nights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_findings import NIGHT, finding

from detector.alerts.rarity import (
    FORCE_NIGHTS,
    LEAST_RATE,
    PRIOR_NIGHTS,
    ROLE_NIGHTS,
    WINDOW,
    Earlier,
    Rate,
    Speaker,
    rates,
)
from detector.alerts.worth import ASSUMED_RATE
from detector.engine import connect
from detector.records import Finding

#: Actor, and where they worked: organisation, unit, role.
Seen = tuple[str, str | None, str | None, str | None]
SEEN = pa.schema(
    [("night", pa.date32()), *((name, pa.string()) for name in ("actor_id", "organisation", "unit", "role"))]
)
#: What was said on each night, and who was active.
Nights = Mapping[date, tuple[Sequence[Finding], Sequence[Seen]]]
RESPONSE = ("Force", "Response", "constable")


def people(night: date, seen: Iterable[Seen]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SEEN.names, (night, *one), strict=True)) for one in seen], schema=SEEN)


def files(folder: Path, nights: Nights) -> Earlier:
    found, actors = [], []
    for night, (said, seen) in nights.items():
        table = pa.Table.from_pylist(
            # as the lake has them: with columns that nobody asked for
            [
                {
                    "finding_id": f.finding_id,
                    "rule_id": f.rule_id,
                    "level": f.level,
                    "actor_id": f.actor_id,
                    "night": night,
                }
                for f in said
            ],
            schema=pa.schema(
                [(n, pa.string()) for n in ("finding_id", "rule_id", "level", "actor_id")] + [("night", pa.date32())]
            ),
        )
        found.append(folder / f"findings-{night}.parquet")
        pq.write_table(table, found[-1])
        actors.append(folder / f"actors-{night}.parquet")
        pq.write_table(people(night, seen).append_column("lookups_1h", pa.array([1.0] * len(seen))), actors[-1])
    return Earlier(found, actors)


def asked(folder: Path, nights: Nights, night: date = NIGHT) -> dict[Speaker, Rate]:
    said, seen = nights[night]
    con = connect(readable=[folder])
    try:
        before = {key: value for key, value in nights.items() if key < night}
        return dict(rates(con, night, said, people(night, seen), files(folder, before)))
    finally:
        con.disconnect()


def test_before_anything_was_counted_the_levels_assumption_holds(tmp_path: Path) -> None:
    rate = asked(tmp_path, {NIGHT: ([finding("P-1", level="high")], [("P-1", *RESPONSE)])})
    assert rate == {("rule_a", "high", "P-1"): Rate(ASSUMED_RATE["high"], 0)}
    assert not rate["rule_a", "high", "P-1"].is_counted


def test_what_all_peers_do_is_common_and_what_no_peer_does_is_rare(tmp_path: Path) -> None:
    """Twenty detectives of a murder room, all of whom a rule speaks of every night; and one clerk."""
    seen: list[Seen] = [(f"D-{n}", "Force", "Murder room", "detective") for n in range(20)]
    seen += [(f"C-{n}", "Force", "Headquarters", "clerk") for n in range(20)]
    nights: dict[date, tuple[list[Finding], list[Seen]]] = {
        NIGHT - timedelta(days): ([finding(f"D-{n}") for n in range(20)], seen) for days in range(20)
    }
    nights[NIGHT][0].append(finding("C-1"))
    rate = asked(tmp_path, nights)
    assert rate["rule_a", "medium", "D-1"].share > 0.95
    assert rate["rule_a", "medium", "C-1"].share < 0.05
    assert all(one.is_counted for one in rate.values())


def test_an_actors_own_nights_are_not_counted(tmp_path: Path) -> None:
    seen: list[Seen] = [(f"P-{n}", *RESPONSE) for n in range(10)]
    alone = {NIGHT: ([finding("P-1")], seen)}
    for_weeks = {NIGHT - timedelta(days): ([finding("P-1")], seen) for days in range(20)}
    (once,), (always,) = asked(tmp_path, alone).values(), asked(tmp_path, for_weeks).values()
    assert always.share < once.share
    assert (once.nights, always.nights) == (9, 180)


def test_a_small_group_without_what_is_rare_everywhere_is_not_taken_for_one_that_never_does_it(tmp_path: Path) -> None:
    seen: list[Seen] = [(f"P-{n}", *RESPONSE) for n in range(60)]
    seen += [(f"C-{n}", "Force", "Headquarters", "clerk") for n in range(40)]
    twice: Nights = {
        NIGHT - timedelta(days): ([finding(f"P-{days}")] if days in (5, 15) else [], seen) for days in range(1, 21)
    }
    rate = asked(tmp_path, {**twice, NIGHT: ([finding("C-1"), finding("P-1")], seen)})
    clerk, constable = (rate["rule_a", "medium", actor].share for actor in ("C-1", "P-1"))
    assert clerk < constable < 5 * clerk


def test_nights_later_and_long_ago_are_not_counted(tmp_path: Path) -> None:
    seen: list[Seen] = [(f"P-{n}", *RESPONSE) for n in range(10)]
    said = [finding(f"P-{n}") for n in range(10)]
    tonight = {NIGHT: ([finding("P-1")], seen)}
    others = {NIGHT - timedelta(WINDOW + 1): (said, seen), NIGHT + timedelta(1): (said, seen)}
    before = files(tmp_path, others)
    con = connect(readable=[tmp_path])
    rate = rates(con, NIGHT, tonight[NIGHT][0], people(NIGHT, seen), before)
    assert rate == asked(tmp_path, tonight)


def test_a_night_listed_twice_counts_once(tmp_path: Path) -> None:
    seen: list[Seen] = [(f"P-{n}", *RESPONSE) for n in range(10)]
    yesterday = NIGHT - timedelta(1)
    said = [finding("P-2")]
    once = asked(tmp_path, {yesterday: (said, seen), NIGHT: ([finding("P-1")], seen)})
    twice = asked(tmp_path, {yesterday: (said * 2, seen * 2), NIGHT: ([finding("P-1")], seen)})
    assert once == twice


def test_a_masked_actor_is_compared_with_the_force(tmp_path: Path) -> None:
    seen: list[Seen] = [(f"P-{n}", *RESPONSE) for n in range(400)]
    rate = asked(tmp_path, {NIGHT: ([finding("***"), finding("P-1")], seen)})
    assert 0 < rate["rule_a", "medium", "***"].share < ASSUMED_RATE["medium"]


def test_a_rate_is_never_nothing(tmp_path: Path) -> None:
    seen: list[Seen] = [(f"P-{n}", *RESPONSE) for n in range(4000)]
    nights = {NIGHT - timedelta(days): ([finding("P-1", level="critical")], seen) for days in range(28)}
    assert asked(tmp_path, nights)["rule_a", "critical", "P-1"].share == LEAST_RATE


def plain(nights: Nights, one: Finding) -> float:
    """As the module says it, in loops."""
    counted = [night for night in nights if NIGHT - timedelta(WINDOW) <= night <= NIGHT]
    seen = {(night, a): (o or "", u or "", r or "") for night in counted for a, o, u, r in nights[night][1]}
    said = {
        (night, f.actor_id): seen.get((night, f.actor_id), ("", "", ""))
        for night in counted
        for f in nights[night][0]
        if (f.rule_id, f.level) == (one.rule_id, one.level)
    }
    mine = next((place for (night, a), place in seen.items() if (night, a) == (NIGHT, one.actor_id)), ("", "", ""))
    own = (sum(a == one.actor_id for _, a in said), sum(a == one.actor_id for _, a in seen))
    rate = ASSUMED_RATE[one.level]
    for keep, weight in (((), float(PRIOR_NIGHTS)), ((0, 2), FORCE_NIGHTS), ((0, 1, 2), ROLE_NIGHTS)):
        n = max(sum(all(p[i] == mine[i] for i in keep) for p in said.values()) - own[0], 0)
        of = max(sum(all(p[i] == mine[i] for i in keep) for p in seen.values()) - own[1], 0)
        prior = max(weight, 1 / rate)
        rate = (n + prior * rate) / (max(of, n) + prior)
    return max(rate, LEAST_RATE)


actors = st.sampled_from(["P-1", "P-2", "P-3", "P-4", "***"])
places = st.tuples(*(st.sampled_from([None, "x", "y"]) for _ in range(3)))
seen_lists = st.dictionaries(actors.filter(lambda a: a != "***"), places, max_size=4).map(
    lambda found: [(actor, *place) for actor, place in found.items()]
)
said_lists = st.lists(
    st.builds(
        lambda actor, rule, level: finding(actor, rule, level=level),
        actors,
        st.sampled_from("ab"),
        st.sampled_from(["low", "high"]),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(said_lists, seen_lists), min_size=1, max_size=4))
def test_as_in_plain_loops(tmp_path: Path, history: list[tuple[list[Finding], list[Seen]]]) -> None:
    nights = {NIGHT - timedelta(days): told for days, told in enumerate(history)}
    found = asked(tmp_path, nights)
    wanted = {(f.rule_id, f.level, f.actor_id): plain(nights, f) for f in nights[NIGHT][0]}
    assert {key: rate.share for key, rate in found.items()} == pytest.approx(wanted)
