"""docker-compose.yml: its services' own commands and environment, run here against a real PostgreSQL and Redis."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
import yaml
from sqlalchemy import create_engine, make_url, text

from app.cli.supervisor import STOP_S
from app.ingest.progress import workers_alive
from app.resources import Resources, open_resources
from app.settings import Settings
from tests import servers
from tests.conftest import paint

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\})")
SECRETS = {"POSTGRES_PASSWORD": "3c1f0aPg", "REDIS_PASSWORD": "77b2e9Rd"}
APP_SERVICES = ("ui", "worker", "worker-gpu")
PHOTOS = 24
WAIT_S = 120.0  # for a process to be ready, on a machine that is busy with other tests
ORDERLY = (0, 128 + signal.SIGTERM)


def fill(template: str, values: dict[str, str]) -> str:
    """What `docker compose` makes of `${NAME:-default}`, `${NAME:?complaint}` and `$$`."""

    def value(found: re.Match) -> str:
        if found["escaped"]:
            return "$"
        if found["kind"] == "?" and not values.get(found["name"]):
            raise KeyError(f"{found['name']}: {found['rest']}")
        return values.get(found["name"]) or found["rest"] or ""

    return VARIABLE.sub(value, template)


def services(**values: str) -> dict[str, dict]:
    return yaml.safe_load(fill(COMPOSE, {**SECRETS, "PHOTOS": "/home/me/Pictures", **values}))["services"]


def seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def mounts(service: dict) -> dict[str, tuple[str, bool]]:
    """Where -> (what, whether it can't be written)."""
    long = {m["target"]: (m["source"], m.get("read_only", False)) for m in service["volumes"] if isinstance(m, dict)}
    short = dict(reversed(m.split(":")) for m in service["volumes"] if isinstance(m, str))
    return long | {target: (source, False) for target, source in short.items()}


# What the file says


def test_nothing_is_published_beyond_this_machine():
    published = {name: service.get("ports", []) for name, service in services(DINOSEEK_PORT="9000").items()}
    assert {name: ports for name, ports in published.items() if ports} == {"ui": ["127.0.0.1:9000:9000"]}
    assert not any("network_mode" in service for service in services().values())


def test_secrets_come_from_outside_and_are_asked_for():
    for name in (*SECRETS, "PHOTOS"):
        with pytest.raises(KeyError, match=rf"{name}: put .* into \.env"):
            services(**{name: ""})
    assert not re.search(r"PASSWORD(?!:\?put)[^}\s]*}", COMPOSE)


def test_no_secret_is_an_argument():
    arguments = [
        [*service.get("command", []), *service["healthcheck"].get("test", [])] for service in services().values()
    ]
    assert not any(secret in argument for line in arguments for argument in line for secret in SECRETS.values())


def test_workers_can_be_many():
    worker = services()["worker"]
    assert not {"container_name", "hostname", "ports"} & set(worker)
    assert "healthcheck" in worker and worker["command"] == ["dinoseek", "worker"]


def test_the_gpu_worker_is_the_worker_with_a_device():
    worker, gpu = services()["worker"], services()["worker-gpu"]
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert (gpu["profiles"], device["driver"], device["capabilities"]) == (["gpu"], "nvidia", ["gpu"])
    assert gpu["environment"]["DINOSEEK_DEVICE"] == "cuda"
    assert "PIP_EXTRA_INDEX_URL" not in gpu["build"]["args"]
    assert (gpu["command"], gpu["volumes"]) == (worker["command"], worker["volumes"])


def test_page_and_workers_share_the_home_and_see_the_photos_alike():
    chosen = services()
    for name in APP_SERVICES:
        environment, here = chosen[name]["environment"], mounts(chosen[name])
        assert here[environment["DINOSEEK_HOME"]] == ("data", False)
        (root,) = json.loads(environment["DINOSEEK_ALLOWED_ROOTS"])
        assert here[root] == ("/home/me/Pictures", True)


def test_every_setting_named_exists():
    named = set(re.findall(r"\bDINOSEEK_([A-Z_]+)", COMPOSE + DOCKERFILE))
    assert named and named <= {name.upper() for name in Settings.model_fields}


def test_a_worker_gets_the_time_it_needs_to_stop():
    assert all(seconds(services()[name]["stop_grace_period"]) > STOP_S for name in ("worker", "worker-gpu"))


def test_the_image_runs_as_no_root_and_asks_after_the_page_as_compose_does():
    instructions = re.sub(r"\\\n", "", DOCKERFILE)
    assert re.search(r"^USER dinoseek$", instructions, re.MULTILINE)
    assert json.loads(re.search(r"^CMD (.*)$", instructions, re.MULTILINE)[1]) == services()["ui"]["command"]
    health = json.loads(re.search(r"^HEALTHCHECK .*?CMD (.*)$", instructions, re.MULTILINE)[1])
    assert ["CMD", *health] == services()["ui"]["healthcheck"]["test"]


def test_the_image_gets_only_what_it_is_built_from():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    assert {"app", "workers", "migrations", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"} == kept


# What it does


@dataclass
class Stack:
    """The services as processes of this machine: hosts are ports of the loopback, volumes are folders."""

    services: dict[str, dict]
    places: dict[str, str]  # what the file says -> where it is here
    folder: Path
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The person's, of which a container has none to write to: nobody may make it."""
        return self.folder / "nobody"

    def environment(self, service: str) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{servers.postgres_programs()}:{os.environ['PATH']}"
        own = self.services[service]["environment"]
        return {"PATH": programs, "HOME": str(self.home), "OMP_NUM_THREADS": "1"} | {
            k: self.here(v) for k, v in own.items()
        }

    def here(self, value: str) -> str:
        for there, here in self.places.items():
            value = value.replace(there, here)
        return value

    def start(self, name: str, service: str, *more: str) -> None:
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                [*self.services[service]["command"], *more],
                env=self.environment(service),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def execute(self, service: str, *command: str) -> str:
        """As `docker compose exec`: in the service's environment; what it printed."""
        done = subprocess.run(
            command, env=self.environment(service), cwd=self.folder, capture_output=True, text=True, timeout=WAIT_S
        )
        with self.log("exec").open("a") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def healthy(self, service: str, *more: str) -> None:
        _, program, *options = self.services[service]["healthcheck"]["test"]
        self.execute(service, program, *more, *options)

    def stop(self, name: str) -> tuple[int, float]:
        """Exit code, and seconds it took after SIGTERM."""
        started = time.monotonic()
        self.running[name].terminate()
        code = self.running[name].wait(timeout=WAIT_S)
        return code, time.monotonic() - started

    def wait_until(self, ready: Callable[[], bool], *needed: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not ready():
            for name in needed:
                assert self.running[name].poll() is None, self.log(name).read_text()
            assert time.monotonic() < deadline, [self.log(name).read_text() for name in needed]
            time.sleep(0.1)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def close(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@contextlib.contextmanager
def database(service: dict) -> Iterator[int]:
    """The port of a server made as the postgres image makes it."""
    environment = service["environment"]
    with servers.postgres(environment["POSTGRES_PASSWORD"], environment["POSTGRES_INITDB_ARGS"].split()) as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {environment['POSTGRES_DB']}"))
        engine.dispose()
        yield make_url(url).port


@pytest.fixture
def stack(tmp_path) -> Iterator[Stack]:
    """PostgreSQL and Redis are up; the rest is the test's."""
    servers.need(shutil.which("redis-server"), "Redis", "install the package redis-server")
    port, redis_port = servers.free_port(), servers.free_port()
    chosen = services(DINOSEEK_PORT=str(port), DINOSEEK_MODEL="dinoseek_tiny14", WORKER_THREADS="1")
    with database(chosen["postgres"]) as postgres_port:
        places = {
            "postgres:5432": f"127.0.0.1:{postgres_port}",
            "redis:6379": f"127.0.0.1:{redis_port}",
            "/data": str(tmp_path / "data"),
            "/photos": str(tmp_path / "photos"),
        }
        opened = Stack(chosen, places, tmp_path)
        with contextlib.closing(opened):
            opened.start("redis", "redis", "--port", str(redis_port), "--dir", str(tmp_path), "--bind", "127.0.0.1")
            servers.wait_for_port(redis_port, opened.running["redis"])
            opened.healthy("redis", "-p", str(redis_port))
            opened.healthy("postgres", f"--port={postgres_port}")
            yield opened


def test_photos_go_in_and_are_found(stack):
    photos = [str(paint(stack.folder / "photos" / f"{number:02}.jpg", number)) for number in range(PHOTOS)]
    for name in ("ui", "worker-1", "worker-2"):  # at once, and the database is empty: one of them migrates
        stack.start(name, name.partition("-")[0])
    _redis_keeps_what_it_takes(stack)
    _wait_for_the_page(stack)
    with _catalogue(stack) as resources:
        stack.wait_until(lambda: len(workers_alive(resources)) == 2, "worker-1", "worker-2")
        _ingest(stack)
        _search(stack, photos)
        _stop_in_order(stack)
        assert workers_alive(resources) == []
    assert not stack.home.exists()
    assert not any(secret in log.read_text() for log in stack.folder.glob("*.log") for secret in SECRETS.values())


def _wait_for_the_page(stack: Stack) -> None:
    port = stack.environment("ui")["DINOSEEK_PORT"]
    stack.wait_until(lambda: status(f"http://127.0.0.1:{port}/health/ready") == 200, "ui")
    stack.healthy("ui")
    assert status(f"http://localhost:{port}/") == 200
    assert "whoever reaches it" in stack.log("ui").read_text()  # 0.0.0.0 is not chosen in silence


@contextlib.contextmanager
def _catalogue(stack: Stack) -> Iterator[Resources]:
    """The test's own look into the stack's database."""
    environment = stack.environment("ui")
    known = {name: environment[f"DINOSEEK_{name.upper()}"] for name in ("home", "database_url")}
    opened = open_resources(Settings(_env_file=None, **known))
    yield opened
    opened.catalog.dispose()


def _ingest(stack: Stack) -> None:
    report = json.loads(stack.execute("ui", "dinoseek", "ingest", stack.here("/photos"), "-c", "photos", "--json"))
    assert {name: report[name] for name in ("seen", "added", "failed")} == {
        "seen": PHOTOS,
        "added": PHOTOS,
        "failed": 0,
    }


def _search(stack: Stack, photos: list[str]) -> None:
    question = ("dinoseek", "search", photos[7], "-c", "photos", "-k", str(PHOTOS), "--json")
    hits = json.loads(stack.execute("ui", *question))["hits"]
    assert hits[0]["path"] == photos[7] and hits[0]["score"] > 0.9999
    assert sorted(hit["path"] for hit in hits) == photos


def _redis_keeps_what_it_takes(stack: Stack) -> None:
    with redis.Redis.from_url(stack.environment("ui")["DINOSEEK_BROKER_URL"]) as client:
        kept = client.config_get("maxmemory-policy") | client.config_get("appendonly")
    assert kept == {"maxmemory-policy": "noeviction", "appendonly": "yes"}


def _stop_in_order(stack: Stack) -> None:
    """As `docker compose down`: who depends on others first, each within its grace period."""
    for name in ("worker-1", "worker-2", "ui"):
        code, took_s = stack.stop(name)
        assert code in ORDERLY and took_s < seconds(stack.services[name.partition("-")[0]]["stop_grace_period"])
    assert stack.stop("redis")[0] == 0
