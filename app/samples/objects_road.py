"""What rolls: cars, a camper van, bicycles, a scooter. All head left."""

from functools import partial

from app.samples.sketch import Sketch, smooth
from app.samples.thing import Thing

Colours = tuple[str, str]
GLASS = ("#d7eef2", "#6f98a8")


def wheel(sketch: Sketch, x: float, y: float, radius: float, hub: str) -> None:
    sketch.oval(x, y, radius, radius, ("#3a3a3e", "#17171a"), bevel=0.02)
    sketch.oval(x, y, radius * 0.60, radius * 0.60, "#e9e4d8", bevel=0.012)
    sketch.oval(x, y, radius * 0.50, radius * 0.50, hub, bevel=0.02, lift=0.9)
    sketch.oval(x, y, radius * 0.20, radius * 0.20, "#f4f1ea", bevel=0.01)


def beetle(body: Colours, hub: str) -> Sketch:
    """A round little car with running boards."""
    sketch = Sketch(2.1)
    shell = [
        (0.10, 0.66),
        (0.16, 0.52),
        (0.40, 0.42),
        (0.62, 0.36),
        (0.74, 0.16),
        (1.02, 0.06),
        (1.34, 0.10),
        (1.62, 0.30),
        (1.90, 0.48),
        (1.99, 0.70),
        (1.90, 0.80),
        (0.20, 0.80),
    ]
    sketch.area(smooth(shell), body, bevel=0.10, lift=1.1)
    sketch.area(smooth([(0.72, 0.37), (0.82, 0.20), (1.02, 0.14), (1.05, 0.38)]), GLASS, bevel=0.012)
    sketch.area(smooth([(1.11, 0.38), (1.10, 0.14), (1.32, 0.18), (1.48, 0.36)]), GLASS, bevel=0.012)
    for x in (0.46, 1.62):
        arch = [(x - 0.34, 0.80), (x - 0.28, 0.60), (x, 0.47), (x + 0.28, 0.60), (x + 0.34, 0.80)]
        sketch.area(smooth(arch, steps=10), body, bevel=0.07, lift=1.0)
    sketch.box(0.70, 0.79, 1.40, 0.84, "#3b3330", round_=0.02)
    sketch.stroke([(1.07, 0.14), (1.08, 0.76)], 0.006, body[1], bevel=0)
    sketch.stroke([(1.15, 0.47), (1.25, 0.47)], 0.018, "#eee8da", bevel=0.006)
    sketch.oval(0.17, 0.60, 0.055, 0.075, ("#fff7d9", "#e6c877"), bevel=0.02)
    sketch.stroke([(0.03, 0.78), (0.20, 0.78)], 0.045, ("#f1f1ee", "#9a9a98"), bevel=0.02)
    sketch.stroke([(1.90, 0.78), (2.06, 0.78)], 0.045, ("#f1f1ee", "#9a9a98"), bevel=0.02)
    for x in (0.46, 1.62):
        wheel(sketch, x, 0.83, 0.16, hub)
    return sketch


def saloon(body: Colours, roof: Colours, trim: str, sign: str | None = None) -> Sketch:
    """A fifties saloon with tail fins; with a sign it is a taxi."""
    sketch = Sketch(2.7)
    cabin = [(0.78, 0.46), (0.98, 0.20), (1.20, 0.13), (1.62, 0.13), (1.84, 0.20), (2.02, 0.46)]
    sketch.area(smooth(cabin, steps=10), roof, bevel=0.06, lift=0.9)
    sketch.area(smooth([(0.93, 0.44), (1.06, 0.24), (1.37, 0.205), (1.37, 0.44)], steps=6), GLASS, bevel=0.012)
    sketch.area(smooth([(1.44, 0.44), (1.44, 0.205), (1.70, 0.23), (1.86, 0.44)], steps=6), GLASS, bevel=0.012)
    shell = [
        (0.06, 0.70),
        (0.08, 0.50),
        (0.40, 0.43),
        (0.90, 0.42),
        (1.90, 0.42),
        (2.30, 0.40),
        (2.64, 0.32),
        (2.60, 0.55),
        (2.64, 0.74),
        (2.50, 0.82),
        (0.20, 0.82),
    ]
    sketch.area(smooth(shell, steps=10), body, bevel=0.08, lift=1.0)
    sketch.area([(0.12, 0.585), (1.45, 0.56), (2.55, 0.46), (2.55, 0.49), (1.45, 0.62), (0.12, 0.62)], trim, bevel=0.01)
    for x in (1.00, 1.40, 1.88):
        sketch.stroke([(x, 0.44), (x, 0.76)], 0.005, body[1], bevel=0)
    for x in (1.30, 1.76):
        sketch.stroke([(x - 0.10, 0.51), (x, 0.51)], 0.018, "#f4f1ea", bevel=0.006)
    sketch.oval(0.12, 0.52, 0.05, 0.07, ("#fff7d9", "#e6c877"), bevel=0.02)
    sketch.box(2.57, 0.42, 2.64, 0.58, ("#e8483f", "#8f1f1a"), round_=0.02)
    for x0, x1 in ((0.01, 0.24), (2.46, 2.69)):
        sketch.stroke([(x0 + 0.03, 0.76), (x1 - 0.03, 0.76)], 0.055, ("#f6f6f2", "#92928f"), bevel=0.02)
    for x in (0.58, 2.12):
        sketch.area(
            smooth([(x - 0.25, 0.82), (x - 0.2, 0.66), (x, 0.60), (x + 0.2, 0.66), (x + 0.25, 0.82)], steps=8),
            "#221f22",
            bevel=0.01,
        )
        wheel(sketch, x, 0.83, 0.16, trim)
    if sign:
        sketch.box(1.24, 0.02, 1.56, 0.13, sign, round_=0.02, bevel=0.02)
        sketch.box(1.28, 0.05, 1.52, 0.105, "#2b2622", round_=0.005, bevel=0)
    return sketch


def camper(lower: Colours, upper: Colours, curtain: str) -> Sketch:
    """A two-tone camper van with a surfboard on the roof."""
    sketch = Sketch(2.05)
    sketch.area(
        smooth([(0.35, 0.085), (0.75, 0.02), (1.45, 0.02), (1.85, 0.07), (1.45, 0.115), (0.75, 0.115)]),
        ("#f6d365", "#e2803f"),
        bevel=0.03,
    )
    for x in (0.62, 1.50):
        sketch.stroke([(x, 0.10), (x, 0.17)], 0.016, "#55504b")
    sketch.area(
        smooth(
            [
                (0.10, 0.84),
                (0.06, 0.55),
                (0.20, 0.22),
                (0.40, 0.15),
                (1.70, 0.15),
                (1.94, 0.22),
                (1.99, 0.55),
                (1.96, 0.84),
            ],
            steps=9,
        ),
        upper,
        bevel=0.08,
        lift=1.0,
    )
    sketch.area(
        smooth(
            [(0.06, 0.84), (0.055, 0.62), (0.30, 0.545), (0.70, 0.52), (1.96, 0.52), (1.995, 0.62), (1.97, 0.85)],
            steps=9,
        ),
        lower,
        bevel=0.06,
        lift=0.9,
    )
    sketch.stroke(
        smooth([(0.07, 0.60), (0.30, 0.535), (0.70, 0.51), (1.97, 0.51)], closed=False), 0.014, "#f4f1ea", bevel=0.005
    )
    sketch.area([(0.13, 0.46), (0.24, 0.25), (0.34, 0.245), (0.34, 0.46)], GLASS, bevel=0.012)
    for x in (0.42, 0.80, 1.18, 1.56):
        sketch.box(x, 0.245, x + 0.31, 0.455, GLASS, round_=0.04, bevel=0.012)
        for at in (x + 0.012, x + 0.235):
            sketch.area([(at, 0.255), (at + 0.065, 0.255), (at + 0.05, 0.44), (at + 0.012, 0.44)], curtain, bevel=0.01)
    for x in (0.76, 1.14):
        sketch.stroke([(x, 0.22), (x, 0.82)], 0.006, lower[1], bevel=0)
    sketch.oval(0.125, 0.66, 0.045, 0.07, ("#fff7d9", "#e6c877"), bevel=0.02)
    sketch.stroke([(0.04, 0.82), (0.22, 0.82)], 0.05, "#f4f1ea", bevel=0.02)
    sketch.stroke([(1.88, 0.82), (2.01, 0.82)], 0.05, "#f4f1ea", bevel=0.02)
    for x in (0.48, 1.60):
        sketch.area(
            smooth([(x - 0.23, 0.85), (x - 0.18, 0.70), (x, 0.645), (x + 0.18, 0.70), (x + 0.23, 0.85)], steps=8),
            "#2a2626",
            bevel=0.01,
        )
        wheel(sketch, x, 0.84, 0.15, lower[0])
    return sketch


def bicycle(frame: str, seat: str, basket: str | None = None) -> Sketch:
    """A step-through bicycle, perhaps with a basket of flowers."""
    sketch = Sketch(1.62)
    for x in (0.34, 1.26):
        for spoke in range(8):
            dx, dy = (
                (1, 0),
                (0.92, 0.38),
                (0.71, 0.71),
                (0.38, 0.92),
                (0, 1),
                (-0.38, 0.92),
                (-0.71, 0.71),
                (-0.92, 0.38),
            )[spoke]
            sketch.stroke(
                [(x - dx * 0.29, 0.68 - dy * 0.29), (x + dx * 0.29, 0.68 + dy * 0.29)], 0.003, "#8d8d8d", bevel=0
            )
        sketch.ring(x, 0.68, 0.29, 0.030, "#2a2a2d")
        sketch.ring(x, 0.68, 0.265, 0.012, "#cfc9bd")
        sketch.oval(x, 0.68, 0.025, 0.025, "#55555a")
    head, crank, saddle, rear = (0.52, 0.24), (0.80, 0.70), (1.02, 0.27), (1.26, 0.68)
    sketch.stroke([crank, rear], 0.024, frame)
    sketch.stroke([(1.06, 0.42), rear], 0.020, frame)
    sketch.stroke([crank, saddle], 0.034, frame)
    sketch.stroke(smooth([head, (0.58, 0.50), crank], closed=False), 0.036, frame)
    sketch.stroke(smooth([(0.54, 0.34), (0.66, 0.50), (0.93, 0.50)], closed=False), 0.026, frame)
    sketch.stroke(smooth([(0.50, 0.14), (0.545, 0.36), (0.46, 0.56), (0.34, 0.68)], closed=False), 0.030, frame)
    sketch.stroke(smooth([(0.36, 0.15), (0.48, 0.10), (0.56, 0.12), (0.68, 0.16)], closed=False), 0.024, "#c9c4ba")
    sketch.stroke([(0.64, 0.15), (0.71, 0.17)], 0.038, seat)
    sketch.area(smooth([(0.90, 0.235), (1.08, 0.195), (1.18, 0.215), (1.14, 0.28), (1.02, 0.285)]), seat, bevel=0.02)
    for x in (0.34, 1.26):
        fender = [(x - 0.30, 0.58), (x - 0.20, 0.44), (x, 0.365), (x + 0.20, 0.44), (x + 0.30, 0.58)]
        sketch.stroke(smooth(fender, closed=False), 0.026, frame)
    sketch.ring(0.80, 0.70, 0.062, 0.018, "#7b7b80")
    sketch.stroke([(0.80, 0.70), (0.74, 0.83)], 0.018, "#55555a")
    sketch.box(0.68, 0.82, 0.79, 0.85, "#2a2a2d", round_=0.01)
    if basket:
        _basket(sketch, basket)
    return sketch


def _basket(sketch: Sketch, petals: str) -> None:
    for x, y in ((0.20, 0.14), (0.27, 0.09), (0.34, 0.12), (0.41, 0.15), (0.30, 0.17), (0.24, 0.18)):
        sketch.oval(x, y, 0.035, 0.035, petals, bevel=0.015)
        sketch.oval(x, y, 0.012, 0.012, "#f7d35e", bevel=0.004)
        sketch.oval(x + 0.035, y + 0.03, 0.022, 0.012, "#4f8a4c", bevel=0.006)
    sketch.area([(0.15, 0.19), (0.46, 0.19), (0.42, 0.38), (0.19, 0.38)], ("#c79a5e", "#8f6534"), bevel=0.03)
    for y in (0.235, 0.285, 0.335):
        sketch.stroke([(0.165, y), (0.445, y)], 0.006, "#7a5429", bevel=0)


def scooter(body: Colours, seat: str) -> Sketch:
    """A step-through scooter with a round headlamp."""
    sketch = Sketch(1.45)
    sketch.area(
        smooth(
            [
                (0.30, 0.30),
                (0.40, 0.26),
                (0.46, 0.60),
                (0.62, 0.78),
                (0.92, 0.78),
                (0.90, 0.86),
                (0.50, 0.86),
                (0.36, 0.70),
            ],
            steps=10,
        ),
        body,
        bevel=0.05,
        lift=0.9,
    )
    sketch.area(
        smooth([(0.82, 0.78), (0.84, 0.52), (1.04, 0.42), (1.34, 0.50), (1.42, 0.68), (1.30, 0.80), (1.0, 0.84)]),
        body,
        bevel=0.09,
        lift=1.1,
    )
    sketch.area(
        smooth([(0.80, 0.42), (0.98, 0.36), (1.30, 0.38), (1.36, 0.45), (1.10, 0.49), (0.84, 0.48)]), seat, bevel=0.03
    )
    sketch.stroke([(0.36, 0.32), (0.31, 0.12)], 0.035, "#c9c4ba")
    sketch.stroke(smooth([(0.22, 0.12), (0.32, 0.10), (0.48, 0.14)], closed=False), 0.03, "#2e2b2b")
    sketch.oval(0.25, 0.17, 0.06, 0.065, ("#fff7d9", "#e6c877"), bevel=0.025)
    sketch.stroke([(0.36, 0.10), (0.43, 0.01)], 0.01, "#8a8a8a")
    sketch.oval(0.45, 0.01, 0.04, 0.03, "#b9c7cc", bevel=0.01)
    for x, radius in ((0.30, 0.15), (1.14, 0.15)):
        wheel(sketch, x, 0.84, radius, body[0])
    sketch.area(
        smooth([(0.10, 0.76), (0.18, 0.64), (0.34, 0.62), (0.48, 0.72), (0.46, 0.80), (0.30, 0.72)]),
        body,
        bevel=0.04,
        lift=0.9,
    )
    return sketch


THINGS = (
    Thing("beetle-mint", "road", 0.62, partial(beetle, ("#9ed8c3", "#4f9c86"), "#9ed8c3")),
    Thing("beetle-tangerine", "road", 0.62, partial(beetle, ("#f59a4a", "#b8541c"), "#f6e3c0")),
    Thing("saloon-cherry", "road", 0.60, partial(saloon, ("#cf3a3a", "#7d1820"), ("#f6ecd8", "#c9b99a"), "#f3ead7")),
    Thing(
        "taxi-yellow",
        "road",
        0.66,
        partial(saloon, ("#f8c732", "#c4860f"), ("#f8c732", "#d39a18"), "#2b2622", "#fff6d8"),
    ),
    Thing("camper-turquoise", "road", 0.85, partial(camper, ("#3fb0b5", "#1c6c78"), ("#fbf3e0", "#d8cbb0"), "#e2714f")),
    Thing("bicycle-scarlet", "road", 0.60, partial(bicycle, "#c9302c", "#5b3a26", "#f4f0ff")),
    Thing("bicycle-teal", "road", 0.60, partial(bicycle, "#1f7a7a", "#2b2422")),
    Thing("scooter-cream", "road", 0.55, partial(scooter, ("#f7ead0", "#cdb386"), "#8a3b2a")),
)
