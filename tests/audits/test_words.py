"""What a person reads of the files of a group, and of what the rules see in them."""

from datetime import datetime

import pytest

from app.audits.grouping.rules import RULES, File
from app.audits.showing import export, pages
from app.ui.audits import wording
from tests.audits.album import cropped, picture, write
from tests.workshop import fill

SECOND = 1_700_000_000
OLDEST = RULES["oldest"]


@pytest.fixture
def twins(shop, audit, tmp_path) -> int:
    """The id of an audit of a picture, the same bytes again, and a part of it that is there twice."""
    whole, part = tmp_path / "photos" / "whole.jpg", tmp_path / "photos" / "part.jpg"
    write(whole, picture(1))
    write(part, cropped(picture(1)))
    for path in (whole, part):
        path.with_stem(f"{path.stem} again").write_bytes(path.read_bytes())
    fill(shop, tmp_path / "photos")
    return audit()["audit_id"]


def test_a_twin_of_a_copy_is_called_so_and_not_an_edit_of_its_own(shop, twins, tmp_path):
    [group] = pages.page(shop.resources, twins, pages.tallies(shop.resources, twins)).groups
    keeper, *others = group.members
    told = [wording.relation(member, keeper) for member in others]
    parts = [one for one in told if "ropped to" in one]
    assert (len(parts), told.count("Same bytes"), told.count("Same bytes as another copy")) == (1, 1, 1)
    export.write(shop.resources, twins, tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text().partition("<article")[2]
    assert (report.count("cropped"), report.count("same bytes as another copy")) == (1, 1)


@pytest.mark.parametrize(
    ("file_ns", "other_ns", "digits"),
    [
        (0, 2_000_000_000, ("", "")),
        (250_000_000, 1_250_000_000, ("", "")),
        (0, 250_999_999, (".000", ".250")),
        (1_000, 2_999, (".000001", ".000002")),
        (999_999_998, 999_999_999, (".999999998", ".999999999")),
    ],
)
def test_times_are_told_to_the_digit_that_tells_them_apart(file_ns, other_ns, digits):
    file, other = (_written(SECOND * 10**9 + rest) for rest in (file_ns, other_ns))
    one, two = (f"{_clock(ns)}{digit}" for ns, digit in zip((file_ns, other_ns), digits, strict=True))
    assert OLDEST.better(file, other) == f"older: written {one}, the other {two}"
    assert OLDEST.worse(other, file) == f"newer: written {two}, the other {one}"


def test_what_a_border_is_measured_by_too_little_makes_no_picture_the_larger():
    plain, framed = (
        File(1, 1, "0" * 64, "/p/a.jpg", "/p", 1000, 0, height_px=side, width_px=side, content=content)
        for side, content in ((800, 1.0), (944, 0.72))  # 0.718 in truth
    )
    assert plain.pixels > framed.pixels > 0.95 * plain.pixels


def _written(mtime_ns: int) -> File:
    return File(1, 1, "0" * 64, "/p/a.jpg", "/p", 1000, mtime_ns)


def _clock(rest_ns: int) -> str:
    return datetime.fromtimestamp(SECOND + rest_ns // 10**9).strftime("%Y-%m-%d %H:%M:%S")
