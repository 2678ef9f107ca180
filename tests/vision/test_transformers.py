"""Our ViT-S at full depth against transformers', with the same random weights, read from the file it saves."""

from typing import NamedTuple

import pytest
import torch
import transformers
from torch import Tensor, nn

from app.vision import get_model
from app.vision.vit import VisionTransformer

ATOL = 1e-5
DEPTH = 12
SHAPE = {"hidden_size": 384, "num_hidden_layers": DEPTH, "num_attention_heads": 6, "image_size": 518, "patch_size": 14}


class Family(NamedTuple):
    """One of transformers' two DINOv2 classes, and the positions of ours that equal its own."""

    config: type
    model: type
    positions: str | None


FAMILIES = {
    "facebook/dinov2-small": Family(transformers.Dinov2Config, transformers.Dinov2Model, "size"),
    "facebook/dinov2-with-registers-small": Family(
        transformers.Dinov2WithRegistersConfig, transformers.Dinov2WithRegistersModel, None
    ),
}


@pytest.fixture(scope="module", params=FAMILIES)
def both(request, tmp_path_factory) -> tuple[VisionTransformer, nn.Module]:
    family, folder = FAMILIES[request.param], tmp_path_factory.mktemp("saved")
    theirs = family.model(family.config(**SHAPE)).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in theirs.named_parameters():
        parameter.copy_(noise(name, parameter, generator))
    theirs.save_pretrained(folder)
    return get_model(request.param, weights=folder, positions=family.positions, sides="crop"), theirs


def noise(name: str, like: Tensor, generator: torch.Generator) -> Tensor:
    """Nothing is left at a 0 or 1 that would hide a missing term; layers neither explode nor die."""
    noise = torch.randn(like.shape, generator=generator)
    if "token" in name or "position" in name:
        return 0.5 * noise
    if like.dim() == 1:
        return 0.1 * noise if name.endswith("bias") else 0.5 + 0.1 * noise
    return noise / like[0].numel() ** 0.5


@pytest.mark.parametrize("size", [(224, 224), (518, 518), (230, 225)])
def test_every_token_is_theirs(both, size):
    ours, theirs = both
    x = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(2))
    said, tokens = theirs(x), ours.forward_features(x)
    together = torch.cat([tokens.cls[:, None], tokens.registers, tokens.patches], dim=1)
    torch.testing.assert_close(together, said.last_hidden_state, atol=ATOL, rtol=0)
    torch.testing.assert_close(tokens.cls, said.pooler_output, atol=ATOL, rtol=0)


def test_every_block_is_theirs(both):
    ours, theirs = both
    x = torch.randn(2, 3, 126, 98, generator=torch.Generator().manual_seed(3))
    said = theirs(x, output_hidden_states=True)
    torch.testing.assert_close(ours(x)[0], said.pooler_output, atol=ATOL, rtol=0)
    states = said.hidden_states[1:]  # the first is before any block
    registers = ours.architecture.registers
    layers = ours.get_intermediate_layers(x, n=DEPTH, return_class_token=True, norm=False)
    for (patches, cls), state in zip(layers, states, strict=True):
        torch.testing.assert_close(cls, state[:, 0], atol=ATOL, rtol=0)
        torch.testing.assert_close(patches, state[:, 1 + registers :], atol=ATOL, rtol=0)
