"""What a row may be: the words that columns store."""

import enum


class ImageStatus(enum.StrEnum):
    PENDING = "pending"  # its bytes are known, no worker has it
    WORKING = "working"  # claimed under a lease
    READY = "ready"  # embedded, and searchable
    FAILED = "failed"  # refused or set aside; `code` and `reason` say why
    GONE = "gone"  # no path leads to these bytes any more; comes back when one does


class Priority(enum.IntEnum):
    """What is claimed first: the lower number."""

    PERSON = 0  # someone waits for this one picture
    BULK = 1


class SnapshotStatus(enum.StrEnum):
    BUILDING = "building"
    VERIFIED = "verified"  # written, read back, checksums equal
    PUBLISHED = "published"  # readers use it
    RETIRED = "retired"  # replaced; its folder may be removed
    DAMAGED = "damaged"  # failed its checksum; set aside


class PlaceKind(enum.StrEnum):
    """What a location's address is. Only a file can be looked for on a disk."""

    FILE = "file"  # a path of this machine
    MEMBER = "member"  # an archive's path, a slash, the name inside
    REMOTE = "remote"  # such as s3://bucket/key
    UPLOAD = "upload"  # came through the browser: a name to show, no path


class SourceKind(enum.StrEnum):
    FOLDER = "folder"  # read to the bottom
    FILES = "files"  # files of a folder that were named one by one
    ARCHIVE = "archive"
    REMOTE = "remote"


class SourceState(enum.StrEnum):
    HERE = "here"
    AWAY = "away"  # a disk not mounted, a server that does not answer: its pictures wait, nothing is forgotten
