"""A journal beside the files: what is to be moved from where, so that it comes back even when the home is lost.

Lines of JSON in `ledger.jsonl` of a quarantine folder, flushed to the disk before the first file moves. Lines are only
ever added. Whether a file did move, its place says.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from app.audits.acting.shelf import SHELF, Slot
from app.errors import NotFound
from app.storage.handles import held, joined, rights_of

NAME = b"ledger.jsonl"
APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
NEVER = (b"", b".", b"..")  # names that would lead out of the folder


@dataclass(frozen=True)
class Entry:
    """One file that was to be moved."""

    slot: Slot
    digest: str
    size_bytes: int
    mtime_ns: int
    kept: bytes  # path of the copy that stayed
    link: bool  # and that a hard link to it was to take the file's place


def write(entries: Iterable[Entry]) -> dict[bytes, OSError]:
    """On disk before this returns. By root, why a journal could not be written: nothing there may be moved."""
    troubles: dict[bytes, OSError] = {}
    for root, below in groupby(sorted(entries, key=lambda entry: entry.slot.root), key=lambda entry: entry.slot.root):
        try:
            _append(root, b"".join(map(_line, below)))
        except OSError as error:
            troubles[root] = error
    return troubles


def read(folder: Path) -> Iterator[Entry]:
    """What was to be moved into a quarantine folder, as it stands now. A line that was cut short is passed over.

    Raises NotFound where there is no journal.
    """
    shelf = os.fsencode(os.path.abspath(folder))  # noqa: PTH100  (resolve would follow links)
    shelf = shelf if shelf.endswith(b"/" + SHELF) else joined(shelf, SHELF)
    try:
        file = open(joined(shelf, NAME), "rb")  # noqa: PTH123, SIM115  (closed below)
    except OSError as error:
        told = f"{os.fsdecode(shelf)} has no readable {NAME.decode()} ({error.strerror})"
        raise NotFound(f"{told}: give the {SHELF.decode()} folder beside your pictures") from None
    with file:
        yield from _entries(file, shelf[: -len(SHELF) - 1] or b"/")


def _append(root: bytes, lines: bytes) -> None:
    with held(root, [SHELF], [rights_of(root)]) as folders:
        descriptor = os.open(NAME, APPEND, 0o644, dir_fd=folders[-1].descriptor)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another home may write here too
            _write_all(file, _mend(file) + lines)
            os.fsync(file.fileno())
        folders[-1].sync()


def _mend(file: BinaryIO) -> bytes:
    """What ends a line that was cut short."""
    size = os.fstat(file.fileno()).st_size
    return b"" if size == 0 or os.pread(file.fileno(), 1, size - 1) == b"\n" else b"\n"


def _write_all(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _line(entry: Entry) -> bytes:
    kept, below = entry.kept, entry.slot.root.rstrip(b"/") + b"/"
    facts = {
        "batch": _text(entry.slot.batch),
        "from": _text(entry.slot.inner),
        "to": _text(b"/".join((entry.slot.batch, entry.slot.inner))),
        "kept": _text(kept.removeprefix(below)),  # below the same root: found again where that has moved
        "digest": entry.digest,
        "size_bytes": entry.size_bytes,
        "mtime_ns": entry.mtime_ns,
        "link": entry.link,
    }
    return json.dumps(facts).encode() + b"\n"


def _entries(lines: Iterable[bytes], root: bytes) -> Iterator[Entry]:
    for line in lines:
        try:
            yield _entry(json.loads(line), root)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _entry(facts: dict, root: bytes) -> Entry:
    batch, inner = _bytes(facts["batch"]), _bytes(facts["from"])
    if not _stays_below([batch, *inner.split(b"/")]) or b"/" in batch:
        raise ValueError("it leads out of the folder")
    kept = os.path.join(root, _bytes(facts["kept"]))  # noqa: PTH118  (bytes; an absolute one stays)
    numbers = (int(facts["size_bytes"]), int(facts["mtime_ns"]))
    return Entry(Slot(root, batch, inner), str(facts["digest"]), *numbers, kept, bool(facts["link"]))


def _stays_below(names: Sequence[bytes]) -> bool:
    return not any(name in NEVER or b"\0" in name for name in names)


def _text(path: bytes) -> str:
    """Bytes that are no UTF-8 survive JSON as lone surrogates, escaped."""
    return path.decode("utf-8", "surrogateescape")


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
