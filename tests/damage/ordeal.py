"""What became of damaged files in decode children, and what it cost."""

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

import app.vision.decoder
from app.errors import UnreadableImage
from app.vision.answers import Prepared
from app.vision.decoder import Decoder
from tests.conftest import make_settings
from tests.damage.mutations import Mutant
from tests.vision.processes import decode_children_of, peak_memory_bytes

SMALLEST = b"P5 1 1 255\n\0"


@dataclass
class Ordeal:
    """One child after another's picture: times are those of the pictures, not of a queue."""

    accepted: list[tuple[Mutant, Prepared]] = field(default_factory=list)
    refused: list[tuple[Mutant, UnreadableImage]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    memory_bytes: int = 0  # the most that a child took over what it had at rest

    @property
    def codes(self) -> Counter:
        return Counter(refusal.code for _, refusal in self.refused)

    def told(self) -> str:
        """For the log of a long run."""
        by_format = Counter((mutant.source.format, "accepted") for mutant, _ in self.accepted)
        by_format += Counter((mutant.source.format, "refused") for mutant, _ in self.refused)
        times = np.array(self.seconds)
        return (
            f"{len(times):,} files: {len(self.accepted):,} accepted, refused {dict(self.codes)}; by format "
            f"{ {' '.join(key): count for key, count in sorted(by_format.items())} }; longest {times.max():.2f} s, "
            f"p99 {np.quantile(times, 0.99):.3f} s, all {times.sum():.0f} s; +{self.memory_bytes / 2**20:.0f} MB"
        )


def endure(home, mutants: Iterable[Mutant], monkeypatch) -> Ordeal:
    """All through one child, as far as it lives: what leaks or lingers adds up in it."""
    monkeypatch.setattr(app.vision.decoder, "TASKS_PER_CHILD", 10**9)
    ordeal, rest = Ordeal(), {}
    settings = make_settings(home, decode_processes=1, decode_timeout_s=120)  # of a busy machine; its work is limited
    with Decoder(settings) as decoder:
        decoder.submit(SMALLEST).result()
        for mutant in mutants:
            _decode(decoder, mutant, ordeal)
            for child in decode_children_of(os.getpid()):
                peak = peak_memory_bytes(child)
                ordeal.memory_bytes = max(ordeal.memory_bytes, peak - rest.setdefault(child, peak))
    return ordeal


def _decode(decoder: Decoder, mutant: Mutant, ordeal: Ordeal) -> None:
    begun = time.monotonic()
    try:
        ordeal.accepted.append((mutant, decoder.submit(mutant.data, name=mutant.name, thumbnail=True).result()))
    except UnreadableImage as refusal:
        ordeal.refused.append((mutant, refusal))
    ordeal.seconds.append(time.monotonic() - begun)
