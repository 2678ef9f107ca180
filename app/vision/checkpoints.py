"""Weights files: every public layout, read strictly, never as code. A refusal says what was found and its cause."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.errors import BadCheckpoint
from app.vision import containers, diagnosis, digests, layouts
from app.vision.architectures import Architecture
from app.vision.layouts import Named, Tensors
from app.vision.locations import get_file, short_name
from app.vision.published import is_published


@dataclass(frozen=True)
class CheckpointFacts:
    """What a weights file holds. `model` is named where it can be loaded; differences are those from the nearest."""

    path: Path
    layout: str | None  # none: none that we know
    model: str | None
    nearest: str | None
    dtype: str
    tensors: int
    parameters: int
    sha256: str
    published: bool  # the digest is one of those pinned for this model
    missing: tuple[str, ...]  # by official name
    extra: tuple[str, ...]  # by the file's own, as below
    misshapen: tuple[diagnosis.Misshapen, ...]
    ignored: tuple[str, ...]  # heads and the like
    refusal: str | None  # why it can't be loaded as the nearest variant


def load(architecture: Architecture, path: Path) -> Tensors:
    """Every tensor of this network by its official name, in the numbers of the file: float32, or half precision.

    `path` is a file or a folder. Tensors are views of the mapped file, but for those that Hugging Face stores in parts
    (a quarter of a network). The file's own checksums are looked at first. Raises BadCheckpoint, NotFound.
    """
    file = get_file(Path(path), architecture)
    for part in containers.files_of(file):
        if digests.recall(part) is None:  # else it was looked at when its digest was taken
            containers.refuse_damaged(part)
    return _load(architecture, file)


def load_known(architecture: Architecture, path: Path) -> tuple[Tensors, str]:
    """As `load`, what `find_weights` found, and its SHA-256. A bundled file must be the one dinoseek came with."""
    digest = _bundled_sha256(architecture, path) if architecture.bundled else verified_sha256(path)
    return load(architecture, path), digest


def verify(architecture: Architecture, path: Path) -> None:
    """Raises BadCheckpoint unless this one file is whole and loads strictly. Leaves no note of its digest."""
    containers.refuse_damaged(path)
    _load(architecture, path)


def check(path: Path) -> CheckpointFacts:
    """Reads the whole file. Raises NotFound, BadCheckpoint when it holds no tensors we can read."""
    file = get_file(Path(path))
    digest = verified_sha256(file)
    named = layouts.named(containers.read(file))
    if not named.tensors:
        raise BadCheckpoint(f"{short_name(file)} holds no tensors: expected a weights file")
    return _facts(Path(path), named, digest)


def verified_sha256(path: Path) -> str:
    """Of a file's bytes; of the list of its parts' digests, as sha256sum prints it, where an index names several.

    A `.pth` must also agree with its own checksums: a flipped bit would load in silence. Raises BadCheckpoint,
    NotFound.
    """
    files = containers.files_of(get_file(Path(path)))
    found = [_verified(file) for file in files]
    if len(found) == 1:
        return found[0]
    lines = [f"{digest}  {file.name}\n" for digest, file in zip(found, files, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _bundled_sha256(architecture: Architecture, path: Path) -> str:
    """Not noted beside the file: small, and the package's folder is not ours to write to. Raises BadCheckpoint."""
    with path.open("rb") as file:
        digest = digests.stream_sha256(file)
    if digest != architecture.sha256:
        raise BadCheckpoint(f"{path} is not the file that dinoseek came with: install dinoseek anew")
    return digest


def _verified(file: Path) -> str:
    if (remembered := digests.recall(file)) is not None:
        return remembered
    containers.refuse_damaged(file)
    return digests.file_sha256(file)


def _load(architecture: Architecture, file: Path) -> Tensors:
    named = layouts.named(containers.read(file))
    if (refusal := diagnosis.why_not(named, architecture)) is not None:
        raise BadCheckpoint(f"{short_name(file)} is not {architecture.name}: {refusal}")
    return layouts.joined(named.tensors, architecture)


def _facts(path: Path, named: Named, digest: str) -> CheckpointFacts:
    row, differences = diagnosis.nearest(named)
    refusal = diagnosis.why_not(named, row)
    tensors = named.tensors.values()
    return CheckpointFacts(
        path=path,
        layout=named.layout.name if named.layout else None,
        model=row.name if refusal is None else None,
        nearest=row.name if named.layout else None,
        dtype=", ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors})),
        tensors=len(named.tensors) + len(named.ignored),
        parameters=sum(tensor.numel() for tensor in tensors),
        sha256=digest,
        published=refusal is None and is_published(row, digest),
        missing=differences.missing,
        extra=differences.extra,
        misshapen=differences.misshapen,
        ignored=named.ignored,
        refusal=refusal,
    )
