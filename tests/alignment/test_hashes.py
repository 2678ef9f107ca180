"""The perceptual hash, and its eight forms from its bits alone."""

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from app.alignment import forms, hash_of
from app.alignment.hashes import BYTES
from tests.audits.album import picture

FORMS = [
    turned if not mirrored else ("mirror", turned)
    for mirrored in (False, True)
    for turned in (None, "ROTATE_90", "ROTATE_180", "ROTATE_270")
]


def formed(made: PIL.Image.Image, form) -> PIL.Image.Image:
    if isinstance(form, tuple):
        return formed(PIL.ImageOps.mirror(made), form[1])
    return made if form is None else made.transpose(PIL.Image.Transpose[form])


def far(one: bytes, other: bytes) -> int:
    return int(np.unpackbits(np.frombuffer(one, np.uint8) ^ np.frombuffer(other, np.uint8)).sum())


@pytest.mark.parametrize("form", FORMS)
def test_each_turn_and_mirror_is_one_of_its_forms(form):
    made = picture(7)
    of = forms(np.frombuffer(hash_of(np.asarray(made)), np.uint8)[None])[0]
    turned = hash_of(np.asarray(formed(made, form)))
    assert of.shape == (8, BYTES)
    assert min(far(turned, one.tobytes()) for one in of) <= 4  # bits that lie about zero


def test_a_small_copy_is_near_and_another_picture_far():
    made = picture(8)
    assert far(hash_of(np.asarray(made)), hash_of(np.asarray(made.resize((120, 90))))) <= 8
    assert far(hash_of(np.asarray(made)), hash_of(np.asarray(picture(9)))) > 80


def test_a_grey_picture_has_the_hash_of_its_three_channels():
    grey = np.asarray(picture(8).convert("L"))
    assert hash_of(grey) == hash_of(np.stack([grey] * 3, axis=-1))
