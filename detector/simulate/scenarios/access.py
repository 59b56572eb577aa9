"""Access that is itself wrong: through the bureau, with a borrowed log-in, while away, after leaving."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.rows import CRIS, EXPORT, PRINT
from detector.simulate.scenarios.scenario import Draft, Scenario
from detector.simulate.world import World


def through_the_bureau(draft: Draft) -> None:
    """Asks the bureau, over the radio, for look-ups that no incident explains."""
    first, last = draft.span(5, 60)
    subject = int(draft.world.ties.person[draft.between(4, 5), draft.actor])
    for day in draft.working(first, last, draft.between(3, 15)):
        draft.look(day, subject if draft.chance(0.5) else draft.stranger(), bureau=True)


def borrowed_log_in(draft: Draft) -> None:
    """Somebody else uses the log-in: at another terminal while its owner works, or while the owner is off duty."""
    first, last = draft.span(1, 30)
    roster = draft.world.roster.on[draft.actor, first : last + 1]
    off = first + np.flatnonzero(~roster)
    for visit in range(draft.between(1, 5)):
        away = bool(len(off)) and draft.chance(0.5)
        day = draft.one(off) if away else draft.working(first, last, 1)[0]
        minute = draft.between(60, 1380) if away else None
        for i in range(draft.between(2, 6)):
            draft.read(
                day, draft.stranger(), slot=visit, after=i * draft.between(40, 150), minute=minute, elsewhere=True,
                hidden=None if away else True, reason=draft.any_reason(),
            )  # fmt: skip


def absent_or_leaving(draft: Draft) -> None:
    """After the last day, while away, or prints and exports by the dozen in the last weeks."""
    world, actor = draft.world, draft.actor
    end = int(world.staff.ends_on[actor])
    absences = np.flatnonzero(world.roster.absences.staff == actor)
    if end < world.days - 2 and draft.chance(0.4):
        for day in range(end + 1, min(end + draft.between(2, 14), world.days)):
            if draft.chance(0.5) or day == end + 1:
                draft.read(day, draft.stranger(), minute=draft.between(480, 1300))
    elif end < world.days and draft.chance(0.6):
        for day in draft.working(max(end - 27, 0), end, draft.between(3, 10)):
            for i in range(draft.between(5, 25)):
                action = EXPORT if draft.chance(0.3) else PRINT
                draft.look(day, draft.stranger(), system=CRIS, action=action, exports=draft.between(1, 6), after=45 * i)
    else:
        first, last = draft.span(1, 10)
        if len(absences):
            which = int(draft.one(absences))
            first, last = int(world.roster.absences.first[which]), int(world.roster.absences.last[which])
        first, last = max(first, 0), min(last, world.days - 1)
        for _ in range(draft.between(2, 8)):
            day = draft.between(first, max(first, last))
            draft.read(day, draft.stranger(), slot=draft.between(0, 5), minute=draft.between(480, 1300))


def leavers(world: World) -> np.typing.NDArray[np.bool_]:
    """Who leaves within the run or is away within it."""
    able = (world.staff.ends_on < world.days) & (world.staff.ends_on > world.days // 4)
    absences = world.roster.absences
    within = (
        (absences.first < world.days - 1) & (absences.last > world.days // 4) & (absences.last - absences.first >= 4)
    )
    able[absences.staff[within]] = True
    return able


_CALLERS: Final = ("response", "neighbourhood", "traffic", "cid", "custody")
SCENARIOS: Final = (
    Scenario(
        "through_the_bureau",
        28,
        "access",
        "held_out",
        through_the_bureau,
        kinds=("response", "neighbourhood", "traffic", "cid", "custody"),
    ),
    Scenario("borrowed_log_in", 29, "access", "tune", borrowed_log_in),
    Scenario("absent_or_leaving", 30, "access", "tune", absent_or_leaving, able=leavers),
)
