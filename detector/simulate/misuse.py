"""Who misuses, in which episodes, and how each look-up of an episode comes to lie among the day's other ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Ints, Rng, stream
from detector.simulate.clock import MINUTE, SECOND
from detector.simulate.day import Day
from detector.simulate.desks import DESKS
from detector.simulate.indices import PERSON, VEHICLE
from detector.simulate.jobs import automatic_keepers
from detector.simulate.organisation import KINDS
from detector.simulate.reasons import CONTEXT
from detector.simulate.rows import (
    BY_KEY,
    CASE_REF,
    INCIDENT_REF,
    NO_REF,
    NONE,
    PNC,
    UNKNOWN_REF,
    UNKNOWN_REFS,
    Rows,
    together,
)
from detector.simulate.scenarios.registry import chosen
from detector.simulate.scenarios.scenario import Act, Draft
from detector.simulate.world import World

#: A terminal of another unit: see `render.terminals`.
ELSEWHERE: Final = 900


@dataclass(frozen=True)
class Episode:
    number: int
    scenario: str
    actors: tuple[int, ...]


@dataclass(frozen=True)
class Misuse:
    """All episodes of a run; `acts` by day, each with the number of its episode; `links`: case and record."""

    episodes: tuple[Episode, ...]
    acts: Mapping[int, tuple[tuple[int, Act], ...]]
    links: tuple[tuple[int, int], ...]


def plan_misuse(world: World) -> Misuse:
    """Episodes by different people until the share of the staff that the options ask for is reached.

    Scenarios take turns in an order drawn anew for each round, so that all occur before one occurs twice.
    """
    options = world.options
    scenarios = chosen(options.scenarios)
    rng = stream(options.seed, "misuse")
    wanted = round(options.prevalence * options.staff) if options.prevalence else 0
    wanted = max(wanted, 1) if options.prevalence else 0
    used: set[int] = set()
    episodes: list[Episode] = []
    acts: dict[int, list[tuple[int, Act]]] = defaultdict(list)
    links: list[tuple[int, int]] = []
    fruitless = 0
    while len(used) < wanted and fruitless < 2:
        before = len(used)
        for index in rng.permutation(len(scenarios)):
            scenario = scenarios[index]
            size = min(int(rng.integers(scenario.actors[0], scenario.actors[1] + 1)), wanted - len(used))
            free = np.setdiff1d(scenario.candidates(world), np.array(sorted(used), dtype=np.int64))
            if size < 1 or len(free) < size:
                continue
            draft = Draft(world, rng, [int(who) for who in rng.permutation(free)[:size]])
            scenario.draft(draft)
            used.update(draft.actors)
            for act in draft.acts:
                acts[act.day].append((len(episodes), act))
            links += draft.links
            episodes.append(Episode(len(episodes), scenario.name, tuple(draft.actors)))
        fruitless = fruitless + 1 if len(used) == before else 0
    return Misuse(tuple(episodes), {day: tuple(found) for day, found in acts.items()}, tuple(links))


def misuse_rows(day: Day, acts: Sequence[tuple[int, Act]], others: Rows) -> Rows:
    """The day's acts as look-ups. `others`: everybody's look-ups of the day, beside which some are hidden."""
    if not acts:
        return together([])
    rng = day.rng("misuse")
    cover = _cover(acts, others)
    groups: dict[tuple[int, int, int], list[Act]] = defaultdict(list)
    for episode, act in acts:
        groups[episode, act.actor, act.slot].append(act)
    rows: list[dict[str, int]] = []
    for (episode, actor, _), together_ in groups.items():
        rows += _group(day, rng, episode, actor, together_, cover.get(actor), others)
    columns = {name: np.array([row[name] for row in rows], dtype=np.int64) for name in rows[0]}
    columns["reason"] = np.where(
        columns["reason"] == NONE, day.write(rng, columns.pop("context"), columns["who"]), columns["reason"]
    )
    del columns["who"]
    named = (columns["system"] == PNC) & (columns["query"] == BY_KEY)
    named &= day.world.indices.segment(columns["record"]) == PERSON
    columns["results"] = columns["results"] + named * rng.poisson(0.8, len(rows))  # namesakes, as in anybody's search
    found = day.new(len(rows), **columns)
    return together([found, automatic_keepers(day, rng, found)])


def _cover(acts: Sequence[tuple[int, Act]], others: Rows) -> dict[int, Ints]:
    """Positions of the explained look-ups that each actor made or asked for today."""
    actors = np.unique([act.actor for _, act in acts])
    who = np.where(others["requester"] >= 0, others["requester"], others["operator"])
    at = np.flatnonzero(np.isin(who, actors) & (others["explained"] == 1) & (others["parent"] == NONE))
    found: dict[int, Ints] = {}
    for actor in actors:
        mine = at[who[at] == actor]
        if len(mine):
            found[int(actor)] = mine
    return found


def _group(
    day: Day, rng: Rng, episode: int, actor: int, acts: Sequence[Act], cover: Ints | None, others: Rows
) -> list[dict[str, int]]:
    """Acts that happen together, at one place in time, as columns of look-ups."""
    hidden = acts[0].hidden
    if hidden is None:
        hidden = bool(rng.random() < day.world.options.camouflage)
    beside = int(rng.choice(cover)) if hidden and cover is not None and acts[0].minute is None else NONE
    begin = _begin(day, rng, acts[0], beside, others)
    refs = _usual_reference(day, rng, actor, others)
    bureau = day.of_kind("bureau")
    elsewhere = ELSEWHERE + int(rng.integers(0, 90))
    rows = []
    for act in acts:
        through = act.bureau and len(bureau) > 0
        kind, ref = act.ref or (refs if rng.random() < 0.85 else (NO_REF, 0))
        reason = act.reason if act.reason is not None else NONE
        if beside != NONE and act.reason is None:
            reason = int(others["reason"][beside])
        if beside != NONE and act.ref is None:
            kind, ref = int(others["ref_kind"][beside]), int(others["ref"][beside])
        rows.append(
            {
                "who": actor, "context": _context(day, rng, actor, act), "time": begin + act.after * SECOND,
                "operator": int(rng.choice(bureau)) if through else actor, "requester": actor if through else NONE,
                "system": act.system, "action": act.action, "record": act.record, "query": act.query, "reason": reason,
                "ref_kind": kind, "ref": ref, "results": act.results, "scope": act.scope, "exports": act.exports,
                "recipient": act.recipient, "terminal": elsewhere if act.elsewhere else NONE, "episode": episode,
            }
        )  # fmt: skip
    return rows


def _begin(day: Day, rng: Rng, act: Act, beside: int, others: Rows) -> int:
    """Local time of the first of the acts."""
    if act.minute is not None:
        return int(day.world.clock.at(day.number, np.array([act.minute]))[0]) + int(rng.integers(0, 60)) * SECOND
    if beside != NONE:
        return int(others["time"][beside]) + int(rng.integers(-8 * 60, 10 * 60)) * SECOND
    if day.world.roster.on[act.actor, day.number]:
        return int(day.moment(rng, np.array([act.actor]))[0])
    return int(day.world.clock.at(day.number, np.array([540]))[0]) + int(rng.integers(0, 540)) * MINUTE


def _usual_reference(day: Day, rng: Rng, actor: int, others: Rows) -> tuple[int, int]:
    """What the actor gives as a reference: a case of one's own, some incident's number, rubbish, nothing."""
    key = KINDS[day.kind[actor]].key
    if key in DESKS:
        return NO_REF, 0
    one = np.array([actor])
    kind, _ = day.refer(rng, one, CASE_REF, np.zeros(1, dtype=np.int64))
    if kind[0] == NO_REF:
        return NO_REF, 0
    if key in ("response", "neighbourhood", "traffic") and rng.random() < 0.7:
        incidents = others["ref"][others["ref_kind"] == INCIDENT_REF]
        if len(incidents) and rng.random() < 0.6:  # of an incident of the day, whoever's: nobody checks
            return INCIDENT_REF, int(rng.choice(incidents))
        return INCIDENT_REF, day.world.clock.date(day.number).toordinal() * 10**6 + int(rng.integers(0, 900_000))
    case = int(day.world.cases.pick(rng, one, day.number)[0])
    return (CASE_REF, case) if case >= 0 else (UNKNOWN_REF, int(rng.integers(0, UNKNOWN_REFS)))


def _context(day: Day, rng: Rng, actor: int, act: Act) -> int:
    """What the actor's reasons are usually about."""
    key = KINDS[day.kind[actor]].key
    if key in DESKS:
        return CONTEXT[DESKS[key].context]
    if key in ("response", "neighbourhood", "traffic") or rng.random() < 0.1:
        vehicle = day.world.indices.segment(np.array([act.record]))[0] == VEHICLE
        return CONTEXT["stop"] if vehicle else CONTEXT["call"]
    case = int(day.world.cases.pick(rng, np.array([actor]), day.number)[0])
    return int(day.world.cases.type[case]) if case >= 0 else CONTEXT["generic"]
