"""The feeds that are records: JSON lines, a CloudTrail document, syslog with CEF, a transaction log in plain text."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime, timedelta
from typing import Any

from making.force import ORGANISATION, SUMMER_TIME
from making.log import Log, Lookup, at


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def cris(log: Log) -> dict[str, bytes]:
    """The crime system as gzipped JSON lines in the contract's names, in two files that share a day."""
    files = {}
    for part, (begin, end) in enumerate(((at(-1, 0), at(18, 0)), (at(17, 0), at(40, 0)))):
        rows = [x for x in log.of("cris") if begin <= x.time < end]
        lines = [_line(x.canonical()) for x in rows]
        nobody = {**rows[30].canonical(), "event_id": f"CRIS-0{part}"}
        del nobody["operator_id"]
        dirt = [lines[10][: len(lines[10]) // 2] + b"\n", _line(nobody), lines[12]]
        files[f"cris/cris-{part + 1}.jsonl.gz"] = _gzip(b"".join([*lines[:150], *dirt, *lines[150:]]))
    return files


def _gzip(content: bytes) -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=made, compresslevel=9, mtime=0) as file:
        file.write(content)
    return made.getvalue()


def custody(log: Log) -> dict[str, bytes]:
    """Custody records as Elastic Common Schema; the last line was cut off when the disk filled."""
    lines = [_line(_ecs(x)) for x in log.of("custody")]
    cut = lines[5][: len(lines[5]) * 2 // 3]
    return {"custody/custody-ecs.jsonl": b"".join([*lines, cut])}


def _ecs(x: Lookup) -> dict[str, Any]:
    return {
        "@timestamp": f"{x.time:%Y-%m-%dT%H:%M:%S}.000Z",
        "ecs": {"version": "8.17"},
        "event": {
            "id": x.event_id,
            "kind": "event",
            "category": ["database"],
            "type": ["creation" if x.action == "create" else "access"],
            "action": f"{x.action}-custody-record",
            "dataset": "custody",
            "outcome": "success",
            "reason": x.text("reason_text"),
        },
        "user": {"id": x.person.staff_id, "roles": [x.person.role]},
        "organization": {"name": ORGANISATION},
        "source": {"ip": x.text("source_ip")},
        "host": {"name": x.person.terminal},
        "labels": {
            "unit": x.person.unit,
            "record_type": "custody",
            "record_id": x.text("record_id"),
            "case_ref": x.text("case_ref"),
        },
    }


def evidence(log: Log) -> dict[str, bytes]:
    """The footage store as CloudTrail data events; one record names nobody."""
    records = [_cloudtrail(x) for x in log.of("evidence")]
    nobody = {**records[50], "eventID": records[50]["eventID"][:-2] + "zz"}
    del nobody["userIdentity"]
    records.insert(80, nobody)
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in records)
    return {"evidence/evidence-store-cloudtrail.json": f'{{"Records":[\n{lines}\n]}}\n'.encode()}


def _cloudtrail(x: Lookup) -> dict[str, Any]:
    account, bucket, user = "000000000000", "northmoor-evidence", x.person.staff_id.lower()
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDAEXAMPLE{user.upper()}",
            "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account,
            "userName": user,
        },
        "eventTime": f"{x.time:%Y-%m-%dT%H:%M:%S}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject" if x.action == "create" else "GetObject",
        "awsRegion": "eu-west-2",
        "sourceIPAddress": x.text("source_ip"),
        "userAgent": "evidence-viewer/3.2",
        "requestParameters": {"bucketName": bucket, "key": x.text("record_id")},
        "responseElements": None,
        "requestID": x.event_id[:8].upper(),
        "eventID": x.event_id,
        "readOnly": x.action != "create",
        "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{x.text('record_id')}"}],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": account,
        "eventCategory": "Data",
    }


def intel(log: Log) -> dict[str, bytes]:
    """The intelligence gateway as syslog (RFC 5424) with CEF; a reboot and a stranger's message in between."""
    lines = [_cef(x) for x in log.of("intel")]
    strangers = [
        "<13>1 2026-03-14T02:10:00Z intel-gw kernel - - - usb 1-1: new device\n",
        "Mar 14 02:10:01 intel-gw restarting\n",
        lines[20].replace("CEF:0|Northmoor|", "CEF:0|", 1).replace("externalId=9", "externalId=0"),
    ]
    return {"intel/intelligence-gateway.log": "".join([*lines[:220], *strangers, *lines[220:]]).encode()}


def _cef(x: Lookup) -> str:
    verb = {"search": "Search run", "view": "Report viewed"}[x.action]
    fields = {
        "externalId": x.event_id,
        "suid": x.person.staff_id,
        "sntdom": ORGANISATION,
        "shost": x.person.terminal,
        "src": x.text("source_ip"),
        "act": x.action,
        "outcome": x.text("outcome"),
        "request": x.text("query_text"),
        "reason": x.text("reason_text"),
    }
    labelled = {
        "cs1": ("Case Ref", x.text("case_ref")),
        "cs2": ("Record Id", x.text("record_id")),
        "cs3": ("Record Type", "intelligence"),
        "cs4": ("Unit", x.person.unit),
        "cs5": ("Role", x.person.role),
        "cn1": ("Result Count", x.text("result_count")),
    }
    for key, (label, value) in labelled.items():
        fields |= {f"{key}Label": label, key: value} if value else {}
    extension = " ".join(f"{key}={_escaped(value)}" for key, value in fields.items() if value)
    head = f"<134>1 {x.time:%Y-%m-%dT%H:%M:%S}Z intel-gw gateway 411 - -"
    return f"{head} CEF:0|Northmoor|Intelligence Gateway|4.2|{x.action}|{verb}|3|{extension}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n")


def bureau(log: Log) -> dict[str, bytes]:
    """The bureau's transaction log: local time without an offset, so that one night has an hour that never was."""
    lines = [_transaction(x, _local(x.time)) for x in log.of("bureau")]
    gap = _transaction(log.of("bureau")[0], datetime(2026, 3, 29, 1, 30))  # noqa: DTZ001 - local time
    dirt = [gap, "*** PRINTER OUT OF PAPER ***\n", lines[7][:40] + "\n"]
    place = next(i for i, x in enumerate(log.of("bureau")) if x.time >= SUMMER_TIME)
    return {"bureau/transaction-log.txt": "".join([*lines[:place], *dirt, *lines[place:]]).encode()}


def _local(utc: datetime) -> datetime:
    return utc + timedelta(hours=1 if utc >= SUMMER_TIME else 0)


def _transaction(x: Lookup, when: datetime) -> str:
    asks = f"{x.text('requester_id')} {x.text('case_ref')} {x.text('reason_text')}"
    return (
        f"{when:%d/%m/%Y %H:%M:%S} {x.person.terminal} {x.person.staff_id} #{x.text('transaction_code')} "
        f"{x.text('query_text')} / {asks}\n"
    )
