"""How fast a thing is looked for: a hundred of a million pictures named, and a hundred candidates verified.

    python -m benchmarks.instances shortlist [--pictures 1000000] [--dim 192] [--plot FILE.svg]
    python -m benchmarks.instances rerank [--hunt FOLDER]
    python -m benchmarks.instances hunt [--hunt FOLDER] [--instances light]

`shortlist`: each picture has nine vectors (see `benchmarks.shortlists`), kept as the product keeps them, 8-bit in
cells; beside it FAISS scans every row. `rerank`: pictures of a painted hunt, as workers describe them, verified as a
search does; beside it OpenCV's SIFT and RANSAC on the same pictures, from descriptors at hand, in turn. `hunt`: how
many of 200 things are found among 400 painted pictures and pointed at, by the whole search of a collection.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from app.evaluation.localisation import score
from app.samples import hunt
from benchmarks import hunting, plot, rounds, shortlists
from benchmarks.described import Observer
from benchmarks.search import Peak, private_bytes, shared_bytes
from benchmarks.verifiers import Patches, Sift

SCANS = 15  # queries that are scanned as well: each takes as long as a hundred of the others
THINGS, CANDIDATES = 40, 100
KEYPOINTS = 1000, 60  # what is usual, and what has room in our eight kilobytes
ROUNDS = 20
COLUMNS = (
    "p50 ms",
    "p95 ms",
    "looks p50 ms",
    "looks p95 ms",
    "recall@10",
    "recall@100",
    "build s",
    "build peak MB",
    "file MB",
    "private MB",
    "shared MB",
    "scan ms",
)
Verifier = Patches | Sift


def main() -> None:
    arguments = parse()
    arguments.run(arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(required=True)
    shortlist = parts.add_parser("shortlist")
    shortlist.add_argument("--pictures", type=int, default=1_000_000)
    shortlist.add_argument("--grow", type=int, nargs="*", default=[10_000, 100_000], help="further sizes")
    shortlist.add_argument("--dim", type=int, default=192, help="numbers in a vector: 192 of the bundled encoder")
    shortlist.add_argument("--plot", type=Path, help="an SVG of how search and build grow")
    shortlist.add_argument("--folder", type=Path, help="where the files go; the system's temporary folder otherwise")
    shortlist.set_defaults(run=compare_shortlists)
    rerank = parts.add_parser("rerank")
    rerank.add_argument(
        "--hunt", type=Path, help="a painted hunt; one of 40 things in 100 pictures is painted otherwise"
    )
    rerank.set_defaults(run=compare_verifiers)
    hunted = parts.add_parser("hunt")
    hunted.add_argument("--hunt", type=Path, help="a painted hunt; 200 things in 400 pictures are painted otherwise")
    hunted.add_argument("--instances", choices=("light", "full"), default="light")
    hunted.set_defaults(run=hunting.measure)
    child = parts.add_parser("child")
    child.add_argument("work", choices=CHILDREN)
    child.add_argument("folder", type=Path)
    child.set_defaults(run=lambda arguments: print(json.dumps(CHILDREN[arguments.work](arguments.folder))))
    return parser.parse_args()


def compare_shortlists(arguments: argparse.Namespace) -> None:
    sizes = sorted({*arguments.grow, arguments.pictures})
    print(f"{'pictures':>12}" + " ".join(f"{name:>13}" for name in COLUMNS))
    rows = {size: _measured(arguments, size) for size in sizes}
    if arguments.plot:
        curves = {cost: [(size, row[cost]) for size, row in rows.items()] for cost in ("p50 ms", "scan ms", "build s")}
        plot.save(arguments.plot, "What naming a hundred pictures costs, by their number", "ms or s", curves)


def _measured(arguments: argparse.Namespace, size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        folder = Path(made) / str(size)
        shortlists.draw(folder, size, arguments.dim)
        row = child("build", folder) | child("ask", folder)
    print(f"{size:12,}" + " ".join(f"{row[column]:13,.3f}" for column in COLUMNS), flush=True)
    return row


def child(work: str, folder: Path) -> dict:
    """In a process of its own, so that the memory is nobody else's."""
    command = [sys.executable, "-m", "benchmarks.instances", "child", work, str(folder)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def build(folder: Path) -> dict[str, float]:
    before = _files(folder)
    started, peak = time.perf_counter(), Peak()
    shortlists.build(folder)
    seconds = time.perf_counter() - started
    new = _files(folder).items() - before.items()
    return {"build s": seconds, "build peak MB": peak.stop() / 1e6, "file MB": sum(size for _, size in new) / 1e6}


def ask(folder: Path) -> dict[str, float]:
    queries, true = np.load(folder / "queries.npy"), np.load(folder / "true.npy")
    before = private_bytes()
    ours = shortlists.open_ours(folder)
    found = [ours(looks[:1]) for looks in queries]
    row = {"private MB": (private_bytes() - before) / 1e6, "shared MB": shared_bytes() / 1e6}
    for most in (10, 100):
        there = [np.isin(best[:most], named).mean() for best, named in zip(true, found, strict=True)]
        row[f"recall@{most}"] = float(np.mean(there))
    scan = shortlists.open_scan(folder)
    spans = _in_turn({"": ours, "looks ": ours, "scan": scan}, queries)
    for name in ("", "looks "):
        row[f"{name}p50 ms"], row[f"{name}p95 ms"] = np.percentile(spans[name], [50, 95])
    return row | {"scan ms": float(np.median(spans["scan"]))}


def _in_turn(contestants: dict[str, shortlists.Shortlist], queries: np.ndarray) -> dict[str, list[float]]:
    """Milliseconds of each; only "looks " is given all of a query's looks, and few queries are scanned for."""
    spans: dict[str, list[float]] = {name: [] for name in contestants}
    for number, looks in enumerate(queries):
        for name, shortlist in contestants.items():
            if name == "scan" and number >= SCANS:
                continue
            started = time.perf_counter()
            shortlist(looks if name == "looks " else looks[:1])
            spans[name].append((time.perf_counter() - started) * 1000)
    return spans


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def compare_verifiers(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as made, Observer() as observer:
        folder = arguments.hunt or Path(made) / "hunt"
        truth = hunt.load(folder) or hunt.generate(folder, THINGS, CANDIDATES)
        names = _candidates(truth)
        paths = [folder / name for name in names]
        verifiers = [Patches(observer, Path(made), paths), *(Sift(paths, most) for most in KEYPOINTS)]
        _compare(verifiers, folder, names, truth.questions[:THINGS])


def _candidates(truth: hunt.Hunt) -> list[str]:
    """The pictures that the first questions are about, and others up to CANDIDATES."""
    right = [question.find.picture for question in truth.questions[:THINGS]]
    return [*right, *(name for name in truth.pictures if name not in right)][:CANDIDATES]


def _compare(verifiers: Sequence[Verifier], folder: Path, names: list[str], questions: Sequence[hunt.Question]) -> None:
    contestants = {}
    for verifier in verifiers:
        looks = [verifier.look(folder / question.picture, question.box) for question in questions]
        scores = score(questions, [verifier.rerank(look).hits(names) for look in looks])
        contestants[verifier.name] = partial(_next, verifier, itertools.cycle(looks))
        print(f"{verifier.name:22} {verifier.kept_bytes:9,.0f} bytes a picture, {scores}", flush=True)
    measured, ours = rounds.measure(contestants, ROUNDS), verifiers[0].name
    for name in contestants:
        print(f"{name:22} {1000 * measured.median_s(name):8.0f} ms, {measured.ratio(name, ours)} of ours", flush=True)


def _next(verifier: Verifier, looks: Iterator) -> None:
    verifier.rerank(next(looks))


CHILDREN = {"build": build, "ask": ask}

if __name__ == "__main__":
    main()
