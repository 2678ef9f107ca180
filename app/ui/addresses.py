"""What the addresses of all questions share: how their parts are read and written, and filters."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

from app.catalog.images import Filters
from app.errors import InvalidInput

MEGABYTE = 2**20
HITS = (20, 50, 100, 200)  # what the pages offer; their addresses take any number the desks do
DIGEST = re.compile(r"[0-9a-f]{64}")


def read(params: Mapping[str, str], name: str, reader: Callable[[str], Any]) -> Any:
    """None where it is not there. Raises InvalidInput naming what can't be read."""
    text = params.get(name)
    if not text:
        return None
    try:
        return reader(text)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"the address says {name}={text!r}, which can't be read: correct it, or start anew"
        ) from None


def written(parts: Mapping[str, object]) -> dict[str, str]:
    """Without what is empty, so that addresses stay short."""
    return {name: str(value) for name, value in parts.items() if value not in (None, "")}


def filters_from(params: Mapping[str, str]) -> Filters:
    return Filters(
        formats=tuple(part for part in params.get("format", "").split(",") if part),
        folder=params.get("folder"),
        taken_from=read(params, "from", datetime.fromisoformat),
        taken_to=read(params, "to", _end_of_day),
        min_bytes=read(params, "min_mb", _bytes),
        max_bytes=read(params, "max_mb", _bytes),
        min_px=read(params, "min_px", int),
    )


def filters_to(filters: Filters) -> dict[str, object]:
    return {
        "format": ",".join(filters.formats),
        "folder": filters.folder,
        "from": filters.taken_from and filters.taken_from.date().isoformat(),
        "to": filters.taken_to and filters.taken_to.date().isoformat(),
        "min_mb": filters.min_bytes and f"{filters.min_bytes / MEGABYTE:g}",
        "max_mb": filters.max_bytes and f"{filters.max_bytes / MEGABYTE:g}",
        "min_px": filters.min_px,
    }


def digest(text: str) -> str:
    """Raises ValueError for a text that is none."""
    if not DIGEST.fullmatch(text):
        raise ValueError
    return text


def _end_of_day(text: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(text).date(), time.max)


def _bytes(text: str) -> int:
    return int(float(text) * MEGABYTE)
