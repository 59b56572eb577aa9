"""Writes docs/formats.md: the shipped source mappings as they are, with what each assumes.

python docs/formats.py            writes the page
python docs/formats.py --check    writes nothing; exit code 1 when the page is out of date
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detector.ingest.mapping import Mapping, ValueMap, load_mappings

PAGE = Path(__file__).with_name("formats.md")
HEAD = """# Log formats that are read as they come

Written by `python docs/formats.py` from the mappings in `detector/ingest/sources/`. A file is recognised by its header,
its JSON or the form of its lines; `--source NAME` says it outright. Another format is one YAML file:
[adding-a-log-format.md](adding-a-log-format.md).

gzip, Zstandard and zip are unpacked; a byte order mark, UTF-16 with one, CR LF, title lines above a header and
any order of columns are no obstacle. Columns that a mapping does not use are ignored. What becomes of broken lines:
[hostile-inputs.md](hostile-inputs.md).

| mapping | what it is | comes as | times |
|---|---|---|---|
"""
CONTAINERS = {
    "delimited": "CSV",
    "workbook": "XLSX",
    "jsonlines": "JSON, one record a line",
    "json": "JSON document",
    "parquet": "Parquet",
    "syslog": "syslog",
    "text": "text lines",
}


def page() -> str:
    """The whole page."""
    mappings = load_mappings()
    out = HEAD
    for each in mappings.values():
        comes = ", ".join(CONTAINERS[form] for form in each.formats)
        out += f"| [`{each.name}`](#{each.name}) | {each.title} | {comes} | {_times(each)} |\n"
    return out + "".join("\n" + "\n".join(_section(each)) + "\n" for each in mappings.values())


def _times(mapping: Mapping) -> str:
    forms = ", ".join(f"`{form}`" for form in mapping.time.formats)
    zone = f"without an offset: {mapping.time.zone}" if mapping.time.zone else "an offset is required"
    return f"{forms}; {zone}{' until settings name the zone' if mapping.time.zone_assumed else ''}"


def _section(mapping: Mapping) -> Iterator[str]:
    yield f"## `{mapping.name}`\n"
    yield f"{mapping.title}. {mapping.about}".strip() + "\n"
    yield f"Known by: {_known(mapping)}.\n"
    yield "| event column | from |\n|---|---|"
    constants = dict(mapping.constants)
    for column, fields in mapping.columns.items():
        last = f", else `{constants.pop(column)}`" if column in constants else ""
        yield f"| {column} | {_cell(', else '.join(f'`{field}`' for field in fields))}{last} |"
    for column, value in constants.items():
        yield f"| {column} | always `{value}` |"
    for pattern in mapping.patterns:
        yield f"| named in the pattern | {_cell(f'`{pattern.pattern}` in `{pattern.source}`')} |"
    yield ""
    for name, values in (("action", mapping.action), ("outcome", mapping.outcome)):
        if name in mapping.columns:
            yield f"{name}: {_values(values)}.\n"
    yield "Assumed:\n"
    yield "\n".join(f"- {assumption}" for assumption in mapping.assumptions)


def _known(mapping: Mapping) -> str:
    said = []
    if mapping.header:
        said.append("the columns " + ", ".join(f"`{name}`" for name in mapping.header.must))
        said += ["one of " + ", ".join(f"`{name}`" for name in group) for group in mapping.header.any_of]
        said += [f"no column `{name}`" for name in mapping.header.must_not]
    if mapping.json_shape and mapping.json_shape.present:
        said.append("in JSON the fields " + ", ".join(f"`{path}`" for path in mapping.json_shape.present))
        said += [f"`{p}` being `{'` or `'.join(v)}`" for p, v in mapping.json_shape.values.items()]
        said += [f"no `{path}`" for path in mapping.json_shape.absent]
    if mapping.line:
        said.append(f"lines of the form `{mapping.line}`")
    return "; ".join(said)


def _values(values: ValueMap) -> str:
    by_value: dict[str, list[str]] = {}
    for key, value in values.map.items():
        by_value.setdefault(value, []).append(f"`{key}`")
    said = [f"{', '.join(keys)} = {value}" for value, keys in by_value.items()]
    said.append(
        f"anything else: {values.default}" if said else f"the names of the contract, anything else: {values.default}"
    )
    said += [f"{what}: {value}" for what, value in (("blank", values.blank), ("absent", values.absent)) if value]
    return "; ".join(said)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Writes the page, or says whether it is out of date."""
    text = page()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
