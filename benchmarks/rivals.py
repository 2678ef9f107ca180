"""What people use instead: `transformers`, in its own words. Same architecture, same weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from torch import nn
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

from app.vision import checkpoints
from app.vision.architectures import Architecture
from app.vision.vit import VisionTransformer

# preprocessor_config.json of every facebook/dinov2-* repository
PROCESSOR = {
    "size": {"shortest_edge": 256},
    "crop_size": {"height": 224, "width": 224},
    "resample": 3,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def dinov2(architecture: Architecture, dtype: torch.dtype = torch.float32) -> Dinov2Model:
    """Random weights of the size of one architecture; attention as it chooses itself."""
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=architecture.dim,
        num_hidden_layers=architecture.depth,
        num_attention_heads=architecture.heads,
        use_swiglu_ffn=architecture.ffn == "swiglu",
        image_size=518,
        patch_size=14,
    )
    model = Dinov2Model(config)
    _liven(model)
    return model.eval().requires_grad_(False).to(dtype)


def twin(architecture: Architecture, rival: Dinov2Model, folder: Path) -> VisionTransformer:
    """Our network with the rival's weights, by way of the file the rival writes, in the rival's positions."""
    rival.save_pretrained(folder)
    tensors = checkpoints.load(architecture, folder)
    return VisionTransformer.with_weights(architecture, tensors, positions="size")


class UsualLoop:
    """Open with Pillow, prepare with the image processor, embed in batches, one after the other."""

    def __init__(self, model: Dinov2Model, batch: int = 8) -> None:
        self.model, self.batch = model, batch
        self.processor = BitImageProcessor(**PROCESSOR)

    @torch.inference_mode()
    def __call__(self, paths: Sequence[Path]) -> np.ndarray:
        rows = [self._embed(paths[start : start + self.batch]) for start in range(0, len(paths), self.batch)]
        return np.concatenate(rows)

    def _embed(self, paths: Sequence[Path]) -> np.ndarray:
        images = [PIL.Image.open(path).convert("RGB") for path in paths]
        pixels = self.processor(images, return_tensors="pt")["pixel_values"]
        cls = self.model(pixel_values=pixels).pooler_output
        return nn.functional.normalize(cls, dim=1).numpy()


def _liven(model: Dinov2Model) -> None:
    """Fresh weights leave most of the network silent: LayerScale, norms and biases get values that matter."""
    for name, parameter in model.named_parameters():
        if name.endswith("lambda1"):
            nn.init.uniform_(parameter, 0.05, 0.4)
        elif parameter.dim() == 1:
            nn.init.normal_(parameter, mean=float("norm" in name and name.endswith("weight")), std=0.1)
        elif parameter.dim() == 2:
            nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
