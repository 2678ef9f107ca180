"""Pictures that a decoder filled up by itself: their data ends early, and all of them would look alike.

Pillow refuses a file that is cut short, but not one that got its end back from a tool, or whose rest was never written
and is zeros: libjpeg paints what is missing grey, and of a PNG it stays black. Such a file raises OSError here.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator

import PIL.Image
from PIL import ImageChops

GREY = frozenset((127, 128, 129))  # of a JPEG's blocks without data, in every band of every colour space
MARKER = re.compile(rb"\xff+[\x01-\xfe]")  # padded or not; no stuffed byte
RESTARTS = range(0xD0, 0xD8)
SOI, EOI, SOS = b"\xff\xd8", b"\xff\xd9", 0xDA
OTHER_FRAMES = frozenset((0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))  # than Huffman's usual
RUBBISH = bytes(range(7, 250, 11)) * 3  # taken for picture where some is missing, skipped where none is
RUBBISH_WITH_RESTARTS = RUBBISH + b"".join(bytes((0xFF, restart)) + RUBBISH for restart in RESTARTS)
TIFF_COMPRESSION, TIFF_JPEG, TIFF_TABLES = 259, 7, 347
TIFF_PARTS = ((273, 279), (324, 325))  # tags: offsets and sizes of strips, of tiles
PNG_HEAD, PALETTE = 8, 3
PNG_BANDS = {0: 1, 2: 3, PALETTE: 1, 4: 2, 6: 4}  # by colour type
WHOLE_PASS = ((0, 0, 1, 1),)
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
INFLATED_BYTES = 2**20  # at a time
SHORT = "the image data is truncated: the rest of the picture is missing"


def refuse_filled(data: bytes, image: PIL.Image.Image) -> None:
    """Look at a loaded picture, not turned or converted yet. Only one with a grey or black corner is read again."""
    check = CHECKS.get(image.format or "")
    if check is not None:
        check(data, image)


def _jpeg(data: bytes, image: PIL.Image.Image) -> None:
    if _last_pixel(image) <= GREY and _is_starved(data):
        raise OSError(SHORT)


def _tiff(data: bytes, image: PIL.Image.Image) -> None:
    """A JPEG in it is looked at as such: the last strip or tile, with the tables that all share."""
    tags = image.tag_v2
    if tags.get(TIFF_COMPRESSION) != TIFF_JPEG:
        return
    starts, sizes = next((tags[starts], tags[sizes]) for starts, sizes in TIFF_PARTS if starts in tags)
    part = data[starts[-1] : starts[-1] + sizes[-1]]
    _jpeg(tags.get(TIFF_TABLES, SOI + EOI)[: -len(EOI)] + part[len(SOI) :] + EOI, image)  # some write none of their own


def _png(data: bytes, image: PIL.Image.Image) -> None:
    """Pillow looks at no checksum of the pixels, and takes too short a stream for an end."""
    header, packed, kinds = b"", [], set()
    for kind, body, checksum in _chunks(data):
        if kind == b"IDAT" and zlib.crc32(body, zlib.crc32(kind)) != checksum:
            raise OSError("the checksum of its pixels is wrong")
        kinds.add(kind)
        header = body if kind == b"IHDR" else header
        packed += [body] if kind == b"IDAT" else []
    width, height, bits, colour, interlaced = struct.unpack_from(">IIBBxxB", header)
    if colour == PALETTE and b"PLTE" not in kinds:
        raise OSError("its palette is missing")
    if _last_pixel(image) <= {0} and _inflated(packed) < _filtered(width, height, bits * PNG_BANDS[colour], interlaced):
        raise OSError(SHORT)


def _last_pixel(image: PIL.Image.Image) -> set[int]:
    """What its bands have in the corner that a decoder comes to last."""
    corner = image.getpixel((image.width - 1, image.height - 1))
    return set(corner) if isinstance(corner, tuple) else {corner}


def _is_starved(data: bytes) -> bool:
    """Whether more bytes where its scans end change the picture: a decoder that has all it needs skips them.

    Looked at in an eighth of its sides, where every block still counts.
    """
    ends = _ends_of_scans(data)
    if ends is None:
        return False
    parts, start = [], 0
    for end, marker in ends:
        parts += [data[start:end], RUBBISH if marker in RESTARTS else RUBBISH_WITH_RESTARTS]
        start = end
    one, other = _eighth(data), _eighth(b"".join((*parts, data[start:])))
    return ImageChops.difference(one, other).getbbox(alpha_only=False) is not None


def _ends_of_scans(data: bytes) -> list[tuple[int, int]] | None:
    """Where and with which marker, in the first picture of the file; at restarts too. None unless coded as Huffman."""
    ends, at, scanned = [], len(SOI), False
    while found := MARKER.search(data, at):
        marker, length = data[found.end() - 1], int.from_bytes(data[found.end() : found.end() + 2], "big")
        if scanned:
            ends.append((found.start(), marker))
        if marker == EOI[1]:
            break
        if marker in OTHER_FRAMES:
            return None
        restart = marker in RESTARTS
        at, scanned = (found.end(), scanned) if restart else (found.end() + length, marker == SOS)
    return ends


def _eighth(data: bytes) -> PIL.Image.Image:
    image = PIL.Image.open(io.BytesIO(data), formats=["JPEG"])
    image.draft(None, (1, 1))
    image.load()
    return image


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Kind, body and checksum of each; up to the end, or to what is no chunk."""
    view, at = memoryview(data), PNG_HEAD
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IEND" or at + 12 + length > len(data):
            return
        yield kind, view[at + 8 : at + 8 + length], struct.unpack_from(">I", data, at + 8 + length)[0]
        at += 12 + length


def _inflated(packed: list[memoryview]) -> int:
    """Bytes of pixels in a PNG's stream, none of them kept."""
    stream, count = zlib.decompressobj(), 0
    for part in packed:
        while part and not stream.eof:
            count += len(stream.decompress(part, INFLATED_BYTES))
            part = stream.unconsumed_tail
    return count + len(stream.flush())


def _filtered(width: int, height: int, bits: int, interlaced: int) -> int:
    """Bytes that a whole PNG's stream has: each line of each pass begins with a byte for its filter."""
    sizes = [
        (-(-(width - left) // right), -(-(height - top) // down))
        for left, top, right, down in (ADAM7 if interlaced else WHOLE_PASS)
    ]
    return sum(lines * (1 + -(-columns * bits // 8)) for columns, lines in sizes if columns > 0)


CHECKS = {"JPEG": _jpeg, "MPO": _jpeg, "TIFF": _tiff, "PNG": _png}
