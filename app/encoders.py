"""Open encoders, one per model key: loading takes seconds, so a process keeps what it has loaded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.catalog.models import ModelKey
from app.errors import BadCheckpoint
from app.patches import OFF, Detail, get_detail
from app.settings import Settings
from app.vision.models import resolve_model
from app.vision.preprocessing import DETAILED

if TYPE_CHECKING:
    from app.vision.encoder import Encoder


class Encoders:
    """Encoders by what their vectors' keys say, loaded on first use. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[tuple[str, str, str, str], Encoder] = {}
        self._lock = threading.Lock()  # two requests may arrive for a model neither has loaded

    def named(
        self,
        name: str | None = None,
        preprocessing: str | None = None,
        precision: str | None = None,
        detail: str | None = None,
    ) -> Encoder:
        """The encoder of this model's name or alias; what is left open is as in the settings, then as the model has it.

        With detail pictures are seen in their own aspect, larger, unless something else is said. Raises NotFound for
        the detail, and what `Encoder.open` raises.
        """
        settings, kept = self._settings, get_detail(detail or OFF.name)
        architecture = resolve_model(name or settings.model, settings.weights)
        seen = self.preprocessing(name, preprocessing, kept)
        return self._opened(architecture.name, seen, precision or settings.precision, kept.name)

    def preprocessing(self, name: str | None = None, preprocessing: str | None = None, detail: Detail = OFF) -> str:
        """What `named` would take, without loading anything. Raises what `resolve_model` raises."""
        settings = self._settings
        own = resolve_model(name or settings.model, settings.weights).preprocessing
        return preprocessing or settings.preprocessing or (own if detail == OFF else DETAILED)

    def of(self, row: ModelKey) -> Encoder:
        """The encoder whose vectors compare with this key's.

        Raises BadCheckpoint when the weights are others now, and what `Encoder.open` raises.
        """
        encoder = self.named(row.model, row.preprocessing, row.precision, row.detail)
        here, made_with = encoder.key.weights_sha256, row.weights_sha256
        if here != made_with:
            raise BadCheckpoint(
                f"{row.model} here has weights {here[:12]}, the collection was made with {made_with[:12]}: "
                "put those weights back, or take these with `dinoseek collections switch`"
            )
        return encoder

    def _opened(self, model: str, preprocessing: str, precision: str, detail: str) -> Encoder:
        """Detail asks for no other network: one is opened, and lent to the others."""
        with self._lock:
            plain = (model, preprocessing, precision, OFF.name)
            if plain not in self._open:
                self._open[plain] = self._load(model, preprocessing, precision)
            wanted = (model, preprocessing, precision, detail)
            if wanted not in self._open:
                self._open[wanted] = self._open[plain].of_detail(detail)
            return self._open[wanted]

    def _load(self, model: str, preprocessing: str, precision: str) -> Encoder:
        from app.vision.encoder import Encoder  # torch takes seconds: only who embeds waits for it

        settings = self._settings
        return Encoder.open(model, settings.weights, settings.device, preprocessing=preprocessing, precision=precision)
