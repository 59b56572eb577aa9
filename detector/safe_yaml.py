"""YAML as users may give it: no tags, no aliases, no duplicate keys, bounded size; lines kept for messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from detector.errors import ConfigError, Where

MAX_BYTES = 1 << 20

#: Key path ("a.b.0.c") -> 1-based line.
Lines = dict[str, int]


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
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            try:
                known = key in seen
            except TypeError:
                raise self.error("a key must be a plain value", where=Where(self.file, line)) from None
            if known:
                raise self.error(
                    f"key {key!r} is given twice",
                    where=Where(self.file, line, str(key)),
                    hint="Keep one of the two: YAML would silently drop the other.",
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_all(text: str, *, name: str, error: type[ConfigError] = ConfigError) -> list[tuple[Any, Lines]]:
    """Every document of `text`, each with the line of every key.

    Raises `error` naming file and line for anything that is not plain YAML.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise error(f"file is larger than {MAX_BYTES} bytes", where=Where(name))
    try:
        # One loader for values and lines would need a custom node constructor; composing twice is simple and cheap.
        loader = _Loader(text, name, error)
        documents = []
        while loader.check_data():  # type: ignore[no-untyped-call]
            node = loader.get_node()
            lines: Lines = {}
            if node is not None:
                _collect(node, "", lines)
            documents.append((loader.construct_document(node), lines))
        return documents
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise error(
            f"not valid YAML: {exc.problem or exc}", where=Where(name, mark.line + 1 if mark else None)
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise error(f"not valid YAML: {str(exc).splitlines()[0]}", where=Where(name)) from None


def load_one(path: Path, *, error: type[ConfigError] = ConfigError) -> tuple[Any, Lines]:
    """The one document of a file, with the line of every key. Raises `error`."""
    documents = load_all(read_text(path, error=error), name=str(path), error=error)
    if len(documents) != 1:
        raise error(f"expected one YAML document, found {len(documents)}", where=Where(path))
    return documents[0]


def read_text(path: Path, *, error: type[ConfigError] = ConfigError) -> str:
    """The file's text. Raises `error` when it cannot be read, is not UTF-8 or is too large."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise error(f"file is larger than {MAX_BYTES} bytes", where=Where(path))
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise error(f"not UTF-8 at byte {exc.start}", where=Where(path)) from None
    except OSError as exc:
        raise error(f"cannot be read: {exc.strerror}", where=Where(path)) from None


def _collect(node: yaml.Node, path: str, lines: Lines) -> None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            key = f"{path}.{key_node.value}" if path else str(key_node.value)
            lines[key] = key_node.start_mark.line + 1
            _collect(value_node, key, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            key = f"{path}.{index}" if path else str(index)
            lines[key] = item.start_mark.line + 1
            _collect(item, key, lines)
