"""Where the weights of each model are published, and what is known of those files beforehand. Imports no torch."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import InvalidInput
from app.vision.architectures import Architecture

SHA256_DIGITS = 64


class Source(enum.StrEnum):
    """Who publishes."""

    OFFICIAL = "official"
    HUGGING_FACE = "huggingface"
    MMPRETRAIN = "mmpretrain"


BASES = {
    Source.OFFICIAL: "https://dl.fbaipublicfiles.com/dinov2/",
    Source.HUGGING_FACE: "https://huggingface.co/",
    Source.MMPRETRAIN: "https://download.openmmlab.com/mmpretrain/v1.0/dinov2/",
}


@dataclass(frozen=True)
class Publication:
    """One published file."""

    source: Source
    path: str  # below the publisher's base address, or a mirror's
    target: str  # below the weights folder, where `find_weights` looks
    size_bytes: int | None = None
    sha256: str = ""  # hexadecimal, or as many of its first digits as are known

    @property
    def is_pinned(self) -> bool:
        """Its digest is known in full: nothing else need be looked at."""
        return len(self.sha256) == SHA256_DIGITS


def publication(architecture: Architecture, source: Source = Source.OFFICIAL) -> Publication:
    """Raises InvalidInput for a model that this publisher has not, or that has no file at all."""
    found = _PUBLICATIONS[source](architecture)
    if found is not None:
        return found
    others = [other.value for other in Source if _PUBLICATIONS[other](architecture)]
    if not others:
        raise InvalidInput(f"{architecture.name} needs no download: its weights come with dinoseek")
    raise InvalidInput(f"{architecture.name} is not published as {source.value}: choose {' or '.join(others)}")


def is_published(architecture: Architecture, digest: str) -> bool:
    """The digest is pinned for one of this model's files, or begins as it where only first digits are known."""
    files = (of(architecture) for of in _PUBLICATIONS.values())
    return any(file.sha256 and digest.startswith(file.sha256) for file in files if file)


def source_meant(architecture: Architecture, name: str) -> Source:
    """Who asks by its Hugging Face id means the file there."""
    meant = (architecture.hugging_face or "").lower() == name.strip().lower()
    return Source.HUGGING_FACE if meant else Source.OFFICIAL


def _official(row: Architecture) -> Publication | None:
    return row.file and Publication(Source.OFFICIAL, row.file, row.file_name, row.size_bytes, row.sha256)


def _hugging_face(row: Architecture) -> Publication | None:
    return row.hugging_face and Publication(
        Source.HUGGING_FACE,
        path=f"{row.hugging_face}/resolve/main/model.safetensors",
        target=f"{row.hugging_face.rsplit('/', 1)[-1]}/model.safetensors",
        size_bytes=row.hugging_face_bytes,
        sha256=row.hugging_face_sha256,
    )


def _mmpretrain(row: Architecture) -> Publication | None:
    name = row.mmpretrain_file_name
    return name and Publication(Source.MMPRETRAIN, path=name, target=name, sha256=row.mmpretrain_sha256)


_PUBLICATIONS: dict[Source, Callable[[Architecture], Publication | None]] = {
    Source.OFFICIAL: _official,
    Source.HUGGING_FACE: _hugging_face,
    Source.MMPRETRAIN: _mmpretrain,
}
