"""`rules test --junit`: the outcome of every example as JUnit XML, a test suite a rule file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from detector.rules.proof.coverage import Part
from detector.rules.proof.prove import ExamplesReport, Outcome
from detector.rules.report import Fault

#: What XML 1.0 has no way to write, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: ExamplesReport, *, require_coverage: bool) -> bytes:
    """`<testsuites>`: a case an example, an error a fault of the rule or its examples; where coverage is required, a
    failure each part that no example exercises."""
    suites: dict[str, list[ET.Element]] = {}
    for outcome in report.outcomes:
        suites.setdefault(str(outcome.rule), []).append(_example(outcome))
    for fault in map(Fault.of, report.faults):
        suites.setdefault(fault.file, []).append(_fault(fault))
    for part in report.gaps if require_coverage else ():
        suites.setdefault(str(part.file), []).append(_gap(part))
    top = ET.Element("testsuites", {"name": "detector rules test"})
    _count(top, [case for cases in suites.values() for case in cases])
    for name in sorted(suites):
        suite = ET.SubElement(top, "testsuite", {"name": _text(name)})
        _count(suite, suites[name])
        suite.extend(suites[name])
    ET.indent(top)
    return bytes(ET.tostring(top, encoding="utf-8", xml_declaration=True)) + b"\n"


def _example(outcome: Outcome) -> ET.Element:
    example = outcome.example
    case = _case(example.name, outcome.rule, example.file, example.line)
    if not outcome.passed:
        said = f"expected {example.expected}, found {outcome.hits}"
        ET.SubElement(case, "failure", {"message": said, "type": "example"}).text = _text(
            f"{example.file}:{example.line}: {said}"
        )
    return case


def _fault(fault: Fault) -> ET.Element:
    case = _case(fault.id, Path(fault.file), Path(fault.file), fault.line)
    said = f"{fault.file}:{fault.line}: {fault.message}"
    ET.SubElement(case, "error", {"message": _text(fault.message), "type": fault.id}).text = _text(said)
    return case


def _gap(part: Part) -> ET.Element:
    name = f"coverage of {part.selection}" + (f", {part.alternative}" if part.alternative else "")
    case = _case(name, part.file, part.file, part.line)
    said = "; ".join(part.missing)
    ET.SubElement(case, "failure", {"message": _text(said), "type": "coverage"}).text = _text(
        f"{part.file}:{part.line}: {said}"
    )
    return case


def _case(name: str, rule: Path, file: Path, line: int) -> ET.Element:
    attributes = {"name": _text(name), "classname": _text(rule.stem), "file": _text(str(file)), "line": str(line)}
    return ET.Element("testcase", attributes)


def _count(element: ET.Element, cases: Iterable[ET.Element]) -> None:
    listed = list(cases)
    element.set("tests", str(len(listed)))
    for kind in ("failure", "error"):
        element.set(f"{kind}s", str(sum(case.find(kind) is not None for case in listed)))


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
