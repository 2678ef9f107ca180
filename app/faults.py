"""Named points of an ingest where a test may have the process killed. Unarmed, each costs one look at a constant.

DINOSEEK_FAULT=after_embed:/tmp/marker arms one: whoever reaches it and is first to make the marker gets a kill -9.
"""

import contextlib
import enum
import os
import signal

ARMED = os.environ.get("DINOSEEK_FAULT")


class Point(enum.StrEnum):
    """In the order of a picture's way in."""

    BEFORE_RECORD = "before_record"  # files are read and hashed, no row is there
    MID_STORE = "mid_store"  # bytes are written beside, their name does not lead to them
    AFTER_STORE = "after_store"  # an upload's bytes are on disk, no row is there
    AFTER_RECORD = "after_record"  # a row is written, not committed
    BEFORE_ENQUEUE = "before_enqueue"  # what was done is committed, no worker is told
    BEFORE_CLAIM = "before_claim"
    AFTER_CLAIM = "after_claim"  # committed; the worker holds pictures and has done nothing
    MID_DECODE = "mid_decode"  # within a decode child
    AFTER_DECODE = "after_decode"
    AFTER_EMBED = "after_embed"
    AFTER_THUMBNAIL = "after_thumbnail"
    BEFORE_COMMIT = "before_commit"  # embeddings are written, not committed
    AFTER_COMMIT = "after_commit"


def reach(point: Point) -> None:
    if ARMED is not None:
        _die_once(point, *ARMED.split(":", 1))


def _die_once(point: Point, armed: str, marker: str) -> None:
    if point != armed:
        return
    with contextlib.suppress(FileExistsError):
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), signal.SIGKILL)
