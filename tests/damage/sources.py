"""Healthy files of every format and variant we read, painted here: what the mutations damage."""

import functools
import importlib.util
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import PIL.Image
from PIL import ImageCms

SIZE = (96, 72)
FRAMES = 3
HEIF = importlib.util.find_spec("pillow_heif") is not None  # an extra: without it its files are refused by name
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True)
class Source:
    """One healthy file."""

    name: str
    format: str
    suffix: str
    data: bytes


def picture(number: int, size: tuple[int, int] = SIZE, mode: str = "RGB") -> PIL.Image.Image:
    """No other number gives anything like it: slopes, waves and blocks, and never a large flat ground."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) / 16
    layers = [128 + 90 * np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.2, 3, (3, 3))]
    blocks = rng.integers(-40, 40, (size[1] // 12 + 1, size[0] // 12 + 1, 3)).repeat(12, 0).repeat(12, 1)
    values = np.stack(layers, axis=2) + blocks[: size[1], : size[0]]
    return PIL.Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert(mode)


def sources(first: int = 0) -> list[Source]:
    """Every variant once, each with a picture of its own; those that begin at another number share none."""
    rows = [*VARIANTS, *(HEIF_VARIANTS if HEIF else ())]
    return [_source(*row, number) for number, row in enumerate(rows, start=first)]


def exif() -> bytes:
    made = PIL.Image.Exif()
    made[0x0110], made[0x0112] = "A camera", 6
    made.get_ifd(0x8769)[0x9003] = "2019:07:14 12:34:56"
    return made.tobytes()


@functools.cache
def profile() -> bytes:
    """Not sRGB by name, so that it is looked into."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"s\0R\0G\0B", b"o\0d\0d\0!")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def interlaced_png(image: PIL.Image.Image) -> bytes:
    """Pillow reads these, and writes none."""
    pixels = np.asarray(image)
    passes = [pixels[top::down, left::right] for left, top, right, down in ADAM7]
    lines = b"".join(b"\0" + line.tobytes() for part in passes for line in part)
    header = struct.pack(">IIBBBBB", *image.size, 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def tiled_tiff(image: PIL.Image.Image, side: int = 32, packed: bool = False) -> bytes:
    pixels = np.asarray(image)
    height, width, _ = pixels.shape
    pixels = np.pad(pixels, ((0, -height % side), (0, -width % side), (0, 0)))
    corners = [(y, x) for y in range(0, height, side) for x in range(0, width, side)]
    tiles = [pixels[y : y + side, x : x + side].tobytes() for y, x in corners]
    tiles = [zlib.compress(tile) for tile in tiles] if packed else tiles
    starts = np.cumsum([8, *map(len, tiles)])
    sizes = struct.pack(f"<{len(tiles)}I", *map(len, tiles))
    offsets = struct.pack(f"<{len(tiles)}I", *starts[:-1])
    after = int(starts[-1])
    entries = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8 if packed else 1), (262, 3, 1, 2)),
        *((277, 3, 1, 3), (322, 4, 1, side), (323, 4, 1, side)),
        *((324, 4, len(tiles), after), (325, 4, len(tiles), after + len(offsets))),
    ]
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<I", after + len(offsets) + len(sizes))
    return head + b"".join(tiles) + offsets + sizes + table + bytes(4)


def rle_bmp(image: PIL.Image.Image) -> bytes:
    """8-bit run-length BMP: runs of one, as nothing repeats."""
    indexed = image.quantize(64)
    lines = np.asarray(indexed)[::-1]
    coded = b"".join(b"".join(bytes((1, value)) for value in line) + b"\0\0" for line in lines) + b"\0\1"
    palette = b"".join(bytes((*reversed(rgb), 0)) for rgb in np.array(indexed.getpalette()).reshape(-1, 3).tolist())
    start = 54 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, *image.size, 1, 8, 1, len(coded), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", start + len(coded), 0, 0, start) + header + palette + coded


def saved_as(format: str, mode: str = "RGB", size: tuple[int, int] = SIZE, frames: int = 1, **options) -> Callable:
    def make(number: int) -> bytes:
        out = io.BytesIO()
        first, *rest = (picture(number + frame, size, mode) for frame in range(frames))
        several = {"save_all": True, "append_images": rest} if rest else {}
        if mode in ("RGBA", "LA"):
            first.putalpha(picture(number, size, "L"))
        first.save(out, format, **several, **options)
        return out.getvalue()

    return make


def heif(mode: str = "RGB", frames: int = 1) -> Callable:
    def make(number: int) -> bytes:
        import pillow_heif

        file = pillow_heif.from_pillow(picture(number, mode=mode))
        for frame in range(1, frames):
            file.add_from_pillow(picture(number + frame, mode=mode))
        out = io.BytesIO()
        file.save(out, quality=60)
        return out.getvalue()

    return make


def deep_as(dtype: type, format: str, **options) -> Callable:
    def make(number: int) -> bytes:
        values = np.asarray(picture(number, mode="L")).astype(np.float32) / 255
        scale = 1 if dtype is np.float32 else np.iinfo(dtype).max
        out = io.BytesIO()
        PIL.Image.fromarray((values * scale).astype(dtype)).save(out, format, **options)
        return out.getvalue()

    return make


def by_hand(build: Callable, **options) -> Callable:
    return lambda number: build(picture(number), **options)


def _source(name: str, format: str, suffix: str, make: Callable, number: int) -> Source:
    return Source(name, format, suffix, make(number * FRAMES))  # each frame a picture of its own


TOLD = {"exif": exif(), "icc_profile": profile()}
# (name, format, suffix, what makes its bytes from a picture's number)
VARIANTS = (
    ("jpeg", "JPEG", ".jpg", saved_as("JPEG")),
    ("jpeg_large", "JPEG", ".jpg", saved_as("JPEG", size=(800, 600))),
    ("jpeg_444", "JPEG", ".jpeg", saved_as("JPEG", subsampling=0, quality=95)),
    ("jpeg_progressive", "JPEG", ".jpg", saved_as("JPEG", progressive=True)),
    ("jpeg_restarts", "JPEG", ".jpg", saved_as("JPEG", restart_marker_rows=1)),
    ("jpeg_grey", "JPEG", ".jpg", saved_as("JPEG", "L", optimize=True)),
    ("jpeg_cmyk", "JPEG", ".jpg", saved_as("JPEG", "CMYK")),
    ("jpeg_told", "JPEG", ".jpg", saved_as("JPEG", **TOLD)),
    ("mpo", "JPEG", ".jpg", saved_as("MPO", frames=2)),
    ("png", "PNG", ".png", saved_as("PNG")),
    ("png_alpha", "PNG", ".png", saved_as("PNG", "RGBA")),
    ("png_grey_alpha", "PNG", ".png", saved_as("PNG", "LA")),
    ("png_palette", "PNG", ".png", saved_as("PNG", "P", transparency=3)),
    ("png_16_bit", "PNG", ".png", deep_as(np.uint16, "PNG")),
    ("png_1_bit", "PNG", ".png", saved_as("PNG", "1")),
    ("png_interlaced", "PNG", ".png", by_hand(interlaced_png)),
    ("png_animated", "PNG", ".png", saved_as("PNG", frames=FRAMES)),
    ("png_told", "PNG", ".png", saved_as("PNG", **TOLD)),
    ("webp", "WEBP", ".webp", saved_as("WEBP")),
    ("webp_lossless", "WEBP", ".webp", saved_as("WEBP", lossless=True)),
    ("webp_alpha", "WEBP", ".webp", saved_as("WEBP", "RGBA")),
    ("webp_animated", "WEBP", ".webp", saved_as("WEBP", frames=FRAMES)),
    ("webp_told", "WEBP", ".webp", saved_as("WEBP", **TOLD)),
    ("gif", "GIF", ".gif", saved_as("GIF", interlace=False)),
    ("gif_interlaced", "GIF", ".gif", saved_as("GIF", interlace=True)),
    ("gif_transparent", "GIF", ".gif", saved_as("GIF", "P", transparency=3)),
    ("gif_animated", "GIF", ".gif", saved_as("GIF", frames=FRAMES)),
    ("tiff", "TIFF", ".tif", saved_as("TIFF")),
    ("tiff_lzw", "TIFF", ".tif", saved_as("TIFF", compression="tiff_lzw")),
    ("tiff_deflate", "TIFF", ".tiff", saved_as("TIFF", compression="tiff_adobe_deflate")),
    ("tiff_packbits", "TIFF", ".tif", saved_as("TIFF", compression="packbits")),
    ("tiff_jpeg", "TIFF", ".tif", saved_as("TIFF", compression="jpeg")),
    ("tiff_fax", "TIFF", ".tif", saved_as("TIFF", "1", compression="group4")),
    ("tiff_16_bit", "TIFF", ".tif", deep_as(np.uint16, "TIFF")),
    ("tiff_float", "TIFF", ".tif", deep_as(np.float32, "TIFF")),
    ("tiff_cmyk", "TIFF", ".tif", saved_as("TIFF", "CMYK")),
    ("tiff_tiled", "TIFF", ".tif", by_hand(tiled_tiff)),
    ("tiff_tiled_deflate", "TIFF", ".tif", by_hand(tiled_tiff, packed=True)),
    ("tiff_pages", "TIFF", ".tif", saved_as("TIFF", frames=FRAMES)),
    ("tiff_big", "TIFF", ".tif", saved_as("TIFF", big_tiff=True)),
    ("bmp", "BMP", ".bmp", saved_as("BMP")),
    ("bmp_palette", "BMP", ".bmp", saved_as("BMP", "P")),
    ("bmp_1_bit", "BMP", ".bmp", saved_as("BMP", "1")),
    ("bmp_alpha", "BMP", ".bmp", saved_as("BMP", "RGBA")),
    ("bmp_runs", "BMP", ".bmp", by_hand(rle_bmp)),
    ("avif", "AVIF", ".avif", saved_as("AVIF", speed=10)),
    ("avif_alpha", "AVIF", ".avif", saved_as("AVIF", "RGBA", speed=10)),
    ("avif_animated", "AVIF", ".avif", saved_as("AVIF", frames=FRAMES, speed=10)),
    ("jpeg2000", "JPEG2000", ".jp2", saved_as("JPEG2000")),
    ("jpeg2000_lossy", "JPEG2000", ".j2k", saved_as("JPEG2000", no_jp2=True, quality_layers=[20], irreversible=True)),
    ("ppm", "PPM", ".ppm", saved_as("PPM")),
    ("pgm_16_bit", "PPM", ".pgm", deep_as(np.uint16, "PPM")),
)
HEIF_VARIANTS = (
    ("heic", "HEIF", ".heic", heif()),
    ("heic_alpha", "HEIF", ".heic", heif("RGBA")),
    ("heic_pages", "HEIF", ".heif", heif(frames=2)),
)
