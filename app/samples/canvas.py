"""Canvas: the picture being painted, back to front, and the record of where its objects stay visible."""

from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageFilter

from app.samples.palettes import Light, mix, rgb

VISIBLE_ALPHA = 0.35  # a pixel counts as showing an object from here on


@dataclass
class Placed:
    """An object on the canvas: what of its alpha is still to be seen after everything painted since."""

    name: str
    turn_degrees: float
    top: int
    left: int
    visible: np.ndarray  # (h, w) float32
    whole: float  # the alpha it would show alone and unclipped

    def covered(self, alpha: np.ndarray, top: int, left: int) -> None:
        """Something with this alpha (h, w), its corner at (top, left), was painted over."""
        height, width = self.visible.shape
        y0, y1 = max(self.top, top), min(self.top + height, top + alpha.shape[0])
        x0, x1 = max(self.left, left), min(self.left + width, left + alpha.shape[1])
        if y0 < y1 and x0 < x1:
            mine = self.visible[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left]
            mine *= 1 - alpha[y0 - top : y1 - top, x0 - left : x1 - left]


class Canvas:
    """Pixels (H, W, 3) float32 in 0…1, with x (1, W) and y (H, 1) as shares of width and height."""

    def __init__(self, height: int, width: int, light: Light, rng: np.random.Generator) -> None:
        self.height, self.width, self.light, self.rng = height, width, light, rng
        self.pixels = np.zeros((height, width, 3), np.float32)
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        self.placed: list[Placed] = []

    @property
    def aspect(self) -> float:
        return self.width / self.height

    def cover(self, alpha: np.ndarray, colour: np.ndarray, top: int = 0, left: int = 0) -> None:
        """Paint a colour, (3,) or (h, w, 3), through an alpha (h, w) with its corner at (top, left) in the canvas."""
        window = self.pixels[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        window += alpha[..., None] * (colour - window)
        for placed in self.placed:
            placed.covered(alpha, top, left)

    def glow(self, x: float, y: float, radius: float, colour: np.ndarray, strength: float, power: float = 2.0) -> None:
        """Add light around a point; `radius` is a share of the height and reaches to where it is faint."""
        reach = radius * 3
        y0, y1 = (round(np.clip(edge, 0, 1) * self.height) for edge in (y - reach, y + reach))
        x0, x1 = (
            round(np.clip(edge, 0, 1) * self.width) for edge in (x - reach / self.aspect, x + reach / self.aspect)
        )
        across, down = (self.x[:, x0:x1] - x) * self.aspect, self.y[y0:y1] - y
        distance = np.sqrt(across**2 + down**2) / radius
        fall = np.clip(strength * (np.exp(-(distance**power)) - np.exp(-(3**power))), 0, None)
        window = self.pixels[y0:y1, x0:x1]
        window += fall[..., None] * colour * (1.15 - 0.6 * window)

    def darken(self, alpha: np.ndarray, top: int, left: int, strength: float) -> None:
        """Lay a shadow of the light's shade colour through an alpha that may hang over the edges."""
        y0, x0 = max(0, top), max(0, left)
        part = alpha[y0 - top : self.height - top, x0 - left : self.width - left]
        if part.size:
            window = self.pixels[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
            window *= 1 - (part * strength)[..., None] * (1 - rgb(self.light.shade) * 0.8)

    def stamp(
        self, sprite: PIL.Image.Image, top: int, left: int, haze: float = 0.0, opacity: float = 1.0
    ) -> np.ndarray:
        """Paint an RGBA sprite in the scene's light, its corner at (top, left); return its alpha (h, w), unclipped."""
        rgba = np.asarray(sprite, np.float32) / 255
        alpha = rgba[..., 3] * opacity
        y0, x0 = max(0, top), max(0, left)
        part = rgba[y0 - top : max(0, self.height - top), x0 - left : max(0, self.width - left)]
        if part.size:
            colour = mix(part[..., :3] * rgb(self.light.tint), rgb(self.light.haze), haze)
            self.cover(part[..., 3] * opacity, colour, y0, x0)
        return alpha

    def track(self, name: str, alpha: np.ndarray, top: int, left: int, turn_degrees: float) -> None:
        """Remember an object just stamped, so that its box and visible share can be told at the end."""
        y0, x0 = max(0, top), max(0, left)
        visible = alpha[y0 - top : max(0, self.height - top), x0 - left : max(0, self.width - left)].copy()
        self.placed.append(Placed(name, turn_degrees, y0, x0, visible, float(alpha.sum())))

    def picture(self, grain: float = 0.010) -> PIL.Image.Image:
        """The finished picture: bloom around bright places, a soft vignette, a gentle S-curve and film grain."""
        pixels = self._bloomed()
        corner = ((self.x - 0.5) ** 2 + (self.y - 0.5) ** 2)[..., None]
        pixels *= 1 - 0.42 * corner
        np.clip(pixels, 0, 1, out=pixels)
        pixels += 0.22 * pixels * (1 - pixels) * (pixels - 0.45)
        noise = self.rng.standard_normal((self.height, self.width), dtype=np.float32)
        pixels += (grain * noise)[..., None]
        return PIL.Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))

    def _bloomed(self) -> np.ndarray:
        small_size = (max(1, self.width // 6), max(1, self.height // 6))
        bright = np.clip(self.pixels[::3, ::3] - 0.72, 0, 1) * 255
        small = PIL.Image.fromarray(np.clip(bright * 2, 0, 255).astype(np.uint8)).resize(
            small_size, PIL.Image.Resampling.BOX
        )
        soft = small.filter(PIL.ImageFilter.GaussianBlur(max(small_size) / 40))
        full = soft.resize((self.width, self.height), PIL.Image.Resampling.BILINEAR)
        return self.pixels + np.asarray(full, np.float32) / 255 * 0.5 * (1 - 0.5 * np.clip(self.pixels, 0, 1))
