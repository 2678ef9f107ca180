"""The recorded answers to one built-in picture, and the machine that gives others."""

import hashlib

import numpy as np
import pytest
import torch

from app.errors import ServiceUnavailable
from app.vision import fingerprint
from app.vision.architectures import ARCHITECTURES
from app.vision.encoder import Encoder
from app.vision.precision import get_precision
from app.vision.served import ACTIVATIONS

PICTURE_SHA256 = "7dd87b0487edcf88bfe59f89adef9672007e415a7fffd6952f400cc43b87c33d"
FLOAT32 = get_precision("float32", torch.device("cpu"))


def test_the_picture_is_the_same_everywhere():
    assert hashlib.sha256(fingerprint.picture().tobytes()).hexdigest() == PICTURE_SHA256


def test_the_recorded_answer_is_the_one_given_here(encoder):
    vector = encoder.embed([fingerprint.picture()])[0]
    assert np.abs(fingerprint.recorded()["untrained_vits14"] - vector).max() < 1e-5
    assert fingerprint.shown(vector) == "+0.0693 +0.0201 +0.0491 +0.0629 -0.0616 +0.0533 +0.0390 -0.0592"


@pytest.mark.parametrize("row", [row for row in ARCHITECTURES if row.bundled], ids=lambda row: row.name)
def test_a_bundled_model_answers_as_it_did_where_it_was_made(row, tmp_path):
    """Opening it checks that too; here the bound is tighter."""
    vector = Encoder.open(row.name, tmp_path, device="cpu").embed([fingerprint.picture()])[0]
    assert float(fingerprint.recorded()[row.name] @ vector) > 0.999999


def test_a_machine_that_calculates_otherwise_is_refused_before_it_embeds_anything(monkeypatch, tmp_path):
    """An activation a tenth too small stands for a broken kernel."""
    monkeypatch.setitem(ACTIVATIONS, "mlp", ("fc1", lambda x: torch.nn.functional.gelu(x) * 0.9, "fc2"))
    with pytest.raises(ServiceUnavailable, match=r"untrained_vits14 in float32 answers otherwise here than recorded"):
        Encoder.open("untrained_vits14", tmp_path, device="cpu")


def test_an_answer_that_is_no_number_is_refused():
    with pytest.raises(ServiceUnavailable, match="cosine nan"):
        fingerprint.check("untrained_vits14", np.full(384, np.nan, np.float32), FLOAT32)


def test_a_model_of_which_nothing_is_recorded_passes():
    fingerprint.check("dinov2_vits14", np.zeros(384, np.float32), FLOAT32)
