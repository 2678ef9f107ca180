"""Where one picture lies on another, from the warp that the check found."""

from collections.abc import Sequence

Warp = tuple[float, float, float, float, float, float]  # x' = a·x + b·y + c, y' = d·x + e·y + f, in shares 0..1
Corner = tuple[float, float]
SAME: Warp = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
FLAT = 1e-9  # an area below this is a line: nothing can be laid over it
SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def inverse(warp: Warp) -> Warp | None:
    """The way back; None where the warp makes a line of the picture."""
    a, b, c, d, e, f = warp
    area = a * e - b * d
    if abs(area) < FLAT:
        return None
    return e / area, -b / area, (b * f - c * e) / area, -d / area, a / area, (c * d - a * f) / area


def shown_share(warp: Warp) -> float:
    """0..1, how much of the second picture the first shows when it is laid on it by `warp`."""
    a, b, c, d, e, f = warp
    corners = [(a * x + b * y + c, d * x + e * y + f) for x, y in SQUARE]
    for axis, limit, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        corners = _cut(corners, axis, limit, sign)
    return min(1.0, abs(_area(corners)))


def _cut(corners: Sequence[Corner], axis: int, limit: float, sign: int) -> list[Corner]:
    """What of a polygon is on the inner side of a line (Sutherland and Hodgman)."""
    kept: list[Corner] = []
    for here, there in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        inside, follows = sign * (here[axis] - limit) >= 0, sign * (there[axis] - limit) >= 0
        if inside:
            kept.append(here)
        if inside != follows:
            share = (limit - here[axis]) / (there[axis] - here[axis])
            kept.append((here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])))
    return kept


def _area(corners: Sequence[Corner]) -> float:
    following = [*corners[1:], *corners[:1]]
    return sum(x * v - u * y for (x, y), (u, v) in zip(corners, following, strict=True)) / 2 if corners else 0.0
