"""A home whose collection is a painted hunt: things hide in its pictures, and others show them."""

from pathlib import Path

from app import library
from app.encoders import Encoders
from app.resources import open_resources
from app.samples import hunt
from app.samples.hunt import Hunt, Question
from tests.conftest import make_settings
from tests.workshop import COLLECTION, fill, workshop

SIDE_PX = 320


def hunted(root: Path, encoders: Encoders, things: int = 3, pictures: int = 8) -> Hunt:
    """Below `root`: `home`, whose collection keeps light detail, and `hunt` with the files."""
    truth = hunt.generate(root / "hunt", things, pictures, side_px=SIDE_PX)
    resources = open_resources(make_settings(root / "home"))
    library.create_collection(resources, COLLECTION, detail="light", encoders=encoders)
    with workshop(resources, encoders) as shop:
        fill(shop, root / "hunt" / "pictures")
    resources.catalog.dispose()
    return truth


def easiest(truth: Hunt) -> Question:
    """What is turned least: pages are tried with it, not the search."""
    return min(truth.questions, key=lambda question: abs(question.find.turn_degrees))
