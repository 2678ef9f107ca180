"""Warps, tones and overlays: each on numbers that can be told beforehand."""

from dataclasses import replace

import pytest
import torch

from app.vision.encoder import MEAN, STD
from training import overlays, tones, views, warps
from training.draws import Draws
from training.schedule import STAGES

SIDE = 56


@pytest.fixture
def ramp() -> torch.Tensor:
    """Two pictures that brighten to the right: float (2, 3, 56, 56)."""
    return torch.linspace(0, 1, SIDE).expand(2, 3, SIDE, SIDE).clone()


def test_the_same_key_draws_the_same_and_another_does_not():
    first, again, other = (Draws(4, 1, 2, key).uniform() for key in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_identity_shows_the_picture(ramp):
    seen, inside = warps.warp(ramp, torch.eye(3).repeat(2, 1, 1), SIDE)
    assert torch.allclose(seen, ramp, atol=1e-5)
    assert inside.min() == 1


def test_a_larger_canvas_shows_the_picture_in_its_middle(ramp):
    seen, inside = warps.warp(ramp, torch.diag(torch.tensor([2.0, 2.0, 1.0])).repeat(2, 1, 1), SIDE)
    assert inside.mean().item() == pytest.approx(0.25)
    middle = slice(SIDE // 4, -SIDE // 4)
    assert inside[0, 0, middle, middle].min() == 1
    assert seen[0, 0, SIDE // 2, SIDE // 4].item() == pytest.approx(0.0, abs=0.03)


def test_every_homography_looks_at_the_picture():
    moves = warps.homographies(torch.full((512,), 1.5), Draws(512, 1))
    _, inside = warps.warp(torch.zeros(512, 3, 28, 28), moves, 28)
    shares = inside.mean((1, 2, 3))
    assert shares.min() > 0.1
    assert shares.mean() > 0.7


def test_recompression_at_fine_steps_changes_little_and_keeps_the_mean(ramp):
    many = ramp[:1].repeat(64, 1, 1, 1)
    through = tones.recompress(many, Draws(64, 1))
    changed = (through != many).flatten(1).any(1)
    assert 5 < changed.sum() < 40  # about three in ten
    assert (through - many).abs().mean() < 0.05
    assert (through.mean((1, 2, 3)) - 0.5).abs().max() < 0.05


def test_the_transform_of_jpeg_is_orthonormal():
    assert torch.allclose(tones.DCT @ tones.DCT.T, torch.eye(8), atol=1e-6)


def test_blur_keeps_the_middle_of_a_ramp(ramp):
    many = ramp[:1].repeat(32, 1, 1, 1)
    blurred = tones.blur(many, Draws(32, 2))
    assert not torch.equal(blurred, many)
    assert torch.allclose(blurred[..., 8:-8, 8:-8], many[..., 8:-8, 8:-8], atol=1e-5)


EDITS = (tones.recolour, tones.blur, tones.coarsen, tones.recompress, tones.roughen, overlays.paste, overlays.scribble)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_leaves_its_input_alone_and_repeats_itself(ramp, edit):
    many, kept = ramp[:1].repeat(32, 1, 1, 1), ramp[:1].repeat(32, 1, 1, 1)
    first, again = edit(many, Draws(32, 5)), edit(many, Draws(32, 5))
    assert torch.equal(many, kept)
    assert torch.equal(first, again)
    assert torch.isfinite(first).all()


def test_what_surrounds_a_picture_leaves_the_picture_alone(ramp):
    inside = torch.zeros(2, 1, SIDE, SIDE)
    inside[..., 10:30] = 1
    filled = overlays.surround(ramp, inside, Draws(2, 1))
    assert torch.equal(filled[..., 10:30], ramp[..., 10:30])


def test_a_batch_of_one_source_is_drawn_where_that_source_is_large_enough(taught):
    alike = replace(STAGES[0], alike=1.0)
    drawn = [taught.sources[views.choose(taught, 4, alike, Draws(1, key))].unique().numel() for key in range(20)]
    few = [taught.sources[views.choose(taught, 4, alike, Draws(1, key))[:1]].item() == 0 for key in range(20)]
    assert all(count == 1 for count, is_few in zip(drawn, few, strict=True) if not is_few)
    assert 1 in drawn


def test_views_are_normalised_as_the_encoder_does(taught):
    groups = views.choose(taught, 4, STAGES[0], Draws(1, 1))
    assert len(set(groups.tolist())) == 4
    seen = views.draw(taught, groups, STAGES[0], Draws(4, 2))
    assert seen.shape == (4, 3, 112, 112)
    back = seen * torch.tensor(STD).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1)
    assert back.min() >= -1e-5
    assert back.max() <= 1 + 1e-5
