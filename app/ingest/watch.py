"""`ingest --watch`: after a first pass, files as they come, change and go; and a full pass once in a while.

Notices of changes can be lost (a queue that overflowed, a network disk), so they only make it quicker: what decides is
the pass.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from watchfiles import watch

from app.catalog import collections, sources
from app.catalog.database import NETWORK_FILESYSTEMS, filesystem_of
from app.catalog.states import SourceKind
from app.ingest import absence, roots, scan, walk
from app.ingest.report import ScanReport
from app.ingest.roots import Root
from app.ingest.scan import Stopped, Wishes
from app.ingest.walk import Found
from app.resources import Resources

log = logging.getLogger(__name__)

LOOK_S = 0.5
PASS_SHARE = 10  # a full pass that took long is not begun again before so many times its length

Counts = dict[str, int]


class Watcher:
    """Keeps a collection as its sources are, until `stop` is set."""

    def __init__(
        self,
        resources: Resources,
        report: ScanReport,
        wishes: Wishes,
        stop: threading.Event,
        on_change: Callable[[Counts], None] = lambda counts: None,
    ) -> None:
        self._resources, self._report, self._stop, self._on_change = resources, report, stop, on_change
        self._wishes = replace(wishes, leave=self._is_unquiet)
        self._touched: dict[bytes, float] = {}  # an address, and when it was last seen to change
        self._pass_at = 0.0

    def run(self, first: Callable[[Wishes], None]) -> None:
        """`first` makes the first pass. Notices are listened to before it begins: nothing falls between."""
        with contextlib.suppress(Stopped):
            for changed in self._notices():
                self._touched |= {os.fsencode(path): time.monotonic() for path in changed}
                if time.monotonic() > self._pass_at:
                    self._pass(first)
                    first = self._read_all
                self._take_quiet()

    def _notices(self) -> Iterator[Iterable[str]]:
        """Paths that changed, every half second; of the roots that are there, which a pass may find to be others."""
        while not self._stop.is_set():
            watched = self._watchable()
            try:
                yield from self._listen(watched) if watched else self._nothing()
            except OSError as error:  # too many folders for this system, or one that has just gone
                log.warning("changes are not told here (%s): everything is read again instead", error)
                yield from self._nothing()

    def _listen(self, watched: list[Path]) -> Iterator[Iterable[str]]:
        kinds = {filesystem_of(path) for path in watched}
        for changes in watch(
            *watched,
            watch_filter=None,
            step=100,
            debounce=int(LOOK_S * 1000),
            rust_timeout=int(LOOK_S * 1000),
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            force_polling=True if kinds & NETWORK_FILESYSTEMS else None,  # their changes are made elsewhere
            ignore_permission_denied=True,
        ):
            yield [path for _, path in changes]
            if self._watchable() != watched:
                return

    def _nothing(self) -> Iterator[Iterable[str]]:
        """Half a minute without notices."""
        for _ in range(int(30 / LOOK_S)):
            if self._stop.wait(LOOK_S):
                return
            yield ()

    def _watchable(self) -> list[Path]:
        local = [root for root in self._report.roots if root.kind is not SourceKind.REMOTE]
        paths = [root.path for root in local if not root.names] + [
            Path(os.fsdecode(name)) for root in local for name in sorted(root.names)
        ]
        return [path for path in paths if os.path.exists(path)]  # noqa: PTH110

    def _pass(self, read: Callable[[Wishes], None]) -> None:
        started = time.monotonic()
        read(self._wishes)
        took_s = time.monotonic() - started
        self._pass_at = time.monotonic() + max(self._resources.settings.watch_full_pass_s, took_s * PASS_SHARE)

    def _read_all(self, wishes: Wishes) -> None:
        later = ScanReport(self._report.collection)
        scan.read_roots(self._resources, later, self._report.roots, None, wishes)
        self._tell(later)

    def _take_quiet(self) -> None:
        """Record what has not changed for a while, forget what has gone."""
        quiet_since = time.monotonic() - self._resources.settings.watch_quiet_s
        quiet = [address for address, at in self._touched.items() if at <= quiet_since]
        for address in quiet:
            del self._touched[address]
        for root in self._report.roots if quiet else ():
            self._take(root, [address for address in quiet if root.reaches(address)])

    def _take(self, root: Root, addresses: list[bytes]) -> None:
        if not addresses or roots.look(root, self._resources.settings.remote_timeout_s) is not None:
            return  # when the root has gone, the next pass says so
        later = ScanReport(self._report.collection)
        if root.kind is SourceKind.ARCHIVE:
            scan.read_roots(self._resources, later, [root], None, self._wishes)
        else:
            here = [address for address in addresses if not walk.is_missing(address)]
            scan.read_found(self._resources, later, self._found(here), self._wishes)
            self._forget(root, [address for address in addresses if address not in here])
        self._tell(later)

    def _found(self, addresses: list[bytes]) -> Iterator[Found]:
        """Files, each once: of a new folder both it and what is in it are told."""
        taken: set[bytes] = set()
        for address in addresses:
            for found in _at(address):
                if found.address not in taken:
                    taken.add(found.address)
                    yield found

    def _forget(self, root: Root, gone: list[bytes]) -> None:
        if not gone:
            return
        with self._resources.catalog.read() as session:
            collection_id = collections.get(session, self._report.collection).id
            source = sources.find(session, collection_id, root.kind, root.address, self._resources.storage.host)
        if source is not None:
            absence.forget_gone(self._resources, source, gone)

    def _tell(self, later: ScanReport) -> None:
        self._report.fold(later)
        if later.counts["added"] or later.counts["failed"]:
            self._on_change(later.counts)

    def _is_unquiet(self, found: Found) -> bool:
        """Whether a file may still be being written; then it is looked at again when it is quiet."""
        if self._stop.is_set():
            raise Stopped
        age_s = time.time() - found.mtime_ns / 1e9
        unquiet = 0 <= age_s < self._resources.settings.watch_quiet_s
        if unquiet:
            self._touched[found.address] = time.monotonic()
        return unquiet


def _at(address: bytes) -> Iterator[Found]:
    if os.path.isfile(address):  # noqa: PTH113
        yield from walk.named([address])
    elif os.path.isdir(address) and not walk.is_hidden(address):  # noqa: PTH112
        yield from walk.folder(Path(os.fsdecode(address)))
