"""What one copy is to another, by name."""

import math
from dataclasses import dataclass

import numpy as np

from app.alignment import maps
from app.alignment.evidence import Evidence

TURNS = {
    -90: "rotated_90",
    180: "rotated_180",
    90: "rotated_270",
    -180: "rotated_180",
}  # against the clock, as Pillow has it
ODD_DEGREES = 2.5  # a turn further than this from a quarter is of another kind
RESIZED = 1.03
WHOLE = 0.965  # share from which nothing is cut away or added
OVERLAID = 0.004
RECOLOURED = 7.0  # grey levels
SOFTER_PX = 0.8
RESIDUE = 1.2  # grey levels: more than rounding and a shift of a tenth of a pixel leave
LEANER = 1.25  # bytes for each pixel


@dataclass(frozen=True)
class Facts:
    """Of an original file, upright."""

    height_px: int
    width_px: int
    format: str
    size_bytes: int

    @property
    def bytes_per_px(self) -> float:
        return self.size_bytes / max(1, self.height_px * self.width_px)


def relations(evidence: Evidence, of: Facts, to: Facts) -> tuple[str, ...]:
    """What the second picture, `to`, is to the first, `of`. Empty only where nothing tells them apart."""
    if evidence.map is None:
        return ("other",)
    map = np.array(evidence.map).reshape(2, 3)
    turn = maps.turn_degrees(map)
    quarter = round(turn / 90) * 90
    odd = abs(turn - quarter) > ODD_DEGREES
    table = {
        "mirrored": maps.determinant(map) < 0,
        TURNS.get(quarter, ""): quarter in TURNS,
        "resized": _is_resized(evidence, map, of, to),
        "cropped": evidence.inside < WHOLE and not odd,
        "padded": evidence.filled < WHOLE and evidence.bordered and not odd,
        "recoloured": evidence.recoloured > RECOLOURED,
        "overlaid": evidence.covered > OVERLAID,
        "other": odd or (evidence.filled < WHOLE and not evidence.bordered),
    }
    named = [name for name, holds in table.items() if holds]
    if _is_recompressed(evidence, of, to, named):
        named.insert(0, "recompressed")
    return tuple(named)


def _is_resized(evidence: Evidence, map: np.ndarray, of: Facts, to: Facts) -> bool:
    """Whether a pixel of the first file is another length in the second; where both are whole, their sizes say so."""
    if min(evidence.inside, evidence.filled) >= WHOLE:
        return sorted((of.height_px, of.width_px)) != sorted((to.height_px, to.width_px))
    height, width, other_height, other_width = evidence.sizes
    ratio = (max(to.height_px, to.width_px) / max(other_height, other_width)) / (
        max(of.height_px, of.width_px) / max(height, width)
    )
    scales = [scale * ratio for scale in maps.scales(map)]
    return any(abs(math.log(scale)) > math.log(RESIZED) for scale in scales)


def _is_recompressed(evidence: Evidence, of: Facts, to: Facts, named: list[str]) -> bool:
    leaner = max(of.bytes_per_px, to.bytes_per_px) > LEANER * min(of.bytes_per_px, to.bytes_per_px)
    changed = of.format != to.format or leaner or evidence.residue > RESIDUE or abs(evidence.blur) >= SOFTER_PX
    return changed or not named
