"""Hostile input files, and what must become of each: the table behind test_hostile.py and docs/hostile-inputs.md.

A case is a file made of bytes. Its fate is read off a real run of ingest: for every line whether it became an event, a
duplicate or a reject with its reason, or the sentence with which the whole file was refused.
`python tests/ingest/hostile_run.py` writes that down anew; look at every line of the difference before you keep it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from hostile_builders import (
    HEADER,
    audit_event,
    bits,
    bomb_gz,
    cef,
    cells,
    document,
    events_json,
    json_lines,
    lines,
    lying_zip,
    many,
    office365,
    parquet,
    pnc,
    raw_zstd,
    row,
    shared_text_bomb,
    sheet,
    stored_gzip,
    table,
    three,
    trail,
    workbook,
    zipped,
)

Maker = Callable[[str], bytes]


@dataclass(frozen=True)
class Case:
    """`make` gets the case's name, so that no two cases share an event id."""

    name: str
    about: str
    file: str
    make: Maker
    source: str | None = None


CASES: tuple[Case, ...] = (
    # --- the bytes
    Case("gz-truncated", "gzip cut off in the middle", "log.csv.gz", lambda c: stored_gzip(many(c, 50))[:1_500]),
    Case("gz-corrupt", "gzip with bytes overwritten", "log.csv.gz", lambda c: stored_gzip(many(c, 50), bad_block=2)),
    Case("gz-checksum", "gzip whose checksum does not fit", "log.csv.gz",
         lambda c: stored_gzip(many(c, 5))[:-8] + b"\0" * 8),
    Case("gz-trailing-junk", "gzip with other bytes behind it", "log.csv.gz",
         lambda c: stored_gzip(many(c, 5)) + b"junk"),
    Case("zst-truncated", "Zstandard cut off in the middle", "log.csv.zst", lambda c: raw_zstd(many(c, 50))[:1_500]),
    Case("zst-corrupt", "Zstandard with bytes overwritten", "log.csv.zst",
         lambda c: raw_zstd(many(c, 100), bad_block=8)),
    Case("gz-bomb", "40 KB that unpack to 40 MB", "log.csv.gz", bomb_gz, source="canonical"),
    Case("zip-lying", "zip whose directory understates a member", "log.zip", lying_zip, source="canonical"),
    Case("zip-slip", "zip with a member named ../log.csv", "log.zip", lambda c: zipped(("../log.csv", many(c, 3)))),
    Case("encoding-mixed", "one line in Latin-1 among UTF-8", "log.csv",
         lambda c: three(c, row(c, 2, reason_text="caf\xe9").encode("latin-1"))),
    Case("encoding-overlong", "an overlong form of a slash, which is no UTF-8", "log.csv",
         lambda c: three(c, row(c, 2).encode().replace(b"burglary", b"\xc0\xaf"))),
    Case("nul", "a NUL byte in a line", "log.csv", lambda c: three(c, row(c, 2, reason_text="a\0b"))),
    Case("bom", "a byte order mark before the header", "log.csv", lambda c: b"\xef\xbb\xbf" + many(c, 3)),
    Case("utf16", "UTF-16 with a byte order mark", "log.csv", lambda c: many(c, 3).decode().encode("utf-16")),
    Case("crlf", "lines that end in CR LF, the last one in nothing", "log.csv",
         lambda c: table(row(c, 1), row(c, 2), end="\r\n").rstrip()),
    Case("cr", "lines that end in CR alone", "log.csv", lambda c: table(row(c, 1), row(c, 2), end="\r")),
    Case("line-10mb", "a line of 10 MB", "log.csv", lambda c: three(c, row(c, 2, reason_text="x" * (10 << 20)))),
    Case("empty", "no byte at all", "log.csv", lambda _: b""),
    Case("header-only", "a header and nothing else", "log.csv", lambda _: table()),
    Case("binary", "a program named like a log", "log.csv",
         lambda c: b"\x7fELF\x02\x01\x01" + c.encode() + bytes(range(256))),
    # --- the shape
    Case("ragged", "a field too few, and one too many", "log.csv",
         lambda c: table(row(c, 1), "x,y", row(c, 3), row(c, 4) + ",more", row(c, 5))),
    Case("quote-open", "a quotation mark that is never closed", "log.csv",
         lambda c: three(c, row(c, 2, reason_text='"unfinished'))),
    Case("quote-inside", "a quotation mark in the middle of a value", "log.csv",
         lambda c: three(c, row(c, 2, reason_text='6" pipe'))),
    Case("quote-newline", "a quoted value over three lines is one record", "log.csv",
         lambda c: three(c, row(c, 2, reason_text='"one\ntwo\nthree"'))),
    Case("header-again", "the header again in the middle", "log.csv", lambda c: three(c, HEADER)),
    Case("blank-lines", "blank lines are no lines", "log.csv", lambda c: table(row(c, 1), "", "   ", row(c, 4), "")),
    Case("header-twice", "the header names one column twice", "log.csv",
         lambda c: three(c, row(c, 2), header=HEADER.replace("result_count", "operator_id"))),
    Case("title-lines", "a title above the header", "log.csv",
         lambda c: b"Answer to request 4711\n\n" + many(c, 2)),
    Case("columns-moved", "columns in another order, one unknown", "log.csv",
         lambda c: table(f"x,op1,search,PNC,2026-03-02T10:00:00Z,{c}-1",
                         header="shoe_size,operator_id,action,system,event_time,event_id")),
    # --- the values
    Case("dates-nonsense", "30 February, hour 24, month 13, words, nothing but a date", "log.csv",
         lambda c: table(*(row(c, n, event_time=t) for n, t in enumerate(
             ("2026-02-30T10:00:00Z", "2026-03-02T24:00:00Z", "2026-13-01T10:00:00Z", "yesterday", "2026-03-02",
              "2026-03-02T10:00:60Z", "2026-03-02T10:00:00+25:00", "2024-02-29T10:00:00Z"))))),
    Case("dates-out-of-bounds", "years 0001, 1969 and 2999", "log.csv",
         lambda c: table(*(row(c, n, event_time=t) for n, t in enumerate(
             ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "2026-03-02T10:00:00Z"))))),
    Case("clock-gap", "a local time that the clocks skipped", "log.txt",
         lambda _: lines(pnc("29/03/2026 00:59:59", "gap1"), pnc("29/03/2026 01:30:00", "gap2"),
                         pnc("29/03/2026 02:00:00", "gap3"))),
    Case("clock-overlap", "a local time that happened twice", "log.txt",
         lambda _: lines(pnc("25/10/2026 00:59:59", "lap1"), pnc("25/10/2026 01:30:00", "lap2"),
                         pnc("25/10/2026 02:00:00", "lap3"))),
    Case("required-missing", "no time, no system, no action, no operator", "log.csv",
         lambda c: table(row(c, 1, event_time=""), row(c, 2, system=" "), row(c, 3, action=""),
                         row(c, 4, operator_id=""), row(c, 5))),
    Case("action-unknown", "a verb that nobody stated", "log.csv", lambda c: three(c, row(c, 2, action="peruse"))),
    Case("numbers", "hexadecimal, exponent, sign, grouping, 20 digits; blank is no fault", "log.csv",
         lambda c: table(*(row(c, n, result_count=t) for n, t in enumerate(
             ("0x1F", "1e3", "-1", '"1,000"', "9" * 20, "", " 7 "))))),
    Case("control-characters", "an escape sequence in an operator's id", "log.csv",
         lambda c: three(c, row(c, 2, operator_id="op\x1b[31m2"))),
    Case("reasons-kept", "formula, script, escape sequence and bidi marks in reasons stay as they are", "log.csv",
         lambda c: table(*(row(c, n, reason_text=t) for n, t in enumerate(
             ("=cmd()", "<script>alert(1)</script>", "\x1b[2Jgone", "\u202egnp.exe", "'; DROP TABLE events; --"))))),
    Case("ids", "the same line twice; the same id with another operator", "log.csv",
         lambda c: table(row(c, 1), row(c, 1), row(c, 2), row(c, 2, operator_id="other"))),
    Case("masked", "operators hidden behind ***", "portal.csv",
         lambda c: lines("id,userId,searchDate,networkCount", f'{c}-1,***,2026-03-02 10:00:00.000,"1,204"',
                         f"{c}-2,***,2026-03-02 10:00:01.000,94")),
    Case("zone-missing", "a time without an offset where the format demands one", "log.jsonl",
         lambda c: lines(*(json.dumps({"@timestamp": t, "event": {"id": f"{c}-{n}", "action": "view", "dataset": "d"},
                                       "user": {"id": f"op{n}"}})
                           for n, t in enumerate(("2026-03-02T10:00:00Z", "2026-03-02T10:00:00"))))),
    # --- JSON
    Case("json-key-twice", "one key twice in a record", "log.jsonl",
         lambda c: json_lines(c, events_json(c, 9)[:-1] + ', "operator_id": "other"}')),
    Case("json-nan", "NaN and Infinity, which are no JSON", "log.jsonl",
         lambda c: json_lines(c, events_json(c, 8)[:-1] + ', "result_count": NaN}',
                              events_json(c, 9)[:-1] + ', "result_count": -Infinity}')),
    Case("json-deep", "100,000 brackets", "log.jsonl",
         lambda c: json_lines(c, '{"event_time": ' + "[" * 100_000 + "]" * 100_000 + "}")),
    Case("json-huge-number", "a number of 5,000 digits, one of 20, one of 1e400", "log.jsonl",
         lambda c: json_lines(c, events_json(c, 7)[:-1] + ', "result_count": ' + "9" * 5_000 + "}",
                              events_json(c, 8)[:-1] + ', "result_count": ' + "9" * 20 + "}",
                              events_json(c, 9)[:-1] + ', "result_count": 1e400}')),
    Case("json-no-object", "a list, a number, a word, half a record", "log.jsonl",
         lambda c: json_lines(c, "[1, 2]", "42", "hello", events_json(c, 9)[:40])),
    Case("json-surrogate", "half of a surrogate pair", "log.jsonl",
         lambda c: json_lines(c, events_json(c, 9)[:-1] + ', "reason_text": "\\ud83d"}')),
    Case("json-types", "an object as operator, a list as reason", "log.jsonl",
         lambda c: json_lines(c, events_json(c, 8, operator_id={"a": 1}), events_json(c, 9, reason_text=["x", "y"]))),
    Case("json-bytes", "a line that is no UTF-8, a NUL, a blank line", "log.jsonl",
         lambda c: lines(events_json(c, 1)) + b"\xff\xfe\n\n" + b'{"a":"\0"}\n' + lines(events_json(c, 2))),
    Case("document-cut", "a document that breaks off in its last record", "trail.json",
         lambda c: document(c, trail(c, 3))[:-60]),
    Case("document-broken-record", "a record that is no JSON between two that are", "trail.json",
         lambda c: document(c, '{"eventTime": nonsense}', "7")),
    Case("document-brackets", "brackets that do not match", "trail.json",
         lambda c: document(c, trail(c, 3)).replace(b'op3"}}', b'op3"]}')),
    Case("document-long-record", "a record of 2 MB", "trail.json",
         lambda c: document(c, '{"eventID": "' + "x" * (2 << 20) + '"}')),
    Case("document-minified", "a whole document in one line, with another list behind the records", "trail.json",
         lambda c: f'{{"Records":[{trail(c, 1)},{trail(c, 2)}],"Other":[{{"a":1}}]}}'.encode()),
    Case("bundle-other-kinds", "a bundle that holds other resources too", "bundle.json",
         lambda c: ('{"resourceType": "Bundle", "entry": [' + ",\n".join(
             (audit_event(c, 1), audit_event(c, 2, "Patient"), audit_event(c, 3))) + "]}").encode()),
    Case("ocsf-other-class", "an event of another class in an OCSF stream", "log.jsonl",
         lambda c: lines(*(json.dumps({"class_uid": k, "time": 1772445600000, "activity_id": 1,
                                       "metadata": {"uid": f"{c}-{k}"}, "database": {"name": "PNC"},
                                       "actor": {"user": {"uid": "op"}}}) for k in (6005, 3002)))),
    Case("m365-bad-json", "AuditData that is no JSON", "audit.csv",
         lambda c: office365(c, '{"Workload": "SharePoint"}', "{oops", '{"Workload": "Exchange"}')),
    # --- workbooks and Parquet
    Case("xlsx-bomb", "a sheet of 60 MB of spaces in 60 KB", "log.xlsx",
         lambda c: workbook(sheet(c) + " " * (60 << 20))),
    Case("xlsx-sparse", "two cells that span 17 thousand million", "log.xlsx",
         lambda c: workbook(sheet(c, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))),
    Case("xlsx-shared-text", "one text of 32 KB in 42,000 cells", "log.xlsx", shared_text_bomb),
    Case("xlsx-bad-cells", "an error, a formula without a result, a value beyond the header, a second header",
         "log.xlsx",
         lambda c: workbook(sheet(
             c,
             cells(3, f"{c}-3", "2026-03-02T10:00:00Z", '<c r="@" t="e"><v>#SPILL!</v></c>', "search", "op3"),
             cells(4, f"{c}-4", "2026-03-02T10:00:00Z", "PNC", "search", '<c r="@"><f>cmd()</f></c>'),
             cells(5, *row(c, 5).split(","), "", "note"),
             cells(6, *HEADER.split(",")),
             cells(8, *row(c, 8).split(","))))),
    Case("xlsx-formula", "a formula counts with the result that was stored", "log.xlsx",
         lambda c: workbook(sheet(c, cells(3, f"{c}-3", "2026-03-02T10:00:00Z", "PNC", "search",
                                           '<c r="@" t="str"><f>1+1</f><v>op3</v></c>')))),
    Case("xlsx-titles", "title rows, a blank row, a sheet that begins further down", "log.xlsx",
         lambda c: workbook(cells(1, "Answer to request 4711") + cells(4, *HEADER.split(","))
                            + cells(5, *row(c, 1).split(",")) + cells(7, *row(c, 2).split(",")))),
    Case("xlsx-truncated", "a workbook cut off in the middle", "log.xlsx",
         lambda c: workbook(sheet(c))[:900]),
    Case("xlsx-no-header", "a workbook without any known header", "log.xlsx",
         lambda _: workbook(cells(1, "a", "b", "c"))),
    Case("xlsx-entities", "entities that would expand without bound", "log.xlsx",
         lambda c: workbook(sheet(c, cells(3, f"{c}-3", "2026-03-02T10:00:00Z", "PNC", "search", "&h;")), doctype=(
             "<!DOCTYPE w [<!ENTITY a 'xxxxxxxxxx'>" + "".join(
                 f"<!ENTITY {chr(b + 1)} '{f'&{chr(b)};' * 10}'>" for b in range(ord("a"), ord("h"))) + "]>"))),
    Case("parquet-truncated", "a Parquet file cut off in the middle", "log.parquet", lambda c: parquet(c)[:20_000]),
    Case("parquet-no-operator", "a Parquet file without a required column", "log.parquet",
         lambda c: parquet(c, drop="operator_id")),
    Case("parquet-corrupt", "a Parquet file with bytes overwritten in its second half", "log.parquet",
         lambda c: bits(parquet(c, groups=2), 0.6)),
    # --- syslog and text
    Case("cef-junk", "escapes, spaces, a key twice, a header cut short, no CEF, no syslog", "log.cef",
         lambda c: lines(cef(c, 1, r" reason=a \= b \| c \\ d cs1Label=Case Ref cs1=NM/26/1"), cef(c, 2, " act=view"),
                         "<134>1 2026-03-02T10:00:00Z gw app 1 - - CEF:0|Acme|Gateway",
                         cef(c, 4, head="<999>1 - - - - - - "),
                         "<134>1 2026-03-02T10:00:00Z gw app 1 - - hello", "Mar  2 10:00:00 gw hello",
                         cef(c, 7, " reason=")) + b"<134>1 2026-03-02T10:00:00Z gw app 1 - [a x=1] CEF:0|\n"),
    Case("text-mismatch", "lines of another form among transaction lines", "log.txt",
         lambda _: lines(pnc("02/03/2026 10:00:00", "mis1"), "*** PRINTER OUT OF PAPER ***", "02/03/2026 10:00:01 T-01",
                         pnc("02/03/2026 10:00:02", "mis2"), pnc("31/02/2026 10:00:00", "mis3"))),
)  # fmt: skip


#: Mapping files that must be refused: name, what it is, text.
MAPPINGS: tuple[tuple[str, str, str], ...] = (
    ("alias-bomb", "aliases that expand without bound",
     "name: alias-bomb\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
    ("key-twice", "one key twice", "name: key-twice\ntitle: one\ntitle: two\n"),
    ("key-unknown", "a key that does not exist", "name: key-unknown\ntitle: t\nformats: delimited\ndelimeter: ;\n"),
    ("tag", "a tag that would make an object", "name: !!python/object/apply:os.system [id]\n"),
    ("look-ahead", "a pattern that RE2 cannot run",
     "name: look-ahead\ntitle: t\nformats: text\nline: '(?P<a>x)(?=y)'\ncolumns: {event_time: a}\n"),
    ("column-unknown", "an event column that does not exist",
     "name: column-unknown\ntitle: t\nformats: text\nline: '(?P<a>x)'\ncolumns: {event_tme: a}\n"),
    ("time-open", "a time format that leaves the year open",
     ("name: time-open\ntitle: t\nformats: text\nline: '(?P<a>x)'\ncolumns: {event_time: a}\n"
     "constants: {system: s, action: view, operator_id: o}\ntime: {formats: '%d/%m %H:%M'}\n")),
    ("no-operator", "a required column that nothing fills",
     ("name: no-operator\ntitle: t\nformats: text\nline: '(?P<a>x)'\ncolumns: {event_time: a}\n"
     "constants: {system: s, action: view}\n")),
    ("not-utf8", "a byte that is no UTF-8", "name: not-utf8\ntitle: caf\udce9\n"),
    ("deep", "brackets without end", "a: " + "[" * 5_000),
)  # fmt: skip
