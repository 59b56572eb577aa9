"""`rules backtest`: what changed or new rules would have said on past nights, beside what the reviewers decided.

Nothing is written: no alert, no profile, no file. Each night is read as its scan saw it, one after the other, and
forgotten but for its counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from detector.config import Settings
from detector.context.reference import Reference
from detector.engine import connect
from detector.errors import RuleError, UsageError
from detector.features.catalogue import computable
from detector.home import Home
from detector.ledger.models import Night
from detector.night import read_night, rule_table
from detector.progress import Progress
from detector.records import Finding
from detector.rules.document import Document, read_documents, rule_files
from detector.rules.findings import rule_findings
from detector.rules.load import load_documents
from detector.rules.nightly import NightlyRules
from detector.rules.pack import About, RulePack, active_rules
from detector.rules.pipeline import Given, given_by
from detector.schema import EVENT_SCHEMA
from detector.shipped import rules_dir
from detector.triage.models import AlertFinding
from detector.triage.scorecard import CONFIRMED, latest_verdicts


@dataclass(frozen=True)
class Voice:
    """What a decided alert holds of one night: who, on which events, and who said so."""

    alert_id: str
    verdict: str
    rule_id: str
    theme: str
    actor_id: str
    events: frozenset[str]


@dataclass
class Tally:
    """One rule over the nights so far. Alerts are known by id; `same`, `added`, `lost` are None for a new rule."""

    about: About
    hits: int = 0
    actors: set[str] = field(default_factory=set)
    nights: dict[date, int] = field(default_factory=dict)
    same: int = 0
    added: int = 0
    lost: int = 0
    is_new: bool = True
    caught: dict[str, set[str]] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)

    def see(self, night: date, found: Sequence[Finding], now: Sequence[Finding], decided: Sequence[Voice]) -> None:
        """A night: what the rule `found`, what the active one finds `now`, what was `decided` on it."""
        self.hits += len(found)
        self.actors.update(item.actor_id for item in found)
        if found:
            self.nights[night] = len(found)
        self.same += sum(any(_meet(item, other) for other in now) for item in found)
        self.added += sum(not any(_meet(item, other) for other in now) for item in found)
        self.lost += sum(not any(_meet(item, other) for item in found) for other in now)
        for voice in decided:
            mine = voice.rule_id == self.about.rule_id or (self.is_new and voice.theme == self.about.theme)
            if voice.verdict == CONFIRMED and mine:
                self.confirmed.add(voice.alert_id)
            if any(_speaks_of(item, voice) for item in found):
                self.caught.setdefault(voice.verdict, set()).add(voice.alert_id)

    def as_json(self, nights: int) -> dict[str, Any]:
        caught = {verdict: sorted(self.caught.get(verdict, ())) for verdict in _TOLD}
        return {
            "rule_id": self.about.rule_id,
            "title": self.about.title,
            "level": self.about.level,
            "hits": self.hits,
            "actors": len(self.actors),
            "nights": len(self.nights),
            "per_week": round(7 * self.hits / nights, 2) if nights else None,
            "busiest_night": _busiest(self.nights),
            "compared": None if self.is_new else {"same": self.same, "added": self.added, "lost": self.lost},
            "decisions": {
                "confirmed_caught": caught[CONFIRMED],
                "benign_caught": caught["benign_positive"],
                "false_caught": caught["false_positive"],
                "confirmed_missed": sorted(self.confirmed - self.caught.get(CONFIRMED, set())),
            },
        }


@dataclass(frozen=True)
class Backtest:
    """`vanished` are alerts confirmed as misuse that the filters would have kept from being raised; `lost` those that
    the changed rules would no longer raise, but for the `accepted` ones."""

    first: date | None
    last: date | None
    nights: int
    tallies: tuple[Tally, ...]
    vanished: tuple[str, ...]
    inactive: tuple[str, ...]
    lost: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Would what was confirmed go unseen?"""
        return bool(self.vanished or self.lost)

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.first.isoformat() if self.first else None,
            "to": self.last.isoformat() if self.last else None,
            "nights": self.nights,
            "rules": [tally.as_json(self.nights) for tally in self.tallies],
            "vanished": list(self.vanished),
            "lost": list(self.lost),
            "accepted": list(self.accepted),
            "inactive": list(self.inactive),
        }


Side = Literal["tried", "now", "filtered", "unfiltered"]


@dataclass(frozen=True)
class Trial:
    """The packs that are run: the given rules as `tried`, the active ones of the same ids as `now`; where filters are
    given, `tried` is every rule, and all rules with the filters and without stand beside each other."""

    packs: Mapping[Side, RulePack]
    given: frozenset[str]
    inactive: tuple[str, ...]

    @cached_property
    def nightly(self) -> Mapping[Side, NightlyRules]:
        """The packs with their queries, which are written on the first night."""
        return {side: NightlyRules(pack) for side, pack in self.packs.items()}


def backtest(
    rules: Sequence[Path],
    filters: Sequence[Path],
    *,
    home: Home,
    settings: Settings,
    reference: Reference,
    first: date | None,
    last: date | None,
    progress: Progress,
    accept: Collection[str] = (),
) -> Backtest:
    """`accept`: ids of confirmed alerts that the changed rules may lose. A filter may hide none.

    Raises RuleError for a rule or filter that cannot be run, UsageError where no night was scanned in that time."""
    trial = _trial(rules, filters, settings, reference)
    nights = _nights(first, last)
    known = {rule.about.rule_id for rule in trial.packs["now"].rules}
    tallies = {
        rule.about.rule_id: Tally(rule.about, is_new=rule.about.rule_id not in known)
        for rule in trial.packs["tried"].rules
    }
    by_filters, by_rules = _Stands(), _Stands(trial.given)
    verdicts = latest_verdicts()
    for index, night in enumerate(nights):
        progress.update(f"the night of {night.isoformat()}", index / len(nights))
        decided = _decided(night, verdicts)
        found = _run(trial, night, home=home, settings=settings, reference=reference)
        tried, now = _by_rule(found["tried"]), _by_rule(found["now"])
        for rule_id, tally in tallies.items():
            tally.see(night, tried.get(rule_id, []), now.get(rule_id, []), decided)
        by_filters.see(decided, found.get("unfiltered", []), found.get("filtered", []))
        by_rules.see(decided, found["now"], found.get("unfiltered", found["tried"]))
    told = tuple(tally for tally in tallies.values() if tally.about.rule_id in trial.given or tally.added or tally.lost)
    lost = by_rules.vanished
    return Backtest(
        nights[0],
        nights[-1],
        len(nights),
        told,
        by_filters.vanished,
        trial.inactive,
        lost=tuple(alert for alert in lost if alert not in accept),
        accepted=tuple(alert for alert in lost if alert in accept),
    )


class _Stands:
    """Which confirmed alerts stand before a change, and which still do after it, over all nights.

    Where only the rules of some ids are `changed`, what the others said in the alert keeps it standing, too.
    """

    def __init__(self, changed: Collection[str] | None = None) -> None:
        self.changed = changed
        self.before: set[str] = set()
        self.after: set[str] = set()

    def see(self, decided: Sequence[Voice], before: Sequence[Finding], after: Sequence[Finding]) -> None:
        for voice in decided:
            if voice.verdict == CONFIRMED:
                for side, found in ((self.before, before), (self.after, after)):
                    # what is too weak to raise an alert does not keep one standing
                    if any(_speaks_of(item, voice) for item in found if item.level != "informational"):
                        side.add(voice.alert_id)

    @property
    def vanished(self) -> tuple[str, ...]:
        gone = self.before - self.after
        said = AlertFinding.objects.filter(superseded_at=None, alert__in=gone).values_list(
            "alert_id", "detector", "rule_id", "level"
        )
        kept = {
            alert
            for alert, detector, rule_id, level in said
            if detector == "forest"
            or (self.changed is not None and rule_id not in self.changed and level != "informational")
        }
        return tuple(sorted(gone - kept))


def _trial(rules: Sequence[Path], filters: Sequence[Path], settings: Settings, reference: Reference) -> Trial:
    given = _read([*rules, *filters])
    mapped = given_by(settings.rules)
    active = _read([*([rules_dir()] if settings.rules.shipped else []), *settings.rules.dirs])
    files = {one.file for one in given}
    ids = frozenset(_id(one) for one in given if one.kind != "filter")
    after = [one for one in active if _id(one) not in ids and one.file not in files] + given
    now, _ = _load(active, reference, mapped, files=set())
    tried, inactive = _load(after, reference, mapped, files=files)
    if not any(one.kind == "filter" for one in given):
        packs: dict[Side, RulePack] = {"tried": _only(tried, ids), "now": _only(now, ids)}
        return Trial(packs, ids, inactive)
    filtering = {one.key for one in given if one.kind == "filter"}
    unfiltered, _ = _load([one for one in after if one.key not in filtering], reference, mapped, files=files)
    return Trial({"tried": tried, "now": now, "filtered": tried, "unfiltered": unfiltered}, ids, inactive)


def _id(document: Document) -> str:
    return str(document.data.get("id") or document.data.get("name") or document.data.get("title"))


def _read(paths: Sequence[Path]) -> list[Document]:
    documents: list[Document] = []
    for path in rule_files(paths):
        read, errors = read_documents(path)
        _refuse(errors)
        documents += read
    return documents


def _load(
    documents: Sequence[Document], reference: Reference, mapped: Given, *, files: Collection[Path]
) -> tuple[RulePack, tuple[str, ...]]:
    """The pack, and the rules of `files` that these tables do not allow. What is refused in other files is left out,
    as a scan leaves it out."""
    pack = load_documents(documents, strict=False, given=mapped)
    _refuse(error for error in pack.refusals if error.where and error.where.file in files)
    active, inactive = active_rules(pack, {*EVENT_SCHEMA.names, *computable(reference.present)}, reference.present)
    own = {rule.about.rule_id for rule in pack.rules if rule.about.file in files}
    return active, tuple(f"{rule.title}: {rule.reason}" for rule in inactive if rule.rule_id in own)


def _refuse(errors: Iterable[RuleError]) -> None:
    said = [str(error) for error in errors]
    if said:
        raise RuleError("\n".join(said), hint="Nothing was tried. `detector rules check` says more.")


def _only(pack: RulePack, ids: Collection[str]) -> RulePack:
    """The rules of these ids, and those that they build on."""
    wanted = {rule.about.key for rule in pack.rules if rule.about.rule_id in ids}
    todo = list(wanted)
    needs = {rule.about.key: rule.rules for rule in pack.correlations}
    while todo:
        for key in needs.get(todo.pop(), ()):
            if key not in wanted:
                wanted.add(key)
                todo.append(key)
    return replace(
        pack,
        detections=tuple(rule for rule in pack.detections if rule.about.key in wanted),
        correlations=tuple(rule for rule in pack.correlations if rule.about.key in wanted),
    )


def _nights(first: date | None, last: date | None) -> list[date]:
    if first and last and last < first:
        raise UsageError(f"--to {last} is before --from {first}")
    nights = [
        night
        for night in Night.objects.order_by("night").values_list("night", flat=True)
        if (first is None or night >= first) and (last is None or night <= last)
    ]
    if not nights:
        raise UsageError("no night was scanned in that time", hint="`detector status` says which were.")
    return nights


def _run(
    trial: Trial, night: date, *, home: Home, settings: Settings, reference: Reference
) -> dict[Side, list[Finding]]:
    """The findings of every pack; the features are worked out once. What spills, spills outside of the home."""
    limits = settings.features
    with tempfile.TemporaryDirectory(prefix="detector-backtest-") as spill:
        con = connect(readable=[home.lake], threads=limits.threads, memory_limit=limits.memory_limit, spill=Path(spill))
        try:
            read = read_night(con, home, night, settings, reference)
            return {
                side: rule_findings(con, rules, night, rule_table(con, home, read, rules.pack, reference))
                for side, rules in trial.nightly.items()
            }
        finally:
            con.disconnect()


def _by_rule(found: Sequence[Finding]) -> dict[str, list[Finding]]:
    rules: dict[str, list[Finding]] = {}
    for item in found:
        rules.setdefault(item.rule_id, []).append(item)
    return rules


def _decided(night: date, verdicts: dict[str, str]) -> list[Voice]:
    rows = AlertFinding.objects.filter(night=night, superseded_at=None, alert__decisions__isnull=False).distinct()
    return [
        Voice(
            row.alert_id,
            verdicts[row.alert_id],
            row.rule_id,
            row.alert.theme,
            row.alert.actor_id,
            frozenset(row.event_ids),
        )
        for row in rows.select_related("alert")
    ]


def _meet(one: Finding, other: Finding) -> bool:
    """The same finding, or one about the same person with events in common."""
    return one.actor_id == other.actor_id and not set(one.event_ids).isdisjoint(other.event_ids)


def _speaks_of(item: Finding, voice: Voice) -> bool:
    return item.actor_id == voice.actor_id and not voice.events.isdisjoint(item.event_ids)


def _busiest(nights: dict[date, int]) -> dict[str, Any] | None:
    if not nights:
        return None
    night = max(nights, key=lambda one: (nights[one], one))
    return {"night": night.isoformat(), "hits": nights[night]}


_TOLD = (CONFIRMED, "benign_positive", "false_positive")
