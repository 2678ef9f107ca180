"""How publishers name the tensors of one and the same network: a table, and one strict way through it.

Sources: the state dicts of the DINOv2 hub, of transformers' Dinov2 and Dinov2WithRegisters before and since version 5,
of mmpretrain's VisionTransformer, and of DINOv2's training loop. Nowhere is a tensor transposed.
"""

import functools
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.architectures import GRID, Architecture
from app.vision.vit import VisionTransformer

Tensors = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]

MAY_BE_ABSENT = {"mask_token"}  # used in training only; some people strip it
# (what the network holds in one, the parts some files hold, in the order of their rows)
JOINS = (
    ("attn.qkv", ("attn.query", "attn.key", "attn.value")),
    ("mlp.w12", ("mlp.gate", "mlp.value")),
)
NOTHING = r"(?!)"


@dataclass(frozen=True)
class Layout:
    """How one publisher names and wraps them. Patterns are of regular expressions."""

    name: str
    marker: str  # starts names that only this layout has, once its prefix is gone
    containers: tuple[str | None, ...] = (None,)  # entry that holds the tensors; None: the file does
    prefixes: tuple[str, ...] = ("",)
    ignored: str = NOTHING  # starts names of modules around the network, such as heads
    renames: tuple[tuple[str, str], ...] = ()  # (pattern, replacement), in order; parts get the names of JOINS
    accepted: bool = True


_BLOCK = r"(norm1|norm2|attn|mlp|ls1|ls2)\."
OFFICIAL = Layout("official", marker=rf"blocks\.\d+\.{_BLOCK}")
HUGGING_FACE = Layout(
    "huggingface",
    marker=r"(embeddings|encoder\.layer\.\d+|layernorm)\.",
    prefixes=("", "dinov2.", "dinov2_with_registers."),
    ignored=r"classifier\.(weight|bias)$",
    renames=(
        (r"^embeddings\.position_embeddings$", "pos_embed"),
        (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
        (r"^embeddings\.(?=(cls_token|mask_token|register_tokens)$)", ""),
        (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
        (r"\.attention\.attention\.(query|key|value)\.", r".attn.\1."),
        (r"\.attention\.output\.dense\.", ".attn.proj."),
        (r"\.attention\.q_proj\.", ".attn.query."),  # this and the four below: transformers >= 5 in memory
        (r"\.attention\.k_proj\.", ".attn.key."),
        (r"\.attention\.v_proj\.", ".attn.value."),
        (r"\.attention\.o_proj\.", ".attn.proj."),
        (r"\.mlp\.gate_proj\.", ".mlp.gate."),
        (r"\.mlp\.up_proj\.", ".mlp.value."),
        (r"\.mlp\.(weights_out|down_proj)\.", ".mlp.w3."),
        (r"\.mlp\.weights_in\.", ".mlp.w12."),
        (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
        (r"^layernorm\.", "norm."),
    ),
)
MMPRETRAIN = Layout(
    "mmpretrain",
    marker=r"layers\.\d+\.(ln1|ln2|attn|ffn)\.",
    containers=("state_dict", None),
    prefixes=("backbone.", ""),
    ignored=r"(backbone\.ln2|neck|head)\.",  # ln2: of averaged feature maps
    renames=(
        (r"^ln1\.", "norm."),
        (r"^patch_embed\.projection\.", "patch_embed.proj."),
        (r"^layers\.(\d+)\.", r"blocks.\1."),
        (r"\.ln([12])\.", r".norm\1."),
        (r"\.attn\.gamma1\.weight$", ".ls1.gamma"),
        (r"\.ffn\.gamma2\.weight$", ".ls2.gamma"),
        (r"\.ffn\.layers\.0\.0\.", ".mlp.fc1."),
        (r"\.ffn\.layers\.1\.", ".mlp.fc2."),
        (r"\.ffn\.(w12|w3)\.", r".mlp.\1."),
    ),
)
TRAINING = Layout(
    "training",
    marker=rf"blocks\.\d+\.(\d+\.)?{_BLOCK}",
    containers=("teacher", None),
    prefixes=("module.backbone.", "backbone.", "module.", ""),
    ignored=r"(module\.)?(dino_head|ibot_head)\.",
    renames=((r"^blocks\.\d+\.(\d+)\.", r"blocks.\1."),),  # of chunk and layer, the layer counts from the first block
)
TIMM = Layout("timm", marker=OFFICIAL.marker, accepted=False)
LAYOUTS = (OFFICIAL, HUGGING_FACE, MMPRETRAIN, TRAINING)


@dataclass(frozen=True)
class Named:
    """A file's tensors by official name; what its layout stores in parts is still in parts."""

    layout: Layout | None  # none: a layout we do not know, names as they are
    tensors: Tensors
    own_names: dict[str, str]  # official name -> name in the file
    strange: tuple[str, ...] = ()  # entries that are no tensors, or a second tensor of the same name
    ignored: tuple[str, ...] = ()


def named(content: Mapping) -> Named:
    """What a weights file holds, by the names of the layout that its own names betray."""
    found = next(_recognised(content), None)
    if found is None:
        tensors = next((table for table in map(_tensors, _tables(content)) if table), {})
        return Named(None, tensors, {name: name for name in tensors})
    layout, table, prefix = found
    ours = {name: value for name, value in table.items() if not re.match(layout.ignored, str(name))}
    tensors, own_names, strange = {}, {}, []
    for own, value in ours.items():
        name = _official_name(str(own), layout, prefix)
        if not isinstance(value, Tensor) or name in tensors:
            strange.append(str(own))
            continue
        tensors[name], own_names[name] = value, str(own)
    if layout is OFFICIAL and _is_timm(tensors):
        layout = TIMM
    return Named(layout, tensors, own_names, tuple(strange), tuple(str(name) for name in table if name not in ours))


def joined(tensors: Tensors, architecture: Architecture) -> Tensors:
    """The network's state dict, from a complete `Named`. Only what a file holds in parts is copied, part by part."""
    state = {name: tensors.get(name) for name in expected_shapes(architecture)}
    for name in [name for name, tensor in state.items() if tensor is None and name not in MAY_BE_ABSENT]:
        state[name] = torch.cat([tensors[part] for part in parts_of(name)])
    if state["mask_token"] is None:
        state["mask_token"] = torch.zeros_like(state["cls_token"][0])
    return state


@functools.lru_cache(maxsize=32)
def expected_shapes(architecture: Architecture) -> Mapping[str, tuple[int, ...]]:
    """Asked of the network itself, without memory for its weights."""
    with torch.device("meta"):
        network = VisionTransformer(architecture)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def shapes_in_parts(architecture: Architecture, names: Collection[str]) -> Shapes:
    """What a file with these names must hold: parts where it has some of them."""
    shapes = {}
    for name, (rows, *rest) in expected_shapes(architecture).items():
        parts = parts_of(name)
        stored = parts if any(part in names for part in parts) else (name,)
        shapes |= {part: (rows // len(stored), *rest) for part in stored}
    return shapes


def parts_of(name: str) -> tuple[str, ...]:
    """The names under which a file may hold this tensor in parts; empty for most."""
    whole, parts = next(((whole, parts) for whole, parts in JOINS if f".{whole}." in name), ("", ()))
    return tuple(name.replace(whole, part) for part in parts)


def _recognised(content: Mapping) -> Iterator[tuple[Layout, Mapping, str]]:
    for layout in LAYOUTS:
        for container, prefix in itertools.product(layout.containers, layout.prefixes):
            table = content if container is None else content.get(container)
            marker = re.compile(re.escape(prefix) + layout.marker)
            if isinstance(table, Mapping) and any(marker.match(str(name)) for name in table):
                yield layout, table, prefix


def _official_name(own: str, layout: Layout, prefix: str) -> str:
    if not own.startswith(prefix):
        return own
    name = own.removeprefix(prefix)
    for pattern, replacement in layout.renames:
        name = re.sub(pattern, replacement, name)
    return name


def _is_timm(tensors: Tensors) -> bool:
    """It gives the cls token no position of its own, and calls the giant's feed-forward fc1 and fc2."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    fc1, fc2 = (shapes.get(f"blocks.0.mlp.{layer}.weight", (0, 0)) for layer in ("fc1", "fc2"))
    no_cls_position = shapes.get("pos_embed", (1, 0))[1:2] == (GRID * GRID,)
    return "reg_token" in tensors or no_cls_position or 0 < fc1[0] == 2 * fc2[-1]


def _tables(content: Mapping) -> list[Mapping]:
    return [content, *(value for value in content.values() if isinstance(value, Mapping))]


def _tensors(table: Mapping) -> Tensors:
    return {str(name): value for name, value in table.items() if isinstance(value, Tensor)}
