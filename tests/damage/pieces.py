"""A file taken apart along its seams: segments of a JPEG, chunks of a PNG, boxes of an AVIF. Joined, they are it."""

import itertools
import re
import struct
from collections.abc import Callable

PNG_HEAD, RIFF_HEAD, BLOCK = 8, 12, 64
ENDINGS = {
    "JPEG": b"\xff\xd9",
    "PNG": b"\0\0\0\0IEND\xaeB`\x82",
    "GIF": b"\0;",
}  # what says that all is here


def pieces(data: bytes, format: str) -> list[bytes]:
    """At least two for a file of more than a few bytes; where the format has no seams, equal blocks."""
    seams = sorted({0, *(at for at in SEAMS.get(format, _blocks)(data) if 0 < at < len(data)), len(data)})
    return [data[start:end] for start, end in itertools.pairwise(seams)]


def _segments(data: bytes) -> list[int]:
    return [found.start() for found in re.finditer(rb"\xff[\xc0-\xfe]", data)]


def _png_chunks(data: bytes) -> list[int]:
    seams, at = [], PNG_HEAD
    while at + 12 <= len(data):
        seams.append(at)
        at += 12 + struct.unpack_from(">I", data, at)[0]
    return seams


def _riff_chunks(data: bytes) -> list[int]:
    seams, at = [], RIFF_HEAD
    while at + 8 <= len(data):
        seams.append(at)
        length = struct.unpack_from("<I", data, at + 4)[0]
        at += 8 + length + length % 2
    return seams


def _boxes(data: bytes) -> list[int]:
    """Of every depth: a box inside another is known by its four letters."""
    return [found.start() - 4 for found in re.finditer(rb"[a-z]{3}[a-zA-Z0-9]", data) if found.start() >= 4]


def _gif_blocks(data: bytes) -> list[int]:
    return [found.start() for found in re.finditer(rb"[\x21\x2c]|\0(?=[\x21\x2c\x3b])", data)]


def _blocks(data: bytes) -> list[int]:
    return list(range(0, len(data), BLOCK))


SEAMS: dict[str, Callable[[bytes], list[int]]] = {
    "JPEG": _segments,
    "JPEG2000": _segments,
    "PNG": _png_chunks,
    "WEBP": _riff_chunks,
    "GIF": _gif_blocks,
    "AVIF": _boxes,
    "HEIF": _boxes,
}
