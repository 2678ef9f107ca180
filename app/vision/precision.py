"""The kinds of numbers a network can be run in, and on which devices. The name stands in every vector's key."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from app.errors import InvalidInput, NotFound
from app.vision.int8 import Int8Linear
from app.vision.served import serve
from app.vision.vit import VisionTransformer

FLOAT32 = "float32"


@dataclass(frozen=True)
class Precision:
    """One row: what becomes of the weights, and how near the answers stay."""

    name: str
    devices: tuple[str, ...]
    convert: Callable[[VisionTransformer], VisionTransformer]
    least_cosine: float  # of the fingerprint to the one recorded in float32; below it the machine is at fault


PRECISIONS = (
    Precision(FLOAT32, ("cpu", "cuda", "mps"), lambda network: serve(network.float()), 0.9999),
    # on a processor that has no instructions for it slower than float32
    Precision("bfloat16", ("cpu", "cuda"), lambda network: serve(network.float()).bfloat16(), 0.99),
    Precision("float16", ("cuda", "mps"), lambda network: serve(network.float()).half(), 0.9999),
    Precision("int8", ("cpu",), lambda network: serve(network.float(), Int8Linear), 0.99),
)


def get_precision(name: str, device: torch.device) -> Precision:
    """Raises NotFound, listing what is known, and InvalidInput for a device that does not do it."""
    found = next((row for row in PRECISIONS if row.name == name), None)
    if found is None:
        known = ", ".join(row.name for row in PRECISIONS)
        raise NotFound(f"no precision is called {name!r}: choose one of {known}")
    if device.type not in found.devices:
        raise InvalidInput(
            f"{name} does not run on {device.type}, only on {' or '.join(found.devices)}: choose another"
        )
    return found
