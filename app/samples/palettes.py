"""Colours and light. A Light is one time of day and weather: it tints everything that stands in it."""

from dataclasses import dataclass, replace

import numpy as np


def rgb(code: str) -> np.ndarray:
    """`#rrggbb` as (3,) float32 in 0…1."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def mix(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    return first + (second - first) * np.float32(share)


@dataclass(frozen=True)
class Light:
    """One time of day. Colours are `#rrggbb`; `tint` multiplies whatever is lit by it."""

    name: str
    sky: tuple[str, ...]  # zenith to horizon
    sun: str
    haze: str  # what distance fades to
    tint: str
    shade: str  # what shadows are multiplied by
    dark: float  # 0 day … 1 night: windows lit, stars out
    sun_height: float  # share of the sky above the horizon; below 0 it has set
    clouds: str = "#ffffff"
    hour: int = 12


LIGHTS = {
    light.name: light
    for light in (
        Light(
            "noon",
            ("#2467b8", "#5fa8e0", "#a9d5f2", "#e4f3fb"),
            "#fffbe8",
            "#cfe4f1",
            "#ffffff",
            "#8d97b8",
            0.0,
            0.80,
            "#ffffff",
            12,
        ),
        Light(
            "morning",
            ("#5d93c9", "#9cc4e2", "#f3dcc8", "#fdebd0"),
            "#fff3cf",
            "#f0dfd0",
            "#fff4e4",
            "#8f8fb0",
            0.0,
            0.35,
            "#fff6ec",
            8,
        ),
        Light(
            "golden",
            ("#3f6ea5", "#8fa6bd", "#f2bd7c", "#ffdf9e"),
            "#fff0b8",
            "#f3c893",
            "#ffe2b0",
            "#80708f",
            0.1,
            0.20,
            "#ffe3b8",
            18,
        ),
        Light(
            "sunset",
            ("#2b2f6b", "#7c4a8c", "#e2697a", "#ffb36b"),
            "#ffe08a",
            "#e08a80",
            "#ffbf9a",
            "#5c4a80",
            0.35,
            0.09,
            "#f58b86",
            20,
        ),
        Light(
            "dusk",
            ("#141c45", "#33407f", "#8467a3", "#f0a59a"),
            "#ffd0a0",
            "#76679b",
            "#a99bc9",
            "#4a4478",
            0.7,
            -0.05,
            "#9a7bb5",
            21,
        ),
        Light(
            "night",
            ("#050a1f", "#0d1a3d", "#1c3260", "#3a5a86"),
            "#f3f1dc",
            "#28406a",
            "#8298c8",
            "#2c3560",
            1.0,
            0.66,
            "#33497a",
            23,
        ),
        Light(
            "overcast",
            ("#8b9aa8", "#a9b5bf", "#c6ced3", "#dde1e2"),
            "#ffffff",
            "#ccd3d6",
            "#dde3e8",
            "#8f99a8",
            0.05,
            0.60,
            "#eef0f1",
            14,
        ),
        Light(
            "dawn",
            ("#31456f", "#7f83b0", "#e5a9b4", "#fbd9c0"),
            "#ffe9c9",
            "#d3b3bf",
            "#f0cfd3",
            "#6f6a97",
            0.3,
            0.05,
            "#f3c3c3",
            6,
        ),
        Light(
            "teal",
            ("#0b3c49", "#1f6f78", "#7fb7a3", "#f4e3b2"),
            "#fff2c2",
            "#a9c7b2",
            "#e9ecd2",
            "#5d7d88",
            0.15,
            0.14,
            "#d9e4c6",
            19,
        ),
        Light(
            "rose",
            ("#4b3b72", "#a05c92", "#f08a9b", "#ffd2bf"),
            "#fff0d8",
            "#eaa5ad",
            "#ffd3cf",
            "#7a5e92",
            0.25,
            0.10,
            "#ffc0c2",
            20,
        ),
    )
}


def jittered(light: Light, rng: np.random.Generator) -> Light:
    """The same time of day on another day: sky colours and the sun's height wander a little."""
    return replace(
        light,
        sky=tuple(shifted(code, rng, 0.035) for code in light.sky),
        haze=shifted(light.haze, rng, 0.025),
        sun_height=light.sun_height * rng.uniform(0.8, 1.15),
    )


def shifted(code: str, rng: np.random.Generator, amount: float) -> str:
    """A neighbour of a colour; `amount` is the standard deviation per channel, 0…1."""
    moved = np.clip(rgb(code) + rng.normal(0, amount, 3), 0, 1)
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in moved)


@dataclass(frozen=True)
class Land:
    """The ground of an outdoor scene: far, middle and near colours, as they look at noon."""

    far: str
    middle: str
    near: str
    trees: str


LANDS = {
    "summer": Land("#6f93a6", "#5f8f5a", "#7fa84a", "#2f5d3a"),
    "alpine": Land("#8296b0", "#55707f", "#4c7a4f", "#24483c"),
    "autumn": Land("#93879a", "#a8743f", "#c78f3d", "#8a4a24"),
    "winter": Land("#a9bdd4", "#c6d6e6", "#eef4fa", "#4d6b78"),
    "heath": Land("#8a86a8", "#7d6a93", "#9a83a6", "#4b4f5f"),
    "olive": Land("#8f9c92", "#8c9160", "#b3a860", "#56643c"),
    "desert": Land("#c59a86", "#d79a5b", "#eab676", "#6d6b3c"),
}
