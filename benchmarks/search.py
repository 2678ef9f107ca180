"""A million vectors searched, beside what people use instead, each in a process of its own.

    python -m benchmarks.search [--vectors 1000000] [--rivals-at 200000] [--photos FOLDER] [--plot FILE.svg]

On vectors of photos, if a folder is given, then on drawn ones (see `benchmarks.vectors`). Live means with 10,000 rows
of tail, or a twentieth, and 1 % tombstones; ids and exact scores come out. Engines are asked at the least effort that
finds 97 % of the true ten nearest, or their largest; all of them in turn, ROUNDS times, and the middle one counts.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import plot, vectors
from benchmarks.engines import ENGINES, LIVE_CELLS, Engine, get_engine
from benchmarks.vectors import K

TARGET = 0.97
LOOK_S = 0.05
ROUNDS = 3
COLUMNS = (
    "recall@10",
    "p50 ms",
    "p95 ms",
    "batch q/s",
    "build s",
    "build peak MB",
    "file MB",
    "private MB",
    "shared MB",
)


def main() -> None:
    arguments = parse()
    if arguments.child:
        return print(json.dumps(CHILDREN[arguments.child](arguments)))
    sizes = sorted({*arguments.grow, arguments.rivals_at, arguments.vectors})
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        folder = Path(made)
        if arguments.photos:
            vectors.of_photos(folder / "photos", arguments.photos)
            compare(folder / "photos", (*ENGINES, LIVE_CELLS))
        tables = {size: compare_drawn(folder / str(size), size, size == arguments.rivals_at) for size in sizes}
    if arguments.plot:
        curves = {
            f"{name}, {cost}": [(size, rows[name][cost]) for size, rows in tables.items()]
            for cost in ("p50 ms", "build s")
            for name in (engine.name for engine in ENGINES[:2])
            if all(rows[name][cost] > 0 for rows in tables.values())
        }
        plot.save(arguments.plot, "What a search and a build cost, by the number of vectors", "ms or s", curves)
    return None


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--rivals-at", type=int, default=200_000, help="where hnswlib and usearch are built as well")
    parser.add_argument("--grow", type=int, nargs="*", default=[10_000, 100_000], help="further sizes")
    parser.add_argument("--photos", type=Path, help="a folder, to compare on what the bundled encoder says of them")
    parser.add_argument("--plot", type=Path, help="an SVG of how search and build grow")
    parser.add_argument("--folder", type=Path, help="where the files go; the system's temporary folder otherwise")
    parser.add_argument("--child", choices=("build", "ask"), help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    return parser.parse_args()


def compare_drawn(folder: Path, size: int, everyone: bool) -> dict[str, dict[str, float]]:
    """Every engine, or ours and bare FAISS."""
    vectors.draw(folder, size)
    return compare(folder, ENGINES if everyone else ENGINES[:2])


def compare(folder: Path, engines: Sequence[Engine]) -> dict[str, dict[str, float]]:
    """One table, printed."""
    count, dim = np.load(folder / "vectors.npy", mmap_mode="r").shape
    size = f"{folder.name}: {count:,} x {dim} ({count * dim * 4 / 1e6:,.0f} MB)"
    print(f"\n{size}\n{'':24}" + " ".join(f"{name:>13}" for name in COLUMNS))
    built = {engine.name: child("build", folder, engine.name) for engine in engines}
    rounds = [{name: child("ask", folder, name) for name in built} for _ in range(ROUNDS)]
    rows = {name: built[name] | middle([asked[name] for asked in rounds]) for name in built}
    for name, row in rows.items():
        print(f"{name:24}" + " ".join(f"{row[column]:13,.3f}" for column in COLUMNS), flush=True)
    return rows


def middle(rows: list[dict]) -> dict:
    """The one whose single searches were neither the fastest nor the slowest: others use the machine too."""
    return sorted(rows, key=lambda row: row["p50 ms"])[len(rows) // 2]


def child(what: str, folder: Path, engine: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.search", "--child", what, "--folder", str(folder), "--engine", engine]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def build(arguments: argparse.Namespace) -> dict:
    rows = np.load(arguments.folder / "vectors.npy", mmap_mode="r")
    before = {path: path.stat().st_size for path in arguments.folder.rglob("*") if path.is_file()}
    started, peak = time.perf_counter(), Peak()
    get_engine(arguments.engine).build(arguments.folder, rows)
    seconds = time.perf_counter() - started
    new = [path for path in arguments.folder.rglob("*") if path.is_file() and path not in before]
    peak_mb = peak.stop() / 1e6
    return {
        "build s": seconds,
        "build peak MB": peak_mb if new else 0.0,
        "file MB": sum(path.stat().st_size for path in new) / 1e6,
    }


class Peak(threading.Thread):
    """The most memory of their own that this process and its children hold together; pages of files are nobody's."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._first = self._most = anonymous_bytes()
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(LOOK_S):
            self._most = max(self._most, anonymous_bytes())

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self._most - self._first


def anonymous_bytes() -> int:
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    return sum(_rolled_up("Anonymous", pid) for pid in (own, *children))


def ask(arguments: argparse.Namespace) -> dict:
    engine, folder = get_engine(arguments.engine), arguments.folder
    rows, queries = np.load(folder / "vectors.npy", mmap_mode="r"), np.load(folder / "queries.npy")
    true = np.load(folder / ("living.npy" if engine.lives else "everything.npy"))
    before = private_bytes()
    for effort in engine.efforts:
        search = None  # or two were open at once
        search = engine.open(folder, rows, 1, effort)
        recall = float(np.mean([np.isin(*pair).mean() for pair in zip(true, search(queries, K), strict=True)]))
        if recall >= TARGET:
            break
    spans = [timed(search, query[None]) for query in queries]
    memory = {"private MB": (private_bytes() - before) / 1e6, "shared MB": shared_bytes() / 1e6}
    many = engine.open(folder, rows, 2, effort)
    seconds = min(timed(many, queries) for _ in range(3)) / 1000
    p50, p95 = np.percentile(spans, [50, 95])
    return {"recall@10": recall, "p50 ms": p50, "p95 ms": p95, "batch q/s": len(queries) / seconds, **memory}


def timed(search, queries: np.ndarray) -> float:
    started = time.perf_counter()
    search(queries, K)
    return (time.perf_counter() - started) * 1000


def private_bytes() -> int:
    return _rolled_up("Private_Dirty")


def shared_bytes() -> int:
    """File pages in this process's memory, which others that map the same files use too."""
    return _rolled_up("Shared_Clean") + _rolled_up("Private_Clean")


def _rolled_up(name: str, pid: int | str = "self") -> int:
    """0 for a process that has just ended."""
    try:
        found = re.search(rf"{name}: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 1024 * int(found[1]) if found else 0


CHILDREN = {"build": build, "ask": ask}

if __name__ == "__main__":
    main()
