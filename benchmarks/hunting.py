"""How many things of a painted hunt are found first, and how many pointed at, by the whole search of a collection."""

import argparse
import statistics
import tempfile
from pathlib import Path

from app import library
from app.encoders import Encoders
from app.evaluation.localisation import LocalisationScores, Pointed, by_slice, score
from app.ingest import scan
from app.ingest.embed import embed_pending
from app.ingest.workshop import Workshop
from app.resources import open_resources
from app.samples import hunt
from app.search.desk import SearchDesk
from app.search.examples import Example
from app.search.instances import InstanceDesk
from app.settings import Settings
from app.vision.decoder import Decoder

NAME = "hunt"
MOST_HITS = 100  # as many as are looked at closely


def measure(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.hunt or Path(made) / "pictures"
        truth = hunt.load(folder) or hunt.generate(folder, pictures=arguments.pictures)
        settings = Settings(_env_file=None, home=Path(made) / "home")
        with Decoder(settings) as decoder:
            shop = Workshop(open_resources(settings), Encoders(settings), decoder, "benchmark")
            fill(shop, folder, arguments.instances)
            desk = InstanceDesk(shop.resources, SearchDesk(shop.resources, decoder, shop.encoders))
            answers = [ask(desk, folder, question) for question in truth.questions]
    tell(truth, answers)


def fill(shop: Workshop, folder: Path, detail: str) -> None:
    made = library.create_collection(shop.resources, NAME, encoders=shop.encoders, detail=detail)
    scan.ingest(shop.resources, [folder / "pictures"], NAME)
    embed_pending(shop, made.id, budget_s=3600, should_stop=lambda: False)


def ask(desk: InstanceDesk, folder: Path, question: hunt.Question) -> tuple[list[Pointed], dict[str, float]]:
    page = desk.find(NAME, [Example(path=folder / question.picture, box=question.box)], k=MOST_HITS)
    hits = [Pointed(f"pictures/{hit.name}", hit.box) for hit in page.hits]
    return hits, page.took_ms


def tell(truth: hunt.Hunt, answers: list[tuple[list[Pointed], dict[str, float]]]) -> None:
    hits, took = zip(*answers, strict=True)
    listed = [
        question.find.picture in {hit.picture for hit in found}
        for question, found in zip(truth.questions, hits, strict=True)
    ]
    print(f"{len(truth.questions)} things in {len(truth.pictures)} pictures; listed {statistics.mean(listed):.3f}")
    print(f"{'':28} questions  right first  pointed  mean IoU")
    for name, scores in {"all": score(truth.questions, hits), **by_slice(truth.questions, hits)}.items():
        print(_line(name, scores))
    spans = {stage: statistics.median(one[stage] for one in took) for stage in took[0]}
    print(", ".join(f"{stage} {span:.0f} ms" for stage, span in spans.items()))


def _line(name: str, scores: LocalisationScores) -> str:
    return f"{name:28} {scores.questions:9}  {scores.right_first:11.3f}  {scores.pointed:7.3f}  {scores.mean_iou:8.3f}"
