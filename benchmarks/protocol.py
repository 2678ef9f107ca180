"""How long the protocol's table takes once everything is embedded, and in how much memory.

    python -m benchmarks.protocol --distractors 1000000

Random unit vectors stand for pictures, and 70 queries have 150 rows of truth each. The file of vectors takes 2 kB a
picture in TMPDIR.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from app.evaluation.cosines import cosines
from app.evaluation.kept import KeptVectors, Part
from app.evaluation.protocol import SETUPS, score, summarise
from app.evaluation.truth import Question
from app.vision.models import ModelKey

QUERIES, DATABASE, DIM = 70, 5_000, 384
TOLD = 50  # rows of each kind, easy, hard and junk
CHUNK = 20_000
KEY = ModelKey("random", "0" * 64, "inside224-v1", "float32", DIM, False)


def main() -> None:
    arguments = parse()
    rng = np.random.default_rng(2026)
    parts = [Part(number.to_bytes(32, "big")) for number in range(QUERIES + DATABASE + arguments.distractors)]
    with tempfile.TemporaryDirectory() as folder, KeptVectors(Path(folder), 0) as kept:
        maker = kept.maker(KEY, KEY.preprocessing)
        fill(kept, maker, parts, rng)
        print(f"before: {peak_mb():,.0f} MB")
        began = time.perf_counter(), time.process_time()
        found = cosines(kept, {KEY.preprocessing: maker}, parts[:QUERIES], parts[QUERIES:], DIM)
        ranked_from = time.perf_counter(), time.process_time()
        scores = score(found, list(questions(rng)))
        ended = time.perf_counter(), time.process_time()
    print(f"{QUERIES} queries x {found.shape[1]:,} pictures of {DIM} numbers")
    print(f"vectors read and multiplied: {span(began, ranked_from)}; ranked and scored: {span(ranked_from, ended)}")
    print(f"peak {peak_mb():,.0f} MB, {found.nbytes / 1e6:,.0f} MB of them cosines")
    print({name: round(summarise(scores[name]).map, 6) for name in SETUPS})


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--distractors", type=int, default=1_000_000)
    return parser.parse_args()


def fill(kept: KeptVectors, maker: int, parts: Sequence[Part], rng: np.random.Generator) -> None:
    for start in range(0, len(parts), CHUNK):
        chunk = parts[start : start + CHUNK]
        rows = rng.standard_normal((len(chunk), DIM), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        kept.add((maker, part, row) for part, row in zip(chunk, rows, strict=True))


def questions(rng: np.random.Generator) -> Iterator[Question]:
    for number in range(QUERIES):
        easy, hard, junk = rng.permutation(DATABASE)[: 3 * TOLD].reshape(3, TOLD)
        yield Question(Path(f"{number}.jpg"), None, easy, hard, junk)


def span(began: tuple[float, float], ended: tuple[float, float]) -> str:
    wall, processor = (end - start for start, end in zip(began, ended, strict=True))
    return f"{wall:.1f} s, {processor:.1f} s of them the processor's"


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
