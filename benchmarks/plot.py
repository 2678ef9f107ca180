"""Curves on two logarithmic axes, as SVG: how a cost grows with the number of vectors."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN, LEGEND = 720, 420, 64, 190
COLOURS = ("#0f766e", "#b45309", "#4338ca", "#be123c", "#4d7c0f")

Curve = Sequence[tuple[float, float]]  # (count, cost), both above 0


def save(path: Path, title: str, unit: str, curves: Mapping[str, Curve]) -> None:
    """One picture of all curves; powers of ten are ruled."""
    xs = [x for curve in curves.values() for x, _ in curve]
    ys = [y for curve in curves.values() for _, y in curve]
    across = _Axis(xs, MARGIN, WIDTH - LEGEND)
    up = _Axis(ys, HEIGHT - MARGIN, MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="32" font-size="16" font-weight="bold">{title}</text>',
        *(_rule(at, at, up.low, up.high, f"{value:,.0f}") for value, at in across.tens()),
        *(_rule(across.low, across.high, at, at, f"{value:g} {unit}".strip()) for value, at in up.tens()),
    ]
    for number, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(across(x), up(y)) for x, y in curve]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places]
        parts.append(f'<text x="{WIDTH - LEGEND + 14}" y="{MARGIN + 20 * number + 8}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*parts, "</svg>\n"]))


class _Axis:
    """A value's place between two ends, by its logarithm; the ends are powers of ten around all values."""

    def __init__(self, values: Sequence[float], low: float, high: float) -> None:
        self.low, self.high = low, high
        self._first = math.floor(math.log10(min(values)))
        self._last = max(self._first + 1, math.ceil(math.log10(max(values))))

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self._first) / (self._last - self._first)
        return self.low + share * (self.high - self.low)

    def tens(self) -> list[tuple[float, float]]:
        return [(10.0**power, self(10.0**power)) for power in range(self._first, self._last + 1)]


def _rule(x0: float, x1: float, y0: float, y1: float, label: str) -> str:
    upright = x0 == x1
    x, y, anchor = (x0, y0 + 20, "middle") if upright else (x0 - 8, y0 + 4, "end")
    line = f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="#ddd"/>'
    return f'{line}<text x="{x:.1f}" y="{y:.1f}" fill="#555" text-anchor="{anchor}">{label}</text>'
