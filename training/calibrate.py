"""What a cosine means for an encoder, measured on photos and edited copies of them.

    python -m training.calibrate PHOTOS --model dinoseek_tiny14

Unrelated are any two of the photos, shots of a series too: they are no copies, and a collection has many. (Two sources
that print the same photo count as well, so what is said errs on the strict side.) Copies are
those of the sample album: smaller, recompressed, cropped, mirrored, turned, framed, captioned, in other colours.
The record is written where `app.vision.calibrations` reads it. Never run it on an examination.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from app.samples.edits import EDITS, copy_bytes
from app.settings import Settings, get_settings
from app.vision.calibrations import RECORDED, Calibration
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder
from training.pictures import photo_files

LEVELS = 65  # cosines at which shares are noted
NEAREST_LEVEL = 1e-3  # 1 minus the highest of them
FEWEST_PAIRS = 20  # unrelated pairs at a level: fewer say nothing of a share
TAIL_SHARE = 1e-3  # of unrelated pairs: from there on they are the tail that is prolonged
TIER = "edited"  # copies that are found by their look, not by their bytes
SEED = 2026


def main() -> None:
    arguments = parse()
    encoder = Encoder.open(arguments.model, get_settings().weights)
    files = chosen(arguments.photos, arguments.count)
    found = measure(encoder, files)
    record(found, arguments.into)
    for pictures in (1_000, 10_000, 100_000):
        cosine = found.copy_threshold(pictures)
        print(f"{pictures:>7,} pictures: copies from {cosine:.3f} on, {found.copy_share(cosine):.1%} of them found")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="a subfolder per source")
    parser.add_argument("--model", required=True)
    parser.add_argument("--count", type=int, default=3000, help="photos, drawn evenly from the sources")
    parser.add_argument("--into", type=Path, default=RECORDED)
    return parser.parse_args()


def chosen(photos: Path, count: int) -> list[Path]:
    """Photos drawn evenly from the sources, in a fixed order."""
    rng = np.random.default_rng(SEED)
    files = photo_files(photos)
    sources = np.array([path.relative_to(photos).parts[0] for path in files])
    _, numbers, sizes = np.unique(sources, return_inverse=True, return_counts=True)
    weights = 1 / sizes[numbers]
    order = np.argsort(-np.log(rng.random(len(files))) / weights)  # a weighted draw without return
    return [files[row] for row in order[:count]]


def measure(encoder: Encoder, files: Sequence[Path]) -> Calibration:
    """Embed the files and one edited copy of each, and count."""
    names = [name for name, edit in EDITS.items() if edit.tier == TIER]
    rng = np.random.default_rng(SEED)
    copies = (copy_bytes(names[row % len(names)], path, "jpg", rng)[0] for row, path in enumerate(files))
    with Decoder(Settings(_env_file=None)) as decoder:
        vectors = np.concatenate(list(_embedded(files, decoder, encoder)))
        copied = np.concatenate(list(_embedded(copies, decoder, encoder)))
    unrelated = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return counted(encoder, len(files), unrelated, (vectors * copied).sum(1))


def counted(encoder: Encoder, pictures: int, unrelated: np.ndarray, copies: np.ndarray) -> Calibration:
    """Shares at levels that come ever closer to a cosine of 1."""
    ascending, levels = np.sort(unrelated), 1 - np.geomspace(1.5, NEAREST_LEVEL, LEVELS)
    counts = len(ascending) - np.searchsorted(ascending, levels)
    last = np.flatnonzero(counts >= FEWEST_PAIRS)[-1]
    unrelated_shares = prolonged(counts / len(ascending), levels, last)
    copy_shares = 1 - np.searchsorted(np.sort(copies), levels) / len(copies)
    key = encoder.key
    rows = ([float(f"{value:.6g}") for value in row] for row in (levels, unrelated_shares, copy_shares))
    return Calibration(key.model, key.weights_sha256, key.preprocessing, pictures, float(f"{levels[last]:.6g}"), *rows)


def prolonged(shares: np.ndarray, levels: np.ndarray, last: int) -> np.ndarray:
    """Beyond level `last`, by the power of 1 - cosine that the shares below TAIL_SHARE go by."""
    first = min(np.flatnonzero(shares <= TAIL_SHARE)[0], last - 1)
    distances = np.log(1 - levels)
    power = (np.log(shares[last]) - np.log(shares[first])) / (distances[last] - distances[first])
    beyond = shares[last] * np.exp(power * (distances - distances[last]))
    return np.where(np.arange(len(shares)) <= last, shares, beyond)


def record(found: Calibration, path: Path) -> None:
    """In place of an earlier one of this model."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    kept = [row for row in rows if row["model"] != found.model]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, asdict(found)], indent=1) + "\n", encoding="utf-8")


def _embedded(sources: Iterator[Path | bytes], decoder: Decoder, encoder: Encoder) -> Iterator[np.ndarray]:
    futures = [decoder.submit(source, preprocessing=encoder.key.preprocessing) for source in sources]
    for start in range(0, len(futures), 64):
        yield encoder.embed([future.result().pixels for future in futures[start : start + 64]])


if __name__ == "__main__":
    main()
