"""What places of pictures are described in: one basis a model key, the same for every process on every host."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from app.catalog import bases
from app.catalog.database import Catalog
from app.catalog.models import ModelKey
from app.patches import Basis
from app.patches.basis import learn
from app.samples.paint import painted
from app.samples.plan import Shot, plan
from app.vision import models, pixels
from app.vision.architectures import get_architecture

if TYPE_CHECKING:
    from app.vision.encoder import Encoder

LEARNED_FROM = 64  # painted pictures: every kind of scene, and of whatever a collection holds none
SEED = 64
SMALLER = 2  # times, than an album's: nothing is looked at so closely


class Bases:
    """Those that were asked for. Safe to share between threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[int, Basis] = {}
        self._lock = threading.Lock()

    def of(self, key: ModelKey, encoder: Encoder) -> Basis:
        """The key's own; where nobody has made it yet, made with its encoder, which can take a minute.

        Raises BadVector for a damaged row.
        """
        with self._lock:
            if key.id not in self._known:
                self._known[key.id] = Basis.from_bytes(self._find(key) or self._make(key, encoder))
            return self._known[key.id]

    def _find(self, key: ModelKey) -> bytes | None:
        with self._catalog.read() as session:
            return bases.find(session, key.id)

    def _make(self, key: ModelKey, encoder: Encoder) -> bytes:
        """Somebody else may be faster: then theirs is the one."""
        made = basis_of(encoder).to_bytes()
        with self._catalog.begin() as session:
            bases.add(session, key.id, made)
        return self._find(key)


def basis_of(encoder: Encoder) -> Basis:
    """What this encoder's model brings along, or what is learned of painted pictures, which can take a minute."""
    shipped = models.find_basis(get_architecture(encoder.key.model))
    return Basis.from_bytes(shipped.read_bytes()) if shipped else learn(_samples(encoder))


def _samples(encoder: Encoder) -> list[np.ndarray]:
    """Patches (rows, columns, L D) of painted pictures, as the encoder sees any others."""
    shots = islice((entry for entry in plan(2 * LEARNED_FROM, SEED) if isinstance(entry, Shot)), LEARNED_FROM)
    pictures = (painted(_smaller(shot)).picture() for shot in shots)
    seen = [pixels.prepare(picture, preprocessing=encoder.key.preprocessing) for picture in pictures]
    return encoder.describe(seen).patches


def _smaller(shot: Shot) -> Shot:
    return replace(shot, height_px=shot.height_px // SMALLER, width_px=shot.width_px // SMALLER)
