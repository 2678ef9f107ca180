"""Two sights of a picture: patches said to show the same place do, and a basis learned of them tells places apart."""

import numpy as np
import PIL.Image
import pytest
import torch

from app.samples.paint import painted
from app.samples.plan import Shot, plan
from training.places import photos, taught
from training.sights import GRID, PAINTED, PATCH_PX, PHOTOS, pairs


@pytest.mark.parametrize("manner", [PHOTOS, PAINTED], ids=["photos", "painted"])
def test_the_same_place_has_the_same_colour_in_both(tmp_path, manner):
    """Red grows across the picture and green down it; light and lens change both, and their order hardly."""
    across, down = np.meshgrid(np.linspace(20, 235, 500), np.linspace(20, 235, 400))
    PIL.Image.fromarray(np.dstack([across, down, np.full_like(down, 90)]).astype(np.uint8)).save(tmp_path / "a.png")
    drawn = list(pairs([tmp_path / "a.png"] * 12, manner, np.random.default_rng(1)))
    assert len(drawn) >= 6
    agreed = [_correlation(pair.one, pair.ones, pair.other, pair.others) for pair in drawn]
    assert np.percentile(agreed, 70) > 0.97  # one in ten is made grey, and some windows are narrow


def _correlation(one: np.ndarray, ones: np.ndarray, other: np.ndarray, others: np.ndarray) -> float:
    sides = [_patches(one)[ones], _patches(other)[others]]
    return min(np.corrcoef(sides[0][:, channel], sides[1][:, channel])[0, 1] for channel in (0, 1))


def _patches(sight: np.ndarray) -> np.ndarray:
    return sight.reshape(GRID, PATCH_PX, GRID, PATCH_PX, 3).mean(axis=(1, 3)).reshape(-1, 3)


def test_what_both_sights_share_is_told_from_what_only_one_shows():
    """Of 96 numbers half are the place's own, and the other half, ten times as strong, the sight's."""
    rng, torch_rng = np.random.default_rng(2), torch.Generator().manual_seed(3)
    seen = []
    for _ in range(120):
        own = torch.randn(20, 48, generator=torch_rng)
        noisy = [10 * torch.randn(20, 48, generator=torch_rng) for _ in range(2)]
        seen.append(tuple(torch.cat([own, noise], dim=1).half() for noise in noisy))
    basis = taught(seen, 60, rng)
    told = np.linalg.norm(basis.directions[:48]) / np.linalg.norm(basis.directions[48:])
    assert told > 2
    one, other = (basis.project(torch.cat([pair[side] for pair in seen[:10]]).numpy()) for side in (0, 1))
    assert ((one @ other.T).argmax(axis=1) == np.arange(200)).mean() > 0.9


def test_a_folder_that_is_examined_with_is_refused(tmp_path):
    (tmp_path / "instances").mkdir()
    picture = painted(next(entry for entry in plan(2, 1) if isinstance(entry, Shot))).picture()
    picture.convert("RGB").resize((60, 40)).save(tmp_path / "instances" / "a.jpg")
    with pytest.raises(SystemExit, match="other photos"):
        photos(tmp_path, np.random.default_rng(0))
