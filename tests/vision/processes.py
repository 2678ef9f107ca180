"""Looking at other processes, as Linux shows them."""

import contextlib
import re
import sys
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps and shows these limits")


def children_of(pid: int) -> list[int]:
    """Empty where there is no /proc."""
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            children += map(int, (task / "children").read_text().split())
    return children


def decode_children_of(pid: int) -> list[int]:
    return [child for child in children_of(pid) if b"decode_child" in _command_of(child)]


def has_ended(pid: int) -> bool:
    """Also when nobody has asked yet how it ended."""
    return not _command_of(pid)


def _command_of(pid: int) -> bytes:
    """Empty once it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def peak_memory_bytes(pid: int) -> int:
    """Resident, at its largest since the program began. Not getrusage: that counts the parent it was forked from."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


def resident_bytes(pid: int) -> int:
    """Resident now."""
    return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])
