"""SHA-256 of large files, computed once and remembered beside them."""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO


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
        note = json.loads(_note(path).read_text())
        return note["sha256"] if {**_stamp(path), "sha256": note["sha256"]} == note else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(path: Path, digest: str) -> None:
    """A folder we may not write to only costs the next reader the time."""
    note = _note(path)
    part = note.with_name(f"{note.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        part.write_text(json.dumps({"sha256": digest, **_stamp(path)}))
        part.replace(note)


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".sha256.json")


def _stamp(path: Path) -> dict[str, int]:
    facts = path.stat()
    return {"size_bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}
