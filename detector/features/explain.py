"""What a feature's value means to a reviewer: beside what is usual for this actor, and for the actor's peers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.features.catalogue import FEATURES

#: (this actor, the peers); None = not known.
OwnAndPeers = tuple[float | None, float | None]
_GROUP = ("organisation", "unit", "role")
#: Units that `in_words` does not show, of one and of many, as they are put behind a number.
_UNITS: Final = {
    "days": (" day", " days"),
    "hours": (" hour", " hours"),
    "look-ups": (" look-up", " look-ups"),
    "minutes": (" minute", " minutes"),
    "percent": (" %", " %"),
    "records": (" record", " records"),
    "standard deviations": (" standard deviation", " standard deviations"),
    "stories": (" story", " stories"),
    "tiers": (" tier", " tiers"),
    "times": (" times", " times"),
}


def usual_values(
    con: Backend, actor_features: ir.Table, actor_ids: Iterable[str], features: Sequence[str] = tuple(FEATURES)
) -> Mapping[str, Mapping[str, OwnAndPeers]]:
    """Actor -> feature -> what was usual before, for the actor and for the others of the actor's unit and role.

    `actor_features` is the profile table of the nights before: medians of each actor and night. Usual is the median
    of those over the actor's nights; for the peers the median over them of what is usual for each, so that those who
    are there more often are not heard more. An actor who was not seen before is left out.
    """
    wanted = sorted(set(actor_ids))
    if not wanted or not features:
        return {}
    mine, others = _medians(con, actor_features, wanted, list(features))
    members = {
        group: (rows["actor_id"].to_numpy(), rows[list(features)].to_numpy(float))
        for group, rows in others.groupby("peers")
    }
    found: dict[str, Mapping[str, OwnAndPeers]] = {}
    for actor, group, values in zip(mine["actor_id"], mine["peers"], mine[list(features)].to_numpy(float), strict=True):
        people, usual = members[group]
        peers = _median_of_columns(usual[people != actor])
        found[str(actor)] = {
            name: (_known(own), _known(peer)) for name, own, peer in zip(features, values, peers, strict=True)
        }
    return found


def _medians(
    con: Backend, actor_features: ir.Table, wanted: list[str], features: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of the wanted, with the latest group of each: actor_id, peers, a column a feature; of all in those groups, too.

    As DuckDB's relations: to have Ibis write the same takes several times as long as running it on a small force.
    """
    from duckdb import ColumnExpression, FunctionExpression

    group = ibis.literal("\x1f").join([actor_features[name].fill_null("") for name in _GROUP])
    rows = con.con.sql(con.compile(actor_features.select("night", "actor_id", *features, peers=group)))
    medians = [FunctionExpression("median", ColumnExpression(name)).alias(name) for name in features]
    actor, peers = ColumnExpression("actor_id"), ColumnExpression("peers")
    latest = FunctionExpression("arg_max", peers, ColumnExpression("night")).alias("peers")
    asked = con.con.from_arrow(pa.table({"actor_id": pa.array(wanted, pa.string())}))
    mine = rows.join(asked, "actor_id", how="semi").aggregate([actor, latest, *medians]).to_arrow_table()
    groups = con.con.from_arrow(pa.table({"peers": mine.column("peers").unique()}))
    others = rows.join(groups, "peers", how="semi").aggregate([actor, peers, *medians]).to_arrow_table()
    return mine.sort_by("actor_id").to_pandas(), others.to_pandas()


def _median_of_columns(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Without NaN; NaN where a column has nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a column of NaN, which is fine here
        return np.nanmedian(values, axis=0) if len(values) else np.full(values.shape[1], math.nan)


def usual_in_words(feature: str, own: float | None, peers: float | None) -> str:
    """A sentence that follows one which names the feature's value itself; '' where nothing is known."""
    if own is None and peers is None:
        return ""
    words = [in_words(feature, each) for each in (own, peers)]
    one, many = _UNITS.get(FEATURES[feature].unit, ("", ""))
    words = ["unknown" if word == "unknown" else word + (one if word == "1" else many) for word in words]
    return f"Usual for this actor {words[0]}, for peers {words[1]}."


def sentence(feature: str, value: float, own: float | None, peers: float | None) -> str:
    """The feature's sentence with the numbers filled in; what is not known is said to be."""
    template = FEATURES[feature].sentence
    if own is None and peers is None:
        template = template.partition(";")[0]
    own_words, peer_words = (in_words(feature, usual) for usual in (own, peers))
    return template.format(value=in_words(feature, value), own=own_words, peers=peer_words)


def in_words(feature: str, value: float | None) -> str:
    """A value as a reviewer would say it: 3 doublings are "8 times", 10 bits "one in 1,000", a share of 0.5 "50 %"."""
    if value is None or not math.isfinite(value):
        return "unknown"
    unit = FEATURES[feature].unit
    if unit == "doublings":
        return f"{_round(2.0 ** min(value, 60))} times"
    if unit == "bits":
        return f"one in {_round(2.0 ** min(max(value, 0.0), 60))}"
    if unit == "share":
        return f"{round(100 * value)} %"
    return _number(value)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _number(value: float) -> str:
    """As few digits as say it: 5, 5.3, 1,200."""
    if abs(value - round(value)) < 0.005 or abs(value) >= 100:
        return f"{round(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"


def _round(value: float) -> str:
    """Two digits that count, the rest zeros; more would promise too much."""
    digits = max(len(str(int(abs(value)))) - 2, 0)
    return f"{round(value / 10**digits) * 10**digits:,}" if digits else _number(value)
