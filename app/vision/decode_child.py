"""The process that decodes: it may crash, hang or run out of memory, and costs only the picture it had.

Run by `app.vision.decoder` as `python -m app.vision.decode_child FD LIMITS`. It imports Pillow and numpy, no torch.
Requests and answers are JSON and plain bytes, never pickles: what a hostile picture makes of this process can say
nothing to its parent but numbers and text.
"""

import contextlib
import hashlib
import json
import os
import resource
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from app.errors import InvalidInput, UnreadableImage
from app.faults import Point, reach
from app.vision import pixels

KILL_GRACE_S = 5  # after the parent should have killed us: it may be dead itself


@dataclass(frozen=True)
class Limits:
    """What one picture may cost."""

    max_pixels: int
    max_file_bytes: int
    memory_bytes: int
    timeout_s: float
    thumbnail_px: int


@dataclass(frozen=True)
class Answer:
    """Facts for the JSON header, then two blocks of bytes."""

    facts: dict
    pixels: bytes
    thumbnail: bytes


Job = Callable[[dict, bytes, Limits], Answer]


def prepare(request: dict, data: bytes, limits: Limits) -> Answer:
    """`request` has `path`, or null and the picture in `data`; `name`; `box`; `preprocessing`; `thumbnail`.

    Raises UnreadableImage, and InvalidInput for the box.
    """
    path = request["path"]
    data = read_regular_file(path, limits.max_file_bytes) if path is not None else data
    box = tuple(request["box"]) if request["box"] else None
    thumbnail_px = limits.thumbnail_px if request["thumbnail"] else 0
    least = partial(pixels.least_size, preprocessing=request["preprocessing"], box=box, thumbnail_px=thumbnail_px)
    reach(Point.MID_DECODE)
    picture = pixels.decode(data, max_pixels=limits.max_pixels, name=path or request["name"], least=least)
    seen = pixels.prepare(picture, box, request["preprocessing"])
    facts = {
        "shape": seen.shape[:2],
        "digest": hashlib.sha256(data).hexdigest(),
        "height_px": picture.full[0],
        "width_px": picture.full[1],
        "size_bytes": len(data),
        "format": picture.format,
        "frames": picture.frames,
        "taken_at": picture.taken_at.isoformat() if picture.taken_at else None,
        "notes": picture.notes,
    }
    thumbnail = pixels.thumbnail(picture, thumbnail_px) if thumbnail_px else b""
    return Answer(facts, seen.tobytes(), thumbnail)


def read_regular_file(path: str, max_bytes: int) -> bytes:
    """The bytes of a file that stood still while it was read: no link, pipe or device. Raises UnreadableImage."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise UnreadableImage("this is no regular file", "unreadable")
            if before.st_size > max_bytes:
                raise _too_many_bytes(before.st_size, max_bytes)
            data = file.read(before.st_size + 1)
            after = os.fstat(file.fileno())
    except OSError as refusal:
        why = "it is a link" if Path(path).is_symlink() else refusal.strerror
        raise UnreadableImage(f"the file can't be read: {why}", "unreadable") from None
    if (before.st_size, before.st_mtime_ns) != (len(data), after.st_mtime_ns):
        raise UnreadableImage("the file changed while it was read: ingest it again when it is complete", "unreadable")
    return data


def serve(connection: Connection, limits: Limits, job: Job = prepare) -> None:
    """Answer requests until the parent hangs up."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            request, data = json.loads(connection.recv_bytes()), connection.recv_bytes()
            signal.setitimer(signal.ITIMER_REAL, limits.timeout_s + KILL_GRACE_S)  # kills even inside a C loop
            answer = _answer(job, request, data, limits)
            connection.send_bytes(json.dumps(answer.facts).encode())
            connection.send_bytes(answer.pixels)
            connection.send_bytes(answer.thumbnail)
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(job: Job, request: dict, data: bytes, limits: Limits) -> Answer:
    try:
        return job(request, data, limits)
    except UnreadableImage as refusal:
        return Answer({"refusal": str(refusal), "code": refusal.code}, b"", b"")
    except InvalidInput as refusal:
        return Answer({"invalid": str(refusal)}, b"", b"")
    except MemoryError:
        return Answer({"refusal": pixels.TOO_MUCH_MEMORY, "code": "decoder_memory"}, b"", b"")


def limit_memory(extra_bytes: int) -> None:
    """Let the address space grow by so much from here. Only Linux tells how large it is, and keeps such a limit."""
    if not sys.platform.startswith("linux"):
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra_bytes,) * 2)


def main(arguments: list[str], job: Job = prepare) -> None:
    connection, limits = Connection(int(arguments[0])), Limits(**json.loads(arguments[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # libtiff tells the terminal of every odd tag
    limit_memory(limits.memory_bytes)
    serve(connection, limits, job)


def _too_many_bytes(size: int, limit: int) -> UnreadableImage:
    return UnreadableImage(
        f"{size:,} bytes are over the limit of {limit:,}: make the file smaller or raise DINOSEEK_MAX_FILE_BYTES",
        "too_large",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
