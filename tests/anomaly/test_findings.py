from __future__ import annotations

from datetime import timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from forest_builders import FIRST, changed, look_ups, sentence, specification, trained
from hypothesis import given
from hypothesis import strategies as st

from detector.anomaly.findings import COMBINATION, forest_findings, level_of
from detector.anomaly.model import TrainedModel
from detector.anomaly.night import actor_strength, people_of, score_parts, score_people
from detector.anomaly.score import score
from detector.anomaly.specification import FindingSpecification
from detector.engine import connect
from detector.records import Finding

NIGHT = FIRST + timedelta(days=14)
ODD = {"rate_1h": 300.0, "unexplained": 1.0, "off_shift": 500.0, "gap_days": 0.0, "surprisal": 11.0}
USUAL = {"actor-90": {"rate_1h": (3.0, 2.0), "off_shift": (0.0, 0.0), "unexplained": (0.1, 0.02)}}
GOLDEN = (
    "The 10 of the actor's 15 look-ups this night that least resemble those of comparable colleagues. "
    "No case explains it; usual for this actor 0.1, peers 0.02. "
    "500 minutes outside the shift; usual for this actor 0, peers 0. "
    "0 days since the last contact; usual for this actor unknown, peers 69.7. "
    "Unusual is not wrong: look for what explains it."
)


QUIET = {"actor_id": "actor-90", "rate_1h": 1.0, "unexplained": 0.0, "off_shift": 0.0, "gap_days": 90, "surprisal": 5.0}


def night(*, planted: int = 3, ordinary: int = 400, actor: str = "actor-90") -> pa.Table:
    """A night of ordinary look-ups with `planted` odd ones of one actor of response among them."""
    table = look_ups(ordinary, seed=20, nights=1, first=NIGHT)
    odd = changed(
        look_ups(planted, seed=21, nights=1, first=NIGHT),
        {**ODD, "actor_id": actor, "organisation": "north", "unit": "response", "role": "officer"},
    )
    return pa.concat_tables([table.slice(0, 100), odd, table.slice(100)])


def findings(model: TrainedModel, *parts: pa.Table, usual: Any = None) -> list[Finding]:
    return forest_findings(
        model, score_parts(model, parts), USUAL if usual is None else usual, NIGHT, sentence=sentence
    )


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return trained(trees=200)


def test_what_a_reviewer_reads(model: TrainedModel) -> None:
    table = pa.concat_tables([night(planted=12), changed(look_ups(3, seed=22), QUIET)])
    found = findings(model, table)[0]
    assert found.explanation == GOLDEN
    assert [one.feature for one in found.usual] == ["unexplained", "off_shift", "gap_days"]
    assert (found.usual[0].value, found.usual[0].own, found.usual[0].peers) == (1.0, 0.1, 0.02)


def test_a_finding_is_one_actors_strange_look_ups_of_the_night(model: TrainedModel) -> None:
    table = night()
    [found] = [one for one in findings(model, table) if one.actor_id == "actor-90"]
    assert found.event_ids == ("e21-000000", "e21-000001", "e21-000002")
    assert (found.detector, found.rule_id, found.theme) == ("forest", "isolation-forest", "unusual_pattern")
    assert (found.title, found.night) == ("Unusual pattern of look-ups", NIGHT)
    times = table.filter(pa.compute.equal(table.column("actor_id"), "actor-90")).column("event_time").to_pylist()
    assert (found.first_event_time, found.last_event_time) == (times[0], times[2])
    points = score(model, table)[100:103]
    assert found.strength == pytest.approx(actor_strength(points.max(), 3, 0.5))
    assert found.level == level_of(found.strength, model.specification.findings)


def test_an_actor_with_one_look_up(model: TrainedModel) -> None:
    [found] = [one for one in findings(model, night(planted=1)) if one.actor_id == "actor-90"]
    assert found.explanation.startswith("The actor's only look-up this night, beside those of comparable colleagues. ")
    assert found.first_event_time == found.last_event_time


def test_evidence_is_cut_to_the_strangest_ten_in_time_order(model: TrainedModel) -> None:
    table = night(planted=30)
    points = dict(zip(table.column("event_id").to_pylist(), score(model, table).tolist(), strict=True))
    found = findings(model, table)[0]
    assert len(found.event_ids) == 10
    assert list(found.event_ids) == sorted(found.event_ids)
    left = [points[f"e21-{i:06d}"] for i in range(30) if f"e21-{i:06d}" not in found.event_ids]
    assert min(points[event] for event in found.event_ids) >= max(left)
    assert found.explanation.startswith("The 10 of the actor's 30 look-ups this night that least resemble those of")


def test_at_most_so_many_actors_the_strongest(model: TrainedModel) -> None:
    crowd = changed(night(planted=60), {"actor_id": "x"}, slice(0, 0))
    names = [f"odd-{i % 60:02d}" if 100 <= i < 160 else who for i, who in enumerate(crowd["actor_id"].to_pylist())]
    crowd = crowd.set_column(crowd.column_names.index("actor_id"), "actor_id", pa.array(names))
    found = findings(model, crowd)
    assert len(found) == 50
    assert [one.strength for one in found] == sorted((one.strength for one in found), reverse=True)
    assert len({one.actor_id for one in found}) == 50


def test_an_ordinary_night_gives_hardly_any(model: TrainedModel) -> None:
    assert len(findings(model, look_ups(3000, seed=30, nights=1, first=NIGHT))) <= 2


def test_parts_and_order_of_the_rows_change_nothing(model: TrainedModel) -> None:
    table = night(planted=15)
    whole = findings(model, table)
    shuffled = table.take(np.random.default_rng(4).permutation(table.num_rows))
    assert findings(model, shuffled.slice(0, 7), shuffled.slice(7, 200), shuffled.slice(207)) == whole
    one, other = score_parts(model, [table]), score_parts(model, [table.slice(0, 50), table.slice(50)])
    assert one.drift == other.drift
    assert one.rows == other.rows == table.num_rows


def test_masked_and_blank_actors_get_no_finding_of_one_person(model: TrainedModel) -> None:
    assert "***" not in score_parts(model, [night(actor="***")]).strange_actors
    assert "" not in score_parts(model, [night(actor="")]).strange_actors
    assert "actor-90" in score_parts(model, [night()]).strange_actors


def test_somebody_ordinary_reads_like_somebody_strange(model: TrainedModel) -> None:
    """A blind sample is told in the words of the strange, with its own figures."""
    table = pa.concat_tables([night(), changed(look_ups(12, seed=22, nights=1, first=NIGHT), {"actor_id": "quiet"})])
    con = connect()
    rows = ibis.memtable(table.append_column("source_name", pa.array(["made"] * len(table))))
    events = con.create_table("events", rows)
    scored = score_people(con, model, events, events, ["quiet", "actor-90"])
    assert people_of(con, events) == set(table.column("actor_id").to_pylist())
    con.disconnect()
    mine = table.filter(pa.compute.equal(table.column("actor_id"), "quiet"))
    assert (scored.strange_actors, [actor.look_ups for actor in scored.actors]) == (("actor-90", "quiet"), [3, 12])
    assert scored.actors[1].scores.tolist() == score(model, mine).tolist()
    assert scored.actors[1].scores.max() < model.specification.findings.threshold
    strange, found = forest_findings(model, scored, USUAL, NIGHT, sentence=sentence)
    assert strange.explanation.startswith("All 3 look-ups of the actor this night, beside those of comparable colleag")
    assert (found.strength, found.level) == (50.0, "low")
    assert found.explanation.startswith(f"The 10 of the actor's {len(mine)} look-ups this night that least resemble")
    assert set(found.event_ids) <= set(mine.column("event_id").to_pylist())


def test_no_events_no_findings(model: TrainedModel) -> None:
    scored = score_parts(model, [])
    assert (scored.actors, scored.drift, scored.rows) == ((), {}, 0)
    assert findings(model, night().slice(0, 0)) == []


def test_names_unknown_to_the_profile_are_told_as_unknown(model: TrainedModel) -> None:
    found = next(one for one in findings(model, night(), usual={}) if one.actor_id == "actor-90")
    assert "usual for this actor unknown, peers" in found.explanation
    assert COMBINATION not in found.explanation


def test_many_look_ups_lower_the_strength_of_the_strangest() -> None:
    assert actor_strength(80.0, 1, 0.5) == pytest.approx(80)
    assert actor_strength(80.0, 100, 0.5) == pytest.approx(60)
    assert actor_strength(80.0, 100, 1.0) == pytest.approx(40)
    assert actor_strength(80.0, 100, 0.0) == pytest.approx(80)


@given(st.floats(0, 100), st.integers(1, 10**7), st.floats(0, 1))
def test_strength_stays_within_points(points: float, look_ups_: int, correction: float) -> None:
    strength = actor_strength(points, look_ups_, correction)
    assert 0 <= strength <= max(points, 0) + 1e-9


def test_levels_follow_the_bands_and_reach_high_only_at_the_extreme() -> None:
    limits = FindingSpecification()
    assert [level_of(s, limits) for s in (50, 69.9, 70, 96.9, 97, 100)] == [
        "low", "low", "medium", "medium", "high", "high",
    ]  # fmt: skip
    assert specification().findings == limits
