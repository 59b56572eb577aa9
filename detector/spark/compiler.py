"""What Spark says otherwise than DuckDB, one method a difference; all else is Ibis' own Spark compiler.

The house's expressions mean what DuckDB makes of them. Each method here names a node of an Ibis expression for which
Ibis' compiler, or Spark itself, means something else, and writes it so that the same rows come out. Expressions that
have no such form are refused by name, never approximated. tests/engines proves it on both engines.
"""

from __future__ import annotations

import math
from typing import Any

import ibis.common.exceptions as com
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from detector.spark import expressions
from detector.spark.functions import keyed_hashes, whole_arrays

#: The parts of a time: day; hours, minutes, seconds, digits of their fraction; zone, its hours and minutes.
_DAY = "^([0-9]{4}-[0-9]{2}-[0-9]{2})"
_CLOCK = "(?:[T ]([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:[.]([0-9]*))?)?)?"
_ZONE = "(Z| UTC|[+-]([0-9]{2})(?::?([0-9]{2}))?)"


class SparkCompiler(PySparkCompiler):  # type: ignore[misc]
    """Ibis' compiler for Spark, saying what DuckDB would have done."""

    __slots__ = ()

    rewrites = (keyed_hashes, whole_arrays, *PySparkCompiler.rewrites)

    # --- text -------------------------------------------------------------------------------------------------------

    def visit_Lowercase(self, op: Any, *, arg: Any) -> Any:
        """DuckDB: character by character. Spark: by the whole text, so that İ becomes two characters and a Σ at the
        end of a word becomes ς. These are the two characters of Unicode for which that differs."""
        del op
        return self.f.lower(self.f.translate(arg, "İΣ", "iσ"))  # noqa: RUF001

    def visit_RegexSearch(self, op: Any, *, arg: Any, pattern: Any) -> Any:
        """DuckDB: RE2. Spark: Java, unless RE2 is called in a Python worker."""
        same = expressions.java(self._literal(op.pattern))
        if same is not None:
            return self.f.regexp_like(arg, sge.convert(same))
        if op.arg.find(ops.Argument):
            raise com.UnsupportedOperationError("on Spark, this regular expression cannot be used within a lambda")
        return self.f.anon[expressions.FOUND](arg, pattern)

    def visit_RegexReplace(self, op: Any, *, arg: Any, pattern: Any, replacement: Any) -> Any:
        """As visit_RegexSearch; a replacement may hold no references."""
        del pattern
        if set(self._literal(op.replacement)) & set("\\$"):
            raise com.UnsupportedOperationError("on Spark, a replacement cannot hold `\\` or `$`")
        return self.f.regexp_replace(arg, sge.convert(self._alike(op.pattern)), replacement)

    def visit_RegexExtract(self, op: Any, *, arg: Any, pattern: Any, index: Any) -> Any:
        """As visit_RegexSearch. Either engine gives '' for a text in which it is not found."""
        del pattern
        return self.f.regexp_extract(arg, sge.convert(self._alike(op.pattern)), index)

    def visit_RegexSplit(self, op: Any, *, arg: Any, pattern: Any) -> Any:
        """RE2 in a Python worker: Java knows other versions of Unicode's classes."""
        del op
        return self.f.anon[expressions.PIECES](arg, pattern)

    def visit_StringSplit(self, op: Any, *, arg: Any, delimiter: Any) -> Any:
        """DuckDB splits at a text, Spark at an expression: `.` would be any character."""
        del delimiter
        quoted = "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in self._literal(op.delimiter))
        return self.f.anon.split(arg, sge.convert(quoted))

    def visit_Strftime(self, op: Any, *, arg: Any, format_str: Any) -> Any:
        """Spark's date_format has letters of its own, and wants any other letter quoted."""
        del format_str
        return self.f.date_format(arg, _java_format(self._literal(op.format_str)))

    # --- numbers, casts -----------------------------------------------------------------------------------------------

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        """A fraction is a double. Spark reads `0.125` as a decimal, and keeps so many places of a product of those."""
        if dtype.is_floating() and math.isfinite(value):
            return self.cast(sge.convert(value), dt.float64)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        given = op.arg.dtype
        if to.is_integer() and given.is_floating():
            # DuckDB rounds half to even, Spark cuts off
            return self.cast(self.f.rint(arg), to)
        if to.is_string() and given.is_floating():
            return self._decimal_text(arg)
        if to.is_string() and given.is_array():
            # Spark's own text of an array does not tell ['a, b'] from ['a', 'b']
            return self.f.to_json(arg)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """Texts to times as DuckDB reads them: Spark takes other texts, such as `2026` and `12:30`, and not `3:05`."""
        if op.arg.dtype.is_string() and to.is_timestamp():
            return self._time(arg, zoned=to.timezone is not None)
        return super().visit_TryCast(op, arg=arg, to=to)

    def visit_IsNull(self, op: Any, *, arg: Any) -> Any:
        """NaN is a number to DuckDB; Ibis' Spark compiler calls it NULL."""
        del op
        return arg.is_(NULL)

    def visit_NotNull(self, op: Any, *, arg: Any) -> Any:
        """As visit_IsNull."""
        del op
        return arg.is_(sg.not_(NULL))

    # --- arrays, windows, aggregates --------------------------------------------------------------------------------

    def visit_ArrayIndex(self, op: Any, *, arg: Any, index: Any) -> Any:
        """NULL beyond the end, whatever Spark's ANSI mode is."""
        del op
        return self.f.anon.get(arg, index)

    def visit_ArrayCollect(
        self, op: Any, *, arg: Any, where: Any, order_by: Any, include_null: Any, distinct: Any
    ) -> Any:
        """In order: Spark collects in any, so pairs of order and value are collected, sorted and stripped."""
        if not order_by:
            return super().visit_ArrayCollect(
                op, arg=arg, where=where, order_by=order_by, include_null=include_null, distinct=distinct
            )
        if where is not None or distinct or include_null or any(key.args.get("desc") for key in order_by):
            raise com.UnsupportedOperationError("on Spark, ordered collect() is for all rows, ascending")
        keys = {f"k{index}": key.this for index, key in enumerate(order_by)}
        pair = self.f.anon.named_struct(
            *(part for name, key in keys.items() for part in (sge.convert(name), key)), sge.convert("v"), arg
        )
        ordered = self.f.anon.array_sort(self.f.anon.collect_list(pair))
        one = sg.to_identifier("x")
        return self.f.anon.transform(
            ordered, sge.Lambda(this=sge.Dot.build([one, sg.to_identifier("v")]), expressions=[one])
        )

    def visit_WindowFunction(self, op: Any, *, func: Any, **kwargs: Any) -> Any:
        """Spark has no COUNT(DISTINCT) over a window: it counts the set of values there instead."""
        if not isinstance(op.func, ops.CountDistinct):
            return super().visit_WindowFunction(op, func=func, **kwargs)
        (value,) = func.this.expressions
        seen = super().visit_WindowFunction(op, func=self.f.anon.collect_set(value), **kwargs)
        return self.cast(self.f.anon.size(seen), op.dtype)

    # --- functions of the engine ------------------------------------------------------------------------------------

    def visit_ScalarUDF(self, op: Any, **kw: Any) -> Any:
        """DuckDB's functions that the house calls by name, in Spark's words."""
        if op.__func_name__ == expressions.MATCHING:
            return super().visit_ScalarUDF(op, **kw)
        said = getattr(self, f"_call_{op.__func_name__}", None)
        if said is not None:
            return said(*kw.values())
        raise com.UnsupportedOperationError(f"on Spark, there is no function {op.__func_name__}()")

    def _call_epoch_us(self, moment: Any) -> Any:
        return self.f.anon.unix_micros(self.cast(moment, dt.timestamp))

    def _call_make_timestamp(self, microseconds: Any) -> Any:
        return self.f.anon.timestamp_micros(microseconds)

    def _call_keyed_hash(self, text: Any) -> Any:
        """63 bits of MD5: its last eight bytes, the lowest first, halved. 32 bits at a time, for want of unsigned."""
        digest = self.f.anon.md5(self.f.encode(text, sge.convert("utf-8")))

        def number(first_byte: int) -> Any:
            pairs = [self.f.anon.substring(digest, 2 * byte + 1, 2) for byte in range(first_byte, first_byte - 4, -1)]
            return self.cast(self.f.anon.conv(self.f.anon.concat(*pairs), 16, 10), dt.int64)

        return self.f.anon.shiftleft(number(15), 31) + self.f.anon.shiftright(number(11), 1)

    # --- small parts ------------------------------------------------------------------------------------------------

    def _literal(self, node: Any) -> str:
        if not isinstance(node, ops.Literal) or not isinstance(node.value, str):
            raise com.UnsupportedOperationError("on Spark, a pattern must be a literal")
        return node.value

    def _alike(self, pattern: Any) -> str:
        text = self._literal(pattern)
        same = expressions.java(text)
        if same is None:
            raise com.UnsupportedOperationError(f"on Spark, {text!r} may mean something else than on DuckDB")
        return same

    def _time(self, text: Any, *, zoned: bool) -> Any:
        """The time of an ISO 8601 text, worked out from its parts; digits beyond microseconds are cut off."""
        whole = _DAY + _CLOCK + (_ZONE if zoned else "") + r"\z"

        def part(group: int) -> Any:
            return self.f.regexp_extract(text, sge.convert(whole), group)

        def number(digits: Any) -> Any:
            return self.f.coalesce(self.cast(digits, dt.int64), 0)

        day = self.f.anon.unix_date(sge.TryCast(this=part(1), to=self.type_mapper.from_ibis(dt.date), safe=True))
        hours, minutes, seconds = number(part(2)), number(part(3)), number(part(4))
        fraction = number(self.f.anon.rpad(self.f.substr(part(5), 1, 6), 6, "0"))
        clock = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction
        valid = (minutes < 60) & (seconds < 60) & (clock <= 86_400_000_000)
        moment = self.cast(day, dt.int64) * 86_400_000_000 + clock
        if zoned:
            offset = (number(part(7)) * 60 + number(part(8))) * 60_000_000
            moment = moment - self.if_(part(6).like("-%"), -offset, offset)
        found = self.f.regexp_like(text, sge.convert(whole)) & valid
        return self.if_(found, self.f.anon.timestamp_micros(moment), NULL)

    def _decimal_text(self, arg: Any) -> Any:
        """A double as DuckDB writes it: 12345678.5, 1e+16, 1e-05; Spark writes 1.23456785E7, 1.0E16, 1.0E-5."""
        magnitude = self.f.abs(arg)
        plain = self.f.regexp_replace(self.cast(self.cast(arg, dt.Decimal(38, 21)), dt.string), r"0+\z", "")
        plain = self.if_(plain.like("%."), self.f.concat(plain, "0"), plain)
        own = self.cast(arg, dt.string)
        mantissa = self.f.regexp_replace(self.f.anon.substring_index(own, "E", 1), r"[.]0\z", "")
        power = self.cast(self.f.anon.substring_index(own, "E", -1), dt.int32)
        digits = self.cast(self.f.abs(power), dt.string)
        padded = self.f.anon.lpad(digits, self.f.greatest(self.f.length(digits), 2), "0")
        raised = self.f.concat(mantissa, "e", self.if_(power < 0, "-", "+"), padded)
        special = self.if_(self.f.isnan(arg), "nan", self.if_(arg > 0, "inf", "-inf"))
        finite = self.if_((magnitude >= 1e-4) & (magnitude < 1e16), plain, raised)
        finite = self.if_(magnitude.eq(0), own, finite)
        return self.if_(arg.is_(NULL), NULL, self.if_(self.f.isnan(arg) | magnitude.eq(self.POS_INF), special, finite))


def _java_format(text: str) -> str:
    """strftime's letters as date_format's; any other letter quoted."""
    letters = {"Y": "yyyy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss", "f": "SSSSSS"}
    spelled, position = "", 0
    while position < len(text):
        if text[position] == "%":
            if text[position + 1] not in letters:
                raise com.UnsupportedOperationError(f"on Spark, strftime has no %{text[position + 1]}")
            spelled += letters[text[position + 1]]
            position += 2
        else:
            spelled += f"'{text[position]}'" if text[position].isalpha() else text[position]
            position += 1
    return spelled


compiler = SparkCompiler()
