"""How many frames or pages a file has, by hopping from one to the next: nothing is decoded, and no count is endless."""

import struct
from collections.abc import Callable, Iterator
from itertools import islice

import PIL.Image

MOST_FRAMES = 10_000  # nobody asks beyond; a header may claim four billion, and 64 MB hold five million in earnest
MOST_HOPS = 1_000_000  # over blocks of a GIF, which may be one byte each
GIF_HEAD, GIF_EXTENSION, GIF_FRAME = 13, 0x21, 0x2C
# first two bytes and version of a TIFF -> byte order, code of an offset, of a count, bytes of an entry
TIFF_KINDS = {
    b"II*\0": ("<", "I", "H", 12),
    b"MM\0*": (">", "I", "H", 12),
    b"II+\0": ("<", "Q", "Q", 20),
    b"MM\0+": (">", "Q", "Q", 20),
}


def count_frames(data: bytes, image: PIL.Image.Image) -> int:
    """From 1 to MOST_FRAMES. Those that a damaged file still leads to; where the header knows, what it says."""
    walk = WALKS.get(image.format or "")
    told = sum(1 for _ in islice(_until_damage(walk(data)), MOST_FRAMES)) if walk else getattr(image, "n_frames", 1)
    return max(1, min(told, MOST_FRAMES))


def _until_damage(frames: Iterator[int]) -> Iterator[int]:
    try:
        yield from frames
    except (struct.error, IndexError):
        return


def _gif_frames(data: bytes) -> Iterator[int]:
    """Where each frame begins. Raises IndexError where the file ends without an end."""
    at = GIF_HEAD + _table_bytes(data[10])
    hops = iter(range(MOST_HOPS))
    while data[at] in (GIF_EXTENSION, GIF_FRAME):
        if data[at] == GIF_FRAME:
            yield at
            at += 11 + _table_bytes(data[at + 9])
        else:
            at += 2
        while data[at]:
            if next(hops, None) is None:
                return
            at += 1 + data[at]
        at += 1


def _table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _tiff_pages(data: bytes) -> Iterator[int]:
    """Where each page's directory begins, until none follows or one comes again."""
    order, offset, count, entry_bytes = TIFF_KINDS[data[:4]]
    head = 8 if offset == "Q" else 4
    seen: set[int] = set()
    (at,) = struct.unpack_from(order + offset, data, head)
    while at and at not in seen:
        (entries,) = struct.unpack_from(order + count, data, at)
        seen.add(at)
        yield at
        (at,) = struct.unpack_from(order + offset, data, at + struct.calcsize(count) + entries * entry_bytes)


WALKS: dict[str, Callable[[bytes], Iterator[int]]] = {"GIF": _gif_frames, "TIFF": _tiff_pages}
