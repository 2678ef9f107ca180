"""How long a warm search takes outside the encoder, beside a bare FAISS search over the same vectors.

    python -m benchmarks.search_overhead --collection photos --queries 200

Uses the home of the environment (DINOSEEK_HOME) and pictures of the collection itself as queries.
"""

import argparse
import statistics
import sys
import time

import faiss
import numpy as np

from app import library, whereabouts
from app.catalog import collections, embeddings
from app.errors import AppError
from app.resources import Resources, open_resources
from app.search.desk import SearchDesk
from app.vision.decoder import Decoder


def main() -> None:
    arguments = parse()
    resources = open_resources()
    with Decoder(resources.settings) as decoder:
        desk = SearchDesk(resources, decoder)
        ours = [
            outside_encoder_ms(desk, resources, arguments.collection, image_id)
            for image_id in chosen(resources, arguments)
        ]
    rival = bare_faiss_ms(resources, arguments.collection, arguments.queries)
    print(f"collection {arguments.collection}: {library.collection(resources, arguments.collection).ready} pictures")
    for name, spans in (("dinoseek, outside the encoder", ours[1:]), ("bare IndexFlatIP.search", rival)):
        print(f"{name:32} median {statistics.median(spans):7.3f} ms   p95 {np.percentile(spans, 95):7.3f} ms")
    print(f"ratio of medians {statistics.median(ours[1:]) / statistics.median(rival):.1f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collection", "-c", default="samples", help="made by `make demo`")
    parser.add_argument("--queries", type=int, default=100)
    return parser.parse_args()


def chosen(resources: Resources, arguments: argparse.Namespace) -> list[int]:
    """One picture more than asked: the first search opens the index and is left out."""
    return [facts.image_id for facts in library.pictures(resources, arguments.collection, 0, arguments.queries + 1)]


def outside_encoder_ms(desk: SearchDesk, resources: Resources, name: str, image_id: int) -> float:
    took = desk.by_file(name, whereabouts.original(resources, image_id), k=20).took_ms
    return took["total"] - took["embed"]


def bare_faiss_ms(resources: Resources, name: str, queries: int) -> list[float]:
    """The floor: no rows fetched, nothing fresh, nothing hidden."""
    with resources.catalog.read() as session:
        collection = collections.get(session, name)
        batches = list(embeddings.stream(session, collection.id, collection.model_key_id))
    vectors = np.concatenate([batch for _, batch, _ in batches])
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return [timed(index, vectors[number % len(vectors)][None]) for number in range(queries)]


def timed(index: faiss.Index, query: np.ndarray) -> float:
    started = time.perf_counter()
    index.search(query, 20)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    try:
        main()
    except AppError as refusal:
        sys.exit(str(refusal))
