"""A worker's workshop inside the test's own process: real decode children, a real encoder, no Celery."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from app import library
from app.catalog import sightings
from app.encoders import Encoders
from app.ingest import scan
from app.ingest.embed import embed_pending
from app.ingest.report import ScanReport
from app.ingest.workshop import Workshop
from app.resources import Resources
from app.vision.decoder import Decoder

COLLECTION = "photos"


@contextlib.contextmanager
def workshop(resources: Resources, encoders: Encoders, name: str = "test") -> Iterator[Workshop]:
    with Decoder(resources.settings) as decoder:
        yield Workshop(resources, encoders, decoder, name)


def work(shop: Workshop, collection: str = COLLECTION) -> None:
    """Embed everything that waits in the collection."""
    collection_id = library.collection(shop.resources, collection).id
    assert embed_pending(shop, collection_id, budget_s=120, should_stop=lambda: False) is False


def fill(shop: Workshop, *paths: Path, collection: str = COLLECTION) -> ScanReport:
    """Scan these paths into the collection, made if need be, and embed them."""
    names = [facts.name for facts in library.collections(shop.resources)]
    if collection not in names:
        library.create_collection(shop.resources, collection, encoders=shop.encoders)
    report = scan.ingest(shop.resources, paths, collection)
    work(shop, collection)
    return scan.settle(shop.resources, report)


def images_at(resources: Resources, *paths: Path) -> list[int]:
    """Ids of the images whose bytes were last seen at these paths."""
    with resources.catalog.read() as session:
        known = sightings.known(session, 1, [os.fsencode(path) for path in paths])
    return [known[os.fsencode(path)].image_id for path in paths]
