"""Which rule a name or an id stands for, when a correlation or a filter names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detector.rules.document import Document
from detector.rules.names import nearest


@dataclass(frozen=True)
class References:
    """Rules by name and by id. A name is looked for in the same file first: files of others may use it too."""

    named: Mapping[str, tuple[Document, ...]]

    @classmethod
    def of(cls, documents: Iterable[Document]) -> References:
        named: dict[str, tuple[Document, ...]] = {}
        for document in documents:
            for name in {_plain(str(document.data[key])) for key in ("id", "name") if document.data.get(key)}:
                named[name] = (*named.get(name, ()), document)
        return cls(named)

    def find(self, name: str, by: Document) -> tuple[Document, ...]:
        """The rules that `by` may mean; one, if all is well."""
        found = self.named.get(_plain(name), ())
        near = tuple(document for document in found if document.file == by.file)
        return near or found

    def one(self, name: str, by: Document, *path: str | int) -> Document:
        """Raises RuleError, with the line of `path`, for a name that is no rule's or that of several."""
        found = self.find(name, by)
        if len(found) == 1:
            return found[0]
        if found:
            places = " and ".join(f"{item.file}:{item.line('title')}" for item in found[:2])
            raise by.error(
                f"{name!r} is the name of {len(found)} rules ({places})", *path, hint="Give each a name of its own."
            )
        raise by.error(f"no rule is named {name!r}", *path, hint=nearest(name, self.named) if self.named else None)


def _plain(name: str) -> str:
    """UUIDs may be written in capitals, names are as they are."""
    return name.lower() if len(name) == 36 and name.count("-") == 4 else name
