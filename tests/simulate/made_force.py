"""A force made for a test, read back as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from detector.progress import Silent
from detector.simulate.options import Options
from detector.simulate.run import Summary, simulate


@dataclass(frozen=True)
class Made:
    """A force on disk: `events` of all feeds in time order, with columns that a feed lacks as NULL."""

    folder: Path
    options: Options
    summary: Summary
    events: pd.DataFrame
    labels: pd.DataFrame
    groups: pd.DataFrame

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / "reference" / f"{name}.csv", dtype=str)


def make(folder: Path, options: Options) -> Made:
    summary = simulate(folder, options, Silent())
    feeds = [ds.dataset(feed).to_table() for feed in sorted((folder / "events").iterdir())]
    events = pa.concat_tables(feeds, promote_options="default").to_pandas()
    labels, groups = (
        pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False) for name in ("labels", "groups")
    )
    return Made(folder, options, summary, events.sort_values("event_time", kind="stable"), labels, groups)
