"""Regular expressions on Spark: to Java's engine only where it cannot differ from RE2, else to RE2 itself.

DuckDB searches with RE2; Java's engine differs on `$` before a last newline, on `.` and other line ends, on `\\s`,
`\\b` and `\\v`, on `(?i)` beyond ASCII, on nested brackets and on Unicode's version, and takes exponential time on
some expressions and a stack overflow on others. So nothing is translated by guess. What is written in the small
language of `java()` means the same to both and is quick in both; all else goes through `found`, `matching` and
`pieces`: RE2 in Spark's Python workers, a batch of rows at a time.
"""

from __future__ import annotations

import re
from typing import Any

#: Spark's names for RE2 in a Python worker.
FOUND, MATCHING, PIECES = "detector_re2_found", "detector_re2_matching", "detector_re2_pieces"

_TOKEN = re.compile(
    r"""
      (?P<start>\^ | \\A)
    | (?P<end>\$ | \\z)
    | (?P<atom>
          \[ \^? (?: [^\\\[\]&^] | \\[\\.+*?()|\[\]{}^$\-] )+ \]   # no class within a class, no intersection
        | \\[\\.+*?()|\[\]{}^$\-]
        | (?P<any>[.])
        | [^\\\[\](){}*+?|^$.]
      )
    | (?P<open>\( (?:\?:)?) (?!\?)
    | (?P<close>\))
    | (?P<or>\|)
    | (?P<often>[*+])
    | (?P<bounded>\? | \{[0-9]{1,2}(?:,[0-9]{1,2})?\})
    """,
    re.VERBOSE,
)
#: An expression with flags may come from a rule: more than one open-ended repetition can take Java quadratic time.
_MOST_OFTEN = 1


def java(pattern: str) -> str | None:
    """The same expression for Java's engine; None where the two might find different things, or Java take too long.

    The language: literals, plain classes, groups, `|`, `?`, `{n,m}`, `*` and `+` after a single character or class, `^`
    and `$` as the ends of the text, and `.` under a leading `(?s)`. A group may not be repeated without bound, nor hold
    an open-ended repetition when it is repeated: that is what makes Java recurse or backtrack.
    """
    everything = pattern.startswith("(?s)")
    rest = pattern.removeprefix("(?s)")
    spelled, before, often = [], "", 0
    groups: list[bool] = []  # of each open group: does it hold an open-ended repetition?
    closed_open_ended = False
    position = 0
    while position < len(rest):
        token = _TOKEN.match(rest, position)
        if token is None or token.end() == position:
            return None
        kind = next(name for name in ("start", "end", "atom", "open", "close", "or", "often", "bounded") if token[name])
        if token["any"] and not everything:
            return None
        if kind == "often":
            often += 1
            if before != "atom" or (everything and often > _MOST_OFTEN):
                return None
            groups = [True] * len(groups)
        elif kind == "bounded":
            optional_group = before == "close" and token[0] == "?"
            if before not in ("atom", "close") or (before == "close" and closed_open_ended and not optional_group):
                return None
        elif kind == "open":
            groups.append(False)
        elif kind == "close":
            if not groups:
                return None
            closed_open_ended = groups.pop()
        spelled.append({"start": r"\A", "end": r"\z"}.get(kind, token[0]))
        before = kind
        position = token.end()
    return None if groups else ("(?s)" if everything else "") + "".join(spelled)


def register(session: Any) -> None:
    """Tells a session RE2's three functions. Workers need pyarrow and google-re2, nothing of this project."""
    import pyarrow as pa
    from pyspark.sql.pandas.functions import arrow_udf

    for name, (function, returns) in _functions().items():
        # Spark goes by the types, not the texts, of annotations
        function.__annotations__ = {"texts": pa.Array, "patterns": pa.Array, "return": pa.Array}
        session.udf.register(name, arrow_udf(function, returns))


def _functions() -> dict[str, tuple[Any, Any]]:
    """Made within a function, so that Spark sends the workers their code and not the name of a module."""

    def compiled(patterns: Any) -> Any:
        import re2  # type: ignore[import-untyped]

        options = re2.Options()
        options.log_errors = False
        return re2.compile(patterns[0].as_py(), options)

    def found(texts: Any, patterns: Any) -> Any:
        import pyarrow as pa

        search = compiled(patterns).search
        return pa.array([None if text is None else search(text) is not None for text in texts.to_pylist()], pa.bool_())

    def matching(texts: Any, patterns: Any) -> Any:
        import pyarrow as pa

        search = compiled(patterns).search
        kept = [
            None if each is None else [text for text in each if text is not None and search(text)]
            for each in texts.to_pylist()
        ]
        return pa.array(kept, pa.list_(pa.string()))

    def pieces(texts: Any, patterns: Any) -> Any:
        import pyarrow as pa

        split = compiled(patterns).split
        return pa.array([None if text is None else split(text) for text in texts.to_pylist()], pa.list_(pa.string()))

    return {
        FOUND: (found, "boolean"),
        MATCHING: (matching, "array<string>"),
        PIECES: (pieces, "array<string>"),
    }
