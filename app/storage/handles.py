"""Folders held open: what is done below one can't be led elsewhere by a link that takes a folder's place meanwhile."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe in a file's place must not hold us up
NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # of a filesystem that can't flush folders
PROC = Path("/proc/self/fdinfo")

Inode = tuple[int, int]  # (device, number): what two names of one file have in common


@dataclass(frozen=True)
class Folder:
    """One that is open."""

    descriptor: int
    path: bytes

    @property
    def mount(self) -> tuple[int, int]:
        """Equal for two folders between which a file can be renamed: a device may be mounted at several places."""
        return os.fstat(self.descriptor).st_dev, _mount_id(self.descriptor)

    def status(self, name: bytes) -> os.stat_result | None:
        """Of what has this name, itself and not what it links to; None where nothing has."""
        try:
            return os.lstat(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None

    def opened(self, name: bytes) -> BinaryIO:
        """The file of this name. Raises OSError for a link, and where it is missing or closed to us."""
        return os.fdopen(os.open(name, FILE, dir_fd=self.descriptor), "rb")

    def may_change(self) -> bool:
        """Whether names may be made and taken away here."""
        return os.access(b".", os.W_OK | os.X_OK, dir_fd=self.descriptor)

    def sync(self) -> None:
        """Every name made or taken away here is on the disk before this returns."""
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            if error.errno not in NO_SYNC:
                raise


@contextlib.contextmanager
def held(root: bytes, names: Sequence[bytes] = (), rights: Sequence[int] | None = None) -> Iterator[list[Folder]]:
    """A folder and those of these names, each in the one before; those that are missing are made, with these rights.

    `root` may be reached through links, nothing below it. Raises OSError: NotADirectoryError at a link.
    """
    with contextlib.ExitStack() as open_ones:
        folders = [_open(open_ones, root, root, None)]
        for number, name in enumerate(names):
            above = folders[-1]
            if rights is not None:
                _make(above, name, rights[number])
            folders.append(_open(open_ones, name, joined(above.path, name), above.descriptor))
        yield folders


def joined(folder: bytes, inner: bytes) -> bytes:
    return folder.rstrip(b"/") + b"/" + inner


def inode(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


def is_file(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode)


class Unsynced:
    """Folders that changed, kept open until all of them are flushed: one flush for many names."""

    def __init__(self) -> None:
        self._folders: dict[Inode, Folder] = {}

    def add(self, folder: Folder) -> None:
        at = inode(os.fstat(folder.descriptor))
        if at not in self._folders:
            self._folders[at] = Folder(os.dup(folder.descriptor), folder.path)

    def sync(self) -> None:
        while self._folders:
            _, folder = self._folders.popitem()
            try:
                folder.sync()
            finally:
                os.close(folder.descriptor)


def _open(open_ones: contextlib.ExitStack, name: bytes, path: bytes, above: int | None) -> Folder:
    flags = FOLDER if above is None else FOLDER | os.O_NOFOLLOW
    descriptor = os.open(name, flags, dir_fd=above)
    open_ones.callback(os.close, descriptor)
    return Folder(descriptor, path)


def rights_of(path: bytes) -> int:
    """Who may enter this folder. Only its owner, where it can't be asked."""
    try:
        return stat.S_IMODE(Path(os.fsdecode(path)).stat().st_mode)
    except OSError:
        return stat.S_IRWXU


def _make(above: Folder, name: bytes, rights: int) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, rights, dir_fd=above.descriptor)
        above.sync()


def _mount_id(descriptor: int) -> int:
    """0 where the system doesn't tell: then the device alone decides."""
    try:
        lines = (PROC / str(descriptor)).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("mnt_id:")), 0)
