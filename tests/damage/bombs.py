"""Files made by hand to cost far more than their size: each a few bytes up to some megabytes, painted by nobody."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import PIL.Image

from tests.damage.sources import HEIF, heif, picture, png_chunk, profile, saved_as, tiled_tiff

SIDE = 8000  # squared, the most pixels that are allowed
MEGABYTE = 2**20
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def inflating(size: int) -> bytes:
    """A zlib stream of so many zeros; it is made in blocks, and takes a thousandth of their size."""
    packer = zlib.compressobj(9)
    blocks = [packer.compress(bytes(min(MEGABYTE, size - start))) for start in range(0, size, MEGABYTE)]
    return b"".join(blocks) + packer.flush()


def png(
    width: int, height: int, bits: int, colour: int, *before: bytes, interlaced: int = 0, data: bytes = b""
) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    return PNG_MAGIC + header + b"".join(before) + data + png_chunk(b"IEND", b"")


def png_with(*before: bytes) -> bytes:
    """A picture of one pixel behind these chunks."""
    return png(1, 1, 8, 0, *before, png_chunk(b"IDAT", zlib.compress(b"\0\0")))


def flat_png(bits: int, colour: int, bands: int, side: int = SIDE) -> bytes:
    return png(side, side, bits, colour, png_chunk(b"IDAT", inflating(side * (1 + side * bits * bands // 8))))


def interlaced_png(side: int = SIDE) -> bytes:
    lines = side + side // 8 * 7  # of all passes: at least as many as the stream needs
    stream = inflating(lines * 8 + side * side * 3)
    return png(side, side, 8, 2, png_chunk(b"IDAT", stream), interlaced=1)


def jpeg() -> bytes:
    return saved_as("JPEG")(1)


def jpeg_behind(*segments: bytes) -> bytes:
    whole = jpeg()
    return whole[:2] + b"".join(segments) + whole[2:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg_claiming(height: int, width: int, **options) -> bytes:
    """Real data, and a frame that is said to be larger."""
    data = bytearray(saved_as("JPEG", **options)(1))
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_scans(scans: int, height: int = SIDE, width: int = SIDE) -> bytes:
    """Progressive: each scan is a few bytes, and has the decoder walk over all coefficients."""
    whole = jpeg_claiming(height, width, progressive=True)
    scan = segment(0xDA, b"\x01\x01\x00\x01\x05\x02") + bytes(16)  # refines coefficients 1 to 5 of the first band
    return whole[:-2] + scan * scans + b"\xff\xd9"


def exif_loop() -> bytes:
    """Its directory names itself as the one of the camera, and as the next."""
    entries = [struct.pack("<HHII", tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005)]
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 8)


def exif_of_entries(count: int) -> bytes:
    """Every entry claims all the bytes there are, from the beginning."""
    size = 12 * count
    entries = b"".join(struct.pack("<HHII", tag, 7, size, 0) for tag in range(1, count + 1))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + bytes(4)


def gif(width: int, height: int, body: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + body + b";"


def gif_frame(width: int = 1, height: int = 1, data: bytes = b"\x02\x02\x44\x01\0") -> bytes:
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + data


def flat_gif(side: int = SIDE) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("P", (side, side)).save(out, "GIF")
    return out.getvalue()


def tiff(entries: list[tuple[int, int, int, int]], body: bytes = b"", next_at: int = 0) -> bytes:
    """Little-endian, the directory behind the body; entries are tag, type, count, value."""
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + table + struct.pack("<I", next_at)


def tiff_of(width: int, height: int, packing: int, body: bytes, bits: int = 8, *more: tuple) -> bytes:
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, packing), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(body)), *more]
    return tiff(entries, body)


def tiff_chain(pages: int) -> bytes:
    """So many directories one behind the other, all of the same sixteen pixels."""
    entries = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(277, 3, 1, 1), (278, 4, 1, 4), (279, 4, 1, 16)]
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    first, size = 8 + 16, len(table) + 4
    following = [*(first + size * page for page in range(1, pages)), 0]
    return b"II*\0" + struct.pack("<I", first) + bytes(16) + b"".join(table + struct.pack("<I", at) for at in following)


def saved(format: str, image: PIL.Image.Image, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def flat(format: str, mode: str = "RGB", size: tuple[int, int] = (SIDE, SIDE), **options) -> bytes:
    return saved(format, PIL.Image.new(mode, size), **options)


def edited(data: bytes, mark: bytes, offset: int, code: str, *values: int) -> bytes:
    """With other numbers so far behind each such mark."""
    at, edited = data.find(mark), bytearray(data)
    while at >= 0:
        edited[at + offset : at + offset + struct.calcsize(code)] = struct.pack(code, *values)
        at = data.find(mark, at + 1)
    return bytes(edited)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp_frames(count: int, canvas: int) -> bytes:
    still = saved_as("WEBP", size=(16, 16))(1)[12:]
    size = (canvas - 1).to_bytes(3, "little") * 2
    frame = riff_chunk(b"ANMF", bytes(6) + (15).to_bytes(3, "little") * 2 + b"\1\0\0\0" + still)
    head = riff_chunk(b"VP8X", b"\x02\0\0\0" + size) + riff_chunk(b"ANIM", bytes(6))
    return riff(head, frame * count)


def webp_told(kind: bytes, flag: int, body: bytes) -> bytes:
    still = saved_as("WEBP", size=(16, 16))(1)[12:]
    size = (15).to_bytes(3, "little") * 2
    return riff(riff_chunk(b"VP8X", bytes((flag, 0, 0, 0)) + size), still, riff_chunk(kind, body))


def bmp(width: int, height: int, bits: int, packing: int, body: bytes) -> bytes:
    palette = bytes(range(4)) * 256 if bits == 8 else b""
    start = 54 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + palette + body


def deep(dtype: type, side: int = SIDE, **options) -> bytes:
    return saved("TIFF", PIL.Image.fromarray(np.zeros((side, side), dtype)), **options)


def narrow_tiles() -> bytes:
    """Sixteen bits a side would be the rule; Pillow takes a tile for every pixel."""
    return tiled_tiff(picture(1, (1000, 600)), side=1)


BOMBS: dict[str, Callable[[], bytes]] = {
    "flat_rgb.png": lambda: flat_png(8, 2, 3),
    "flat_deep_rgba.png": lambda: flat_png(16, 6, 4),
    "flat_deep_grey.png": lambda: flat_png(16, 0, 1),
    "flat_interlaced.png": interlaced_png,
    "claims_a_giant.png": lambda: png(200_000, 200_000, 8, 2, png_chunk(b"IDAT", inflating(10 * MEGABYTE))),
    "claims_the_most.png": lambda: png(2**31 - 1, 2**31 - 1, 16, 6, png_chunk(b"IDAT", b"")),
    "one_long_line.png": lambda: png(64_000_000, 1, 8, 0, png_chunk(b"IDAT", inflating(64_000_001))),
    "one_thin_column.png": lambda: png(1, 64_000_000, 8, 0, png_chunk(b"IDAT", inflating(128_000_000))),
    "text_inflates.png": lambda: png_with(png_chunk(b"zTXt", b"a\0\0" + inflating(100 * MEGABYTE))),
    "texts_inflate.png": lambda: png_with(png_chunk(b"zTXt", b"a\0\0" + inflating(900_000)) * 2000),
    "utf8_text_inflates.png": lambda: png_with(png_chunk(b"iTXt", b"a\0\1\0\0\0" + inflating(100 * MEGABYTE))),
    "profile_inflates.png": lambda: png_with(png_chunk(b"iCCP", b"a\0\0" + inflating(100 * MEGABYTE))),
    "exif_of_10_mb.png": lambda: png_with(png_chunk(b"eXIf", bytes(10 * MEGABYTE))),
    "exif_entries.png": lambda: png_with(png_chunk(b"eXIf", exif_of_entries(65_000))),
    "a_million_empty_chunks.png": lambda: png(1, 1, 8, 0, png_chunk(b"IDAT", b"") * 1_000_000),
    "frames_by_the_billion.png": lambda: png_with(png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    "claims_the_most.jpg": lambda: jpeg_claiming(65_535, 65_535),
    "claims_what_is_allowed.jpg": lambda: jpeg_claiming(SIDE, SIDE),
    "scans_500.jpg": lambda: jpeg_of_scans(500),
    "scans_10_000.jpg": lambda: jpeg_of_scans(10_000),
    "scans_of_a_small_one.jpg": lambda: jpeg_of_scans(100_000, 64, 64),
    "cmyk_progressive.jpg": lambda: jpeg_claiming(SIDE, SIDE, mode="CMYK", progressive=True),
    "profile_of_16_mb.jpg": lambda: jpeg_behind(
        *(segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 255)) + bytes(65_000)) for n in range(1, 256))
    ),
    "a_million_comments.jpg": lambda: jpeg_behind(segment(0xFE, b"") * 1_000_000),
    "exif_loop.jpg": lambda: jpeg_behind(segment(0xE1, exif_loop())),
    "exif_entries.jpg": lambda: jpeg_behind(segment(0xE1, b"Exif\0\0" + exif_of_entries(5_000))),
    "frames_by_the_billion.jpg": lambda: jpeg_behind(
        segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0xB001, 4, 1, 2**31, 0))
    ),
    "frames_100_000.gif": lambda: gif(1, 1, gif_frame() * 100_000),
    "frames_4_000_000.gif": lambda: gif(1, 1, gif_frame() * 4_000_000),
    "comments.gif": lambda: gif(1, 1, b"!\xfe\1a\0" * 2_000_000 + gif_frame()),
    "one_endless_comment.gif": lambda: gif(1, 1, b"!\xfe" + b"\1a" * 4_000_000 + b"\0" + gif_frame()),
    "flat.gif": flat_gif,
    "claims_the_most.gif": lambda: gif(65_535, 65_535, gif_frame(65_535, 65_535)),
    "a_frame_beyond_its_canvas.gif": lambda: gif(1, 1, gif_frame(65_535, 65_535)),
    "canvas_beyond_its_frame.gif": lambda: gif(SIDE, SIDE, gif_frame() * 1000),
    "flat_deflate.tif": lambda: tiff_of(SIDE, SIDE, 8, inflating(SIDE * SIDE)),
    "flat_lzw.tif": lambda: flat("TIFF", "L", compression="tiff_lzw"),
    "flat_fax.tif": lambda: flat("TIFF", "1", compression="group4"),
    "flat_float.tif": lambda: deep(np.float32, compression="tiff_adobe_deflate"),
    "flat_integer.tif": lambda: deep(np.int32, compression="tiff_adobe_deflate"),
    "flat_cmyk.tif": lambda: flat("TIFF", "CMYK", compression="tiff_adobe_deflate"),
    "fax_of_nothing.tif": lambda: tiff_of(1, 64_000_000, 4, bytes(64), 1),
    "pages_100_000.tif": lambda: tiff_chain(100_000),
    "directory_loop.tif": lambda: tiff(
        [(256, 4, 1, 4), (257, 4, 1, 4), (273, 4, 1, 8), (279, 4, 1, 16)], bytes(16), 24
    ),
    "tags_by_the_ten_thousand.tif": lambda: tiff([(tag, 7, 500_000, 8) for tag in range(300, 60_300)], bytes(500_000)),
    "a_tag_of_4_gb.tif": lambda: tiff([(256, 4, 1, 4), (257, 4, 1, 4), (700, 7, 2**32 - 1, 8)], bytes(16)),
    "bands_by_the_thousand.tif": lambda: tiff_of(100, 100, 1, bytes(10_000), 8, (338, 3, 65_000, 8)),
    "a_tile_a_pixel.tif": narrow_tiles,
    "exif_loop.tif": lambda: tiff_of(4, 4, 1, bytes(16), 8, (0x8769, 4, 1, 24), (0x8825, 4, 1, 24)),
    "canvas_of_268_mpx.webp": lambda: webp_frames(1, 16_384),
    "canvas_of_64_mpx.webp": lambda: webp_frames(500, SIDE),
    "frames_100_000.webp": lambda: webp_frames(100_000, 16),
    "flat_lossless.webp": lambda: flat("WEBP", size=(16_000, 4_000), lossless=True, quality=0, method=0),
    "exif_of_30_mb.webp": lambda: webp_told(b"EXIF", 8, b"Exif\0\0" + exif_of_entries(65_000) + bytes(30 * MEGABYTE)),
    "profile_of_30_mb.webp": lambda: webp_told(b"ICCP", 32, profile() + bytes(30 * MEGABYTE)),
    "claims_the_most.bmp": lambda: bmp(2**31 - 1, 2**31 - 1, 24, 0, bytes(64)),
    "claims_what_is_allowed.bmp": lambda: bmp(SIDE, SIDE, 24, 0, bytes(64)),
    "runs.bmp": lambda: bmp(SIDE, SIDE, 8, 1, b"\xff\x01" * (SIDE * SIDE // 255 + 1)),
    "runs_of_one.bmp": lambda: bmp(SIDE, SIDE, 8, 1, b"\1\1" * (20 * MEGABYTE)),
    "runs_nowhere.bmp": lambda: bmp(SIDE, SIDE, 8, 1, b"\0\2\xff\xff" * 100_000),
    "flat.avif": lambda: flat("AVIF", speed=10),
    "claims_the_most.avif": lambda: edited(saved_as("AVIF", speed=10)(1), b"ispe", 8, ">II", 2**16 - 1, 2**16 - 1),
    "items_by_the_thousand.avif": lambda: edited(saved_as("AVIF", speed=10)(1), b"iinf", 8, ">H", 2**16 - 1),
    "claims_the_most.jp2": lambda: edited(saved_as("JPEG2000")(1), b"\xff\x51", 6, ">II", 2**31, 2**31),
    "tiles_of_one_pixel.jp2": lambda: edited(saved_as("JPEG2000")(1), b"\xff\x51", 22, ">II", 1, 1),
    "flat.j2k": lambda: flat("JPEG2000", size=(SIDE // 2, SIDE // 2), no_jp2=True),
    "claims_the_most.ppm": lambda: b"P6 99999999 99999999 255\n" + bytes(64),
    "words.ppm": lambda: b"P3 4000 4000 255\n" + b"7 " * 12_000_000,
    "an_endless_word.ppm": lambda: b"P3 " + b"9" * 20_000_000 + b" 4 255\n",
    "scaled_by_hand.ppm": lambda: b"P6 4000 4000 254\n" + bytes(48_000_000),
    "comments_only.pgm": lambda: b"P5 " + b"#\n" * 10_000_000 + b"4 4 255\n" + bytes(16),
}
HEIF_BOMBS: dict[str, Callable[[], bytes]] = {
    "claims_the_most.heic": lambda: edited(heif()(1), b"ispe", 8, ">II", 2**31 - 1, 2**31 - 1),
    "claims_what_is_allowed.heic": lambda: edited(heif()(1), b"ispe", 8, ">II", SIDE, SIDE),
    "items_by_the_thousand.heic": lambda: edited(heif()(1), b"iinf", 8, ">H", 2**16 - 1),
}
if HEIF:
    BOMBS |= HEIF_BOMBS
