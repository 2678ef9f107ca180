"""How fast a thing is looked for: a hundred of a million pictures named, and a hundred candidates verified.

    python -m benchmarks.instances shortlist [--pictures 1000000] [--dim 192] [--plot FILE.svg] [--folder FOLDER]
    python -m benchmarks.instances rerank [--hunt FOLDER]
    python -m benchmarks.instances hunt [--hunt FOLDER | --pictures 400] [--instances light]

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
from benchmarks.shortlists import ASKED_BY
from benchmarks.verifiers import Patches, Sift

MOST = 10, 100  # of the true nearest
SCANS = 15  # queries that are scanned as well: each takes as long as a hundred of the others
THINGS, CANDIDATES = 40, 100
KEYPOINTS = 1000, 60  # what is usual, and what has room in our eight kilobytes
ROUNDS = 20
COLUMNS = "p50 ms", "p95 ms", "scan ms", "recall@10", "recall@100"
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
    shortlist.add_argument("--folder", type=Path, help="where the files are kept, and asked again another time")
    shortlist.set_defaults(run=compare_shortlists)
    rerank = parts.add_parser("rerank")
    rerank.add_argument(
        "--hunt", type=Path, help="a painted hunt; one of 40 things in 100 pictures is painted otherwise"
    )
    rerank.set_defaults(run=compare_verifiers)
    hunted = parts.add_parser("hunt")
    hunted.add_argument("--hunt", type=Path, help="a painted hunt; one of 200 things is painted otherwise")
    hunted.add_argument("--pictures", type=int, default=400, help="of what is painted; 5000 take half an hour")
    hunted.add_argument("--instances", choices=("light", "full"), default="light")
    hunted.set_defaults(run=hunting.measure)
    child = parts.add_parser("child")
    child.add_argument("work", choices=CHILDREN)
    child.add_argument("folder", type=Path)
    child.set_defaults(run=lambda arguments: print(json.dumps(CHILDREN[arguments.work](arguments.folder))))
    return parser.parse_args()


def compare_shortlists(arguments: argparse.Namespace) -> None:
    sizes = sorted({*arguments.grow, arguments.pictures})
    with tempfile.TemporaryDirectory() as made:
        told = {size: _measured(arguments.folder or Path(made), size, arguments.dim) for size in sizes}
    if arguments.plot:
        curves = {f"{way}, ms": [(size, one[way]["p50 ms"]) for size, one in told.items()] for way in ASKED_BY}
        curves["a scan, ms"] = [(size, one["vector"]["scan ms"]) for size, one in told.items()]
        curves["build, s"] = [(size, one["build"]["build s"]) for size, one in told.items()]
        plot.save(arguments.plot, "What naming pictures costs, by their number", "", curves)


def _measured(place: Path, size: int, dim: int) -> dict[str, dict[str, float]]:
    folder = place / f"{size}x{dim}"
    built = folder / "build.json"
    if not built.exists():
        shortlists.draw(folder, size, dim)
        built.write_text(json.dumps(child("build", folder)))
    told = child("ask", folder)
    told["build"] = json.loads(built.read_text()) | told.pop("memory")
    print(f"{size:,} pictures: " + ", ".join(f"{name} {value:,.0f}" for name, value in told["build"].items()))
    for way in ASKED_BY:
        print(f"{way:>12}: " + ", ".join(f"{name} {told[way][name]:,.3f}" for name in COLUMNS), flush=True)
    return told


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


def ask(folder: Path) -> dict[str, dict[str, float]]:
    before = private_bytes()
    ours = shortlists.open_ours(folder)
    told = {way: _recalls(ours, folder, way) for way in ASKED_BY}
    memory = {"private MB": (private_bytes() - before) / 1e6, "shared MB": shared_bytes() / 1e6}
    scan = shortlists.open_scan(folder)
    return {way: told[way] | _spans(ours, scan, folder, way) for way in ASKED_BY} | {"memory": memory}


def _recalls(ours: shortlists.Shortlist, folder: Path, way: str) -> dict[str, float]:
    looks, true = shortlists.questions(folder, way)
    pairs = [(best, ours(one, ASKED_BY[way])) for best, one in zip(true, looks, strict=True)]
    return {f"recall@{most}": float(np.mean([np.isin(best[:most], found) for best, found in pairs])) for most in MOST}


def _spans(ours: shortlists.Shortlist, scan: shortlists.Shortlist, folder: Path, way: str) -> dict[str, float]:
    """Milliseconds, asked in turn; few are scanned for."""
    ours_ms, scan_ms = [], []
    for number, looks in enumerate(shortlists.questions(folder, way)[0]):
        ours_ms.append(_ms(ours, looks, ASKED_BY[way]))
        if number < SCANS:
            scan_ms.append(_ms(scan, looks, ASKED_BY[way]))
    p50, p95 = np.percentile(ours_ms, [50, 95])
    return {"p50 ms": float(p50), "p95 ms": float(p95), "scan ms": float(np.median(scan_ms))}


def _ms(shortlist: shortlists.Shortlist, looks: np.ndarray, asked: int) -> float:
    started = time.perf_counter()
    shortlist(looks, asked)
    return (time.perf_counter() - started) * 1000


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
