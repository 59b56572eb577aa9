"""One small sample of every shipped format (and of every container it may come in), with the exact rows it gives."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Sample:
    """`events`: every event of the file, without source_name, source_line and columns that are NULL."""

    name: str
    source: str
    file: str
    data: bytes | Callable[[], bytes]
    events: tuple[Mapping[str, Any], ...]
    rejects: tuple[tuple[int, str], ...] = ()
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        path = folder / self.file
        path.write_bytes(self.data() if callable(self.data) else self.data)
        return path


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def naive(*parts: int) -> datetime:
    """A time as a workbook's cell holds it."""
    return at(*parts).replace(tzinfo=None)


def text(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def json_text(*records: Mapping[str, Any]) -> bytes:
    return text(*(json.dumps(record) for record in records))


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- canonical

_CANONICAL = ("event_id", "event_time", "system", "action", "operator_id", "reason_text", "result_count")
_CANONICAL_ROW = {
    "event_id": "E1", "event_time": at(2026, 3, 2, 10), "system": "PNC", "action": "search", "operator_id": "op1",
    "actor_id": "op1", "reason_text": "", "result_count": 3,
}  # fmt: skip


def canonical_parquet() -> bytes:
    table = pa.table({
        "event_id": ["E1"], "event_time": pa.array([at(2026, 3, 2, 10)], pa.timestamp("ms", "Europe/Paris")),
        "system": pa.array(["PNC"]).dictionary_encode(), "action": ["search"], "operator_id": ["op1"],
        "reason_text": [""], "result_count": pa.array([3.0]), "is_automatic": [None],
    })  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


CANONICAL = (
    Sample("canonical-csv", "canonical", "log.csv",
           text(",".join(_CANONICAL), "E1,2026-03-02T10:00:00Z,PNC,search,op1,,3"), (_CANONICAL_ROW,)),
    Sample("canonical-jsonl", "canonical", "log.jsonl",
           json_text({"result_count": 3, "event_id": "E1", "event_time": "2026-03-02T10:00:00Z", "system": "PNC",
                      "action": "search", "operator_id": "op1", "reason_text": "", "unit": None}), (_CANONICAL_ROW,)),
    Sample("canonical-xlsx", "canonical", "log.xlsx",
           lambda: workbook(("Answer to request 4711",), (), _CANONICAL,
                            ("E1", naive(2026, 3, 2, 10), "PNC", "search", "op1", None, 3)), (_CANONICAL_ROW,)),
    Sample("canonical-parquet", "canonical", "log.parquet", canonical_parquet, (_CANONICAL_ROW,)),
)  # fmt: skip

# --- ALPR

_PORTAL = {"system": "ALPR", "action": "search", "record_type": "vehicle"}
_ORGANISATION = (
    "ID,Org_Name,Total_Networks_Searched,Total_Devices_Searched,Time_Frame_Start,Time_Frame_End,Reason,Search_Time,"
    "Search_Type,Moderation"
)
_NETWORK = ("ID", "Name", "Org Name", "Total Networks Searched", "License Plate", "Reason", "Case #", "Filters",
            "Search Time", "Search Type")  # fmt: skip
_NETWORK_ROW = {
    **_PORTAL, "event_id": "n1", "event_time": at(2025, 11, 14, 21, 53, 36), "operator_id": "A. Operator",
    "actor_id": "A. Operator", "organisation": "Oxley PD", "scope_count": 1204, "query_text": "ZZ99 ZZZ",
    "reason_text": "stolen", "case_ref": "25-1", "transaction_code": "lookup",
}  # fmt: skip

ALPR = (
    Sample("portal-camera-count", "alpr-portal", "portal.csv",
           text('"id","userId","searchDate","cameraCount","reason"',
                '"a1","u1","2025-06-18 00:02:04.789",2510,"investigation"',
                '"a2","***","2025-06-18 00:09:13.397",94,""'),
           ({**_PORTAL, "event_id": "a1", "event_time": at(2025, 6, 18, 0, 2, 4, 789000), "operator_id": "u1",
             "actor_id": "u1", "scope_count": 2510, "reason_text": "investigation", "utc_offset_minutes": -480},
            {**_PORTAL, "event_id": "a2", "event_time": at(2025, 6, 18, 0, 9, 13, 397000), "operator_id": "***",
             "actor_id": "***", "scope_count": 94, "reason_text": "", "utc_offset_minutes": -480}),
           sources={"alpr-portal": {"local_zone": "Etc/GMT+8"}}),
    Sample("portal-network-count", "alpr-portal", "portal.csv",
           text("id,userId,searchDate,networkCount,reason,caseNumber,offenseType",
                'a1,u1,2025-06-18 00:02:04,"1,204",theft,25-1047,Larceny'),
           ({**_PORTAL, "event_id": "a1", "event_time": at(2025, 6, 18, 0, 2, 4), "operator_id": "u1", "actor_id": "u1",
             "scope_count": 1204, "reason_text": "theft", "case_ref": "25-1047", "purpose_code": "Larceny"},)),
    Sample("portal-no-reason", "alpr-portal", "portal.csv",
           text("searchDate,userId,id,networkCount,caseNumber", "2025-06-18 00:02:04,u1,a1,7,"),
           ({**_PORTAL, "event_id": "a1", "event_time": at(2025, 6, 18, 0, 2, 4), "operator_id": "u1", "actor_id": "u1",
             "scope_count": 7, "case_ref": ""},)),
    Sample("organisation-audit", "alpr-organisation-audit", "audit.csv",
           text(_ORGANISATION,
                'o1,Oxley PD,82,"5,002",,,robbery,"11/14/2025, 09:53:36 AM UTC",lookup,',
                "o2,Oxley PD,82,5002,,,robbery,11/14/2025, 09:53:36 AM UTC,lookup,",
                'o3,Oxley PD,82,5002,,,robbery,"14/11/2025, 09:53:36 AM UTC",lookup,'),
           ({**_PORTAL, "event_id": "o1", "event_time": at(2025, 11, 14, 9, 53, 36), "operator_id": "***",
             "actor_id": "***", "organisation": "Oxley PD", "scope_count": 82, "reason_text": "robbery",
             "transaction_code": "lookup"},),
           ((3, "wrong_column_count"), (4, "bad_time"))),
    Sample("network-audit-csv", "alpr-network-audit", "audit.csv",
           text(",".join(_NETWORK),
                'n1,A. Operator,Oxley PD,"1,204",ZZ99 ZZZ,stolen,25-1,{},"11/14/2025, 09:53:36 PM UTC",lookup'),
           (_NETWORK_ROW,)),
    Sample("network-audit-xlsx", "alpr-network-audit", "audit.xlsx",
           lambda: workbook(("Network Audit",), (), _NETWORK, (),
                            ("n1", "A. Operator", "Oxley PD", 1204, "ZZ99 ZZZ", "stolen", "25-1", "{}",
                             naive(2025, 11, 14, 21, 53, 36), "lookup")), (_NETWORK_ROW,)),
    Sample("camera-sharing", "camera-sharing", "audit.csv",
           text("user,user_organization,object_type,operation,client,object_name,object_organization,location_name,"
                "timestamp,updated_timestamp,duration,incident_id,notes,Latitude,Longitude",
                "u@example.org,Oxley PD,camera,View Live,web,Cam 7,Shop,Main St,1/2/2025 7:31:00,,60,INC-1,,0,0",
                "u@example.org,Oxley PD,camera,Export Clip,web,Cam 7,Shop,Main St,3/9/2025 2:30:00,,60,,gap,0,0",
                "u@example.org,Oxley PD,camera,Export Clip,web,Cam 7,Shop,Main St,11/2/2025 1:30:00,,60,,twice,0,0"),
           ({"system": "CAMERA-SHARING", "action": "view", "transaction_code": "View Live", "record_type": "camera",
             "event_time": at(2025, 1, 2, 15, 31), "utc_offset_minutes": -480, "operator_id": "u@example.org",
             "actor_id": "u@example.org", "organisation": "Oxley PD", "record_id": "Cam 7", "terminal_id": "web",
             "case_ref": "INC-1", "reason_text": ""},),
           ((3, "nonexistent_time"), (4, "ambiguous_time")),
           sources={"camera-sharing": {"time_zone": "America/Los_Angeles"}}),
)  # fmt: skip

# --- cloud

_TRAIL = {
    "eventVersion": "1.11", "eventID": "c1", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject", "awsRegion": "eu-west-2", "sourceIPAddress": "192.0.2.1",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::000000000000:user/op1", "accountId": "000000000000",
                     "accessKeyId": "AKIA0", "userName": "op1"},
    "requestParameters": {"bucketName": "b", "key": "k"},
    "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}],
}  # fmt: skip
_TRAIL_DENIED = {**_TRAIL, "eventID": "c2", "eventName": "DeleteObject", "errorCode": "AccessDenied"}
_TRAIL_ROW = {
    "event_id": "c1", "event_time": at(2026, 3, 2, 10), "system": "s3.amazonaws.com", "action": "view",
    "transaction_code": "GetObject", "operator_id": "arn:aws:iam::000000000000:user/op1",
    "actor_id": "arn:aws:iam::000000000000:user/op1", "organisation": "000000000000", "role": "IAMUser",
    "source_ip": "192.0.2.1", "session_id": "AKIA0", "record_type": "AWS::S3::Object", "record_id": "arn:aws:s3:::b/k",
    "query_text": '{"bucketName":"b","key":"k"}', "outcome": "success",
}  # fmt: skip
_TRAIL_ROWS = (
    _TRAIL_ROW,
    {**_TRAIL_ROW, "event_id": "c2", "action": "delete", "transaction_code": "DeleteObject", "outcome": "denied"},
)
_M365 = {
    "CreationTime": "2026-03-02T10:00:00", "Id": "m1", "Operation": "FileAccessed", "OrganizationId": "org",
    "RecordType": 6,
    "Workload": "SharePoint", "ClientIP": "192.0.2.1", "ObjectId": "https://example.org/file",
    "UserId": "op1@example.org",
    "ItemType": "File", "ResultStatus": "Succeeded",
}  # fmt: skip
_M365_ROW = {
    "event_id": "m1", "event_time": at(2026, 3, 2, 10), "system": "SharePoint", "action": "view",
    "transaction_code": "FileAccessed", "operator_id": "op1@example.org", "actor_id": "op1@example.org",
    "organisation": "org", "source_ip": "192.0.2.1", "record_type": "File", "record_id": "https://example.org/file",
    "outcome": "success",
}  # fmt: skip


def _quoted(value: object) -> str:
    return '"' + json.dumps(value).replace('"', '""') + '"'


CLOUD = (
    Sample("cloudtrail-document", "aws-cloudtrail", "trail.json",
           json.dumps({"Records": [_TRAIL, _TRAIL_DENIED]}, indent=1).encode(), _TRAIL_ROWS),
    Sample("cloudtrail-minified", "aws-cloudtrail", "trail.json",
           json.dumps({"Records": [_TRAIL, _TRAIL_DENIED]}).encode(), _TRAIL_ROWS),
    Sample("cloudtrail-lines", "aws-cloudtrail", "trail.jsonl", json_text(_TRAIL, _TRAIL_DENIED), _TRAIL_ROWS),
    Sample("m365-portal-export", "m365-audit", "audit.csv",
           text("RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits",
                f"m1,2026-03-02T10:00:00.0000000Z,6,FileAccessed,op1@example.org,{_quoted(_M365)},"), (_M365_ROW,)),
    Sample("m365-classic-export", "m365-audit", "audit.csv",
           text("CreationDate,UserIds,Operations,AuditData",
                f"3/2/2026 10:00:00 AM,op1@example.org,FileAccessed,{_quoted(_M365)}"), (_M365_ROW,)),
    Sample("m365-outer-columns", "m365-audit", "audit.csv",
           text("CreationDate,UserIds,Operations,AuditData", "3/2/2026 1:00:00 PM,op1@example.org,New-Thing,{}"),
           ({"event_time": at(2026, 3, 2, 13), "system": "MICROSOFT-365", "action": "create",
             "transaction_code": "New-Thing", "operator_id": "op1@example.org", "actor_id": "op1@example.org"},)),
)  # fmt: skip

# --- schemas of events

_OCSF = {
    "class_uid": 6005, "category_uid": 6, "activity_id": 4, "activity_name": "Query", "time": 1772445600789,
    "status_id": 2,
    "timezone_offset": 60, "severity_id": 1, "type_uid": 600504, "database": {"name": "PNC"},
    "metadata": {"uid": "s1", "correlation_uid": "s0", "version": "1.3.0"},
    "actor": {"user": {"uid": "op1", "org": {"name": "Northmoor"}}, "session": {"uid": "ses"}},
    "src_endpoint": {"ip": "192.0.2.1", "hostname": "t1"},
    "query_info": {"query_string": "ZZ99 ZZZ", "uid": "VEH-1"},
    "unmapped": {"requester_id": "op2", "case_ref": "C1", "result_count": 2, "is_automatic": False},
}  # fmt: skip
_ECS_ROW = {
    "event_id": "e1", "event_time": at(2026, 3, 2, 10), "utc_offset_minutes": 60, "system": "custody", "action": "view",
    "transaction_code": "custody-record-view", "operator_id": "op1", "actor_id": "op1", "organisation": "Northmoor",
    "role": "sergeant", "source_ip": "192.0.2.1", "reason_text": "review", "case_ref": "C1", "outcome": "error",
}  # fmt: skip
_AUDIT_EVENT = {
    "resourceType": "AuditEvent", "id": "f1", "recorded": "2026-03-02T11:00:00.000+01:00", "action": "E",
    "outcome": "0",
    "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
    "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "search-type"}],
    "agent": [
        {"who": {"display": "a server"}, "requestor": False},
        {"who": {"identifier": {"value": "op1"}}, "requestor": True, "network": {"address": "192.0.2.1", "type": "2"},
         "role": [{"text": "nurse"}]},
    ],
    "source": {"site": "records", "observer": {"reference": "Device/1"}},
    "purposeOfEvent": [{"coding": [{"code": "TREAT"}], "text": "treatment"}],
    "entity": [{"what": {"reference": "Patient/7"}, "type": {"code": "1", "display": "Person"}, "query": "bmFtZT14"}],
}  # fmt: skip
_AUDIT_ROW = {
    "event_id": "f1", "event_time": at(2026, 3, 2, 10), "utc_offset_minutes": 60, "system": "records",
    "action": "search", "transaction_code": "search-type", "operator_id": "op1", "actor_id": "op1", "role": "nurse",
    "source_ip": "192.0.2.1",
    "purpose_code": "TREAT", "reason_text": "treatment", "record_type": "Person", "record_id": "Patient/7",
    "query_text": "bmFtZT14", "outcome": "success",
}  # fmt: skip

SCHEMAS = (
    Sample("ocsf", "ocsf-6005", "log.jsonl", json_text(_OCSF, {**_OCSF, "class_uid": 3002}),
           ({"event_id": "s1", "event_time": at(2026, 3, 2, 10, 0, 0, 789000), "utc_offset_minutes": 60,
             "system": "PNC", "action": "search", "transaction_code": "Query", "operator_id": "op1",
             "requester_id": "op2", "actor_id": "op2", "organisation": "Northmoor", "terminal_id": "t1",
             "source_ip": "192.0.2.1", "session_id": "ses", "case_ref": "C1", "record_id": "VEH-1",
             "query_text": "ZZ99 ZZZ", "result_count": 2, "outcome": "error", "parent_id": "s0",
             "is_automatic": False},), ((2, "not_a_record"),)),
    Sample("ecs-nested", "ecs", "log.jsonl",
           json_text({"@timestamp": "2026-03-02T10:00:00.000Z", "source": {"ip": "192.0.2.1"},
                      "event": {"id": "e1", "action": "custody-record-view", "dataset": "custody", "outcome": "failure",
                                "reason": "review", "timezone": "+01:00"},
                      "user": {"id": "op1", "roles": ["sergeant"]}, "organization": {"name": "Northmoor"},
                      "labels": {"case_ref": "C1"}}), (_ECS_ROW,)),
    Sample("ecs-dotted", "ecs", "log.jsonl",
           json_text({"@timestamp": "2026-03-02T10:00:00.000Z", "source.ip": ["192.0.2.1"], "event.id": "e1",
                      "event.action": "custody-record-view", "event.dataset": "custody", "event.outcome": "failure",
                      "event.reason": "review", "event.timezone": "Europe/Paris", "user.id": "op1",
                      "user.roles": ["sergeant"], "organization.name": "Northmoor", "labels.case_ref": "C1"}),
           (_ECS_ROW,)),
    Sample("fhir-bundle", "fhir-auditevent", "bundle.json",
           json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [
               {"fullUrl": "urn:1", "resource": _AUDIT_EVENT}]}, indent=2).encode(), (_AUDIT_ROW,)),
    Sample("fhir-single", "fhir-auditevent", "event.json", json.dumps(_AUDIT_EVENT, indent=2).encode(), (_AUDIT_ROW,)),
    Sample("fhir-ndjson", "fhir-auditevent", "events.ndjson", json_text(_AUDIT_EVENT), (_AUDIT_ROW,)),
)  # fmt: skip

# --- lines

_CEF = "CEF:0|Acme|Intel \\| Gateway|4.2|100|Search run|3|"
TEXTS = (
    Sample("syslog-cef", "syslog-cef", "gateway.log",
           text(r'<134>1 2026-03-02T10:00:00Z gw app 411 - [x@1 a="b\]"] ' + _CEF
                + r"externalId=g1 suid=op1 act=Query rt=1772445660000 src=192.0.2.1 outcome=failure "
                r"reason=a \= b | two  words \\ end cs1Label=Case Ref cs1=NM/26/1 cs2Label=recordId cs2=INT-1",
                "<134>1 2026-03-02T10:00:00.5+01:00 gw app - - - \ufeff" + _CEF + "suser=op2 shost=t1",
                "<134>1 2026-03-02T10:00:00Z gw app - - - no CEF"),
           ({"event_id": "g1", "event_time": at(2026, 3, 2, 10, 1), "system": "Intel | Gateway", "action": "search",
             "transaction_code": "100", "operator_id": "op1", "actor_id": "op1", "source_ip": "192.0.2.1",
             "reason_text": r"a = b | two  words \ end", "case_ref": "NM/26/1", "record_id": "INT-1",
             "outcome": "error"},
            {"event_time": at(2026, 3, 2, 9, 0, 0, 500000), "utc_offset_minutes": 60, "system": "Intel | Gateway",
             "action": "search", "transaction_code": "100", "operator_id": "op2", "actor_id": "op2",
             "terminal_id": "t1"}), ((3, "bad_cef"),)),
    Sample("pnc-transaction", "pnc-transaction", "log.txt",
           text("02/03/2026 07:12:53 PNC-02 C4373 #NE PER-1 / C3843 INC-0302-0030 stop check, Market Square",
                "01/07/2026 07:12:53 PNC-02 C4373 #VE ZZ99 ZZZ / routine check",
                "01/07/2026 07:12:54 PNC-02 C4373 #ZZ / ", "29/03/2026 01:30:00 PNC-02 C4373 #NE PER-1 / C3843 x",
                "*** PRINTER OUT OF PAPER ***"),
           ({"event_time": at(2026, 3, 2, 7, 12, 53), "utc_offset_minutes": 0, "system": "PNC", "action": "search",
             "transaction_code": "NE", "operator_id": "C4373", "requester_id": "C3843", "actor_id": "C3843",
             "terminal_id": "PNC-02", "query_text": "PER-1", "case_ref": "INC-0302-0030",
             "reason_text": "INC-0302-0030 stop check, Market Square"},
            {"event_time": at(2026, 7, 1, 6, 12, 53), "utc_offset_minutes": 60, "system": "PNC", "action": "search",
             "transaction_code": "VE", "operator_id": "C4373", "requester_id": "", "actor_id": "C4373",
             "terminal_id": "PNC-02", "query_text": "ZZ99 ZZZ", "reason_text": "routine check"},
            {"event_time": at(2026, 7, 1, 6, 12, 54), "utc_offset_minutes": 60, "system": "PNC", "action": "other",
             "transaction_code": "ZZ", "operator_id": "C4373", "requester_id": "", "actor_id": "C4373",
             "terminal_id": "PNC-02", "query_text": "", "reason_text": ""}),
           ((4, "nonexistent_time"), (5, "pattern_mismatch"))),
)  # fmt: skip

SAMPLES = (*CANONICAL, *ALPR, *CLOUD, *SCHEMAS, *TEXTS)
