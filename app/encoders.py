"""Open encoders, one per model key: loading takes seconds, so a process keeps what it has loaded."""

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
    """Encoders by what their vectors' keys say, loaded on first use. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[tuple[str, str, str], Encoder] = {}
        self._lock = threading.Lock()  # two requests may arrive for a model neither has loaded

    def named(self, name: str | None = None, preprocessing: str | None = None, precision: str | None = None) -> Encoder:
        """The encoder of this model's name or alias; what is left open is as in the settings, then as the model has it.

        Raises what `Encoder.open` raises.
        """
        settings = self._settings
        architecture = resolve_model(name or settings.model, settings.weights)
        seen = self.preprocessing(name, preprocessing)
        return self._opened(architecture.name, seen, precision or settings.precision)

    def preprocessing(self, name: str | None = None, preprocessing: str | None = None) -> str:
        """What `named` would take, without loading anything. Raises what `resolve_model` raises."""
        settings = self._settings
        own = resolve_model(name or settings.model, settings.weights).preprocessing
        return preprocessing or settings.preprocessing or own

    def of(self, row: ModelKey) -> Encoder:
        """The encoder whose vectors compare with this key's.

        Raises BadCheckpoint when the weights are others now, and what `Encoder.open` raises.
        """
        encoder = self.named(row.model, row.preprocessing, row.precision)
        here, made_with = encoder.key.weights_sha256, row.weights_sha256
        if here != made_with:
            raise BadCheckpoint(
                f"{row.model} here has weights {here[:12]}, the collection was made with {made_with[:12]}: "
                "put those weights back, or take these with `dinoseek collections switch`"
            )
        return encoder

    def _opened(self, model: str, preprocessing: str, precision: str) -> Encoder:
        from app.vision.encoder import Encoder  # torch takes seconds: only who embeds waits for it

        settings, wanted = self._settings, (model, preprocessing, precision)
        with self._lock:
            if wanted not in self._open:
                self._open[wanted] = Encoder.open(
                    model, settings.weights, settings.device, preprocessing=preprocessing, precision=precision
                )
            return self._open[wanted]
