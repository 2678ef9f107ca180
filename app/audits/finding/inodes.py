"""Which file of the disk each place is: two names of one file take its room once, and neither frees any alone."""

import os
from collections.abc import Iterable

from app.audits.finding.lease import Hold
from app.audits.finding.scope import Scopes
from app.catalog import files
from app.catalog.images import portions
from app.storage.handles import inode, is_file


def look(hold: Hold, within: Scopes) -> None:
    """At each file of this host whose bytes lie at several places. What can't be reached stays as it was seen last."""
    with hold.resources.catalog.read() as session:
        rows = files.with_twins(session, [scope.collection_id for scope in within.both], hold.resources.storage.host)
    seen = {row.id: (row.inode, inode_of(row.path_bytes)) for row in rows}
    news = [(location_id, now) for location_id, (before, now) in seen.items() if now not in (None, before)]
    for some in portions(news):
        with hold.resources.catalog.begin() as session:
            hold.write(session)
            files.note_inodes(session, dict(some))


def of_paths(paths: Iterable[bytes]) -> dict[bytes, str]:
    """Those alone where a file is."""
    return {path: seen for path in paths if (seen := inode_of(path)) is not None}


def inode_of(path: bytes) -> str | None:
    """Device and number as rows have them; None where no file is, or it can't be reached."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return "{}:{}".format(*inode(status)) if is_file(status) else None
