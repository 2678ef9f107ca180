"""Real PostgreSQL, Redis and S3 servers for tests, on loopback, in folders of their own."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

START_S = 120.0
STOP_S = 10.0  # then it is killed
PORTS = range(20_000, 30_000)


def need(program: str | None, name: str, install: str) -> str:
    """The program, or a skip that says how to have it; where CI runs, its absence is a failure."""
    if program:
        return program
    message = f"{name} is not on this machine: {install}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """None that the system gives to clients: one of those may take it before its server does."""
    chance = random.SystemRandom()
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port := chance.choice(PORTS)))
            return port


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port} after {START_S} s")


def wait_until_accepting(probe: list[str], process: subprocess.Popen) -> None:
    """A server may listen before it serves: PostgreSQL refuses with "starting up" for a while."""
    deadline = time.monotonic() + START_S
    while subprocess.run(probe).returncode != 0:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{probe} still refuses after {START_S} s")
        time.sleep(0.05)


def postgres_bin() -> Path | None:
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        folder = Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
        if (folder / "initdb").exists():
            return folder
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def postgres_programs() -> Path:
    return Path(need(str(postgres_bin() or ""), "PostgreSQL", "install the package postgresql"))


@contextlib.contextmanager
def postgres(password: str = "", init_options: Sequence[str] = ()) -> Iterator[str]:
    """The URL of a fresh server's database. Without a password, whoever connects is believed."""
    programs = postgres_programs()
    home = Path(tempfile.mkdtemp(prefix="dinoseek-pg-"))
    data, port = home / "data", free_port()
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    (home / "password").write_text(password)
    belief = ["-A", "scram-sha-256", "--pwfile", str(home / "password")] if password else ["-A", "trust"]
    init = [str(programs / "initdb"), "-D", str(data), "-U", "dinoseek", "--no-sync", *belief, *init_options]
    subprocess.run(as_postgres(init), check=True, stdout=subprocess.DEVNULL)
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={home}", "-c", "fsync=off"]
    server = subprocess.Popen(
        as_postgres([str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]), stderr=subprocess.DEVNULL
    )
    try:
        wait_until_accepting([str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], server)
        yield f"postgresql://dinoseek{':' if password else ''}{password}@127.0.0.1:{port}/postgres"
    finally:
        # in order, it would write out what is removed here, once all who are connected have gone
        at_once = [str(programs / "pg_ctl"), "stop", "-D", str(data), "-m", "immediate", "-W"]
        subprocess.run(as_postgres(at_once), check=False, stdout=subprocess.DEVNULL)
        stop_group(server)
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def redis(folder: Path, port: int | None = None) -> Iterator[str]:
    """The URL of a fresh Redis, append-only and without eviction, as docker-compose.yml runs it."""
    program = need(shutil.which("redis-server"), "Redis", "install the package redis-server")
    port = port or free_port()
    options = ["--bind", "127.0.0.1", "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--save", ""]
    server = subprocess.Popen([program, "--port", str(port), "--dir", str(folder), *options], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop_group(server)


@contextlib.contextmanager
def s3(bucket: str = "pictures", port: int | None = None) -> Iterator[dict[str, str]]:
    """The environment in which s3://BUCKET is a fresh, empty bucket of a server of its own."""
    port = port or free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "dinoseek",
        "AWS_SECRET_ACCESS_KEY": "of the tests",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        wait_for_port(port, server)
        httpx.put(f"{environment['AWS_ENDPOINT_URL']}/{bucket}", timeout=START_S).raise_for_status()
        yield environment
    finally:
        server.kill()  # nothing of it is kept, and asked to end it waits for connections that clients hold open
        server.wait()


def stop_group(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
