"""The real `dinoseek` program in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import main
from app.settings import get_settings

PATIENCE_S = 120.0
SLOW = "untrained_vits14"  # a tenth of a second a picture: time to be met at work


class Program:
    """`dinoseek` with one home and its environment."""

    def __init__(self, home: Path, **knobs: object) -> None:
        self.home = home
        ours = {f"DINOSEEK_{name.upper()}": str(value) for name, value in knobs.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DINOSEEK_")}
        self.environment = kept | {"DINOSEEK_HOME": str(home), "DINOSEEK_MODEL": "dinoseek_tiny14"} | ours
        self.started: list[subprocess.Popen] = []

    def run(self, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            self._command(arguments), env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, cwd=cwd
        )

    def here(self, monkeypatch, capfd, *arguments: object) -> subprocess.CompletedProcess:
        """The same program within this process, which has its libraries loaded already."""
        for name in [name for name in os.environ if name.startswith("DINOSEEK_")]:
            monkeypatch.delenv(name)
        for name, value in self.environment.items():
            if name.startswith("DINOSEEK_"):
                monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["dinoseek", *map(str, arguments)])
        monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest keeps its own handlers
        get_settings.cache_clear()
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        get_settings.cache_clear()
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, end.value.code or 0, out, err)

    def json(self, *arguments: object) -> Any:
        """The one document on standard output; fails with what the program said otherwise."""
        return document(self.run(*arguments, "--json"))

    def start(self, *arguments: object) -> subprocess.Popen:
        return self._start(self._command(arguments), subprocess.PIPE, subprocess.PIPE)

    def start_logged(self, log: Path, *arguments: object, **environment: str) -> subprocess.Popen:
        """What it says goes to a file: one that runs for long would wait for a reader of its pipe."""
        with log.open("ab") as file:
            return self._start(self._command(arguments), file, file, **environment)

    def start_module(self, log: Path, module: str, *arguments: object, **environment: str) -> subprocess.Popen:
        """A program of the tests' own, with the same home."""
        with log.open("ab") as file:
            return self._start([sys.executable, "-m", module, *map(str, arguments)], file, file, **environment)

    def _start(self, command: Sequence[str], out: Any, err: Any, **environment: str) -> subprocess.Popen:
        settings = self.environment | environment
        process = subprocess.Popen(command, env=settings, stdout=out, stderr=err, text=True)
        self.started.append(process)
        return process

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.started:
            process.communicate(timeout=PATIENCE_S)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _command(self, arguments: tuple) -> list[str]:
        return [sys.executable, "-m", "app.cli", *map(str, arguments)]


def document(done: subprocess.CompletedProcess) -> Any:
    """The one document on standard output; fails with what the program said otherwise."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wait_until(truth: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """What `truth` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := truth():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"after {seconds:.0f} s still not: {what}")
