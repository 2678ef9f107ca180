"""One at a time: a lock that the system takes back from whoever dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from app.errors import ServiceUnavailable

WHO_ELSE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def alone(path: Path, refusal: str) -> Iterator[None]:
    """Raises ServiceUnavailable with these words while another process, or another thread, is inside."""
    try:
        descriptor = os.open(path, WHO_ELSE, 0o600)
    except OSError as error:
        reason = error.strerror or error
        raise ServiceUnavailable(f"{path} can't be made ({reason}): free space there or move the home") from None
    try:
        _take(descriptor, path, refusal)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, refusal: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ServiceUnavailable(refusal) from None
    except OSError as error:
        way_out = "mount that disk with locks, or set DINOSEEK_HOME to one that has them"
        raise ServiceUnavailable(f"{path} can't be locked ({error.strerror}): {way_out}") from None
