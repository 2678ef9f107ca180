"""What becomes of a picture whose sides are no multiples of 14: the three answers in use."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from app.errors import InvalidInput
from app.vision.architectures import PATCH_PX

Fit = Callable[[Tensor], Tensor]  # (B, 3, H, W) -> (B, 3, H', W'), both multiples of 14


def fitting(name: str) -> Fit:
    """By name. Raises InvalidInput."""
    if name not in SIDES:
        raise InvalidInput(f"sides {name!r}: choose one of {', '.join(SIDES)}")
    return SIDES[name]


def _refused(x: Tensor) -> Tensor:
    H, W = x.shape[-2:]
    if H % PATCH_PX or W % PATCH_PX:
        raise InvalidInput(
            f"a picture of {H} x {W} px: the network takes sides that are multiples of {PATCH_PX}; "
            "resize it or choose sides='crop' or 'pad'"
        )
    return x


def _cropped(x: Tensor) -> Tensor:
    H, W = x.shape[-2:]
    return x[..., : H - H % PATCH_PX, : W - W % PATCH_PX]


def _padded(x: Tensor) -> Tensor:
    """With 0, which is ImageNet's mean colour once normalised."""
    H, W = x.shape[-2:]
    return F.pad(x, (0, -W % PATCH_PX, 0, -H % PATCH_PX))


SIDES: dict[str, Fit] = {
    "refuse": _refused,  # Meta
    "crop": _cropped,  # transformers: right and bottom go
    "pad": _padded,  # mmpretrain: right and bottom grow
}
