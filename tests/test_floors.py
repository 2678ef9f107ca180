"""The house stands: imports only go down, each heavy library has one room, jobs have bodies."""

import ast
import functools
from pathlib import Path

import pytest

from app.jobs import Job
from app.settings import Settings
from tests.conftest import make_settings

ROOT = Path(__file__).parents[1]
FLOORS = (
    {"errors", "faults", "settings", "jobs"},
    {"storage", "remote", "vision", "index", "catalog", "samples", "alignment", "patches", "detection"},
    {
        "resources",
        "encoders",
        "bases",
        "details",
        "layers",
        "library",
        "whereabouts",
        "ingest",
        "search",
        "upkeep",
        "building",
        "inspection",
        "moving",
        "switching",
        "evaluation",
        "doctor",
        "renditions",
        "sharing",
        "weaknesses",
        "audits",
    },
    {"cli", "ui", "api"},
)
STRANGERS = FLOORS[1]  # they share errors and settings, and never each other
# streamlit has two: the pages, and the server that puts them on one port with our own routes
ROOMS = {
    "torch": ("app/vision/",),
    "faiss": ("app/index/",),
    "cv2": ("app/alignment/", "app/detection.py"),
    "streamlit": ("app/ui/", "app/api/"),
}
SOURCES = sorted((ROOT / "app").rglob("*.py")) + sorted((ROOT / "workers").rglob("*.py"))


@functools.cache
def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms(path: Path) -> set[str]:
    """The rooms of `app` that a file imports."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("app.")}


def floor(room: str) -> int:
    return next(number for number, floor_rooms in enumerate(FLOORS) if room in floor_rooms)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "app").parts[0].removesuffix(".py")


IN_ROOMS = [path for path in SOURCES if path.is_relative_to(ROOT / "app") and room_of(path) != "__init__"]


@pytest.mark.parametrize("path", IN_ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path):
    here = room_of(path)
    climbs = {used for used in rooms(path) - {here} if floor(used) > floor(here)}
    assert not climbs, f"{path} imports app.{climbs}: move the shared part down a floor"
    across = {used for used in rooms(path) - {here} if here in STRANGERS and used in STRANGERS}
    assert not across, f"{path} imports app.{across}: the engines are strangers; let a journey join them"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_heavy_library_has_one_room(path):
    where = path.relative_to(ROOT).as_posix()
    for library, allowed in ROOMS.items():
        used = any(name == library or name.startswith(f"{library}.") for name in imports(path))
        assert not used or where.startswith(allowed), f"{where} imports {library}: only {allowed} may; ask there"


@pytest.mark.parametrize("outside", ["workers", "training", "benchmarks"])
def test_app_never_imports_what_stands_beside_it(outside):
    guilty = [path for path in IN_ROOMS if any(name.split(".")[0] == outside for name in imports(path))]
    assert guilty == []


def test_every_job_has_a_task_and_every_task_is_a_job(tmp_path):
    from workers.celery_app import make_app

    app = make_app(make_settings(tmp_path))
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} == set(Job)


def test_workers_take_json_only_keep_no_results_and_obey_nobody(tmp_path):
    from workers.celery_app import make_app

    conf = make_app(make_settings(tmp_path)).conf
    assert (conf.accept_content, conf.task_ignore_result, conf.result_backend) == (["json"], True, None)
    assert (conf.worker_enable_remote_control, conf.worker_pool, conf.task_acks_late) == (False, "solo", True)


def test_secrets_are_masked_when_settings_are_printed():
    shown = repr(Settings(_env_file=None, database_url="postgresql://u:hidden@h/d", broker_url="redis://:hidden@h"))
    assert "hidden" not in shown
