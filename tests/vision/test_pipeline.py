"""Files to vectors: in the order given, never too many at once, refusals in their places."""

import numpy as np
import pytest

from app.errors import UnreadableImage
from app.vision import pipeline
from app.vision.decoder import Decoder
from app.vision.pipeline import embed_files
from tests.conftest import make_settings, paint


@pytest.fixture
def decoder(tmp_path):
    with Decoder(make_settings(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def files(tmp_path):
    return [paint(tmp_path / f"{number}.jpg", number, (28 + 14 * number, 28)) for number in range(7)]


def test_vectors_come_in_the_order_given_and_a_refusal_in_its_place(encoder, decoder, files, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 2)
    (tmp_path / "no.jpg").write_text("no picture")
    asked = [*files[:3], tmp_path / "no.jpg", *files[3:], files[0]]
    answered = list(embed_files(asked, decoder, encoder))
    assert [path for path, _ in answered] == asked
    assert isinstance(answered[3][1], UnreadableImage)
    alone = [encoder.embed([decoder.submit(path).result().pixels])[0] for path in files]
    got = [outcome for _, outcome in answered if isinstance(outcome, np.ndarray)]
    np.testing.assert_allclose(got, [*alone, alone[0]], atol=1e-5)


def test_no_more_are_under_way_than_the_limit(encoder, decoder, files, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 1)
    monkeypatch.setattr(pipeline, "AHEAD", 3)
    taken = []
    answers = embed_files((taken.append(path) or path for path in files), decoder, encoder)
    next(answers)
    assert len(taken) == 3
    next(answers)
    assert len(taken) == 4


def test_no_files_give_nothing(encoder, decoder):
    assert list(embed_files([], decoder, encoder)) == []
