"""The ledger's tables. A file in the lake counts only once it has its row here."""

from __future__ import annotations

from django.db import models


class IngestedFile(models.Model):
    """One input file (or member of an archive), known by the SHA-256 of its bytes.

    `committing`: its Parquet files are complete under `.staging` and are being renamed into the lake;
    a run that finds it so finishes the renames. `done`: everything is in place.
    `lines == events + duplicates + rejects`.
    """

    COMMITTING, DONE = "committing", "done"

    sha256 = models.CharField(max_length=64, unique=True)
    bytes = models.BigIntegerField(
        db_index=True
    )  # only a file of a size seen before has to be hashed before it is read
    source_file = models.TextField()
    source_name = models.CharField(max_length=100)
    mapping_fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=[(COMMITTING, COMMITTING), (DONE, DONE)])
    lines = models.BigIntegerField()
    events = models.BigIntegerField()
    duplicates = models.BigIntegerField()
    rejects = models.BigIntegerField()
    reject_reasons = models.JSONField(default=dict)
    masked = models.BigIntegerField(default=0)  # events whose operator is masked (`***`): they name nobody
    first_event_time = models.DateTimeField(null=True)
    last_event_time = models.DateTimeField(null=True)
    ingested_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    lines=models.F("events") + models.F("duplicates") + models.F("rejects"),
                ),
                name="ingestedfile_lines_add_up",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_file} ({self.source_name})"


class LakeFile(models.Model):
    """One immutable Parquet file of the lake. `path` is relative to the lake; its name is the SHA-256 of its bytes.

    `table` is `events`, `rejects`, `findings` or the name of a profile table. `night` is the day of the events,
    NULL for rejects.
    """

    path = models.CharField(max_length=300, unique=True)
    table = models.CharField(max_length=60)
    night = models.DateField(null=True)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    source = models.ForeignKey(IngestedFile, null=True, on_delete=models.PROTECT, related_name="lake_files")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["table", "night"])]

    def __str__(self) -> str:
        return self.path


class Night(models.Model):
    """One scanned night. It is scanned again when `events_fingerprint` no longer fits the lake's files of that day."""

    night = models.DateField(primary_key=True)
    events_fingerprint = models.CharField(max_length=64)
    events = models.BigIntegerField()
    findings = models.BigIntegerField()
    alerts = models.BigIntegerField()
    model_version = models.CharField(max_length=80, blank=True)
    model_status = models.TextField(blank=True)
    stage_seconds = models.JSONField(default=dict)
    scanned_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.night.isoformat()


class Run(models.Model):
    """One run of `scan` or `ingest`, for status and metrics; holds nothing that a later run depends on."""

    RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"

    command = models.CharField(max_length=20)
    state = models.CharField(max_length=10, default=RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    error = models.TextField(blank=True)
    stage_seconds = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.command} {self.started_at:%Y-%m-%d %H:%M}"
