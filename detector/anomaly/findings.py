"""From a night's strange look-ups to findings: at most one an actor, and not more than the reviewers can use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from detector.anomaly.calibration import to_surprise
from detector.anomaly.explain import Sentence, UsualValues, explain, leading_reasons
from detector.anomaly.model import TrainedModel
from detector.anomaly.night import JUST_BELOW_100, ScoredNight, StrangeActor
from detector.anomaly.specification import FindingSpecification
from detector.records import Finding

THEME = "unusual_pattern"
COMBINATION = "No single feature stands out: it is the combination of many that is unusual."
_LEVEL_ORDER = ("informational", "low", "medium", "high")


def forest_findings(
    model: TrainedModel,
    scored: ScoredNight,
    usual: Mapping[str, UsualValues],
    night: date,
    *,
    sentence: Sentence,
) -> list[Finding]:
    """Findings of a scored night, strongest first: for each of its strange actors, that actor's strange look-ups.

    `usual` has, for those actors, feature -> (own, peers) usual values; what it lacks is told as unknown, or for the
    peers taken from the model.
    """
    return [_finding(model, actor, usual.get(actor.actor_id, {}), night, sentence) for actor in scored.actors]


def level_of(strength: float, limits: FindingSpecification) -> str:
    """The highest level whose start the strength reaches."""
    rising = sorted(limits.levels.items(), key=lambda item: (item[1], _LEVEL_ORDER.index(item[0])))
    return [name for name, start in rising if strength >= start][-1]


def _finding(model: TrainedModel, actor: StrangeActor, usual: UsualValues, night: date, sentence: Sentence) -> Finding:
    spec = model.specification
    times = actor.events.select(["event_time", "event_id"]).to_pandas()
    frame = times.assign(row=np.arange(len(times)), score=actor.scores)
    # Time and id make the order of equals the same whatever the order of the rows.
    shown = frame.sort_values(["score", "event_time", "event_id"], ascending=[False, True, True])
    shown = shown.head(spec.findings.max_events).sort_values(["event_time", "event_id"])
    evidence = actor.events.take(shown["row"].to_numpy())
    reasons = leading_reasons(explain(model, evidence), usual, sentence, spec.findings.max_reasons)
    when = evidence.column("event_time").to_pylist()
    return Finding(
        detector="forest",
        rule_id=spec.name,
        title=spec.title,
        level=level_of(actor.strength, spec.findings),
        theme=THEME,
        actor_id=actor.actor_id,
        night=night,
        first_event_time=when[0],
        last_event_time=when[-1],
        event_ids=tuple(evidence.column("event_id").to_pylist()),
        explanation=" ".join(
            (
                _how_many(actor.look_ups, len(frame), len(shown)),
                _rarity(model, float(actor.scores.max())),
                " ".join(_closed(reason.sentence) for reason in reasons) or COMBINATION,
                "Unusual is not wrong: look for what explains it.",
            )
        ),
        strength=actor.strength,
        usual=reasons,
    )


def _how_many(all_events: int, strange: int, shown: int) -> str:
    who = "The actor's only look-up" if all_events == 1 else f"{strange:,} of the actor's {all_events:,} look-ups"
    verb = "is" if strange == 1 else "are"
    cut = f" (the {shown} strangest are listed)" if shown < strange else ""
    return f"{who} this night {verb} unlike those of comparable colleagues{cut}."


def _rarity(model: TrainedModel, top: float) -> str:
    surprise = float(to_surprise(np.asarray([min(top, JUST_BELOW_100)]))[0])
    score = f"The strangest scores {top:.0f} of 100:"
    if surprise > np.log10(model.calibration.rows):
        return f"{score} stranger than all {model.calibration.rows:,} look-ups that the model learned from."
    rare = 10**surprise
    digits = 10 ** max(len(str(int(rare))) - 2, 0)
    return f"{score} about one look-up in {round(rare / digits) * digits:,} is as strange."


def _closed(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
