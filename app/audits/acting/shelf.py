"""Where a file lies in quarantine: in a hidden folder above its own, on the same file system, under its old names."""

import contextlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.audits.acting.refusals import Refused, refused
from app.storage.handles import Folder, held, joined, rights_of

SHELF = b".dinoseek-quarantine"  # hidden: no ingest looks into it


@dataclass(frozen=True)
class Slot:
    """A place in quarantine and the one it stands for, both below `root`."""

    root: bytes
    batch: bytes  # name of the folder that holds what was moved together
    inner: bytes  # the file's path below the root

    @property
    def path(self) -> bytes:
        return joined(self.root, self.inner)

    @property
    def quarantined(self) -> bytes:
        return joined(self.root, b"/".join((SHELF, self.batch, self.inner)))

    @property
    def folders(self) -> list[bytes]:
        """Names from the root down to the folder of the file."""
        return self.inner.split(b"/")[:-1]

    @property
    def shelf_folders(self) -> list[bytes]:
        """The same in quarantine."""
        return [SHELF, self.batch, *self.folders]

    @property
    def rights(self) -> list[int]:
        """Of `folders`, as those in quarantine have them: what is made again is as it was."""
        shelved = joined(self.root, joined(SHELF, self.batch))
        return [rights_of(path) for path in self._down(shelved)[1:]]

    @property
    def shelf_rights(self) -> list[int]:
        """Of `shelf_folders`, as those they stand for have them: nobody sees in quarantine what was closed to him."""
        root, *below = self._down(self.root)
        return [rights_of(path) for path in (root, root, *below)]

    def _down(self, start: bytes) -> list[bytes]:
        """Paths of a folder, and from there of each on the way to the file's."""
        return [joined(start, b"/".join(self.folders[:number])) for number in range(len(self.folders) + 1)]

    @property
    def name(self) -> bytes:
        return self.inner.rpartition(b"/")[2]

    @classmethod
    def of(cls, quarantined: bytes) -> "Slot":
        """The inverse of `quarantined`."""
        root, _, below = quarantined.partition(b"/" + SHELF + b"/")
        batch, _, inner = below.partition(b"/")
        return cls(root or b"/", batch, inner)


def find(root: bytes, path: bytes, batch: bytes) -> Slot:
    """A place for the file at `path`: as near to `root` as its file system and our rights allow. Raises Refused."""
    if is_shelved(path):
        raise Refused("it lies in a quarantine folder already")
    names = path[len(root.rstrip(b"/")) + 1 :].split(b"/")
    try:
        with held(root, names[:-1]) as folders:
            start = _highest(folders)
    except OSError as error:
        raise refused(error, "its folder can't be entered") from None
    return Slot(folders[start].path, batch, b"/".join(names[start:]))


def tidy(slots: Iterable[Slot]) -> None:
    """Take away the folders in quarantine that held these and hold nothing any more."""
    for slot in {(slot.root, slot.batch, *slot.folders): slot for slot in slots}.values():
        with contextlib.suppress(OSError), held(slot.root, slot.shelf_folders) as folders:
            for above, name in zip(folders[-2:0:-1], slot.shelf_folders[:0:-1], strict=True):
                os.rmdir(name, dir_fd=above.descriptor)


def is_shelved(path: bytes) -> bool:
    return SHELF in path.split(b"/")


def _highest(folders: Sequence[Folder]) -> int:
    """The number of the first folder that shares the file's mount and lets us make names in it."""
    own = folders[-1]
    if not own.may_change():
        raise Refused("its folder can't be changed: give dinoseek leave to, then ask again")
    mount = own.mount
    start = next(number for number in range(len(folders)) if all(f.mount == mount for f in folders[number:]))
    able = (number for number in range(start, len(folders)) if _may_take(folders[number]))
    found = next(able, None)
    if found is None:
        shelf = SHELF.decode()
        raise Refused(f"no folder above it takes a {shelf}: give dinoseek leave to make one, then ask again")
    return found


def _may_take(folder: Folder) -> bool:
    there = folder.status(SHELF)
    if there is None:
        return folder.may_change()
    if not stat.S_ISDIR(there.st_mode):
        return False
    try:
        with held(folder.path, [SHELF]) as opened:
            return opened[-1].may_change()
    except OSError:
        return False
