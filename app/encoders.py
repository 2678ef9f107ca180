"""Open encoders, one per model: loading takes seconds, so a process keeps what it has loaded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.catalog.models import ModelKey
from app.errors import BadCheckpoint
from app.settings import Settings
from app.vision.models import resolve_model

if TYPE_CHECKING:
    from app.vision.encoder import Encoder


class Encoders:
    """Encoders by model name, loaded on first use. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, Encoder] = {}
        self._lock = threading.Lock()  # two requests may arrive for a model neither has loaded

    def named(self, name: str) -> Encoder:
        """The encoder of this name or alias; `auto` is the best whose weights are here."""
        from app.vision.encoder import Encoder  # torch takes seconds: only who embeds waits for it

        resolved = resolve_model(name, self._settings.weights).name
        with self._lock:
            if resolved not in self._open:
                self._open[resolved] = Encoder.open(resolved, self._settings.weights, device=self._settings.device)
            return self._open[resolved]

    def of(self, row: ModelKey) -> Encoder:
        """The encoder whose vectors compare with this key's. Raises BadCheckpoint when the weights are others now."""
        encoder = self.named(row.model)
        have, want = encoder.key, row
        if (have.weights_sha256, have.preprocessing) != (want.weights_sha256, want.preprocessing):
            raise BadCheckpoint(
                f"{row.model} here has weights {have.weights_sha256[:12]} and preprocessing {have.preprocessing}, the "
                f"collection was made with {want.weights_sha256[:12]} and {want.preprocessing}: "
                "put those weights back, or make a new collection"
            )
        return encoder
