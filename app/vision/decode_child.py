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
from app.vision import complaints, pixels

VIEW_OVERSAMPLING = 2  # a JPEG is decoded at no less than twice what is looked at
KILL_GRACE_S = 5  # after the parent should have killed us: it may be dead itself


@dataclass(frozen=True)
class Limits:
    """What one picture may cost."""

    max_pixels: int
    max_file_bytes: int
    memory_bytes: int
    cpu_s: float
    timeout_s: float
    read_timeout_s: float
    thumbnail_px: int


@dataclass(frozen=True)
class Answer:
    """Facts for the JSON header, then two blocks of bytes."""

    facts: dict
    pixels: bytes
    thumbnail: bytes


Job = Callable[[dict, bytes, Limits], Answer]


def answer(request: dict, data: bytes, limits: Limits) -> Answer:
    """What `request["job"]` names. The picture is in `data`; `path` is null where no file holds it."""
    return JOBS[request["job"]](request, data, limits)


def prepare(request: dict, data: bytes, limits: Limits) -> Answer:
    """What the network sees, and a thumbnail. `request` has `box`, `preprocessing` and `thumbnail`.

    Raises UnreadableImage, and InvalidInput for the box.
    """
    box = tuple(request["box"]) if request["box"] else None
    thumbnail_px = limits.thumbnail_px if request["thumbnail"] else 0
    least = partial(pixels.least_size, preprocessing=request["preprocessing"], box=box, thumbnail_px=thumbnail_px)
    reach(Point.MID_DECODE)
    picture = pixels.decode(data, max_pixels=limits.max_pixels, name=request["path"] or request["name"], least=least)
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


def view(request: dict, data: bytes, limits: Limits) -> Answer:
    """The picture at `long_side_px`, to be compared with others; `whole`: and the digest of all its pixels."""
    long_side_px, whole = request["long_side_px"], request["whole"]
    name = request["path"] or request["name"]
    least = None if whole else partial(pixels.fitted, long_side_px=VIEW_OVERSAMPLING * long_side_px)
    picture = pixels.decode(data, max_pixels=limits.max_pixels, name=name, least=least)
    seen = pixels.view(picture, long_side_px)
    facts = {
        "shape": seen.shape[:2],
        "digest": hashlib.sha256(data).hexdigest(),
        "pixels_sha256": _pixels_sha256(picture) if whole else None,
        "camera": picture.camera,
        "located": picture.located,
    }
    return Answer(facts, seen.tobytes(), b"")


def views(request: dict, data: bytes, limits: Limits) -> Answer:
    """The picture as the file stores it, or what lies within `cut`, in each of `preprocessings`, one after the other.

    In full: what one of them shows must not depend on which others are asked for. Raises as `prepare` does.
    """
    reach(Point.MID_DECODE)
    picture = pixels.decode(data, max_pixels=limits.max_pixels, name=request["path"] or request["name"], upright=False)
    part = pixels.cut(picture, tuple(request["cut"])) if request["cut"] else picture
    seen = [pixels.prepare(part, None, name) for name in request["preprocessings"]]
    facts = {"shapes": [view.shape[:2] for view in seen], "digest": hashlib.sha256(data).hexdigest()}
    return Answer(facts, b"".join(view.tobytes() for view in seen), b"")


def _pixels_sha256(picture: pixels.Picture) -> str:
    size = f"{picture.full[1]}x{picture.full[0]}:".encode()  # the same bytes in another shape are another picture
    return hashlib.sha256(size + picture.image.tobytes()).hexdigest()


JOBS: dict[str, Job] = {"prepare": prepare, "view": view, "views": views}


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


def serve(connection: Connection, limits: Limits, job: Job = answer) -> None:
    """Answer requests until the parent hangs up. It hears when the bytes are here: a slow disk has time of its own."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            request, data = json.loads(connection.recv_bytes()), connection.recv_bytes()
            _limit_time(limits.read_timeout_s)
            read = _tried(partial(_bytes_of, request, data, limits))
            connection.send_bytes(b"")
            _limit_time(limits.timeout_s, limits.cpu_s)
            answer = read if isinstance(read, Answer) else _tried(partial(_heard, job, request, read, limits))
            connection.send_bytes(json.dumps(answer.facts).encode())
            connection.send_bytes(answer.pixels)
            connection.send_bytes(answer.thumbnail)
            _limit_time(0, 0)


def _limit_time(wall_s: float, cpu_s: float = 0) -> None:
    """0: none. Both signals kill even inside a C loop; the parent watches the wall clock too, and is to come first."""
    signal.setitimer(signal.ITIMER_REAL, wall_s and wall_s + KILL_GRACE_S)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


def _bytes_of(request: dict, data: bytes, limits: Limits) -> bytes:
    path = request["path"]
    return read_regular_file(path, limits.max_file_bytes) if path is not None else data


def _heard(job: Job, request: dict, data: bytes, limits: Limits) -> Answer:
    """The job's answer, unless a library said aside that it is not worth having."""
    complaints.forget()
    answer = job(request, data, limits)
    complaints.refuse_damage()
    return answer


def _tried(step: Callable[[], bytes | Answer]) -> bytes | Answer:
    """What the step gives, or an answer that says why not."""
    try:
        return step()
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


def main(arguments: list[str], job: Job = answer) -> None:
    connection, limits = Connection(int(arguments[0])), Limits(**json.loads(arguments[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    complaints.listen()
    limit_memory(limits.memory_bytes)
    serve(connection, limits, job)


def _too_many_bytes(size: int, limit: int) -> UnreadableImage:
    return UnreadableImage(
        f"{size:,} bytes are over the limit of {limit:,}: make the file smaller or raise DINOSEEK_MAX_FILE_BYTES",
        "too_large",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
