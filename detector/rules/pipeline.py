"""Processing pipelines, as pySigma has them: rules written for other field names, read with those of these events."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
from sigma.types import SigmaQueryExpression

from detector.errors import ConfigError, Where
from detector.rules.document import Document
from detector.safe_yaml import load_one

if TYPE_CHECKING:
    from sigma.processing.pipeline import ProcessingPipeline

    from detector.config import RuleSettings

Placeholders = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Given:
    """What a run gives its rules: the values of `|expand` by name, and a pipeline that rewrites them.

    `folders`: the pipelines of foreign rules among one's own, by the folder that they lie below.
    """

    placeholders: Placeholders = field(default_factory=dict)
    pipeline: ProcessingPipeline | None = None
    folders: Mapping[Path, ProcessingPipeline] = field(default_factory=dict)

    def foreign(self, file: Path) -> bool:
        """Does the file lie below a folder with a pipeline of its own?"""
        return self._folder(file) is not None

    def of(self, file: Path) -> Given:
        """What the rules of a file are given."""
        folder = self._folder(file)
        return self if folder is None else replace(self, pipeline=self.folders[folder], folders={})

    def _folder(self, file: Path) -> Path | None:
        below = [folder for folder in self.folders if file.resolve().is_relative_to(folder.resolve())]
        return max(below, key=lambda folder: len(folder.resolve().parts), default=None)


def given_by(settings: RuleSettings) -> Given:
    """What the settings give the rules of a scan. Raises ConfigError."""
    for folder in settings.pipelines:
        if folder not in settings.dirs:
            raise ConfigError(
                f"{folder} is not among rules.dirs",
                where=Where(key="rules.pipelines"),
                hint="Write the folder as it is written there, or add it there.",
            )
    read = {folder: read_pipelines(files) for folder, files in settings.pipelines.items()}
    return Given(folders={folder: pipeline for folder, pipeline in read.items() if pipeline is not None})


def given_to(paths: Sequence[Path], pipelines: Sequence[Path], settings: RuleSettings) -> Given:
    """What rules are checked with: all of `paths` mapped by `pipelines` where there are any, else the settings'."""
    whole = read_pipelines(pipelines)
    return given_by(settings) if whole is None else Given(folders=dict.fromkeys(paths, whole))


def read_pipelines(paths: Sequence[Path]) -> ProcessingPipeline | None:
    """The pipelines of the files as one, in order of their priority, then as named. Raises ConfigError."""
    pipelines = sorted((_read(path) for path in paths), key=lambda one: one.priority)
    # not sum(): pySigma's addition changes nothing of its operands, but starts from a pipeline and not from 0
    whole: ProcessingPipeline | None = None
    for pipeline in pipelines:
        whole = pipeline if whole is None else whole + pipeline
    return whole


def _read(path: Path) -> ProcessingPipeline:
    from sigma.processing.pipeline import ProcessingPipeline  # an eighth of a second that few runs need

    data, _ = load_one(path)
    if not isinstance(data, dict):
        raise ConfigError("expected a pipeline: `name`, `priority`, `transformations`", where=Where(path, 1))
    for key in ("postprocessing", "finalizers"):
        if data.get(key):
            raise ConfigError(
                f"`{key}` rewrites a query's text, and no text is written here",
                where=Where(path, key=key),
                hint="Take it out; `transformations` rewrite the rule itself.",
            )
    try:
        return ProcessingPipeline.from_dict(data)
    except (SigmaError, TypeError, ValueError, KeyError, AttributeError) as exc:
        raise ConfigError(f"the pipeline cannot be read: {exc}", where=Where(path)) from None


def rewritten_rule(document: Document, rule: Mapping[str, Any], pipeline: ProcessingPipeline) -> SigmaRule:
    """The rule as the pipeline leaves it. `rule`: what was found sound already. Raises RuleError."""
    sigma = _sigma(document, rule)
    try:
        pipeline.apply(sigma)
    except (SigmaError, TypeError, ValueError) as exc:
        raise document.error(f"the pipeline refuses the rule: {exc}", "detection") from None
    for values in _values(list(sigma.detection.detections.values())):
        if any(isinstance(value, SigmaQueryExpression) for value in values):
            raise document.error(
                "the pipeline puts in a piece of a query, and no query's text is written here", "detection"
            )
    return sigma


def rewritten_correlation(document: Document, bases: Mapping[str, Document], pipeline: ProcessingPipeline) -> Document:
    """The correlation with its fields named as the pipeline leaves them. `bases`: by name. Raises RuleError."""
    body = document.data["correlation"]
    try:
        sigma = SigmaCorrelationRule.from_dict(
            {"title": str(document.data.get("title")), "correlation": copy.deepcopy(body)}
        )
        sigma.referenced_rules = sigma.rules or sigma.referenced_rules
        for reference in sigma.referenced_rules:
            if (base := bases.get(reference.reference)) is not None and base.kind == "detection":
                reference.rule = _sigma(base, {})
        pipeline.apply(sigma)
    except (SigmaError, TypeError, ValueError) as exc:
        raise document.error(f"the pipeline refuses the rule: {exc}", "correlation") from None
    changed = dict(body)
    if sigma.group_by is not None:
        changed["group-by"] = list(sigma.group_by)
    if aliases := list(sigma.aliases):
        changed["aliases"] = {
            alias.alias: {reference.reference: name for reference, name in alias.mapping.items()} for alias in aliases
        }
    condition = sigma.condition
    if isinstance(condition, SigmaCorrelationCondition) and condition.fieldref is not None:
        changed["condition"] = {**body["condition"], "field": condition.fieldref}
    return replace(document, data={**document.data, "correlation": changed})


def _sigma(document: Document, rule: Mapping[str, Any]) -> SigmaRule:
    """With all that a pipeline's conditions may ask for; what else is wrong with it is said elsewhere."""
    data = {key: value for key, value in document.data.items() if isinstance(key, str)}
    return SigmaRule.from_dict({**copy.deepcopy(data), **copy.deepcopy(dict(rule))}, collect_errors=True)


def _values(detections: Sequence[Any]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for detection in detections:
        if hasattr(detection, "detection_items"):
            found += _values(detection.detection_items)
        else:
            found.append(list(detection.value))
    return found
