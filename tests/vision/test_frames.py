"""Frames are counted as far as a file leads, and never without end."""

import struct

import pytest

from app.vision import frames, pixels
from tests.damage.bombs import gif, gif_frame, png_chunk, png_with, tiff_chain
from tests.damage.sources import saved_as


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "PNG", "AVIF", "MPO"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_frames_are_counted(format, count):
    assert pixels.decode(saved_as(format, frames=count)(3)).frames == count


@pytest.mark.parametrize("order", ["big_endian", "big_tiff"])
def test_pages_of_other_kinds_of_tiff(order):
    data = saved_as("TIFF", frames=3, big_tiff=True)(3) if order == "big_tiff" else big_endian_pages(3)
    assert pixels.decode(data).frames == 3


def big_endian_pages(count: int) -> bytes:
    entries = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16), (262, 3, 1, 1 << 16)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1 << 16), (278, 4, 1, 4), (279, 4, 1, 16)]
    table = struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHII", *entry) for entry in entries)
    following = [*(24 + (len(table) + 4) * page for page in range(1, count)), 0]
    return b"MM\0*" + struct.pack(">I", 24) + bytes(16) + b"".join(table + struct.pack(">I", at) for at in following)


def test_a_damaged_file_counts_the_frames_it_still_leads_to():
    whole = saved_as("GIF", frames=5)(3)
    assert pixels.decode(whole[: len(whole) // 2]).frames in (2, 3)
    assert pixels.decode(tiff_chain(3)[:-120]).frames == 2


def test_pages_in_a_circle_are_counted_once():
    assert pixels.decode(tiff_chain(3)[:-4] + struct.pack("<I", 24)).frames == 3


def test_a_count_has_an_end(monkeypatch):
    monkeypatch.setattr(frames, "MOST_FRAMES", 4)
    billions = png_with(png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    for data in (gif(1, 1, gif_frame() * 9), tiff_chain(9), billions):
        assert pixels.decode(data).frames == 4


def test_hops_over_blocks_have_an_end(monkeypatch):
    monkeypatch.setattr(frames, "MOST_HOPS", 10)
    endless = gif(1, 1, gif_frame() + b"!\xfe" + b"\1a" * 50 + b"\0" + gif_frame())
    assert pixels.decode(endless).frames == 1
