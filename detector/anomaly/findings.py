"""From a night's strange look-ups to findings: at most one an actor, and not more than the reviewers can use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from detector.anomaly.explain import Sentence, UsualValues, explain, leading_reasons
from detector.anomaly.model import TrainedModel
from detector.anomaly.night import ScoredNight, StrangeActor
from detector.anomaly.specification import FindingSpecification
from detector.records import Finding

THEME = "unusual_pattern"
COMBINATION = "No single feature stands out: look at how they come together."
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
                _which(actor.look_ups, len(shown)),
                " ".join(_closed(reason.sentence) for reason in reasons) or COMBINATION,
                "Unusual is not wrong: look for what explains it.",
            )
        ),
        strength=actor.strength,
        usual=reasons,
    )


def _which(all_events: int, shown: int) -> str:
    """Which look-ups are listed. How strange they are is the strength's to say: this holds for any night of anybody,
    so that a blind sample reads like the rest."""
    if all_events == 1:
        return "The actor's only look-up this night, beside those of comparable colleagues."
    if shown == all_events:
        return f"All {all_events:,} look-ups of the actor this night, beside those of comparable colleagues."
    which = f"The {shown} of" if shown > 1 else "The one of"
    return f"{which} the actor's {all_events:,} look-ups this night that least resemble those of comparable colleagues."


def _closed(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
