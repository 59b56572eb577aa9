"""A mapping made ready to run: zones, value maps, keys. Once a file, not once a row."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.config import Settings
from detector.ingest import mapping as mappings
from detector.ingest.batch import Reject
from detector.ingest.headers import header_columns
from detector.ingest.pseudonyms import Pseudonymiser, pseudonymiser
from detector.ingest.times import Zone, group_names
from detector.ingest.values import value_decider
from detector.schema import ACTIONS, MAPPABLE, OUTCOMES


@dataclass(frozen=True)
class Prepared:
    """A mapping with one installation's settings applied."""

    mapping: mappings.Mapping
    zone: Zone | None
    local_zone: Zone | None
    action: Callable[[str], str | None]
    outcome: Callable[[str], str | None]
    pseudonyms: Pseudonymiser | None

    @property
    def name(self) -> str:
        return self.mapping.name

    def withheld(self, reject: Reject) -> Reject:
        """A reader's reject as it may be stored: without its raw text where the source is pseudonymised."""
        return reject if self.pseudonyms is None else replace(reject, raw=self.pseudonyms.withheld(reject.line))


def prepare(mapping: mappings.Mapping, settings: Settings, *, env: Mapping[str, str] = os.environ) -> Prepared:
    """Raises ConfigError when a pseudonym key is needed and is missing, short or readable by others."""
    own = settings.source(mapping.name)
    zone_name = own.time_zone or mapping.time.zone
    zone = Zone(zone_name) if zone_name else None
    local_name = own.local_zone or mapping.local_zone
    local = Zone(local_name) if local_name else (zone if zone is not None and not zone.is_utc else None)
    return Prepared(
        mapping=mapping,
        zone=zone,
        local_zone=local,
        action=value_decider(mapping.action, ACTIONS),
        outcome=value_decider(mapping.outcome, OUTCOMES),
        pseudonyms=pseudonymiser(own.pseudonymise, settings.pseudonyms, mapping.masked, env),
    )


def notices(mapping: mappings.Mapping, settings: Settings) -> list[str]:
    """What a run over a source of this mapping should say aloud: a stopgap that settings have not replaced."""
    if mapping.time.zone_assumed and settings.source(mapping.name).time_zone is None:
        zone = mapping.time.zone
        return [f"{mapping.name}: its times name no zone and are read as {zone}; set sources.{mapping.name}.time_zone"]
    return []


def provided(columns: Sequence[str], mapping: mappings.Mapping) -> tuple[str, ...]:
    """The event columns that a file with these source columns gives, be they blank: the lake's `present_columns`."""
    found = header_columns(columns, mapping)
    given = {event for event, fields in mapping.columns.items() if any(field in found for field in fields)}
    given |= set(mapping.constants)
    for pattern in mapping.patterns:
        if pattern.source in found or pattern.source in given:
            given |= set(group_names(pattern.pattern))
    given |= {name for name, values in (("action", mapping.action), ("outcome", mapping.outcome)) if values.absent}
    return tuple(name for name in MAPPABLE if name in given)


def unmapped(columns: Sequence[str], mapping: mappings.Mapping) -> tuple[str, ...]:
    """Source columns that the mapping does not look at: ignored, and reported once a file."""
    used = set(header_columns(columns, mapping).values())
    return tuple(column for column in columns if column not in used)
