"""Pictures in zip and tar archives, member by member: nothing is unpacked to disk, no path is made of a name.

An archive may be damaged, or made to harm: what it costs is bounded by `Limits`, and links, devices and folders in it
are passed over.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from app.ingest.readings import Unread, read_some
from app.ingest.walk import is_hidden

CONTENTS_BYTES = 512  # of a zip's table of contents, per member; names are rarely a fifth of it
HEADER_BYTES = 2**20  # of a tar's extended headers: longer ones are made to fill our memory
RATIO_FREE_BYTES = 64 * 2**20  # a blank scan packs a thousandfold; below this size nothing is a bomb
ENCRYPTED = 0x1
UTF8_NAME = 0x800


@dataclass(frozen=True)
class Limits:
    """What one archive may cost."""

    members: int
    unpacked_bytes: int
    ratio: float  # unpacked / packed


class Broken(Unread):
    """The archive can't be read any further."""


@dataclass(frozen=True)
class Member:
    """A file in an archive. `open` raises Unread for what concerns it alone, Broken else."""

    name: bytes
    size_bytes: int
    open: Callable[[], BinaryIO]


def is_archive(path: Path) -> bool:
    return _reader(path) is not None


def members(path: Path, limits: Limits) -> Iterator[Member]:
    """Regular files, in their order; each is to be read, or passed over, before the next. Raises Broken."""
    taken: set[bytes] = set()
    try:
        for number, member in enumerate(_reader(path)(path, limits), start=1):
            if number > limits.members:
                raise Broken(f"it has over {limits.members:,} members: unpack it and ingest the folder", "too_large")
            if not any(is_hidden(folder) for folder in _folders(member.name)):
                yield Member(_distinct(member.name, taken), member.size_bytes, member.open)
    except Unread:
        raise
    except Exception as error:  # noqa: BLE001  (what is damaged, or made to harm, has readers raise anything)
        raise Broken(f"the archive is damaged ({error}): copy it again from the source", "damaged") from None


class Budget:
    """What an archive may still unfold to."""

    def __init__(self, limits: Limits, packed_bytes: int) -> None:
        self._most = min(limits.unpacked_bytes, max(int(limits.ratio * packed_bytes), RATIO_FREE_BYTES))
        self._left = self._most

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            rule = "unpack it yourself if you trust it, or raise DINOSEEK_ARCHIVE_MAX_UNPACKED_BYTES or _RATIO"
            raise Broken(f"it unfolds to over {self._most:,} bytes, which is the limit: {rule}", "bomb")


class Metered(io.RawIOBase):
    """A stream whose bytes are counted against the budget. `kind` of Unread for one that can't be read."""

    def __init__(self, file: BinaryIO, budget: Budget, kind: type[Unread]) -> None:
        self._file, self._budget, self._kind = file, budget, kind

    def read(self, size: int = -1) -> bytes:
        try:
            data = read_some(self._file, size)
        except Unread as trouble:
            raise self._kind(trouble.reason, trouble.code) from None
        self._budget.spend(len(data))
        return data


def _zip(path: Path, limits: Limits) -> Iterator[Member]:
    with path.open("rb") as file:
        _refuse_vast_contents(file, limits)
        with zipfile.ZipFile(file) as archive:
            budget = Budget(limits, path.stat().st_size)
            for info in archive.infolist():
                if not info.is_dir() and stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG):
                    opened = partial(_zip_member, archive, info, budget, limits)
                    yield Member(_zip_name(info), info.file_size, opened)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget, limits: Limits) -> BinaryIO:
    if info.flag_bits & ENCRYPTED:
        raise Unread("it is encrypted: unpack the archive with its password and ingest the folder", "encrypted")
    if info.file_size > max(RATIO_FREE_BYTES, limits.ratio * info.compress_size):
        raise Unread(f"{info.compress_size:,} bytes that unfold to {info.file_size:,}: made to harm", "bomb")
    try:
        return Metered(archive.open(info), budget, Unread)
    except Exception as error:  # noqa: BLE001  (as above)
        raise Unread(f"its bytes are damaged ({error}): copy the archive again from the source", "damaged") from None


def _zip_name(info: zipfile.ZipInfo) -> bytes:
    """As it stands in the archive: what is not marked as UTF-8 was read as CP437, which loses nothing."""
    return info.filename.encode("utf-8" if info.flag_bits & UTF8_NAME else "cp437", "replace").lstrip(b"/")


def _refuse_vast_contents(file: BinaryIO, limits: Limits) -> None:
    """zipfile reads the whole table of contents, which may be made to fill our memory: look how long it says it is."""
    end = zipfile._EndRecData(file)  # private, and the one reader of it that agrees with zipfile
    if end is not None and end[zipfile._ECD_SIZE] > limits.members * CONTENTS_BYTES:
        raise Broken(f"its table of contents has {end[zipfile._ECD_SIZE]:,} bytes: unpack it yourself", "too_large")
    file.seek(0)


def _tar(unpack: Callable[[BinaryIO], BinaryIO], path: Path, limits: Limits) -> Iterator[Member]:
    with path.open("rb") as packed, unpack(packed) as plain:
        metered = Metered(plain, Budget(limits, path.stat().st_size), Broken)
        with tarfile.open(fileobj=metered, mode="r|", tarinfo=_Header) as archive:
            for info in archive:
                archive.members = []  # else it remembers them all
                if info.isreg():
                    yield Member(_tar_name(info), info.size, partial(_tar_member, archive, info))


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> BinaryIO:
    return _AllOrNothing(archive.extractfile(info))


def _tar_name(info: tarfile.TarInfo) -> bytes:
    return info.name.encode("utf-8", "surrogateescape").lstrip(b"/")


class _AllOrNothing(io.RawIOBase):
    """A member of a stream: when it can't be read, neither can what follows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        try:
            return read_some(self._file, size)
        except Unread as trouble:
            raise Broken(f"the archive is damaged or cut short: {trouble.reason}", trouble.code) from None


class _Header(tarfile.TarInfo):
    """tarfile takes a damaged header for the end, and reads a long name of any length."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise Broken(f"the archive is damaged or cut short ({error}): copy it again", "damaged") from None

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> tarfile.TarInfo:
        header = super().frombuf(buf, encoding, errors)
        if header.type not in EXTENDED or header.size <= HEADER_BYTES:
            return header
        raise Broken(f"a header of {header.size:,} bytes: the archive is damaged or made to harm", "bomb")


EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
READERS = {
    (".zip",): _zip,
    (".tar",): partial(_tar, lambda file: file),
    (".tar.gz", ".tgz"): partial(_tar, lambda file: gzip.GzipFile(fileobj=file)),
    (".tar.bz2", ".tbz2"): partial(_tar, bz2.BZ2File),
    (".tar.xz", ".txz"): partial(_tar, lzma.LZMAFile),
}


def _reader(path: Path) -> Callable[[Path, Limits], Iterator[Member]] | None:
    name = path.name.lower()
    return next((reader for suffixes, reader in READERS.items() if name.endswith(suffixes)), None)


def _folders(name: bytes) -> list[bytes]:
    """`.` and `..` are no folders of anyone's."""
    return [part for part in name.split(b"/")[:-1] if part.strip(b".")]


def _distinct(name: bytes, taken: set[bytes]) -> bytes:
    """An archive may hold a name twice: neither picture is to lose its address."""
    number, wanted = 2, name
    while wanted in taken:
        wanted, number = b"%b (%d)" % (name, number), number + 1
    taken.add(wanted)
    return wanted
