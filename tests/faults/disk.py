"""A small disk of its own, that a test can fill and make room on."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

FILLER = ".filler"


class SmallDisk:
    """A tmpfs. `fill` leaves `free_bytes`; `make_room` gives all of it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, free_bytes: int = 0) -> None:
        self.make_room()
        with contextlib.suppress(OSError), (self.folder / FILLER).open("wb", buffering=0) as file:
            while self.free_bytes > free_bytes:
                file.write(bytes(min(2**16, self.free_bytes - free_bytes)))

    def make_room(self) -> None:
        (self.folder / FILLER).unlink(missing_ok=True)

    @property
    def free_bytes(self) -> int:
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mounted at `folder`; a skip where mounts aren't permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "dinoseek-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a full disk needs leave to mount one (be root): {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
