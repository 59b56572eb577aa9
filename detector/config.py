"""Settings: one YAML file, then the environment over it, checked before anything is touched.

`DETECTOR_<SECTION>__<KEY>` overrides a key (`DETECTOR_BUDGET__ALERTS_PER_NIGHT=20`); `DATABASE_URL` is the
database. Every model forbids unknown keys; an error names file, line and key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from detector.errors import ConfigError, Where
from detector.safe_yaml import Lines, load_one

ENV_PREFIX = "DETECTOR_"
#: Environment names of that prefix which are not settings of a section.
ENV_OTHER = frozenset(
    {"DETECTOR_HOME", "DETECTOR_CONFIG", "DETECTOR_DEBUG", "DETECTOR_SECRET_KEY", "DETECTOR_SHARED_DATA"}
)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone of the IANA database (for example Europe/London)") from None
    return name


ZoneName = Annotated[str, AfterValidator(_zone)]
ModelT = TypeVar("ModelT", bound=BaseModel)
Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSettings(Section):
    """What one source has of its own; keyed by the mapping's name."""

    time_zone: ZoneName | None = Field(None, description="zone of the source's naive times; overrides the mapping's")
    local_zone: ZoneName | None = Field(
        None, description="zone that local hours and days are counted in; default: the source's time_zone"
    )
    pseudonymise: tuple[Literal["operator_id", "requester_id", "record_id", "query_text"], ...] = Field(
        (), description="columns replaced by keyed pseudonyms (HMAC-SHA-256) before they reach the lake"
    )


class IngestSettings(Section):
    mapping_dirs: tuple[Path, ...] = Field((), description="folders with source mappings of your own")
    reject_share: Fraction = Field(
        0.05, description="exit code 4 when more than this share of a run's lines is rejected"
    )
    max_line_bytes: int = Field(1 << 20, ge=1024, description="longer lines are rejects")
    max_expansion: int = Field(
        200, ge=2, description="a compressed file that grows beyond this ratio is refused as a decompression bomb"
    )
    max_file_bytes: int = Field(1 << 40, ge=1 << 20, description="bytes read from one file, once decompressed")
    memory_bytes: int = Field(512 << 20, ge=64 << 20, description="what ingest may hold in buffers")
    threads: int = Field(2, ge=1, description="threads for reading and writing")


class PseudonymSettings(Section):
    key_file: Path | None = Field(None, description="file with the HMAC key: at least 32 bytes, its owner's alone")
    key_env: str = Field("DETECTOR_PSEUDONYM_KEY", description="environment variable with the key, without a file")


class FeatureSettings(Section):
    history_days: int = Field(90, ge=7, le=3650, description="trailing days of profiles that baselines are read from")
    novelty_days: int = Field(365, ge=7, le=3650, description="trailing days in which a record counts as seen")
    threads: int = Field(2, ge=1, description="DuckDB's threads while computing features")
    memory_limit: str = Field("1500MB", description="DuckDB's memory limit; beyond it, it spills to disk")


class ReferenceSettings(Section):
    time_zone: ZoneName = Field(
        "UTC", description="zone of the days in reference tables, and of their times without an offset"
    )
    sensitivity: tuple[str, ...] = Field(
        ("low", "medium", "high"),
        description="names that records.sensitivity may have, lowest first; a number is understood without",
    )
    pseudonymise: tuple[Literal["person", "record_id"], ...] = Field(
        (), description="ids that the tables hold as they are and the logs as keyed pseudonyms: replaced as there"
    )
    vetting: tuple[str, ...] = Field(
        ("vetting", "professional standards", "counter corruption", "anti-corruption", "internal affairs"),
        description="words in the name of a unit or role whose work it is to look up staff",
    )


class RuleSettings(Section):
    dirs: tuple[Path, ...] = Field((), description="folders with rules of your own, beside the shipped ones")
    shipped: bool = Field(True, description="run the shipped rules too")
    pipelines: dict[Path, tuple[Path, ...]] = Field(
        {}, description="pySigma's pipelines for the rules of a folder of `dirs` that are written for other field names"
    )


class ModelSettings(Section):
    specification: Path | None = Field(None, description="a model specification of your own instead of the shipped one")


class RankingSettings(Section):
    feedback: bool = Field(True, description="let reviewers' decisions move the weight of rules and of the forest")


class BudgetSettings(Section):
    alerts_per_night: int = Field(10, ge=0, description="how many alerts the reviewers can look at a night")
    least_score: float = Field(35.0, ge=0, le=100, description="an alert below this score takes no place in the queue")
    sample_share: Fraction = Field(
        0.05, description="share of the slots that go to blind random samples, which show what is missed; 0: none"
    )
    sample_seed: str = Field(
        "", description="a text that only you know, so that nobody can work out whom a night's samples will be about"
    )
    join_days: int = Field(7, ge=0, description="a finding joins an open alert of the same actor this recent")


class ServeSettings(Section):
    allowed_hosts: tuple[str, ...] = Field(
        (), description="names under which `detector serve` may be addressed, beside localhost and the address it binds"
    )


class Settings(Section):
    """All settings; every one has a default."""

    time_zone: ZoneName = Field("UTC", description="zone in which times are shown to people")
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    ingest: IngestSettings = IngestSettings()
    pseudonyms: PseudonymSettings = PseudonymSettings()
    features: FeatureSettings = FeatureSettings()
    reference: ReferenceSettings = ReferenceSettings()
    rules: RuleSettings = RuleSettings()
    model: ModelSettings = ModelSettings()
    ranking: RankingSettings = RankingSettings()
    budget: BudgetSettings = BudgetSettings()
    serve: ServeSettings = ServeSettings()

    def source(self, name: str) -> SourceSettings:
        return self.sources.get(name, SourceSettings())


def load_settings(path: Path | None, env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file (or the defaults) with the environment's over them.

    Raises ConfigError, naming file and line or the environment variable, for anything unknown or out of range.
    """
    data: Any = {}
    lines = Lines()
    if path is not None:
        data, lines = load_one(path)
        data = {} if data is None else data
        if not isinstance(data, dict):
            raise ConfigError("expected a mapping of settings", where=Where(path, 1))
    from_env: dict[str, str] = {}
    for name, value in sorted(env.items()):
        if name.startswith(ENV_PREFIX) and name not in ENV_OTHER and name != PseudonymSettings().key_env:
            _override(data, name, value, from_env)
    return validate(Settings, data, where=path or "configuration", lines=lines, env=from_env)


def validate(
    model: type[ModelT],
    data: Any,
    *,
    where: Path | str,
    lines: Lines | None = None,
    env: Mapping[str, str] | None = None,
    error: type[ConfigError] = ConfigError,
) -> ModelT:
    """`data` as a model; the first fault as `error` with file, line, key and what is allowed."""
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        faults = exc.errors()
        # An unknown key before what else is wrong: a misspelt one makes the right one missing, too.
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
        key = ".".join(str(part) for part in first["loc"] if part != "[key]")
        if env and key in env:
            raise error(first["msg"], where=Where(f"environment variable {env[key]}")) from None
        hint = None
        if first["type"] == "extra_forbidden":
            hint = _nearest(model, first["loc"])
        line = _line_of(key, lines or Lines())
        message = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise error(message, where=Where(where, line, key), hint=hint) from None


def _override(data: dict[str, Any], name: str, value: str, seen: dict[str, str]) -> None:
    keys = [part.lower() for part in name.removeprefix(ENV_PREFIX).split("__")]
    target = data
    for key in keys[:-1]:
        below = target.setdefault(key, {})
        if not isinstance(below, dict):
            raise ConfigError(f"{key!r} is no section", where=Where(f"environment variable {name}"))
        target = below
    try:
        target[keys[-1]] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError("not a YAML value", where=Where(f"environment variable {name}")) from None
    seen[".".join(keys)] = name


def _line_of(key: str, lines: Lines) -> int | None:
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return None


def _model_within(annotation: Any) -> Any:
    """The model itself, or the one in `Model | None`, `tuple[Model, ...]` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_within(each)) is not None), None)


def _nearest(model: type[BaseModel], location: tuple[int | str, ...]) -> str | None:
    import difflib

    here: Any = model
    for part in location[:-1]:
        fields = {field.alias or name: field for name, field in getattr(here, "model_fields", {}).items()}
        if not isinstance(part, int):  # a number counts the items of a list and names no field
            here = _model_within(fields[part].annotation) if part in fields else None
    allowed = [field.alias or name for name, field in getattr(here, "model_fields", {}).items()]
    if not allowed:
        return None
    close = difflib.get_close_matches(str(location[-1]), allowed, n=1)
    return f"Did you mean {close[0]}?" if close else f"Allowed here: {', '.join(sorted(allowed))}."
