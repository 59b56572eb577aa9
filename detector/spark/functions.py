"""Where one function of Spark stands for several nodes of an expression."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.patterns import replace
from ibis.expr.rewrites import p

from detector.spark.expressions import MATCHING, java


@ibis.udf.scalar.builtin(name="keyed_hash")  # type: ignore[untyped-decorator]
def _keyed_hash(text: dt.string) -> dt.int64:
    """features.engine.stable_hash of a text; SparkCompiler says how."""


@ibis.udf.scalar.builtin(name=MATCHING)  # type: ignore[untyped-decorator]
def _matching(texts: dt.Array[str], pattern: dt.string) -> dt.Array[str]:
    """Those of the texts in which RE2 finds the expression."""


@replace(p.ArrayFilter)  # type: ignore[untyped-decorator]
def whole_arrays(_: Any, **__: Any) -> Any:
    """An expression searched for in each text of an array: Spark calls no Python in a lambda, so RE2 gets the array."""
    search = _.body
    if isinstance(search, ops.RegexSearch) and isinstance(search.arg, ops.Argument):
        pattern = search.pattern
        if isinstance(pattern, ops.Literal) and java(pattern.value) is None:
            return _matching(_.arg.to_expr(), pattern.to_expr()).op()
    return _


@replace(p.Cast)  # type: ignore[untyped-decorator]
def keyed_hashes(_: Any, **__: Any) -> Any:
    """stable_hash's `(md5_number(text) >> 65) as uint64 as int64` as one call: Spark has no number of 128 bits."""
    shifted = _.arg.arg if isinstance(_.arg, ops.Cast) else None
    if isinstance(shifted, ops.BitwiseRightShift) and getattr(shifted.left, "__func_name__", "") == "md5_number":
        (text,) = shifted.left.args
        return _keyed_hash(text.to_expr()).op()
    return _
