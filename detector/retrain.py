"""A new model outside the nightly run: because the rules of training changed, or somebody wants one now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from detector.anomaly import load_specification, train_through
from detector.config import Settings
from detector.home import Home
from detector.ledger.models import Night
from detector.night import engine_of, sample_of
from detector.writing import writing


@dataclass(frozen=True)
class Retrained:
    """The new model's version ('' when there is too little history) and what is to be said about it."""

    version: str
    status: str


def retrain(home: Home, settings: Settings, *, now: datetime, env: Mapping[str, str] = os.environ) -> Retrained:
    """Train on the window that ends with the newest scanned night. Raises DetectorError subclasses."""
    specification = load_specification(settings.model.specification)
    with writing(home, "train", now, env) as run:
        run.exit_code = 0
        newest = Night.objects.order_by("-night").first()
        if newest is None:
            return Retrained("", "nothing is scanned yet, so there is nothing to learn from")
        con = engine_of(home, settings)
        try:
            model, status = train_through(home, sample_of(con, home), newest.night, specification, now=now)
        finally:
            con.disconnect()
        return Retrained(model.version if model else "", status)
