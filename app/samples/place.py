"""Putting a thing into a scene: size, turn, shadow, reflection, and the entry in the truth."""

import numpy as np
import PIL.Image
import PIL.ImageFilter

from app.samples import cast, extras
from app.samples.canvas import Canvas
from app.samples.palettes import rgb

RESAMPLE = PIL.Image.Resampling.BICUBIC


def place(
    canvas: Canvas,
    name: str,
    x: float,
    y: float,
    height: float,
    *,
    turn: float = 0.0,
    haze: float = 0.0,
    shadow: float = 0.0,
    reflection: float = 0.0,
    lean: float = 0.6,
) -> None:
    """Stand a thing with the middle of its foot at (x, y); `height` is a share of the canvas before its own size.

    `turn` is in degrees; `shadow` and `reflection` are strengths 0…1; `lean` is where the cast shadow falls (heights).
    """
    thing = cast.CAST[name]
    sprite = scaled(cast.sprite(name), height * thing.size * canvas.height, turn)
    left, top, alpha = _stand(canvas, sprite, x, y, haze, shadow, reflection, lean)
    canvas.track(name, alpha, top, left, turn)
    if thing.glow and canvas.light.dark > 0.3:
        gx, gy, radius, colour = thing.glow
        at = (left + gx * sprite.width) / canvas.width, (top + gy * sprite.height) / canvas.height
        reach = radius * sprite.height / canvas.height
        canvas.glow(*at, reach * 0.35, rgb(colour), 0.75 * canvas.light.dark)
        canvas.glow(*at, reach, rgb(colour), 0.38 * canvas.light.dark, power=1.2)


def add(
    canvas: Canvas, extra: str, x: float, y: float, height: float, *, haze: float = 0.0, shadow: float = 0.5
) -> None:
    """Stand a bystander in the scene: painted like a thing, and not told."""
    _stand(canvas, scaled(extras.sprite(extra), height * canvas.height), x, y, haze, shadow, 0.0, 0.5)


def _stand(
    canvas: Canvas,
    sprite: PIL.Image.Image,
    x: float,
    y: float,
    haze: float,
    shadow: float,
    reflection: float,
    lean: float,
) -> tuple[int, int, np.ndarray]:
    left, top = round(x * canvas.width - sprite.width / 2), round(y * canvas.height - sprite.height)
    if shadow:
        cast_shadow(canvas, sprite, left, top, shadow, lean)
    if reflection:
        mirror_below(canvas, sprite, left, top + sprite.height, reflection, haze)
    return left, top, canvas.stamp(sprite, top, left, haze)


def scaled(master: PIL.Image.Image, height_px: float, turn: float = 0.0) -> PIL.Image.Image:
    """A sprite at a height, turned by degrees."""
    ratio = max(height_px, 4) / master.height
    size = max(2, round(master.width * ratio)), max(4, round(master.height * ratio))
    sprite = master.resize(size, PIL.Image.Resampling.LANCZOS, reducing_gap=3.0)
    return sprite.rotate(turn, RESAMPLE, expand=True) if turn else sprite


def cast_shadow(canvas: Canvas, sprite: PIL.Image.Image, left: int, top: int, strength: float, lean: float) -> None:
    """A soft shadow on the ground: the outline laid over to the right, and a dark line where it stands."""
    width, height = sprite.size
    flat, slant = max(2, round(height * 0.30)), round(height * abs(lean))
    margin = max(4, height // 12)
    mask = PIL.Image.new("L", (width + slant + 2 * margin, flat + 2 * margin))
    alpha = sprite.getchannel("A").resize((width, flat))
    sheared = alpha.transform(
        (width + slant, flat),
        PIL.Image.Transform.AFFINE,
        (1, lean * height / flat, -slant if lean > 0 else 0, 0, 1, 0),
        RESAMPLE,
    )
    mask.paste(sheared, (margin, margin))
    soft = np.asarray(mask.filter(PIL.ImageFilter.GaussianBlur(height / 45 + 1)), np.float32) / 255
    soft = soft * np.linspace(0.35, 1, soft.shape[0], dtype=np.float32)[:, None]
    x0 = left - margin - (slant if lean < 0 else 0)
    canvas.darken(soft, top + height - flat - margin, x0, strength)
    _contact(canvas, sprite, left, top, strength)


def _contact(canvas: Canvas, sprite: PIL.Image.Image, left: int, top: int, strength: float) -> None:
    width, height = sprite.size
    foot = (
        sprite.getchannel("A")
        .crop((0, round(height * 0.93), width, height))
        .resize((width, max(2, round(height * 0.05))))
    )
    margin = max(4, height // 14)
    mask = PIL.Image.new("L", (width + 2 * margin, foot.height + 2 * margin))
    mask.paste(foot, (margin, margin))
    soft = np.asarray(mask.filter(PIL.ImageFilter.GaussianBlur(height / 50 + 1)), np.float32) / 255
    canvas.darken(soft, top + height - foot.height // 2 - margin, left - margin, min(1.0, strength * 1.3))


def mirror_below(canvas: Canvas, sprite: PIL.Image.Image, left: int, top: int, strength: float, haze: float) -> None:
    """The thing upside down in rippled water under its foot at row `top`."""
    flipped = np.asarray(
        sprite.transpose(PIL.Image.Transpose.FLIP_TOP_BOTTOM).resize((sprite.width, max(2, round(sprite.height * 0.8))))
    )
    rows = np.arange(flipped.shape[0])
    sway = np.sin(rows / max(2.0, canvas.height * 0.006) + left) * (1 + rows * 0.035) * canvas.height * 0.0015
    columns = np.arange(flipped.shape[1])[None, :] + np.round(sway).astype(int)[:, None]
    inside = (columns >= 0) & (columns < flipped.shape[1])
    rippled = flipped[rows[:, None], columns.clip(0, flipped.shape[1] - 1)].copy()
    fade = np.linspace(1, 0.15, len(rows))[:, None] * inside
    rippled[..., 3] = (rippled[..., 3] * fade).astype(np.uint8)
    canvas.stamp(PIL.Image.fromarray(rippled), top - 1, left, haze, strength)


def hang(canvas: Canvas, name: str, x: float, y: float, height: float, *, turn: float = 0.0) -> None:
    """Hang a thing on a wall, its middle at (x, y), with a soft shadow to the lower right."""
    sprite = scaled(cast.sprite(name), height * cast.CAST[name].size * canvas.height, turn)
    left, top = round(x * canvas.width - sprite.width / 2), round(y * canvas.height - sprite.height / 2)
    soft_shadow(canvas, sprite, left, top)
    canvas.track(name, canvas.stamp(sprite, top, left), top, left, turn)


def soft_shadow(canvas: Canvas, sprite: PIL.Image.Image, left: int, top: int) -> None:
    """What a thing close before a wall, or lying on something, throws to the lower right."""
    margin = max(6, sprite.height // 10)
    mask = PIL.Image.new("L", (sprite.width + 2 * margin, sprite.height + 2 * margin))
    mask.paste(sprite.getchannel("A"), (margin, margin))
    soft = np.asarray(mask.filter(PIL.ImageFilter.GaussianBlur(margin / 3)), np.float32) / 255
    canvas.darken(soft, top - margin + margin // 2, left - margin + margin // 3, 0.55)


def lay(canvas: Canvas, name: str, corners: tuple[tuple[float, float], ...]) -> None:
    """Lay a flat thing in perspective; corners in shares: top left, top right, bottom right, bottom left."""
    points = np.array(corners, np.float64) * (canvas.width, canvas.height)
    left, top = (int(np.floor(edge)) for edge in points.min(axis=0))
    width, height = (int(np.ceil(edge)) for edge in points.max(axis=0) - (left, top))
    master = cast.sprite(name)
    ratio = max(0.35, min(1.0, 1.6 * width / master.width))  # close to the size it is seen at, or it shimmers
    small = master.resize((round(master.width * ratio), round(master.height * ratio)), PIL.Image.Resampling.LANCZOS)
    source = np.array([(0, 0), (small.width, 0), small.size, (0, small.height)], np.float64)
    flat = small.transform(
        (width * 2, height * 2),
        PIL.Image.Transform.PERSPECTIVE,
        _homography((points - (left, top)) * 2, source),
        RESAMPLE,
    )
    sprite = flat.reduce(2)
    soft = np.asarray(sprite.getchannel("A").filter(PIL.ImageFilter.GaussianBlur(4)), np.float32) / 255
    canvas.darken(soft, top + 4, left + 3, 0.5)
    canvas.track(name, canvas.stamp(sprite, top, left), top, left, 0.0)


def _homography(seen: np.ndarray, source: np.ndarray) -> list[float]:
    """The eight numbers that take points as seen, (4, 2), to points of the source."""
    rows = []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.linalg.solve(np.array(rows), source.reshape(-1)).tolist()
