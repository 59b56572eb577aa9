"""Syslog lines of RFC 5424 that carry CEF -> batches.

Fields are named `syslog.timestamp`, `.host`, `.app`, `.procid`, `.msgid`; `syslog.ID.NAME` for structured data; of
CEF `cef.vendor`, `.product`, `.device_version`, `.signature_id`, `.name`, `.severity`, `cef.KEY` for each extension
key, and `cef.label.LABEL` for a custom field (cs1, cn1, ...) that the line itself labels (cs1Label=Case Ref); a label
is compared without case, spaces, `_` and `-`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO, Final

from detector.config import IngestSettings
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.headers import loose
from detector.ingest.mapping import Mapping
from detector.ingest.textlines import batch_of, shown, text_lines

#: RFC 5424 section 6; a length in front (octet counting, RFC 6587) is passed over.
_HEADER: Final = re.compile(
    r"(?:\d{1,7} )?<(?P<pri>\d{1,3})>1 (?P<timestamp>\S+) (?P<host>\S{1,255}) (?P<app>\S{1,48})"
    r" (?P<procid>\S{1,128}) (?P<msgid>\S{1,32}) (?P<rest>.*)",
    re.DOTALL,
)
_SD_NAME: Final = r'[^\s=\]"]{1,32}'
_SD_ELEMENT: Final = re.compile(rf'\[(?P<id>{_SD_NAME})(?P<parameters>(?: {_SD_NAME}="(?:[^"\\\]]++|\\.)*+")*+)\]')
_SD_PARAMETER: Final = re.compile(rf' (?P<name>{_SD_NAME})="(?P<value>(?:[^"\\\]]++|\\.)*+)"')
_SD_ESCAPE: Final = re.compile(r'\\(["\\\]])')
_CEF_HEADER: Final = re.compile(r"CEF:\d+(?:\|((?:[^|\\]++|\\.)*+)){6}\|(?P<extension>.*)", re.DOTALL)
_CEF_PART: Final = re.compile(r"\|((?:[^|\\]++|\\.)*+)")
#: A key begins the extension or follows a space, and an unescaped = follows it.
_CEF_KEY: Final = re.compile(r"(?:^|(?<=\s))([A-Za-z0-9_.\[\]-]+)=")
_CEF_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_CEF_HEADER_NAMES: Final = ("vendor", "product", "device_version", "signature_id", "name", "severity")
_LABEL: Final = "cef.label."


class BadLine(ValueError):  # noqa: N818 - it is a line, and caught where it arises
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_syslog(stream: BinaryIO, mapping: Mapping, limits: IngestSettings) -> Iterator[RawBatch | list[Reject]]:
    """One message a line."""
    keys = [_LABEL + loose(n.removeprefix(_LABEL)) if n.startswith(_LABEL) else n for n in mapping.fields]
    for lines, rejects in text_lines(stream, limits):
        if rejects:
            yield rejects
        rows: list[list[str | None]] = []
        good: list[tuple[int, str]] = []
        bad: list[Reject] = []
        for number, text in lines:
            try:
                fields = parse_line(text)
                rows.append([fields.get(key) for key in keys])
                good.append((number, text))
            except BadLine as exc:
                bad.append(Reject(number, exc.reason, str(exc), shown(text)))
        if bad:
            yield bad
        if rows:
            yield batch_of(mapping.fields, rows, [n for n, _ in good], [text for _, text in good])


def parse_line(text: str) -> dict[str, str]:
    """The fields of one line. Raises BadLine; `-`, RFC 5424's word for nothing, is no field."""
    header = _HEADER.fullmatch(text)
    if header is None or int(header["pri"]) > 191:
        raise BadLine("bad_syslog", "no header of RFC 5424: <PRI>1 TIMESTAMP HOST APP PROCID MSGID SD MSG")
    fields = {f"syslog.{name}": header[name] for name in ("timestamp", "host", "app", "procid", "msgid")}
    fields = {name: value for name, value in fields.items() if value != "-"}
    message = _structured_data(header["rest"], fields)
    if not message.startswith("CEF:"):
        raise BadLine("bad_cef", "the message is no CEF: it does not begin with CEF:")
    _cef(message, fields)
    return fields


def _structured_data(rest: str, fields: dict[str, str]) -> str:
    """Takes the structured data off and returns the message without its byte order mark."""
    if rest.startswith("-"):
        rest = rest[1:]
    else:
        position = 0
        while (element := _SD_ELEMENT.match(rest, position)) is not None:
            for parameter in _SD_PARAMETER.finditer(element["parameters"]):
                value = _SD_ESCAPE.sub(r"\1", parameter["value"])
                fields[f"syslog.{element['id']}.{parameter['name']}"] = value
            position = element.end()
        if position == 0:
            raise BadLine("bad_syslog", "structured data that do not follow RFC 5424")
        rest = rest[position:]
    if rest and not rest.startswith(" "):
        raise BadLine("bad_syslog", "structured data that do not follow RFC 5424")
    return rest[1:].removeprefix("\ufeff")


def _cef(message: str, fields: dict[str, str]) -> None:
    header = _CEF_HEADER.fullmatch(message)
    if header is None:
        raise BadLine("bad_cef", "a CEF header has seven parts, each ended by |")
    parts = _CEF_PART.findall(message, message.index("|"), header.start("extension"))
    for name, part in zip(_CEF_HEADER_NAMES, parts, strict=False):
        fields[f"cef.{name}"] = _CEF_ESCAPE.sub(r"\1", part) if "\\" in part else part
    fields.update(_extension(header["extension"]))


def _extension(text: str) -> dict[str, str]:
    """key=value pairs; a value runs to the next ` key=`, so it may hold spaces, and = and \\ in it are escaped."""
    found: dict[str, str] = {}
    keys = list(_CEF_KEY.finditer(text))
    if text.strip() and (not keys or text[: keys[0].start()].strip()):
        raise BadLine("bad_cef", "the extension does not begin with key=value")
    ends = [key.start() for key in keys[1:]] + [len(text)]
    for key, end in zip(keys, ends, strict=False):
        name = f"cef.{key[1]}"
        if name in found:
            raise BadLine("bad_cef", f"the key {key[1][:40]!a} is given twice")
        value = text[key.end() : end].strip(" ")
        found[name] = _CEF_ESCAPE.sub(_unescaped, value) if "\\" in value else value
    for name in [n for n in found if n.endswith("Label")]:
        field = found.get(name.removesuffix("Label"))
        if field is not None:
            found.setdefault(_label(found[name]), field)
    return found


@lru_cache(maxsize=4096)
def _label(label: str) -> str:
    """The field of a label; a log has few different ones."""
    return f"{_LABEL}{loose(label)}"


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r"}.get(match[1], match[1])
