"""What is wrong with a file of weights, in words: what was found, what was expected, the likely cause."""

import math
from dataclasses import dataclass

import torch

from app.vision.architectures import ARCHITECTURES, GRID, PATCH_PX, Architecture
from app.vision.layouts import LAYOUTS, MAY_BE_ABSENT, TIMM, Named, shapes_in_parts

POSITIONS = 1 + GRID * GRID


@dataclass(frozen=True)
class Misshapen:
    """A tensor of another shape than the network's."""

    name: str
    found: tuple[int, ...]
    expected: tuple[int, ...]


@dataclass(frozen=True)
class Differences:
    """Between a file and a network. Missing tensors by official name, the others by the file's own."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    misshapen: tuple[Misshapen, ...]

    def __len__(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.misshapen)


def compare(named: Named, architecture: Architecture) -> Differences:
    expected = shapes_in_parts(architecture, named.tensors)
    found = {name: tuple(tensor.shape) for name, tensor in named.tensors.items()}
    own = named.own_names
    return Differences(
        missing=tuple(name for name in expected if name not in found and name not in MAY_BE_ABSENT),
        extra=(*(own[name] for name in found if name not in expected), *named.strange),
        misshapen=tuple(
            Misshapen(own[name], found[name], shape)
            for name, shape in expected.items()
            if found.get(name, shape) != shape
        ),
    )


def nearest(named: Named) -> tuple[Architecture, Differences]:
    """The row whose network differs in the fewest tensors; in none, if the file is one of ours."""
    return min(((row, compare(named, row)) for row in ARCHITECTURES), key=lambda pair: len(pair[1]))


def why_not(named: Named, architecture: Architecture) -> str | None:
    """What keeps this file from being that model, in one line; None when nothing does."""
    found = _fault(named, architecture)
    return " ".join(found.split()) if found else None  # a file may call its tensors anything


def _fault(named: Named, architecture: Architecture) -> str | None:
    if named.layout is None:
        names = ", ".join(map(repr, list(named.tensors)[:3])) or "none"
        known = ", ".join(layout.name for layout in LAYOUTS)
        found = f"{len(named.tensors)} tensors (such as {names}) in none of the layouts {known}"
        return f"{found}; {_other(named, architecture)}"
    differences = compare(named, architecture)
    if differences or not named.layout.accepted:
        return f"{_in_words(differences)}; {_likely_cause(named, architecture, differences)}"
    return _strange_numbers(named)


def _in_words(differences: Differences) -> str:
    missing, extra, misshapen = differences.missing, differences.extra, differences.misshapen
    parts = []
    if missing:
        parts.append(f"{len(missing)} tensors are missing (first {missing[0]})")
    if extra:
        parts.append(f"{len(extra)} are not its own (first {extra[0]})")
    if misshapen:
        first = misshapen[0]
        shapes = f"{first.name}: {first.found}, expected {first.expected}"
        parts.append(f"{len(misshapen)} have another shape (first {shapes})")
    return ", ".join(parts)


def _likely_cause(named: Named, architecture: Architecture, differences: Differences) -> str:
    if named.layout is TIMM:
        return (
            "it is timm's layout, which adds the cls position into cls_token and renames layers: "
            f"{_right_file(architecture)}"
        )
    row, rest = nearest(named)
    if not rest:
        return f"it holds {row.name}: ask for that model or take the right file"
    positions = named.tensors.get("pos_embed")
    if positions is not None and positions.dim() == 3 and positions.shape[1] != POSITIONS:
        return (
            f"its positions were resized to {_size(positions.shape[1])}: "
            f"take the file trained at {GRID * PATCH_PX} px ({POSITIONS} tokens)"
        )
    if len(rest) < len(differences) and _width(named) == row.dim:
        return f"it is nearest to {row.name} ({_in_words(rest)}): {_right_file(architecture)}"
    if differences.missing and not differences.extra and not differences.misshapen:
        return f"it was cut short or belongs to another network: {_right_file(architecture)}"
    return _other(named, architecture)


def _size(tokens: int) -> str:
    side = math.isqrt(max(tokens - 1, 0))
    return f"{tokens} tokens" + (f" ({side * PATCH_PX} px)" if side * side == tokens - 1 else "")


def _strange_numbers(named: Named) -> str | None:
    """A quantised, sparse or empty-handed tensor would only fail later."""
    for name, tensor in named.tensors.items():
        if not tensor.is_floating_point() or tensor.layout != torch.strided or tensor.is_meta:
            kind = f"{tensor.dtype} {tensor.layout} on {tensor.device}".replace("torch.", "")
            return f"{named.own_names[name]} is {kind}; expected plain floating-point numbers: take an unquantised file"
    return None


def _other(named: Named, architecture: Architecture) -> str:
    blocks = {name.split(".")[1] for name in named.tensors if name.startswith("blocks.")}
    width = _width(named)
    size = f" (width {width}, {len(blocks)} blocks)" if blocks and width else ""
    return f"it belongs to another network{size}: {_right_file(architecture)}"


def _width(named: Named) -> int | None:
    cls = named.tensors.get("cls_token")
    return cls.shape[-1] if cls is not None and cls.dim() else None


def _right_file(architecture: Architecture) -> str:
    return f"take the official file {architecture.file_name}" if architecture.file_name else "take a file of this model"
