"""Where things lie under `--home`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The state directory. Paths only: nothing is created by naming it."""

    root: Path

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def staging(self) -> Path:
        """Files being written; same file system as the lake, so that a rename is atomic."""
        return self.root / "lake" / ".staging"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def database(self) -> Path:
        return self.root / "detector.sqlite3"

    @property
    def textfile(self) -> Path:
        return self.root / "metrics" / "detector.prom"

    @property
    def lock(self) -> Path:
        return self.root / "detector.lock"

    def events_dir(self, day: date) -> Path:
        return self.lake / "events" / f"event_date={day.isoformat()}"

    def rejects_dir(self) -> Path:
        return self.lake / "rejects"

    def profile_dir(self, table: str, night: date) -> Path:
        return self.lake / "profiles" / table / f"night={night.isoformat()}"

    def findings_dir(self, night: date) -> Path:
        return self.lake / "findings" / f"night={night.isoformat()}"
