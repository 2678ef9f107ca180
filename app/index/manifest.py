"""The last file of a snapshot: what it holds, and the sizes and checksums of the other files.

`manifest.json` is written in one exact form and ends with a seal, the SHA-256 of that form without the seal, so a
flipped bit in the manifest itself is seen like one in any other file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from app.errors import DamagedSnapshot

FORMAT = 2
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class FileFacts:
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    model_key: str  # which model, weights, preprocessing and precision made the vectors
    dim: int
    recipe: str
    vectors: int
    watermark: int  # the catalogue's mark up to which rows are in here
    bytes: int  # of all files named below
    effort: int  # cells a search looks into; 0: it scans every row
    recall_at_10: float  # measured against an exact search, 0..1
    build_s: float
    built_at: str  # UTC, ISO 8601
    files: Mapping[str, FileFacts]
    format: int = FORMAT

    @property
    def checksum(self) -> str:
        """SHA-256 of the manifest file: one word for the whole generation."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        fields = asdict(self)
        seal = hashlib.sha256(_canonical(fields)).hexdigest()
        return _canonical({**fields, "seal": seal})


def parse(raw: bytes, name: object) -> Manifest:
    """Raises DamagedSnapshot, calling the file `name`, unless `raw` is byte for byte what `to_bytes` wrote."""
    try:
        manifest = _from_fields(json.loads(raw))
        sealed = manifest.to_bytes()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(name, f"{type(error).__name__}: {error}") from None
    if sealed != raw:
        raise _damaged(name, "changed bytes")
    return manifest


def _from_fields(fields: dict) -> Manifest:
    if fields["format"] != FORMAT:
        raise ValueError(f"format {fields['format']!r}, and this release reads {FORMAT}")
    del fields["seal"]  # made anew and compared as part of the bytes
    files = {name: FileFacts(**facts) for name, facts in fields.pop("files").items()}
    return Manifest(**fields, files=files)


def _canonical(fields: dict) -> bytes:
    return (json.dumps(fields, indent=2, sort_keys=True) + "\n").encode()


def _damaged(name: object, found: str) -> DamagedSnapshot:
    return DamagedSnapshot(f"{name}: expected a sealed manifest, found {found}: set it aside and rebuild the index")
