"""Which copy is kept: the rules in their order, each only where it can tell."""

from dataclasses import replace

import pytest

from app.audits.grouping.keeper import Ranking
from app.audits.grouping.rules import File, Rules

HOUR_NS = 3600 * 10**9
ORIGINAL = File(1, 1, "a" * 64, "/p/a.jpg", "/p", 80_000, 10 * HOUR_NS, format="JPEG", height_px=800, width_px=600)
COPY = replace(ORIGINAL, location_id=2, image_id=2, digest="b" * 64, path="/p/b.jpg", mtime_ns=11 * HOUR_NS)


def kept(*files: File, **rules) -> File:
    ranking = Ranking(Rules.of(rules))
    first, *others = ranking.sorted(files)
    assert [first, *others] == ranking.sorted(files[::-1])
    return first


@pytest.mark.parametrize(
    ("better", "why"),
    [
        ({"size_bytes": 130_000}, "more bytes"),
        ({"format": "PNG"}, "better format"),
        ({"camera": "A camera"}, "camera's own data"),
        ({"width_px": 640}, "larger"),
    ],
)
def test_a_copy_that_has_more_is_kept_and_says_why(better, why):
    best = replace(COPY, **better)
    assert kept(ORIGINAL, best) == best
    assert why in Ranking(Rules.of({})).why_kept(best, [ORIGINAL])


def test_a_few_per_cent_of_bytes_are_no_reason_and_the_older_stays():
    """Written on or mirrored, and saved again: not better for being larger by a caption."""
    captioned = replace(COPY, size_bytes=84_000)
    assert kept(ORIGINAL, captioned) == ORIGINAL
    assert "older" in Ranking(Rules.of({})).why_kept(ORIGINAL, [captioned])


def test_a_border_makes_no_picture_larger():
    framed = replace(COPY, height_px=944, width_px=744, content=0.68)
    assert kept(ORIGINAL, framed) == ORIGINAL
    assert "border" in Ranking(Rules.of({})).why_not(framed, ORIGINAL)


def test_a_folder_that_is_preferred_comes_before_all_that_files_have():
    small = replace(COPY, height_px=80, width_px=60, folder="/keep/2024")
    assert kept(ORIGINAL, small, folders=["/keep"]) == small
    assert kept(ORIGINAL, small, protected=["/keep"]) == small
    assert kept(ORIGINAL, small, folders=["/keepers"]) == ORIGINAL
