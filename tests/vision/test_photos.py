"""Every file of the real photo collection through decoder and network, against the truth in its manifest."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import app.vision.decoder
from app.errors import UnreadableImage
from app.vision import pixels
from app.vision.answers import Prepared
from app.vision.decoder import Decoder
from tests.conftest import make_settings
from tests.vision.processes import LINUX, decode_children_of, peak_memory_bytes

FAMILIES = ("g4_tiff", "ianare_portrait", "recurser_landscape", "xmp_orientation")  # phone_desk is four shots


@pytest.fixture(scope="module")
def rows(shared) -> list[dict]:
    with (shared / "photos" / "MANIFEST.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def decoded(shared, rows, tmp_path_factory) -> tuple[dict[str, Prepared | UnreadableImage], int]:
    """What became of every file in the manifest, and the most memory a child took for it."""
    settings = make_settings(tmp_path_factory.mktemp("home"), decode_timeout_s=300)  # a busy machine takes its time
    with pytest.MonkeyPatch.context() as patch, Decoder(settings) as decoder:
        patch.setattr(app.vision.decoder, "TASKS_PER_CHILD", len(rows))  # none goes before it was looked at
        futures = {
            row["path"]: decoder.submit(shared / "photos" / row["path"], thumbnail=row["path"].startswith("weird/"))
            for row in rows
        }
        errors = {path: future.exception() for path, future in futures.items()}
        peak_bytes = max(map(peak_memory_bytes, decode_children_of(os.getpid())), default=0)
    assert {type(error) for error in errors.values()} == {type(None), UnreadableImage}
    return {path: error or futures[path].result() for path, error in errors.items()}, peak_bytes


@pytest.fixture(scope="module")
def outcomes(decoded) -> dict[str, Prepared | UnreadableImage]:
    return decoded[0]


def test_whatever_should_decode_does(rows, outcomes):
    meant = [row["path"] for row in rows if row["expect"] in ("", "decode", "decode upright")]
    assert {path: str(outcomes[path]) for path in meant if isinstance(outcomes[path], UnreadableImage)} == {}
    assert len(meant) > 1200


def test_whatever_should_be_refused_is_with_its_reason(rows, outcomes):
    expected = {
        "weird/truncated/expected_to_read.jp2": "truncated",
        "weird/corrupt/broken.png": "damaged",
        "weird/corrupt/unknown_compression_method.png": "damaged",
        "weird/corrupt/invalid_header_length.jp2": "damaged",
        "weird/corrupt/zero_width.gif": "damaged",
        "weird/corrupt/badbitcount.bmp": "damaged",
        "weird/fuzz/crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "damaged",
        "weird/fuzz/crash-2020-10-test.tif": "damaged",
        "weird/fuzz/seek_too_large.tif": "damaged",
        "weird/fuzz/crash-64834657ee604b8797bf99eac6a194c124a9a8ba.sgi": "unsupported_format",
        "weird/fuzz/timeout-598843abc37fc080ec36a2699ebbd44f795d3a6f.psd": "unsupported_format",
        "weird/fuzz/crash-4fb027452e6988530aa5dabee76eecacb3b79f8a.j2k": "damaged",
        "weird/fuzz/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif": "damaged",
        "weird/bomb/decompression_bomb.gif": "too_large",
        "weird/bomb/badwidth.bmp": "too_large",
        "weird/bomb/oom-8ed3316a4109213ca96fb8a256a0bfefdece1461.icns": "unsupported_format",
        "weird/not_image/empty.jpeg": "empty",
        "weird/not_image/annotations.json": "not_a_picture",
        "weird/not_image/test_pdf_complete.pdf": "not_a_picture",
        "weird/not_image/0.npy": "not_a_picture",
        "weird/wrong_extension/pngtest_bad.png.bin": "damaged",
        "weird/other_format/non_zero_bb.eps": "unsupported_format",
    }
    refused = {row["path"]: outcomes[row["path"]] for row in rows if row["expect"] == "reject"}
    assert {path: getattr(outcome, "code", "decoded") for path, outcome in refused.items()} == expected
    assert [str(outcome) for outcome in refused.values() if not 10 < len(str(outcome)) < 200] == []


def test_frames_are_counted(outcomes):
    counted = {
        "weird/animated/chi.gif": 31,
        "weird/animated/iss634.gif": 42,
        "weird/animated/iss634.webp": 42,
        "weird/wrong_extension/iss634.apng": 41,
        "weird/animated/multipage.tiff": 3,
        "weird/animated/sugarshack.mpo": 2,
        "weird/corrupt/sugarshack_bad_mpo_header.jpg": 1,
    }
    assert {path: outcomes[path].frames for path in counted} == counted


@LINUX
def test_no_child_took_a_gigabyte(decoded):
    assert 2**25 < decoded[1] < 2**30


@pytest.mark.parametrize(
    ("one", "other", "levels"),
    [
        ("transparency/transparent.png", "transparency/transparent.webp", 3),
        ("transparency/transparent.png", "transparency/transparent.gif", 6),
        ("other_format/test-card.png", "other_format/test-card-lossless.jp2", 0.5),
        ("animated/iss634.gif", "animated/iss634.webp", 6),
        ("animated/sugarshack.mpo", "corrupt/sugarshack_bad_mpo_header.jpg", 0.5),
        ("colour_mode/pil_sample_cmyk.jpg", "colour_mode/pil_sample_rgb.jpg", 12),
    ],
)
def test_twins_in_other_formats_are_the_same_picture(outcomes, one, other, levels):
    one, other = (outcomes[f"weird/{path}"].pixels.astype(int) for path in (one, other))
    assert np.abs(one - other).mean() < levels


def test_decoding_at_reduced_scale_moves_no_vector(shared, encoder):
    """All photos large enough for it: cosine to the full decode. 0.999 is the bound, 0.9998 was measured."""
    seen = []
    for path in sorted((shared / "photos" / "orientation").rglob("*.jpg")):
        reduced = pixels.decode(path, least=pixels.least_size)
        if reduced.reduction.scale > 1:
            seen += [pixels.prepare(reduced), pixels.prepare(pixels.decode(path))]
    vectors = encoder.embed(seen)
    assert len(seen) >= 20
    assert (vectors[::2] * vectors[1::2]).sum(axis=1).min() >= 0.9995


def test_a_picture_finds_its_turned_copies_before_all_others(outcomes, encoder):
    turned = [path for path in outcomes if Path(path).parts[1] in FAMILIES]
    others = [path for path in outcomes if path.startswith("distractors/")][::40]
    vectors = encoder.embed([outcomes[path].pixels for path in turned + others])
    cosines = vectors[: len(turned)] @ vectors.T
    family = np.array([Path(path).parent for path in turned + others])
    for row, path in enumerate(turned):
        mine = family == Path(path).parent
        assert cosines[row, mine].min() >= 0.98, path
        assert cosines[row, ~mine].max() < cosines[row, mine].min(), path
