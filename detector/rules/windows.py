"""The frames that correlations look through, and the columns they look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

#: Columns of a table of items, beside `group_0…`, `value_0…` and one boolean `rule_0…` a base.
ROW, TIME = "row", "time"


@dataclass(frozen=True)
class Windows:
    """The frames that correlations look through. `span` is in microseconds."""

    groups: Sequence[str]
    span: int

    def back(self, table: ir.Table) -> Any:
        """The window that an item ends."""
        return ibis.range_window(preceding=self.span, following=0, group_by=self.groups, order_by=table[TIME])

    def upto(self, table: ir.Table) -> Any:
        """All up to an item's time, the items of that time included."""
        return ibis.range_window(preceding=None, following=0, group_by=self.groups, order_by=table[TIME])

    def older(self, table: ir.Table, by: int) -> Any:
        """All that is at least `by` microseconds older than an item."""
        return ibis.range_window(preceding=(None, by), group_by=self.groups, order_by=table[TIME])

    def onward(self, table: ir.Table) -> Any:
        """All from an item's time on."""
        return ibis.window(group_by=self.groups, order_by=table[TIME], range=(0, None))

    def in_time(self, table: ir.Table) -> Any:
        """The items in the order of their times, to look at the one before."""
        return ibis.window(group_by=self.groups, order_by=table[TIME])

    def places(self, table: ir.Table) -> ir.IntegerValue:
        """Which place an item has in the order of time and row; what one event brings about has one place."""
        return ibis.dense_rank().over(ibis.window(group_by=self.groups, order_by=[table[TIME], table[ROW]]))

    def before(self, table: ir.Table) -> Any:
        """All at an earlier place, which is the table's column `place`."""
        return ibis.range_window(preceding=(None, 1), group_by=self.groups, order_by=table["place"])
