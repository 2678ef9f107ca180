"""Damage, by name and seed: the same number gives the same file for ever, as long as the healthy ones stay the same."""

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.damage.pieces import ENDINGS, pieces
from tests.damage.sources import Source

HEAD_BYTES = 128  # where headers have their sizes, counts and offsets
TAIL = b"<html><script>alert(1)</script>PK\3\4" * 40
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WIDTHS = (("B", 1), ("<H", 2), (">H", 2), ("<I", 4), (">I", 4))
WRONG_SUFFIXES = (".jpg", ".png", ".gif", ".webp", ".tif", ".bmp", ".avif", ".heic", ".jp2", ".ppm", ".txt", ".xyz", "")
METADATA = re.compile(rb"Exif\0\0|eXIf|EXIF|iCCP|ICC_PROFILE|ICCP|MM\0\*|II\*\0|acsp|colr")
COUNTS = re.compile(rb"acTL|fcTL|ANIM|ANMF|\x21\xf9|NETSCAPE|MPF\0|mvhd|stsz|iloc|ipma|ispe|\xff[\xc0\xc2]|IHDR|VP8")


@dataclass(frozen=True)
class Mutant:
    """One damaged file."""

    number: int
    source: Source
    mutation: str
    suffix: str
    data: bytes

    @property
    def name(self) -> str:
        return f"{self.number:05}-{self.source.name}-{self.mutation}{self.suffix}"

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.data)
        return path


Damage = Callable[[random.Random, Source, Source], bytes]  # of the first; the second is another healthy file


def mutants(sources: Sequence[Source], count: int, seed: int = 0) -> Iterator[Mutant]:
    """Every mutation of every source in turn, again with other dice when all were had."""
    names = list(MUTATIONS)
    for number in range(count):
        again, position = divmod(number, len(sources) * len(names))
        source, mutation = sources[position % len(sources)], names[position // len(sources)]
        yield _mutant(number, source, mutation, sources, f"{seed}:{again}:{source.name}:{mutation}")


def _mutant(number: int, source: Source, mutation: str, sources: Sequence[Source], seed: str) -> Mutant:
    dice = random.Random(seed)
    data = MUTATIONS[mutation](dice, source, dice.choice(sources))
    suffix = dice.choice(WRONG_SUFFIXES) if mutation == "wrong_suffix" else source.suffix
    return Mutant(number, source, mutation, suffix, data)


def _cut(dice: random.Random, source: Source, other: Source) -> bytes:
    return source.data[: dice.randrange(len(source.data))]


def _cut_at_the_end(dice: random.Random, source: Source, other: Source) -> bytes:
    return source.data[: -dice.randint(1, 16)]


def _cut_and_ended(dice: random.Random, source: Source, other: Source) -> bytes:
    """As a tool that repairs leaves it: the rest is gone, and the end says that all is here."""
    return _cut(dice, source, other) + ENDINGS.get(source.format, b"")


def _head_missing(dice: random.Random, source: Source, other: Source) -> bytes:
    return source.data[dice.randint(1, HEAD_BYTES) :]


def _bits(dice: random.Random, source: Source, other: Source) -> bytes:
    data = bytearray(source.data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _bytes(dice: random.Random, source: Source, other: Source) -> bytes:
    data = bytearray(source.data)
    for _ in range(dice.choice((1, 4, 16, 64))):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def _head_bytes(dice: random.Random, source: Source, other: Source) -> bytes:
    data = bytearray(source.data)
    for _ in range(dice.randint(1, 4)):
        data[dice.randrange(min(len(data), HEAD_BYTES))] = dice.choice((0, 1, 0xFF, dice.randrange(256)))
    return bytes(data)


def _zeros(dice: random.Random, source: Source, other: Source) -> bytes:
    """A sector that was never written."""
    start, end = sorted(dice.sample(range(len(source.data) + 1), 2))
    return source.data[:start] + bytes(end - start) + source.data[end:]


def _zeros_to_the_end(dice: random.Random, source: Source, other: Source) -> bytes:
    start = dice.randrange(len(source.data))
    return source.data[:start] + bytes(len(source.data) - start)


def _noise(dice: random.Random, source: Source, other: Source) -> bytes:
    start = dice.randrange(len(source.data))
    length = min(dice.choice((4, 32, 512)), len(source.data) - start)
    return source.data[:start] + dice.randbytes(length) + source.data[start + length :]


def _block_removed(dice: random.Random, source: Source, other: Source) -> bytes:
    start, end = sorted(dice.sample(range(len(source.data) + 1), 2))
    return source.data[:start] + source.data[end:]


def _block_doubled(dice: random.Random, source: Source, other: Source) -> bytes:
    start, end = sorted(dice.sample(range(len(source.data) + 1), 2))
    return source.data[:end] + source.data[start:]


def _piece_removed(dice: random.Random, source: Source, other: Source) -> bytes:
    parts = pieces(source.data, source.format)
    del parts[dice.randrange(len(parts))]
    return b"".join(parts)


def _piece_repeated(dice: random.Random, source: Source, other: Source) -> bytes:
    parts = pieces(source.data, source.format)
    at = dice.randrange(len(parts))
    return b"".join(parts[:at] + [parts[at]] * dice.choice((2, 3, 200)) + parts[at + 1 :])


def _pieces_swapped(dice: random.Random, source: Source, other: Source) -> bytes:
    parts = pieces(source.data, source.format)
    one, two = dice.randrange(len(parts)), dice.randrange(len(parts))
    parts[one], parts[two] = parts[two], parts[one]
    return b"".join(parts)


def _number(dice: random.Random, source: Source, other: Source) -> bytes:
    """A size, count, offset or length in the header becomes an extreme one."""
    return _mended(source, _with_number(dice, source.data, dice.randrange(HEAD_BYTES)))


def _piece_number(dice: random.Random, source: Source, other: Source) -> bytes:
    """The same at the head of a piece: its length, its first fields."""
    parts = pieces(source.data, source.format)
    at = dice.randrange(len(parts))
    parts[at] = _with_number(dice, parts[at], dice.randrange(16))
    return _mended(source, b"".join(parts))


def _count(dice: random.Random, source: Source, other: Source) -> bytes:
    """Near where frames, pages and sizes are counted."""
    return _mended(source, _with_number(dice, source.data, _near(dice, source.data, COUNTS, 24)))


def _metadata(dice: random.Random, source: Source, other: Source) -> bytes:
    """EXIF and colour profile, or whatever looks like one."""
    data = source.data
    for _ in range(dice.choice((1, 2, 8))):
        data = _with_number(dice, data, _near(dice, data, METADATA, 80))
    return _mended(source, data)


def _splice(dice: random.Random, source: Source, other: Source) -> bytes:
    """Begins as one file and goes on as another."""
    return source.data[: dice.randrange(len(source.data))] + other.data[dice.randrange(len(other.data)) :]


def _implant(dice: random.Random, source: Source, other: Source) -> bytes:
    """Pieces of two files in turn."""
    parts, foreign = pieces(source.data, source.format), pieces(other.data, other.format)
    parts.insert(dice.randrange(len(parts) + 1), dice.choice(foreign))
    return b"".join(parts)


def _tail(dice: random.Random, source: Source, other: Source) -> bytes:
    return source.data + dice.choice((TAIL, bytes(5000), other.data, dice.randbytes(3000)))


def _wrong_suffix(dice: random.Random, source: Source, other: Source) -> bytes:
    return dice.choice((source.data, _bytes(dice, source, other)))


def _with_number(dice: random.Random, data: bytes, at: int) -> bytes:
    code, width = dice.choice(WIDTHS)
    at = max(0, min(at, len(data) - width))
    return data[:at] + struct.pack(code, dice.choice(EXTREMES) & (256**width - 1)) + data[at + width :]


def _near(dice: random.Random, data: bytes, marks: re.Pattern, reach: int) -> int:
    """A place shortly after one of the marks; anywhere when there is none."""
    found = [mark.end() for mark in marks.finditer(data)]
    return dice.choice(found) + dice.randrange(reach) if found else dice.randrange(len(data))


def _mended(source: Source, data: bytes) -> bytes:
    """With checksums that agree again: a PNG's decoder would else not look further."""
    if source.format != "PNG":
        return data
    parts = pieces(data, "PNG")
    return parts[0] + b"".join(_mended_chunk(part) for part in parts[1:])


def _mended_chunk(part: bytes) -> bytes:
    if len(part) < 12:
        return part
    told, kind, body = part[:4], part[4:8], part[8:-4]
    return told + kind + body + struct.pack(">I", zlib.crc32(kind + body))


MUTATIONS: dict[str, Damage] = {
    "cut": _cut,
    "cut_at_the_end": _cut_at_the_end,
    "cut_and_ended": _cut_and_ended,
    "head_missing": _head_missing,
    "bits": _bits,
    "bytes": _bytes,
    "head_bytes": _head_bytes,
    "zeros": _zeros,
    "zeros_to_the_end": _zeros_to_the_end,
    "noise": _noise,
    "block_removed": _block_removed,
    "block_doubled": _block_doubled,
    "piece_removed": _piece_removed,
    "piece_repeated": _piece_repeated,
    "pieces_swapped": _pieces_swapped,
    "number": _number,
    "piece_number": _piece_number,
    "count": _count,
    "metadata": _metadata,
    "splice": _splice,
    "implant": _implant,
    "tail": _tail,
    "wrong_suffix": _wrong_suffix,
}
