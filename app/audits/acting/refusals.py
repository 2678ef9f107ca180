"""Why a file is left alone: nothing was done to it, and one line says what stood in the way."""

import errno
from dataclasses import dataclass

AGAIN = "run the audit again"
WAYS_OUT = {
    errno.ENOSPC: "free space on that disk, then ask again",
    errno.EDQUOT: "free space on that disk, then ask again",
    errno.EROFS: "mount that disk for writing, then ask again",
    errno.EXDEV: "it lies on another file system than its quarantine folder: move it by hand",
    errno.ENOENT: f"something went meanwhile: {AGAIN}",
    errno.EIO: "look after that disk first",
    errno.ENAMETOOLONG: "shorten the names of its folders, then ask again",
    errno.ELOOP: "a folder was replaced by a link: put the folder back",
    errno.ENOTDIR: "a folder was replaced by a link or a file: put the folder back",
}
LEAVE = "give dinoseek leave to change its folder, then ask again"


@dataclass(frozen=True)
class Refusal:
    """A file that was left as it is."""

    path: str
    reason: str


class Refused(Exception):
    """This file is left as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refused(error: OSError, doing: str = "it can't be moved") -> Refused:
    """What the system said, as a person would."""
    return Refused(f"{doing} ({error.strerror or error}): {WAYS_OUT.get(error.errno, LEAVE)}")
