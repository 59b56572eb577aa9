"""Events as the features see them: slim rows of 63-bit keys, local clock parts and flags, in one strict order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from detector.features.engine import DAY_US, HOUR_US, MINUTE_US, microseconds, pair, stable_hash, whole
from detector.schema import EVENT_SCHEMA

#: What the features read of an event.
EVENT_COLUMNS: Final = pa.schema(
    [
        EVENT_SCHEMA.field(name)
        for name in EVENT_SCHEMA.names
        if name not in {"transaction_code", "source_ip", "session_id", "purpose_code", "record_type", "query_text"}
        and name not in {"recipient", "source_file", "source_line", "source_sha256", "ingested_at"}
    ]
)

#: A look-up is counted in volumes unless it was spawned by another (one plate query fires driver and name queries)
#: or touched no record at all.
UNCOUNTED_ACTIONS = ("login",)
DISCLOSING_ACTIONS = ("print", "export", "disclose")
#: Longer reasons are cut here before they are split into terms.
REASON_CHARACTERS = 500
#: More than any day has events.
BEFORE = 10**12


def keyed_events(events: ir.Table, names: Mapping[str, str] = MappingProxyType({})) -> ir.Table:
    """The night's events, one row each; keys are NULL where the value is absent, blank or masked.

    `seq` numbers them from 1 by event_time, ties by event_id and then source_name: it is the only order that any
    feature uses, so that permuting the input changes nothing. `names` are columns to keep as they are: new name ->
    column.
    """
    e = events
    reason = e.reason_text.substr(0, REASON_CHARACTERS).lower()
    slim = e.select(
        event_id=e.event_id,
        source_name=e.source_name,
        **_clock(e),
        peer=peer_key(e),
        unit=unit_key(e),
        context=stable_hash("context", e.organisation.fill_null(""), e.unit.fill_null(""), e.system),
        system=stable_hash("system", e.system),
        record=key_of("record", e.record_id),
        case=key_of("case", e.case_ref),
        reason=reason,
        reason_key=key_of("reason", reason),
        result_count=e.result_count,
        scope_count=e.scope_count,
        **{name: e[column] for name, column in names.items()},
    )
    keyed = slim.mutate(
        visit=pair(slim.actor, slim.record),
        unit_record=pair(slim.unit, slim.record),
        seat=pair(slim.operator, slim.terminal),
        actor_reason=pair(slim.actor, slim.reason_key),
        wording=pair(slim.context, slim.reason_key),
        case_record=pair(slim.case, slim.record),
    )
    return keyed.mutate(seq=_number(keyed) + 1)


def earlier_events(before: ir.Table) -> ir.Table:
    """The day before's events, as far as trailing windows need them; `seq` as keyed_events', but below 0."""
    slim = before.select(event_id=before.event_id, source_name=before.source_name, **_clock(before))
    return slim.mutate(seq=_number(slim) - BEFORE).drop("event_id", "source_name")


def _clock(e: ir.Table) -> dict[str, ir.Value]:
    """When, who, where, and what counts as what."""
    us = microseconds(e.event_time)
    local = us + e.utc_offset_minutes.fill_null(0).cast("int64") * MINUTE_US
    day = whole(local, DAY_US)
    spawned = e.is_automatic.fill_null(False) | (e.parent_id.fill_null("") != "")
    return {
        "us": us,
        "local_day": day,
        # 1970-01-01 was a Thursday: 0 is Monday, 00:00-00:59.
        "hour_of_week": (day + 3) % 7 * 24 + whole(local % DAY_US, HOUR_US),
        "actor": person_key(e.actor_id),
        "operator": person_key(e.operator_id),
        "terminal": key_of("terminal", e.terminal_id),
        "spawned": spawned,
        "counted": ~spawned & e.action.notin(UNCOUNTED_ACTIONS),
        "exported": _exported(e),
        "on_behalf": (e.requester_id != "") & (e.requester_id != e.operator_id),
        "failed": e.outcome.isin(("denied", "error")),
    }


def _number(t: ir.Table) -> ir.IntegerColumn:
    return ibis.row_number().over(order_by=[t.us, t.event_id, t.source_name])


def key_of(kind: str, value: ir.StringValue) -> ir.IntegerValue:
    """The key of a name of some kind; NULL where it is absent or blank."""
    return stable_hash(kind, value.nullif(""))


def person_key(value: ir.StringValue) -> ir.IntegerValue:
    """NULL for a masked name (`***`): what many people did must not be told of one."""
    masked = value.startswith("*").ifelse(value.replace("*", "") == "", False)
    return stable_hash("person", masked.ifelse(ibis.null("string"), value))


def peer_key(e: ir.Table) -> ir.IntegerValue:
    """The peers: organisation, unit and role, whether known or not."""
    return stable_hash("peer", *(column.fill_null("") for column in (e.organisation, e.unit, e.role)))


def unit_key(e: ir.Table) -> ir.IntegerValue:
    """The unit, else the organisation; NULL where neither is known."""
    organisation, unit = e.organisation.fill_null(""), e.unit.fill_null("")
    return stable_hash("unit", ((organisation != "") | (unit != "")).ifelse(organisation, ibis.null("string")), unit)


def _exported(e: ir.Table) -> ir.IntegerValue:
    """Items printed, exported or disclosed: as counted by the source, at least one for such an action."""
    return ibis.greatest(e.export_count.fill_null(0), e.action.isin(DISCLOSING_ACTIONS).cast("int64"))
