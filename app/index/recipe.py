"""How a snapshot is laid out, by its size and the memory it may take: data, read top down, the first that fits."""

import math
from dataclasses import dataclass

FLOAT_BYTES = 4
CELLS_PER_ROOT = 4  # cells are this many times the root of the count, as FAISS's guide has it for up to 10 million


@dataclass(frozen=True)
class Recipe:
    """One row. `codes` is how FAISS packs a vector in its cell; none: every row is scanned as it is."""

    name: str  # stored in the manifest
    max_bytes: float  # of raw vectors; above it the next row is meant
    reason: str
    codes: str | None = None
    bytes_per_dim: float = 0.0  # of packed vectors, which should stay in memory; raw ones are read from disk by the few
    depth: int = 1  # times k: how many packed vectors are scored again in full

    def memory_bytes(self, count: int, dim: int) -> float:
        return count * dim * self.bytes_per_dim

    def factory(self, count: int, dim: int) -> str:
        """The string of faiss.index_factory for the cells."""
        return f"IVF{cells(count)},{self.codes.format(parts=dim // 4)}"


RECIPES = (
    Recipe(
        name="exact",
        max_bytes=128 * 2**20,
        reason="a scan is never wrong and filters cost it nothing; 87,000 vectors of 384 floats take one core 15 ms",
    ),
    Recipe(
        name="cells-8bit",
        max_bytes=math.inf,
        codes="SQ8",
        bytes_per_dim=1.0,
        depth=2,
        reason="a quarter of the bytes in memory, mapped, so that readers share it; built in under half of HNSW's time",
    ),
    Recipe(
        name="cells-2bit",
        max_bytes=math.inf,
        codes="PQ{parts}x8np",  # np: codes in no order for polysemous search, which takes most of a build
        bytes_per_dim=0.25,
        depth=20,
        reason="a sixteenth of the bytes, for what has no room in memory otherwise; coarser, so more is scored again",
    ),
)
EXACT = RECIPES[0]


def cells(count: int) -> int:
    return max(1, round(CELLS_PER_ROOT * math.sqrt(count)))


def choose(count: int, dim: int, memory_bytes: float = math.inf, asks: int = 1) -> Recipe:
    """The first that is meant for so many bytes and fits into the memory; the smallest where none does.

    `asks` is for how many vectors a search asks at once: each of them is a scan of its own.
    """
    fitting = (row for row in RECIPES if count * dim * FLOAT_BYTES * asks <= row.max_bytes)
    return next((row for row in fitting if row.memory_bytes(count, dim) <= memory_bytes), RECIPES[-1])


def get_recipe(name: str) -> Recipe:
    """Raises KeyError for a name no release has written."""
    return {row.name: row for row in RECIPES}[name]
