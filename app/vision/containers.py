"""Weights files of every kind opened without running code, their tensors mapped rather than read.

Which kind a file is, its first bytes say; names and suffixes are free.
"""

import json
import pickle
import re
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from torch import Tensor

from app.errors import BadCheckpoint
from app.vision.locations import short_name

HEAD_BYTES = 64
PYTORCH = re.compile(rb"PK|\x80[\x02-\x05]")  # an archive, or a bare pickle as before PyTorch 1.6
SAFETENSORS_HEADER_AT = 8  # after its length; JSON, so it starts with a brace
MOST_INDEX_BYTES = 16 * 2**20
# What unpacking a damaged file has raised, beside its own errors
DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError),
    *(OSError, RuntimeError, TypeError, ValueError, struct.error, zlib.error),
    *(zipfile.BadZipFile, safetensors.SafetensorError),
)
# (how a file starts that is none, what it is and what to do)
MISTAKEN = (
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`"),
    (rb"\s*<", "a web page, not weights: fetch the file again"),
)


def read(path: Path) -> Mapping:
    """What the file holds: a table of tensors, perhaps below other entries. Raises BadCheckpoint.

    Tensors of `.pth` archives and safetensors are views of the file: memory is used as they are touched, and shared.
    """
    content = _read_shards(path) if _is_index(_head(path)) else _read_file(path)
    if not isinstance(content, Mapping) or not content:
        found = "nothing" if isinstance(content, Mapping) else f"a {type(content).__name__}"
        raise BadCheckpoint(f"{short_name(path)} holds {found}: expected a table of tensors")
    return content


def files_of(path: Path) -> list[Path]:
    """The file itself, or the shards that it is the index of, sorted by name. Raises BadCheckpoint."""
    return sorted(set(_shards(path).values())) if _is_index(_head(path)) else [path]


def refuse_damaged(path: Path) -> None:
    """Raises BadCheckpoint unless an archive agrees with its own checksums: torch.load looks at none."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            packed = [info.filename for info in archive.infolist() if info.compress_type != zipfile.ZIP_STORED]
            damaged = None if packed else archive.testzip()
    except DAMAGE as refusal:
        raise _not_whole(path, refusal) from None
    if packed:
        raise BadCheckpoint(f"{short_name(path)} is a packed archive ({packed[0]!r}), perhaps a program: no weights")
    if damaged is not None:
        raise BadCheckpoint(f"{short_name(path)} is damaged (checksum of {damaged!r}): fetch or copy it again")


def _read_file(path: Path, names: list[str] | None = None) -> object:
    head = _head(path)
    if PYTORCH.match(head):
        return _read_pth(path)
    if head[SAFETENSORS_HEADER_AT:].startswith(b"{"):
        return _read_safetensors(path, names)
    raise _mistaken(path, head)


def _read_pth(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as refusal:
        raise _not_tensors_alone(path, refusal) from None
    except DAMAGE as refusal:
        raise _not_whole(path, refusal) from None


def _read_safetensors(path: Path, names: list[str] | None = None) -> dict[str, Tensor]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in names or file.keys()}
    except DAMAGE as refusal:
        raise _not_whole(path, refusal) from None


def _read_shards(path: Path) -> dict[str, object]:
    names = defaultdict(list)
    for name, shard in _shards(path).items():
        names[shard].append(name)
    content: dict[str, object] = {}
    for shard, its_names in names.items():
        content |= _read_shard(shard, its_names)
    return content


def _read_shard(path: Path, names: list[str]) -> dict[str, object]:
    table = _read_file(path, names)
    absent = [name for name in names if not isinstance(table, Mapping) or name not in table]
    if absent:
        raise BadCheckpoint(f"{short_name(path)} lacks {absent[0]}, which its index promises: fetch both again")
    return {name: table[name] for name in names}


def _shards(index: Path) -> dict[str, Path]:
    """Tensor name -> the file that holds it, always beside the index."""
    try:
        if index.stat().st_size > MOST_INDEX_BYTES:
            raise ValueError(f"{index.stat().st_size:,} bytes")
        shards = {str(name): str(file) for name, file in json.loads(index.read_text())["weight_map"].items()}
    except DAMAGE as refusal:
        raise _not_whole(index, refusal) from None
    absent = [file for file in shards.values() if Path(file).name != file or not (index.parent / file).is_file()]
    if absent or not shards:
        found = f"names {absent[0]!r}, which is not beside it" if absent else "names no tensor"
        raise BadCheckpoint(f"{short_name(index)} {found}: put every part of the model into one folder")
    return {name: index.parent / file for name, file in shards.items()}


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as refusal:
        raise BadCheckpoint(f"{path} can't be read ({refusal.strerror}): check the path and its permissions") from None


def _is_index(head: bytes) -> bool:
    return head.lstrip().startswith(b"{")


def _mistaken(path: Path, head: bytes) -> BadCheckpoint:
    what = next((what for start, what in MISTAKEN if re.match(start, head)), None)
    if what is not None:
        return BadCheckpoint(f"{short_name(path)} is {what}")
    if not head.strip(b"\0"):
        return _not_whole(path, ValueError("empty" if not head else "zeros where it should start"))
    return BadCheckpoint(f"{short_name(path)} is no weights file: expected a PyTorch or safetensors file")


def _not_tensors_alone(path: Path, refusal: Exception) -> BadCheckpoint:
    named = re.search(r"GLOBAL ([\w.]+)", str(refusal))
    what = f"holds more than tensors ({named[1]}), and could run code" if named else "is damaged or no tensors"
    return BadCheckpoint(f"{short_name(path)} {what}: take the official file")


def _not_whole(path: Path, refusal: Exception) -> BadCheckpoint:
    why = str(refusal).strip().split("\n", 1)[0][:160].rstrip(".") or type(refusal).__name__
    return BadCheckpoint(f"{short_name(path)} is no whole weights file ({why}): fetch or copy it again")
