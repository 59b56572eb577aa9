"""`rules check --format sarif`: SARIF 2.1.0 (OASIS), as the code scanning of GitHub and GitLab takes it.

Addresses of files are relative to the directory the command is run from, which is the repository's top in a pipeline;
what lies outside of it gets an absolute one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from detector import __version__
from detector.rules.checks import KINDS
from detector.rules.checks.kind import Kind
from detector.rules.report import CheckReport, Fault

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: Sorts alerts on GitHub.
_PRECISION = {"error": "very-high", "warning": "high", "note": "high"}


def sarif(report: CheckReport, *, here: Path) -> dict[str, Any]:
    """One run with every kind of fault as a rule, so that a fault that is mended is closed and not forgotten."""
    places = {name: index for index, name in enumerate(KINDS)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "detector rules check",
                        "version": __version__,
                        "rules": [_rule(kind) for kind in KINDS.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(fault, places[fault.id], here) for fault in report.faults],
            }
        ],
    }


def _rule(kind: Kind) -> dict[str, Any]:
    return {
        "id": kind.id,
        "name": "".join(part.capitalize() for part in kind.id.split("-")),
        "shortDescription": {"text": f"Finds {kind.finds}."},
        "fullDescription": {"text": f"Finds {kind.finds}."},
        "help": {"text": kind.mend, "markdown": f"{kind.mend}\n\n```yaml\n{kind.bad.rstrip()}\n```"},
        "defaultConfiguration": {"level": kind.severity},
        "properties": {"precision": _PRECISION[kind.severity], "tags": ["sigma", "correctness"]},
    }


def _result(fault: Fault, index: int, here: Path) -> dict[str, Any]:
    text = f"{fault.message}. {fault.hint}" if fault.hint else fault.message
    return {
        "ruleId": fault.id,
        "ruleIndex": index,
        "level": fault.severity,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(Path(fault.file), here),
                    "region": {"startLine": fault.line},
                }
            }
        ],
        # Without the line, so that a fault that only moved is still the same.
        "partialFingerprints": {"detectorFault/v1": _fingerprint(fault, here)},
    }


def _artifact(file: Path, here: Path) -> dict[str, str]:
    path = file.absolute()
    if path.is_relative_to(here):
        return {"uri": quote(path.relative_to(here).as_posix()), "uriBaseId": "%SRCROOT%"}
    return {"uri": path.as_uri()}


def _fingerprint(fault: Fault, here: Path) -> str:
    parts = (fault.id, _artifact(Path(fault.file), here)["uri"], fault.key or "", fault.message)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
