"""YAML as users may give it: no tags, no aliases, no duplicate keys, bounded size; lines kept for messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from detector.errors import ConfigError, Where

MAX_BYTES = 1 << 20

#: What YAML 1.1 does not take at all (5.1, c-printable).
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Plain texts that every reader of YAML, of 1.1 as of 1.2, takes for the same and a person does too.
_SAME = re.compile(r"true|True|TRUE|false|False|FALSE|null|-?(0|[1-9][0-9]*)(\.([0-9]*[1-9]|0))?")
#: Texts to the library, numbers to YAML 1.2 (10.3.2).
_NEWER = re.compile(r"[-+]?(0o[0-7]+|(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+)")


class Lines(dict[str, int]):
    """Key path ("a.b.0.c") -> 1-based line.

    `unquoted`: key path -> what is written there without quotes and is read as something else (`no` as false, `010`
    as 8, `12:30` as 750), or as a text here and as a number elsewhere (`1e3`). `unquoted_keys`: paths of such keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unquoted: dict[str, str] = {}
        self.unquoted_keys: set[str] = set()


class _Loader(Composer, CParser, SafeConstructor, Resolver):
    """SafeLoader that refuses what makes a file mean more, or other, than it says.

    It is put together here as the library's own is, but for the parser: libyaml's takes a third of the time, and a
    public rule set is four thousand files.
    """

    def __init__(self, stream: str, name: str, error: type[ConfigError]) -> None:
        CParser.__init__(self, stream)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self.file = name
        self.error = error

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()
            raise self.error(
                f"YAML alias *{event.anchor} is not allowed",
                where=Where(self.file, event.start_mark.line + 1),
                hint="Write the value out: aliases can make a small file expand without bound.",
                code="yaml-alias",
            )
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as exc:  # the 30th of February, a number of thousands of digits
            if not isinstance(node, yaml.ScalarNode):
                raise
            raise self.error(
                f"not valid YAML: {node.value[:40]!r} cannot be read: {exc}",
                where=Where(self.file, node.start_mark.line + 1),
                hint="Put it in quotes if it is a text.",
                code="not-yaml",
            ) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            try:
                known = key in seen
            except TypeError:
                raise self.error("a key must be a plain value", where=Where(self.file, line), code="not-yaml") from None
            if known:
                raise self.error(
                    f"key {key!r} is given twice",
                    where=Where(self.file, line, str(key)),
                    hint="Keep one of the two: YAML would silently drop the other.",
                    code="duplicate-key",
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_all(text: str, *, name: str, error: type[ConfigError] = ConfigError) -> list[tuple[Any, Lines]]:
    """Every document of `text`, each with the line of every key.

    Raises `error` naming file and line for anything that is not plain YAML.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise error(f"file is larger than {MAX_BYTES} bytes", where=Where(name), code="file-too-large")
    try:
        # One loader for values and lines would need a custom node constructor; composing twice is simple and cheap.
        loader = _Loader(text, name, error)
        documents = []
        while loader.check_data():  # type: ignore[no-untyped-call]
            node = loader.get_node()
            lines = Lines()
            if node is not None:
                _collect(node, "", lines)
            documents.append((loader.construct_document(node), lines))
        return documents
    except yaml.MarkedYAMLError as exc:
        raise _not_yaml(exc, text, name, error) from None
    except yaml.reader.ReaderError as exc:
        found = _NOT_PRINTABLE.search(text)
        said = f"the character U+{ord(found[0]):04X} is not allowed" if found else str(exc).splitlines()[0]
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise error(f"not valid YAML: {said}", where=Where(name, line), code="control-character") from None
    except RecursionError:
        raise error("not valid YAML: nested too deeply", where=Where(name, 1), code="not-yaml") from None
    except (yaml.YAMLError, ValueError) as exc:
        raise error(f"not valid YAML: {str(exc).splitlines()[0]}", where=Where(name), code="not-yaml") from None


def load_one(path: Path, *, error: type[ConfigError] = ConfigError) -> tuple[Any, Lines]:
    """The one document of a file, with the line of every key. Raises `error`."""
    documents = load_all(read_text(path, error=error), name=str(path), error=error)
    if len(documents) != 1:
        raise error(f"expected one YAML document, found {len(documents)}", where=Where(path, 1))
    return documents[0]


def read_text(path: Path, *, error: type[ConfigError] = ConfigError) -> str:
    """The file's text. Raises `error` when it cannot be read, is not UTF-8 or is too large."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise error(f"file is larger than {MAX_BYTES} bytes", where=Where(path), code="file-too-large")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise error(
            f"not UTF-8 at byte {exc.start}",
            where=Where(path, line),
            hint="Save the file as UTF-8.",
            code="not-utf8",
        ) from None
    except OSError as exc:
        raise error(f"cannot be read: {exc.strerror}", where=Where(path), code="unreadable-file") from None


def _not_yaml(exc: yaml.MarkedYAMLError, text: str, name: str, error: type[ConfigError]) -> ConfigError:
    mark = exc.problem_mark or exc.context_mark
    where = Where(name, mark.line + 1 if mark else None)
    said = exc.problem or str(exc)
    if mark and "cannot start any token" in said and text.split("\n")[mark.line][mark.column :].startswith("\t"):
        return error(
            "not valid YAML: a tab where only spaces are taken",
            where=where,
            hint="Indent by spaces; a tab within a value goes into quotes.",
            code="tab",
        )
    if isinstance(exc, yaml.constructor.ConstructorError) and "tag" in said:
        return error(f"not valid YAML: {said}", where=where, code="yaml-tag")
    return error(f"not valid YAML: {said}", where=where, code="not-yaml")


def _collect(node: yaml.Node, path: str, lines: Lines) -> None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = f"{path}.{key_node.value}" if path else str(key_node.value)
            lines[key] = key_node.start_mark.line + 1
            if _reads_otherwise(key_node):
                lines.unquoted_keys.add(key)
            _collect(value_node, key, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            key = f"{path}.{index}" if path else str(index)
            lines[key] = item.start_mark.line + 1
            _collect(item, key, lines)
    elif _reads_otherwise(node):
        lines.unquoted[path] = node.value


def _reads_otherwise(node: yaml.Node) -> bool:
    """Is it written without quotes, and no text to the reader, or not to all of them?"""
    if not isinstance(node, yaml.ScalarNode) or node.style:
        return False
    if node.tag == "tag:yaml.org,2002:str":
        return _NEWER.fullmatch(node.value) is not None
    return node.tag != "tag:yaml.org,2002:timestamp" and _SAME.fullmatch(node.value) is None
