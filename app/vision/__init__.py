"""Pictures to vectors: decoding (Pillow) and the DINOv2 network (torch). No SQL, no FAISS.

Nothing is imported before it is asked for: decode children import `app.vision.pixels` and must not pay for torch.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.vision.zoo import get_model, list_models

__all__ = ["get_model", "list_models"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("app.vision.zoo"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
