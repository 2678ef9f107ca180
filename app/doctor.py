"""Checks of everything dinoseek stands on, each with a finding and a way out."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

import redis
from packaging.version import Version
from sqlalchemy import text

from app import upkeep
from app.catalog.database import Catalog
from app.errors import AppError
from app.index.milvus import ping
from app.ingest.absence import survey
from app.ingest.progress import progress, workers_alive
from app.library import collections
from app.resources import Resources, open_resources
from app.settings import Settings, get_settings
from app.vision.architectures import BEST
from app.vision.models import find_weights, resolve_model
from app.weaknesses import BROKER_TIMEOUT_S, Weakness, of_broker, of_database

# Older ones have published holes; see the reasons in pyproject.toml.
FLOORS = {"pillow": "13.0.0", "torch": "2.10", "streamlit": "1.67", "starlette": "1.1.0", "pillow-heif": "1.7.0"}
LEAST_FREE_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Setting:
    name: str
    value: str
    source: str  # environment, .env or default


@dataclass(frozen=True)
class Check:
    part: str
    state: str  # ok, warning, failed
    finding: str
    remedy: str = ""


def settings_in_force() -> list[Setting]:
    """Every setting as `DINOSEEK_NAME`; secrets are masked."""
    settings = get_settings()
    return [
        Setting(f"DINOSEEK_{name.upper()}", str(getattr(settings, name)), _source(settings, name))
        for name in Settings.model_fields
    ]


def run_checks() -> Iterator[Check]:
    """One check per part; a part that can't be used is a finding, not an exception."""
    settings = get_settings()
    yield from _guarded("libraries", lambda: _libraries())
    try:
        resources = open_resources(settings)
    except AppError as refusal:
        yield Check("home, database and store", "failed", str(refusal))
        return
    for part, check in CHECKS.items():
        yield from _guarded(part, lambda check=check: check(resources))


def _guarded(part: str, check: Callable[[], tuple]) -> Iterator[Check]:
    try:
        yield Check(part, *check())
    except AppError as refusal:
        yield Check(part, "failed", str(refusal))


def _source(settings: Settings, name: str) -> str:
    if f"DINOSEEK_{name.upper()}" in os.environ:
        return "environment"
    return ".env" if name in settings.model_fields_set else "default"


def _libraries() -> tuple:
    found = {name: _version(name) for name in FLOORS}
    old = [f"{name} {found[name]} < {floor}" for name, floor in FLOORS.items() if _is_older(found[name], floor)]
    if old:
        return "failed", ", ".join(old), "pip install -c constraints.txt -e ."
    return "ok", ", ".join(f"{name} {number}" for name, number in found.items() if number)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except ImportError:
        return None


def _is_older(found: str | None, floor: str) -> bool:
    return found is not None and Version(found) < Version(floor)


def _home(resources: Resources) -> tuple:
    free = shutil.disk_usage(resources.settings.home).free
    state = "ok" if free > LEAST_FREE_BYTES else "warning"
    return state, f"{resources.settings.home}, {free / 2**30:.1f} GiB free", "" if state == "ok" else "make room"


def _database(resources: Resources) -> tuple:
    with Catalog(resources.settings.database).begin() as session:
        session.execute(text("SELECT 1"))
    return _weak(of_database(resources)) or ("ok", resources.catalog.url.render_as_string(hide_password=True))


def _broker(resources: Resources) -> tuple:
    url = resources.settings.broker
    if url is None:
        return "ok", "embedded: workers find work in the database"
    try:
        redis.Redis.from_url(url, socket_connect_timeout=BROKER_TIMEOUT_S).ping()
    except (redis.RedisError, ValueError) as error:
        return "failed", f"the broker can't be used: {error}", "start Redis, or correct DINOSEEK_BROKER_URL"
    return _weak(of_broker(url)) or ("ok", "Redis: append-only, no eviction")


def _weak(found: list[Weakness]) -> tuple | None:
    """Work is safe all the same, and slower to come back."""
    if not found:
        return None
    return (
        "warning",
        ", ".join(f"{weakness.found}: {weakness.harm}" for weakness in found),
        "; ".join(weakness.remedy for weakness in found),
    )


def _storage(resources: Resources) -> tuple:
    store = resources.storage.store
    if store is None:
        return "ok", "the home alone: originals, thumbnails and snapshots are there"
    store.probe()
    return "ok", f"{store}: written, read back, removed"


def _model(resources: Resources) -> tuple:
    settings = resources.settings
    architecture = resolve_model(settings.model, settings.weights)
    if architecture.caveat:
        what, limit = architecture.caveat
        return "warning", f"{architecture.name}: {what}, {limit}", f"dinoseek models pull {BEST}"
    return "ok", f"{architecture.name}: {find_weights(architecture, settings.weights)}"


def _workers(resources: Resources) -> tuple:
    """Alive, and at the work that waits: a worker that beats and claims nothing helps nobody."""
    alive = workers_alive(resources)
    if not alive:
        return "warning", "no worker is alive", "`dinoseek up` or `dinoseek worker` starts one"
    stuck = {row.name: progress(resources, row.name).obstacle for row in collections(resources) if row.pending}
    for name, obstacle in stuck.items():
        if obstacle is not None:
            return "warning", f"{name}: {obstacle.what}", obstacle.way_out
    return "ok", ", ".join(f"{worker.name} on {worker.device}" for worker in alive)


def _indexes(resources: Resources) -> tuple:
    if resources.settings.cluster is not None:
        return "ok", f"Milvus answers, {ping(resources.settings.cluster)} collections on it"
    states = [upkeep.status(resources, row.name) for row in collections(resources)]
    return "ok", ", ".join(f"{facts.collection}: {facts.state}" for facts in states) or "no collection yet"


def _sources(resources: Resources) -> tuple:
    found = survey(resources, judged=True)
    away = [source for source in found if source.state == "away" and not source.copied]
    if away:
        told = "; ".join(f"{source.address} (of {source.collection}) is away: {source.reason}" for source in away)
        return "warning", told, "nothing of them is forgotten: put them back, and `dinoseek ingest` goes on"
    return "ok", f"{len(found)} ingested, all here" if found else "nothing ingested yet"


CHECKS = {
    "home": _home,
    "database": _database,
    "broker": _broker,
    "storage": _storage,
    "model": _model,
    "workers": _workers,
    "indexes": _indexes,
    "sources": _sources,
}
