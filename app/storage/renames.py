"""A file gets another name in one step, and never in place of another file.

Where the system can't do that (NFS), two steps do it: at each instant the file has one of its names, or both.
"""

import ctypes
import errno
import os

from app.storage.handles import Folder, inode

NEVER_OVER, EXCHANGE = 1, 2  # flags of Linux's renameat2
UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)  # the system, or this filesystem, has no such rename


def move_in(folder: Folder, name: bytes, ours: Folder, new: bytes) -> None:
    """Into a folder where only we make names. Raises FileExistsError; OSError where the disk refuses."""
    try:
        _rename(folder, name, ours, new, NEVER_OVER)
    except OSError as error:
        if error.errno not in UNABLE:
            raise
        if ours.status(new) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(name, new, src_dir_fd=folder.descriptor, dst_dir_fd=ours.descriptor)


def move_out(ours: Folder, name: bytes, folder: Folder, new: bytes) -> None:
    """The inverse of `move_in`: to a place where others make names as well. Raises FileExistsError, OSError."""
    try:
        _rename(ours, name, folder, new, NEVER_OVER)
    except OSError as error:
        if error.errno not in UNABLE:
            raise
        link(ours, name, folder, new)
        drop_name(ours, name, folder, new)


def exchange(first: Folder, name: bytes, second: Folder, other: bytes) -> None:
    """Each of two files gets the other's name. Raises OSError, one of UNABLE where the filesystem can't."""
    _rename(first, name, second, other, EXCHANGE)


def link(folder: Folder, name: bytes, other: Folder, new: bytes) -> None:
    """A second name for a file. Raises FileExistsError, OSError."""
    places = {"src_dir_fd": folder.descriptor, "dst_dir_fd": other.descriptor}
    os.link(name, new, **places, follow_symlinks=False)


def drop_name(ours: Folder, name: bytes, folder: Folder, other: bytes) -> None:
    """Take away a file's name in a folder of ours, when it has the other one too. Raises FileNotFoundError if not."""
    here, there = ours.status(name), folder.status(other)
    if here is None or there is None or inode(here) != inode(there):
        raise FileNotFoundError(errno.ENOENT, "its other name leads elsewhere")
    os.unlink(name, dir_fd=ours.descriptor)


def _rename(first: Folder, name: bytes, second: Folder, new: bytes, flags: int) -> None:
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _renameat2(first.descriptor, name, second.descriptor, new, flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))  # of the subclass that belongs to the code


def _find_renameat2():
    """None where the C library has no such function."""
    try:
        found = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    found.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return found


_renameat2 = _find_renameat2()
