"""SHA-256 of large files, computed once and remembered beside them."""

import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO

_noted: dict[Path, dict] = {}  # what this process found, for folders it may not write to


def file_sha256(path: Path) -> str:
    """Of a file read now, and noted beside it for `recall`."""
    before = _stamp(path)
    with path.open("rb") as file:
        digest = stream_sha256(file)
    if _stamp(path) == before:  # else it was being written: true of no file that will be there later
        remember(path, digest)
    return digest


def stream_sha256(file: BinaryIO) -> str:
    """From where the file stands to its end."""
    return hashlib.file_digest(file, "sha256").hexdigest()


def recall(path: Path) -> str | None:
    """The digest noted beside the file, if the file has not changed since."""
    try:
        note = _noted.get(path.absolute()) or json.loads(_note(path).read_text())
        return note["sha256"] if {**_stamp(path), "sha256": note["sha256"]} == note else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(path: Path, digest: str) -> None:
    """Beside the file; for this process alone where we may not write there."""
    note = {"sha256": digest, **_stamp(path)}
    part = _note(path).with_name(f"{_note(path).name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(note))
        part.replace(_note(path))
    except OSError:
        _noted[path.absolute()] = note


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".sha256.json")


def _stamp(path: Path) -> dict[str, int]:
    facts = path.stat()
    return {"size_bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}
