"""What became of the files of one ingest: counts of all, and a receipt for each that was refused or passed over."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.ingest.receive import Outcome, Receipt
from app.ingest.roots import Root

MARK_BYTES = 8


@dataclass(frozen=True)
class Absent:
    """A source that is away: its pictures wait and nothing of it is forgotten."""

    address: str
    reason: str


class Seen:
    """Which addresses were seen, in eight bytes each: a million files may be below one folder."""

    def __init__(self) -> None:
        self._marks = array("Q")
        self._sorted = np.empty(0, np.uint64)

    def add(self, address: bytes) -> None:
        self._marks.append(_mark(address))

    def holds(self, addresses: Sequence[bytes]) -> np.ndarray:
        """A bool for each."""
        if len(self._sorted) != len(self._marks):
            self._sorted = np.sort(np.array(self._marks, np.uint64))
        wanted = np.array([_mark(address) for address in addresses], np.uint64)
        if not len(self._sorted):
            return np.zeros(len(wanted), bool)
        places = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return self._sorted[places] == wanted


class IdRanges:
    """Ids that were given out mostly in a row, as ranges."""

    def __init__(self) -> None:
        self._ranges: list[list[int]] = []  # [first, last], ascending

    def add(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            if self._ranges and self._ranges[-1][1] + 1 == id_:
                self._ranges[-1][1] = id_
            else:
                self._ranges.append([id_, id_])

    def __contains__(self, id_: int) -> bool:
        low, high = 0, len(self._ranges)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._ranges[middle][1] < id_ else (low, middle)
        return low < len(self._ranges) and self._ranges[low][0] <= id_


@dataclass
class ScanReport:
    """Every file seen is counted; only those that failed or were skipped have a receipt."""

    collection: str
    receipts: list[Receipt] = field(default_factory=list)
    away: list[Absent] = field(default_factory=list)
    seconds: float = 0.0
    roots: list[Root] = field(default_factory=list)
    tally: Counter = field(default_factory=Counter)
    seen: Seen = field(default_factory=Seen)
    added: IdRanges = field(default_factory=IdRanges)
    told: set[bytes] = field(default_factory=set)  # addresses whose failure has a receipt
    undone: set[int] = field(default_factory=set)  # images that were added, and have failed since

    @property
    def counts(self) -> dict[str, int]:
        return {"seen": self.tally.total(), **{outcome.value: self.tally[outcome] for outcome in Outcome}}

    def note(self, address: bytes, receipt: Receipt) -> None:
        self.seen.add(address)
        self.tally[receipt.outcome] += 1
        if receipt.outcome is Outcome.ADDED:
            self.added.add([receipt.image_id])
        if receipt.outcome is Outcome.FAILED:
            self.told.add(address)
        if receipt.outcome in (Outcome.FAILED, Outcome.SKIPPED):
            self.receipts.append(receipt)

    def fold(self, later: "ScanReport") -> None:
        """Take over what is news in a later pass over the same roots: what it added, and its failures."""
        self.tally[Outcome.ADDED] += later.tally[Outcome.ADDED]
        told = set(self.receipts)
        news = [receipt for receipt in later.receipts if receipt not in told]
        self.tally.update(receipt.outcome for receipt in news)
        self.receipts += news
        self.away = later.away

    def refuse_late(self, address: bytes, receipt: Receipt) -> None:
        """A file that was counted as added or known has failed since. Its image was added once, at one address."""
        if address in self.told:
            return
        first = receipt.image_id in self.added and receipt.image_id not in self.undone
        self.undone.add(receipt.image_id)
        self.tally[Outcome.ADDED if first else Outcome.KNOWN] -= 1
        self.tally[Outcome.FAILED] += 1
        self.told.add(address)
        self.receipts.append(receipt)


def _mark(address: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(address, digest_size=MARK_BYTES).digest(), "little")
