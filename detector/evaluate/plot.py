"""Recall over budget as a plain SVG: the share of episodes found, beside the most that any ranking could find.

Written by hand: three step lines and two axes do not warrant a plotting library in a tool that runs at night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Final

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 420, 64, 28, 24, 64
#: Budgets from 0.01 % to all; a logarithmic axis.
_LEAST, _MOST = 1e-4, 1.0
_COLOURS: Final = ("#1d70b8", "#d4351c", "#00703c", "#4c2c92", "#b58840", "#505a5f")
_DASHES: Final = ("", "6 4", "2 3", "10 3 2 3", "1 4", "12 4")


@dataclass(frozen=True)
class Line:
    """Points (budget, recall), both 0-1, in order of budget; between two the first one's recall holds."""

    name: str
    points: Sequence[tuple[float, float]]


def recall_plot(lines: Sequence[Line], title: str) -> str:
    """An SVG document with the lines, a legend, and a title for those who cannot see it."""
    height = _HEIGHT + 18 * len(lines)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
    parts = [
        f'{head} font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
        *_axes(),
    ]
    for number, line in enumerate(lines):
        dash = _DASHES[number % 6]
        style = f'stroke="{_COLOURS[number % 6]}" stroke-width="2" stroke-dasharray="{dash}" fill="none"'
        y = _HEIGHT - 8 + 18 * number
        parts += [
            f'<path d="{_steps(line.points)}" {style}/>',
            f'<path d="M{_LEFT} {y}h36" {style}/>',
            _text(_LEFT + 46, y + 4, "start", line.name),
        ]
    return "\n".join([*parts, "</svg>", ""])


def _axes() -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#b1b4b6"/>')
        parts.append(_text(_LEFT - 8, y + 4, "end", f"{tenth * 10} %"))
    for budget in (1e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1.0):
        x = _x(budget)
        parts.append(f'<path d="M{x:.1f} {_y(0):.1f}V{_y(1):.1f}" stroke="#dee0e2"/>')
        parts.append(_text(x, _y(0) + 18, "middle", f"{100 * budget:g} %"))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [*parts, _text(middle, _y(0) + 36, "middle", "alerts looked at, as a share of actor-weeks")]


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _steps(points: Sequence[tuple[float, float]]) -> str:
    path = f"M{_x(_LEAST):.1f} {_y(0):.1f}"
    for budget, recall in points:
        path += f"H{_x(budget):.1f}V{_y(recall):.1f}"
    return path + f"H{_x(_MOST):.1f}"


def _x(budget: float) -> float:
    place = (log10(min(max(budget, _LEAST), _MOST)) - log10(_LEAST)) / (log10(_MOST) - log10(_LEAST))
    return _LEFT + place * (_WIDTH - _LEFT - _RIGHT)


def _y(recall: float) -> float:
    return _TOP + (1 - recall) * (_HEIGHT - _TOP - _BOTTOM - 20)
