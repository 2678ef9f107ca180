"""What it costs to keep parts of pictures: bytes a picture, and the rate of a worker beside one that keeps none.

    python -m benchmarks.details [--pictures N] [--rounds N]

One worker's work in this process, on SQLite. The kinds take turns in each round, on fresh copies of the same
photographs, so that what else runs here slows all of them; of its rounds the fastest counts.
"""

import argparse
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from app import library, upkeep
from app.catalog.models import Regions
from app.encoders import Encoders
from app.ingest import scan
from app.ingest.embed import embed_pending
from app.ingest.workshop import Workshop
from app.patches import DETAILS
from app.resources import open_resources
from app.settings import Settings
from app.vision.decoder import Decoder
from app.vision.preprocessing import DETAILED
from benchmarks.photographs import make

PHOTOGRAPH, PHOTOGRAPHS = (1200, 1600), 60
OWN = ("off", None)  # as the model sees pictures by itself
KINDS = (OWN, *((row.word, DETAILED) for row in DETAILS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=PHOTOGRAPHS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="dinoseek_tiny14")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, home=Path(folder) / "home", model=arguments.model)
        photographs = make(Path(folder) / "photographs", arguments.pictures, PHOTOGRAPH)
        resources = open_resources(settings)
        with Decoder(settings) as decoder:
            shop = Workshop(resources, Encoders(settings), decoder, "benchmark")
            compare(shop, photographs, arguments.rounds)


def compare(shop: Workshop, photographs: list[Path], rounds: int) -> None:
    took: dict[tuple, list[float]] = {kind: [] for kind in KINDS}
    for number in range(rounds + 1):  # the first opens models and bases
        for place, kind in enumerate(KINDS):
            took[kind].append(seconds(shop, f"{place}-{number}", kind, photographs))
    for place, kind in enumerate(KINDS):
        best = min(took[kind][1:]) / len(photographs) * 1000
        print(f"{kind[0]:5} {kind[1] or 'as the model':13} {best:7.1f} ms a picture", *bytes_of(shop, f"{place}-1"))


def seconds(shop: Workshop, name: str, kind: tuple[str, str | None], photographs: list[Path]) -> float:
    detail, preprocessing = kind
    made = library.create_collection(
        shop.resources, name, encoders=shop.encoders, detail=detail, preprocessing=preprocessing
    )
    scan.ingest(shop.resources, photographs, name)
    started = time.perf_counter()
    embed_pending(shop, made.id, budget_s=3600, should_stop=lambda: False)
    return time.perf_counter() - started


def bytes_of(shop: Workshop, name: str) -> list[str]:
    """Of one picture, the mean: rows of regions, the file of local descriptors, the snapshot of regions."""
    facts = library.collection(shop.resources, name)
    upkeep.rebuild(shop.resources, facts.id, force=True)
    index = upkeep.status(shop.resources, name)
    if index.regions is None:
        return []
    sizes = func.avg(func.length(Regions.vectors) + func.length(Regions.boxes))
    with shop.resources.catalog.read() as session:
        rows = session.scalar(select(sizes).where(Regions.collection_id == facts.id))
    files = [path.stat().st_size for path in (shop.resources.storage.home / "patches").glob(f"*{facts.instances}*/*/*")]
    snapshot = index.regions.snapshot["bytes"] / facts.ready
    return [f"rows {rows:,.0f} B", f"file {sum(files) / len(files):,.0f} B", f"snapshot {snapshot:,.0f} B"]


if __name__ == "__main__":
    main()
