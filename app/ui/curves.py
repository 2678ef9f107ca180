"""Precision and recall over the threshold, each with the band that it surely lies in, as one SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.audits.evidence.calibration import Point

WIDTH, HEIGHT = 720, 250
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 34
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
ENDS_AT = 1.0
LEVEL, BEFORE = 0.01, 0.05  # shares that look alike; score shown before anything happens


@dataclass(frozen=True)
class Line:
    """One of the two curves: its name, and what it takes of a point."""

    name: str
    value: Callable[[Point], float]
    low: Callable[[Point], float]
    high: Callable[[Point], float]


LINES = (
    Line("recall", lambda p: p.recall, lambda p: p.recall_low, lambda p: p.recall_high),
    Line("precision", lambda p: p.precision, lambda p: p.precision_low, lambda p: p.precision_high),
)


def svg(points: Sequence[Point], threshold: float, suggested: float | None) -> str:
    """The curves of these points, the threshold in use, and the one that is suggested. Needs a point."""
    begins = _begins(points, min(threshold, ENDS_AT if suggested is None else suggested))
    points = [point for point in points if point.score > begins]

    def x(score: float) -> float:
        return round(LEFT + (score - begins) / (ENDS_AT - begins) * (WIDTH - LEFT - RIGHT), 1)

    drawn = [
        _grid(begins, x),
        *(_line(line, begins, points, x) for line in LINES),
        _mark("now", threshold, x, "in use"),
    ]
    if suggested is not None and suggested != threshold:
        drawn.append(_mark("next", suggested, x, "suggested"))
    label = f"Precision and recall at thresholds from {begins:.2f} to 1"
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}"'
    return f"<svg {frame}>{''.join(drawn)}</svg>"


def _begins(points: Sequence[Point], marked: float) -> float:
    """Where the axis begins: below the marks, and below where the curves leave their level."""
    first = points[0]
    level = [point for point in points if all(abs(line.value(point) - line.value(first)) < LEVEL for line in LINES)]
    return max(0.0, round(min(marked, level[-1].score) - BEFORE, 2))


def _y(share: float) -> float:
    return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)


def _grid(begins: float, x: Callable[[float], float]) -> str:
    rows = "".join(
        f'<path class="grid" d="M{LEFT} {_y(share)}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 8}" y="{_y(share) + 4}" text-anchor="end">{share:.0%}</text>'
        for share in GRID
    )
    places = [begins + (ENDS_AT - begins) * part / 4 for part in range(5)]
    anchors = ("start", "middle", "middle", "middle", "end")
    columns = "".join(
        f'<text x="{x(score)}" y="{HEIGHT - 12}" text-anchor="{anchor}">{score:.2f}</text>'
        for score, anchor in zip(places, anchors, strict=True)
    )
    return rows + columns


def _line(line: Line, begins: float, points: Sequence[Point], x: Callable[[float], float]) -> str:
    """A step function: between two labels nothing changes that anybody has seen."""
    high, low, value = (_steps(begins, points, of, x) for of in (line.high, line.low, line.value))
    band = "L".join([*high, *reversed(low)])
    return f'<path class="{line.name} band" d="M{band}Z"/><path class="{line.name}" d="M{"L".join(value)}"/>'


def _steps(
    begins: float, points: Sequence[Point], value: Callable[[Point], float], x: Callable[[float], float]
) -> list[str]:
    """Each point's value holds for the scores down to the point before it."""
    before = [begins, *(point.score for point in points)]
    return [
        f"{x(score)} {_y(value(point))}"
        for left, point in zip(before[:-1], points, strict=True)
        for score in (left, point.score)
    ]


def _mark(kind: str, score: float, x: Callable[[float], float], word: str) -> str:
    # near the right edge its word stands to the left of it
    anchor, offset = ("end", -5) if x(score) > WIDTH * 0.8 else ("start", 5)
    return (
        f'<path class="mark {kind}" d="M{x(score)} {TOP}V{HEIGHT - BOTTOM}"/>'
        f'<text class="mark {kind}" x="{x(score) + offset}" y="{HEIGHT - BOTTOM - 8}" text-anchor="{anchor}">'
        f"{word} {score:.3f}</text>"
    )
