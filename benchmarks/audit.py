"""All pairs of near vectors with planted copies, as an audit finds them, beside the brute force that people use.

    python -m benchmarks.audit [--sizes 10000 100000 1000000] [--plot FILE.svg] [--kill] [--imagededup FOLDER]

The index is built before the clock starts. Rivals compare all with all, at the sizes they can reach; each runs in a
process of its own. `--kill`: ours is killed with -9 after a third of its blocks and goes on; every block must come
once. FOLDER is made by `pip install --target FOLDER scikit-learn matplotlib tqdm`, and `--no-deps imagededup` alike.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import MagicMock

import faiss
import numpy as np

from app.index import snapshot
from app.index.join import Join
from app.index.live import LiveIndex
from benchmarks import plot
from benchmarks.engines import build_ours
from benchmarks.vectors import CHUNK_ROWS, DIM, PER_CENTRE, SPREAD

THRESHOLD = 0.70  # neighbours of one centre have 0.55 ± 0.04
PLANTED, NEAREST, FARTHEST = 0.02, 0.99, 0.72  # share of the rows that are copies, and their cosines, even between
COLUMNS = ("seconds", "peak MB", "found", "pairs")

Block = tuple[np.ndarray, np.ndarray]  # rows and rows
FAISS_UP_TO, IMAGEDEDUP_UP_TO = 100_000, 40_000  # above: hours; and 20 GB for its table of cosines


def main() -> None:
    arguments = parse()
    if arguments.child:
        return print(json.dumps(measure(arguments)))
    tables = {}
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
            tables[size] = compare(Path(made), size, arguments)
    if arguments.plot:
        names = {name for rows in tables.values() for name in rows}
        curves = {
            name: [(size, rows[name]["seconds"]) for size, rows in tables.items() if name in rows]
            for name in sorted(names)
        }
        plot.save(arguments.plot, "All near pairs, by the number of vectors", "s", curves)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--plot", type=Path, help="an SVG of how the time grows")
    parser.add_argument("--kill", action="store_true", help="kill -9 after a third of the blocks, and go on")
    parser.add_argument("--imagededup", type=Path, help="where imagededup is installed, to be measured too")
    parser.add_argument("--folder", type=Path, help="where the files go; the system's temporary folder otherwise")
    parser.add_argument("--child", choices=ENGINES, help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(folder: Path, size: int, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """One table, printed."""
    plant(folder, size)
    print(f"\n{size:,} x {DIM}, {len(np.load(folder / 'planted.npy')):,} planted copies\n{'':26}"
          + " ".join(f"{name:>12}" for name in COLUMNS), flush=True)  # fmt: skip
    rows = {}
    for name, (_, most) in ENGINES.items():
        if size <= most and (name != "imagededup" or arguments.imagededup):
            rows[name] = run(folder, name, arguments)
            print(f"{name:26}" + " ".join(f"{rows[name][column]:12,.3f}" for column in COLUMNS), flush=True)
    return rows


def run(folder: Path, name: str, arguments: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.audit", "--child", name, "--folder", str(folder)]
    command += ["--imagededup", str(arguments.imagededup)] if arguments.imagededup else []
    spent = killed(command, folder) if arguments.kill and name == "dinoseek" else 0.0
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return told | {"seconds": told["seconds"] + spent}


def killed(command: list[str], folder: Path) -> float:
    """Seconds until the first third of the blocks was noted, and the process was gone."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None and not _is_a_third(folder):
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
    print(f"{'':26}killed with -9 after block {len(list(folder.glob('block-*.npy')))}", flush=True)
    return time.perf_counter() - started


def _is_a_third(folder: Path) -> bool:
    noted = sorted(folder.glob("block-*.npy"))
    return bool(noted) and 3 * len(noted) >= int(noted[0].stem.split("-of-")[1])


def plant(folder: Path, size: int) -> None:
    """Clusters as `benchmarks.vectors` draws them, and among them copies of rows; their places in planted.npy."""
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(max(1, size // PER_CENTRE), DIM)).astype(np.float32)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (size, DIM))
    for start in range(0, size, CHUNK_ROWS):
        count = min(CHUNK_ROWS, size - start)
        noise = rng.normal(size=(count, DIM)).astype(np.float32)
        vectors[start : start + count] = _unit(centres[rng.integers(0, len(centres), count)] + SPREAD * noise)
    places = rng.permutation(size)[: 2 * int(PLANTED * size)].reshape(2, -1)
    vectors[places[1]] = _at(vectors[places[0]], rng.uniform(FARTHEST, NEAREST, places.shape[1]), rng)
    np.save(folder / "planted.npy", np.sort(places, axis=0).T)
    build_ours(folder, vectors)


def _at(rows: np.ndarray, cosines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another unit vector of that cosine with each."""
    drawn = rng.normal(size=rows.shape).astype(np.float32)
    across = _unit(drawn - (drawn * rows).sum(axis=1, keepdims=True) * rows)
    return (cosines[:, None] * rows + np.sqrt(1 - cosines[:, None] ** 2) * across).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """Of one engine, in this process."""
    sys.path += [str(arguments.imagededup)] if arguments.imagededup else []
    vectors = np.load(arguments.folder / "vectors.npy", mmap_mode="r")
    planted = set(map(tuple, np.load(arguments.folder / "planted.npy").tolist()))
    started = time.perf_counter()
    found, count = set(), 0
    for first, second in ENGINES[arguments.child][0](arguments.folder, vectors):
        count += len(first)
        pairs = zip(np.minimum(first, second).tolist(), np.maximum(first, second).tolist(), strict=True)
        found |= planted.intersection(pairs)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak MB": _peak_mb(), "found": len(found) / len(planted), "pairs": count}


def _peak_mb() -> float:
    """Pages of mapped files included; `ru_maxrss` would be the parent's, if that is more."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


def ours(folder: Path, vectors: np.ndarray) -> Iterator[Block]:
    """From the snapshot and its tail; each block is noted as it is done, and none is done again."""
    live = LiveIndex(DIM, snapshot.open(folder / "ours"))
    rest = np.arange(len(snapshot.open(folder / "ours")), len(vectors))
    live.absorb(rest + 1, np.asarray(vectors[rest]))
    noted = [np.load(path) for path in sorted(folder.glob("block-*.npy"))]
    yield from ((block[0], block[1]) for block in noted)
    for block in Join(live, THRESHOLD).run(len(noted)):
        rows = np.stack([block.first - 1, block.second - 1])
        _note(folder / f"block-{block.block:05d}-of-{block.blocks:05d}.npy", rows)
        yield rows[0], rows[1]


def _note(path: Path, rows: np.ndarray) -> None:
    if path.exists():
        raise FileExistsError(f"{path.name} was done before")
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.save(file, rows)
    beside.rename(path)


def flat(folder: Path, vectors: np.ndarray) -> Iterator[Block]:
    """FAISS's range search through all vectors."""
    index = faiss.IndexFlatIP(DIM)
    index.add(np.asarray(vectors))
    for start in range(0, len(vectors), 4096):
        limits, _, found = index.range_search(np.asarray(vectors[start : start + 4096]), THRESHOLD)
        asking = start + np.repeat(np.arange(len(limits) - 1), np.diff(limits).astype(int))
        yield asking[found > asking], found[found > asking]


def imagededup(folder: Path, vectors: np.ndarray) -> Iterator[Block]:
    """Its own table of all cosines, then row by row what is above the threshold, as its CNN method does."""
    sys.modules["imagededup.utils.models"] = MagicMock()  # they want torchvision; cosines don't want them
    from imagededup.handlers.search.retrieval import get_cosine_similarity

    for row, cosines in enumerate(get_cosine_similarity(np.asarray(vectors), verbose=False)):
        found = np.flatnonzero(cosines >= THRESHOLD)
        yield np.full((found > row).sum(), row), found[found > row]


ENGINES: dict[str, tuple[Callable[[Path, np.ndarray], Iterator[Block]], float]] = {
    "dinoseek": (ours, float("inf")),
    "faiss, all with all": (flat, FAISS_UP_TO),
    "imagededup": (imagededup, IMAGEDEDUP_UP_TO),
}

if __name__ == "__main__":
    main()
