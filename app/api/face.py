"""What the pages and the routes of one process share: resources, models, one search desk, the signer of addresses."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from app import library
from app.api.links import Links
from app.api.meters import Meters
from app.api.tokens import token
from app.encoders import Encoders
from app.errors import AppError
from app.ingest.lookout import Lookout
from app.renditions import Renditions
from app.resources import Resources, open_resources
from app.search.desk import SearchDesk
from app.search.examples import Example
from app.search.instances import InstanceDesk
from app.vision.decoder import Decoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Face:
    resources: Resources
    encoders: Encoders
    decoder: Decoder
    desk: SearchDesk
    instances: InstanceDesk
    renditions: Renditions
    links: Links
    meters: Meters
    lookout: Lookout

    def thumbnail(self, digest: str) -> str:
        return self.links.sign(f"/api/thumbs/{digest}.webp")

    def large(self, image_id: int) -> str:
        """A copy that browsers show, whatever format the original is in."""
        return self.links.sign(f"/api/pictures/{image_id}.webp")

    def original(self, image_id: int) -> str:
        return self.links.sign(f"/api/originals/{image_id}")

    def export(self, audit_id: int, suffix: str) -> str:
        return self.links.sign(f"/api/exports/{audit_id}{suffix}")

    def evidence(self, collection: str, example: Example, image_id: int) -> str:
        """Where the two agree."""
        return self.links.sign(f"/api/evidence/{collection}/{token(example)}/{image_id}")

    def query(self, digest: str) -> str:
        return self.links.sign(f"/api/queries/{digest}.webp")


_installed: list[Face] = []


def install(resources: Resources) -> Face:
    """Make these the resources of every page and route of this process, until they are closed."""
    encoders, decoder = Encoders(resources.settings), Decoder(resources.settings)
    meters, links = Meters(resources), Links(resources.storage.secret())
    desk = SearchDesk(resources, decoder, encoders, on_answer=meters.note_search)
    renditions, lookout = Renditions(resources), Lookout(resources)
    instances = InstanceDesk(resources, desk)
    _installed.append(Face(resources, encoders, decoder, desk, instances, renditions, links, meters, lookout))
    return _installed[-1]


def current() -> Face:
    """The installed face; opened from the settings where no server installed one, as in a bare `streamlit run`."""
    return _installed[-1] if _installed else install(open_resources())


def warm_up() -> None:
    """Load the model of the fullest collection beside the server's start: the first search need not wait for it."""
    threading.Thread(target=_load_model, args=(current(),), name="warm up", daemon=True).start()


def _load_model(face: Face) -> None:
    try:
        collections = library.collections(face.resources)
        if collections:
            face.encoders.named(max(collections, key=lambda facts: facts.ready).model)
    except AppError as refusal:
        log.warning("no model is loaded ahead (%s): a search will say so again", refusal)


def close() -> None:
    """End the decode children of the face installed last; the one before it is current again."""
    if _installed:
        face = _installed.pop()
        face.renditions.close()
        face.decoder.close()
