"""How values from the log are shown on a page. Django escapes what these return."""

from __future__ import annotations

from django import template

from detector import printable as text

register = template.Library()


@register.filter
def printable(value: object) -> str:
    """Text with every unseen character made visible."""
    return text.printable(str(value))


@register.filter
def number(value: float | None) -> str:
    """A number as people write it; a dash where it is not known."""
    return text.number(value)


@register.filter
def words(value: str) -> str:
    """A code of ours as words: under_review -> under review."""
    return value.replace("_", " ")
