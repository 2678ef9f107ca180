"""The files themselves: repeatable, kept, and as the truth tells."""

import hashlib

import PIL.Image
import PIL.ImageOps
import pytest

from app.errors import InvalidInput
from app.samples import FILE_NAME, generate, load


def digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def upright(path):
    with PIL.Image.open(path) as opened:
        return PIL.ImageOps.exif_transpose(opened).convert("RGB")


def test_the_same_seed_makes_the_same_bytes(album, tmp_path):
    folder, _ = album
    generate(tmp_path, count=4)
    again = digests(tmp_path)
    first = digests(folder)
    assert {path: first[path] for path in again if path != FILE_NAME} == {
        path: digest for path, digest in again.items() if path != FILE_NAME
    }


def test_the_truth_tells_of_every_file_and_of_no_other(album):
    folder, truth = album
    assert {picture.path for picture in truth.pictures} | {FILE_NAME} == set(digests(folder))


def test_the_truth_is_read_back_as_it_was_returned(album):
    folder, truth = album
    assert load(folder) == truth


def test_a_folder_without_samples_has_no_truth(tmp_path):
    assert load(tmp_path) is None


def test_sizes_are_those_of_the_upright_picture(album):
    folder, truth = album
    for picture in truth.pictures:
        assert upright(folder / picture.path).size == (picture.width_px, picture.height_px), picture.path


def test_boxes_lie_inside_and_are_of_sane_size(album):
    _, truth = album
    sightings = [sighting for picture in truth.pictures for sighting in picture.objects]
    assert len(sightings) >= 12
    for sighting in sightings:
        x0, y0, x1, y1 = sighting.box
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, sighting
        assert min(x1 - x0, y1 - y0) >= 0.02, sighting
        assert (x1 - x0) * (y1 - y0) <= 0.8, sighting
        assert 0.25 <= sighting.visible_share <= 1, sighting


def test_the_taken_date_is_in_the_file(album):
    folder, truth = album
    picture = next(picture for picture in truth.pictures if picture.original is None)
    with PIL.Image.open(folder / picture.path) as opened:
        stamp = opened.getexif().get_ifd(0x8769)[0x9003]
    assert stamp == picture.taken_at.replace("-", ":").replace("T", " ")


def test_files_already_there_are_not_written_again(album):
    folder, truth = album
    before = {path: (folder / path).stat().st_mtime_ns for path in digests(folder) if path != FILE_NAME}
    reports = []
    assert generate(folder, count=12, on_progress=lambda done, total: reports.append((done, total))) == truth
    assert {path: (folder / path).stat().st_mtime_ns for path in before} == before
    assert reports == [(12, 12)]


def test_a_lost_file_comes_back_as_it_was_and_alone(album):
    folder, truth = album
    before = digests(folder)
    lost = next(picture.path for picture in truth.pictures if picture.original is None)
    (folder / lost).unlink()
    reports = []
    generate(folder, count=12, on_progress=lambda done, total: reports.append((done, total)))
    assert digests(folder) == before
    assert reports == [(11, 12), (12, 12)]


def test_a_smaller_count_later_forgets_nothing(album):
    folder, truth = album
    assert generate(folder, count=3) == truth


def test_another_seed_in_the_same_folder_is_refused(album):
    folder, _ = album
    with pytest.raises(InvalidInput, match="holds the samples of seed 2026, not 5"):
        generate(folder, count=12, seed=5)


def test_a_count_below_one_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="count is 0"):
        generate(tmp_path, count=0)
