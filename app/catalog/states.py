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


class Kind(enum.StrEnum):
    """Of which vectors an index is."""

    WHOLE = "whole"  # one of each picture
    REGIONS = "regions"  # of parts of pictures, several of each


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


class AuditStatus(enum.StrEnum):
    WAITING = "waiting"  # asked for; nobody is at it
    RUNNING = "running"  # under a lease
    DONE = "done"
    FAILED = "failed"  # could not go on; `reason` says why, and it goes on where it was when asked again


class AuditStage(enum.StrEnum):
    """In their order; each is resumable."""

    LOOK = "look"  # hashes of the pictures themselves
    JOIN = "join"  # neighbours by their vectors and hashes
    VERIFY = "verify"  # an alignment check of each pair
    GROUP = "group"


class Tier(enum.StrEnum):
    """What two pictures are to each other, the closest first."""

    IDENTICAL = "identical"  # same bytes
    SAME_PIXELS = "same_pixels"  # same picture, other container or metadata
    EDITED = "edited"  # resized, recompressed, recoloured, cropped, turned, mirrored, overlaid
    SAME_SCENE = "same_scene"  # another shot of the same moment or thing
    DIFFERENT = "different"  # looked at, and no copies of each other
    UNREADABLE = "unreadable"  # one of them can't be looked at now; `reason` says why


LOOSER = (Tier.IDENTICAL, Tier.SAME_PIXELS, Tier.EDITED, Tier.SAME_SCENE)  # what groups are of, the closest first
COPIES = LOOSER[:3]


class Role(enum.StrEnum):
    KEEPER = "keeper"
    DUPLICATE = "duplicate"


class Word(enum.StrEnum):
    """What a person said of a pair."""

    DIFFERENT = "different"  # never in one group again
    KEEP_BOTH = "keep_both"  # copies, and both stay: shown no more
    SAME_SCENE = "same_scene"  # no copies, another shot
    COPIES = "copies"  # copies, whatever the check says


class ActKind(enum.StrEnum):
    """What a person did with groups, by how it is taken back."""

    MARK = "mark"  # chose files for quarantine, or not any more
    WORD = "word"  # said what two pictures are to each other
    KEEP = "keep"  # chose a keeper by hand
    SETTLE = "settle"  # was done with groups, or was not after all


class BatchStatus(enum.StrEnum):
    PLANNED = "planned"  # its moves are written down; some may be done
    DONE = "done"
    RESTORING = "restoring"  # its files are on their way back; some may be
    RESTORED = "restored"


class MoveState(enum.StrEnum):
    PLANNED = "planned"  # written down; the file is where it was, or already in quarantine
    MOVED = "moved"  # it is in quarantine
    REFUSED = "refused"  # nothing was done; `reason` says why
    RESTORED = "restored"  # it is back where it was
