"""A source mapping: one YAML file that says how one kind of log becomes access events.

Shipped mappings lie in `sources/`; a user's folder may add others, or replace a shipped one by its name.
See docs/adding-a-log-format.md for every key with examples.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from detector import config
from detector.config import ZoneName
from detector.errors import MappingError, Where
from detector.ingest import jsonpath, times
from detector.safe_yaml import load_one
from detector.schema import ACTIONS, MAPPABLE, OUTCOMES

SHIPPED_DIR: Final = Path(__file__).parent / "sources"
Format = Literal["delimited", "jsonlines", "json", "workbook", "parquet", "syslog", "text"]
TABULAR: Final[frozenset[str]] = frozenset({"delimited", "workbook", "parquet"})
JSON: Final[frozenset[str]] = frozenset({"jsonlines", "json"})
#: Columns kept letter by letter, line breaks and all; every other one is trimmed and may hold no control characters.
FREE_TEXT: Final = frozenset({"reason_text", "query_text"})
NUMBERS: Final = ("utc_offset_minutes", "result_count", "scope_count", "export_count")


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) else value


def _contract_column(name: str) -> str:
    if name not in MAPPABLE:
        close = difflib.get_close_matches(name, MAPPABLE, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the columns are {', '.join(MAPPABLE)}"
        raise ValueError(f"{name!r} is no column of an event: {hint}")
    return name


def _regex(pattern: str) -> str:
    try:
        if not pc.extract_regex(pa.array([""]), pattern).type.num_fields:
            raise pa.ArrowInvalid("no named group")
    except pa.ArrowInvalid as exc:
        text = str(exc).removeprefix("Invalid regular expression: ")
        raise ValueError(
            f"not a pattern that can be run ({text}). Patterns are RE2: named groups as (?P<name>...), at least one, "
            "no look-around and no back-references"
        ) from None
    return pattern


def _time_format(text: str) -> str:
    times.compile_format(text)
    return text


def _path(text: str) -> str:
    jsonpath.compile_path(text)
    return text


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Column = Annotated[str, AfterValidator(_contract_column)]
Regex = Annotated[str, AfterValidator(_regex)]
TimeFormat = Annotated[str, AfterValidator(_time_format)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Header(Part):
    """How a table is known by its header; names are compared without case, spaces, `_`, `-` and `.`."""

    must: Names = Field(min_length=1, description="columns that have to be there")
    any_of: tuple[Names, ...] = Field((), description="groups of columns; of each group at least one has to be there")
    must_not: Names = Field((), description="columns whose presence says that it is another format")


class JsonShape(Part):
    """How a JSON record is known, and where records lie in a document."""

    present: tuple[Annotated[str, AfterValidator(_path)], ...] = Field((), description="paths that must hold a value")
    absent: tuple[Annotated[str, AfterValidator(_path)], ...] = Field((), description="paths that must not")
    values: dict[Annotated[str, AfterValidator(_path)], Names] = Field(
        default_factory=dict, description="paths with the values allowed there; any other value is no record"
    )
    records: Names = Field((), description="top-level keys of a document that hold the list of records")
    record: str | None = Field(None, description="path inside a list element where the record itself lies")


class TimeSpec(Part):
    """How event_time is written. Day-first or month-first is stated by the format and never guessed."""

    formats: Annotated[tuple[TimeFormat, ...], BeforeValidator(_names)] = Field(
        ("iso8601",), min_length=1, description="iso8601, epoch_s (_ms, _us, _ns), or a strptime format; in this order"
    )
    zone: ZoneName | None = Field(None, description="zone of times without an offset; without it they are rejected")
    zone_assumed: bool = Field(
        False, description="the zone is a stopgap: every run says so until settings.sources.NAME.time_zone names one"
    )
    gap: Literal["reject", "earlier", "later"] = Field(
        "reject",
        description="a local time that the clocks skipped: rejected, or taken as the earlier or the later instant",
    )
    overlap: Literal["reject", "earlier", "later"] = Field(
        "reject", description="a local time that happened twice: rejected, or taken as the earlier or the later instant"
    )


class ValueMap(Part):
    """Source values to values of an enumeration. Keys: without case; `begin*`, `*end` and `*within*` too.

    `reject` makes the row a reject, `none` (outcome only) leaves the value unknown.
    """

    map: dict[str, str] = Field(default_factory=dict)
    default: str = Field("reject", description="what any other value becomes, or `reject`")
    blank: str | None = Field(None, description="what a blank becomes; else a blank is as if absent")
    absent: str | None = Field(None, description="what it is when the source does not say")


class Pattern(Part):
    """Named groups pulled out of a text into event columns that are absent or blank."""

    source: str = Field(alias="from", description="event column or source field to look in")
    pattern: Regex = Field(description="RE2; each named group is an event column")


class Mapping(Part):
    """One kind of log."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: str = Field(min_length=1)
    about: str = Field("", description="where the field names come from")
    formats: Annotated[tuple[Format, ...], BeforeValidator(_names)] = Field(min_length=1)
    header: Header | None = None
    json_shape: JsonShape | None = Field(None, alias="json")
    line: Regex | None = Field(None, description="text: the form of a line, its named groups are the source fields")
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    sheet: str | None = Field(None, description="workbook: name of the sheet; default: every sheet with the header")
    header_within: int = Field(20, ge=1, le=1000, description="how many rows may stand above the header")
    embedded_json: str | None = Field(None, description="a column that holds a JSON object; its paths begin COLUMN.")
    aliases: dict[str, Names] = Field(default_factory=dict, description="other names of a source column")
    columns: dict[Column, Names] = Field(description="event column: source field(s), the first that has a value wins")
    constants: dict[Column, str] = Field(default_factory=dict, description="values for what the source does not say")
    time: TimeSpec = TimeSpec()
    local_zone: ZoneName | None = Field(None, description="zone that local hours are counted in")
    action: ValueMap = ValueMap()
    outcome: ValueMap = ValueMap()
    thousands: dict[Column, Literal[",", ".", " ", "'"]] = Field(
        default_factory=dict, description="thousands separator of a number column; without it there is none"
    )
    patterns: tuple[Pattern, ...] = ()
    masked: Names = Field((), description="operator values that stand for a hidden name; kept as they are")
    assumptions: tuple[str, ...] = Field((), description="what is assumed because no source fixes it")
    _origin: Path = PrivateAttr(default=SHIPPED_DIR)
    _overrides: bool = PrivateAttr(default=False)

    @model_validator(mode="after")
    def _whole(self) -> Mapping:
        _check_recognition(self)
        _check_columns(self)
        _check_values("action", self.action, ACTIONS)
        _check_values("outcome", self.outcome, OUTCOMES)
        return self

    @property
    def origin(self) -> Path:
        """The file it was read from."""
        return self._origin

    @property
    def overrides(self) -> bool:
        """Whether it replaces a shipped mapping of that name."""
        return self._overrides

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything the mapping says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def fields(self) -> tuple[str, ...]:
        """Every source field the mapping looks at, each once, in order."""
        wanted = [name for names in self.columns.values() for name in names]
        wanted += [p.source for p in self.patterns if p.source not in MAPPABLE]
        return tuple(dict.fromkeys(wanted))


def _check_recognition(mapping: Mapping) -> None:
    formats = set(mapping.formats)
    if formats & TABULAR and mapping.header is None:
        raise ValueError("header is missing: a table is known by its header")
    if formats & JSON and mapping.json_shape is None:
        raise ValueError("json is missing: say by which paths a record is known")
    if formats & {"text", "syslog"} and mapping.line is None:
        raise ValueError("line is missing: say by which pattern a line is known")
    if "json" in formats and mapping.json_shape and not mapping.json_shape.records:
        raise ValueError("json.records is missing: say under which keys of a document the records lie")
    if mapping.embedded_json and not formats <= TABULAR:
        raise ValueError("embedded_json is for tables only")


def _check_columns(mapping: Mapping) -> None:
    given = set(mapping.columns) | set(mapping.constants)
    groups = {name for p in mapping.patterns for name in times.group_names(p.pattern)}
    for name in sorted(groups):
        _contract_column(name)
    for absent, values in (("action", mapping.action), ("outcome", mapping.outcome)):
        given |= {absent} if values.absent else set()
    for name in ("event_time", "system", "action", "operator_id"):
        if name not in given | groups:
            raise ValueError(f"nothing says what {name} is: give it under columns or constants")
    if "event_time" not in mapping.columns:
        raise ValueError("event_time must come from a source field")
    for name in mapping.thousands:
        if name not in NUMBERS:
            raise ValueError(f"thousands: {name} is no number column ({', '.join(NUMBERS)})")
    if set(mapping.formats) & JSON or mapping.embedded_json:
        for field in mapping.fields:
            _path(field)


def _check_values(column: str, values: ValueMap, allowed: Sequence[str]) -> None:
    for key in values.map:
        if "*" in key.strip("*") or not key.strip("*").strip():
            raise ValueError(f"{column}.map: {key!r}: a * may stand at the beginning and at the end only")
    stated = [*values.map.values(), *(v for v in (values.default, values.blank, values.absent) if v is not None)]
    special = ("reject", "none") if column == "outcome" else ("reject",)
    for value in stated:
        if value not in (*allowed, *special):
            raise ValueError(f"{column}: {value!r} is none of {', '.join((*allowed, *special))}")


def load_mapping(path: Path) -> Mapping:
    """The mapping of one file. Raises MappingError with file, line and key."""
    data, lines = load_one(path, error=MappingError)
    mapping = config.validate(Mapping, data, where=path, lines=lines, error=MappingError)
    if mapping.name != path.stem:
        raise MappingError(
            f"the file is called {path.stem} but the mapping {mapping.name}",
            where=Where(path, lines.get("name"), "name"),
            hint="Give the file the mapping's name, so that each can be found by the other.",
        )
    mapping._origin = path
    return mapping


def load_mappings(extra_dirs: Sequence[Path] = ()) -> dict[str, Mapping]:
    """Shipped mappings and those of `extra_dirs` by name; a later folder's mapping replaces an earlier one's.

    Raises MappingError for any file that is wrong and for a folder that is not there.
    """
    mappings: dict[str, Mapping] = {}
    for folder in (SHIPPED_DIR, *extra_dirs):
        if not folder.is_dir():
            raise MappingError("no such folder", where=Where(folder), hint="Correct ingest.mapping_dirs.")
        for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
            mapping = load_mapping(path)
            mapping._overrides = mapping.name in mappings
            mappings[mapping.name] = mapping
    return mappings


def overridden(mappings: MappingOf[str, Mapping]) -> list[str]:
    """One plain sentence for each mapping of the user's that stands in for a shipped one."""
    return [
        f"mapping {m.name} is read from {m.origin} instead of the shipped one" for m in mappings.values() if m.overrides
    ]
