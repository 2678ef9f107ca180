"""Named points where a test may have the process killed. Unarmed, each costs one look at a constant.

DINOSEEK_FAULT=after_embed:/tmp/marker arms one: whoever reaches it and is first to make the marker gets a kill -9.
"""

import contextlib
import enum
import os
import signal

ARMED = os.environ.get("DINOSEEK_FAULT")


class Point(enum.StrEnum):
    """In the order of a picture's way in, of an audit, and then of a duplicate's way out and back."""

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
    AFTER_DETAILS = "after_details"  # local descriptors are written, no row is there
    AFTER_THUMBNAIL = "after_thumbnail"
    BEFORE_COMMIT = "before_commit"  # embeddings are written, not committed
    AFTER_COMMIT = "after_commit"
    AFTER_SETTLED = "after_settled"  # what some pairs are is committed, the groups they make are not made
    MID_FORMING = "mid_forming"  # groups of a running audit are written, not committed
    BEFORE_LEDGER = "before_ledger"  # files are chosen for quarantine, nothing is written down
    AFTER_LEDGER = "after_ledger"  # rows are committed, the journal beside the files is not written
    AFTER_JOURNAL = "after_journal"  # all is written down, no file has moved
    BEFORE_MOVE = "before_move"  # both files are hashed
    MID_LINK = "mid_link"  # a link to the keeper lies in quarantine, to change places with the duplicate
    AFTER_MOVE = "after_move"  # a file is in quarantine, its row says planned
    AFTER_MOVED = "after_moved"  # the rows of some files are committed
    BEFORE_RETURN = "before_return"  # a file in quarantine is hashed
    MID_RETURN = "mid_return"  # a duplicate is back, the link that stood for it still lies in quarantine
    AFTER_RETURN = "after_return"  # a file is back, its row says moved
    AFTER_RETURNED = "after_returned"  # the rows of some files are committed


def reach(point: Point) -> None:
    if ARMED is not None:
        _die_once(point, *ARMED.split(":", 1))


def _die_once(point: Point, armed: str, marker: str) -> None:
    if point != armed:
        return
    with contextlib.suppress(FileExistsError):
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), signal.SIGKILL)
