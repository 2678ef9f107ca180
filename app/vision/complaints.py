"""What C libraries say on standard error instead of failing: past damage in a fax libtiff goes on with bare lines."""

import os
import re
import resource
import sys
import tempfile

from app.errors import UnreadableImage

MOST_BYTES = 2**16  # of a file that this process writes: a hostile picture could have millions of bad lines
DAMAGE = re.compile(rb"Fax\w+: (Bad code word|Uncompressed data|Premature EOF|Buffer overflow)")


def listen() -> None:
    """From here on standard error is a file of ours, and no file grows past MOST_BYTES: more is not heard."""
    if hasattr(os, "memfd_create"):  # Linux: it needs no disk, which may be full or not ours to write
        os.dup2(os.memfd_create("complaints"), sys.stderr.fileno())
    else:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), sys.stderr.fileno())
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))  # Python ignores the signal that comes with it


def forget() -> None:
    """What an earlier picture was told."""
    os.ftruncate(sys.stderr.fileno(), 0)
    os.lseek(sys.stderr.fileno(), 0, os.SEEK_SET)


def refuse_damage() -> None:
    """Raises UnreadableImage when the picture just decoded is none that anybody took."""
    said = DAMAGE.search(os.pread(sys.stderr.fileno(), MOST_BYTES, 0))
    if said is not None:
        raise UnreadableImage(f"a damaged TIFF ({said[1].decode().lower()}): copy it again from the source", "damaged")
