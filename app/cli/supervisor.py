"""Keep a worker running: a child process, started again within seconds when it dies, stopped in order."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from app.errors import AppError, ServiceUnavailable
from app.ingest.sweep import absolve
from app.jobs import SUPERVISOR_PID, Queue
from app.settings import Settings

log = logging.getLogger(__name__)

UNUSABLE = 78  # the worker says: starting me again can't help
STOP_S = 30.0  # a batch ends well within this
PAUSES_S = (0.2, 1.0, 2.0, 5.0)  # before each start after a death; the last one repeats
SETTLED_S = 30.0  # a worker that lived this long starts again without a long pause


class Supervisor:
    """One worker process, kept alive by a thread. `failure` is set when it can't be."""

    def __init__(
        self,
        settings: Settings,
        log_file: Path | None = None,
        queues: Sequence[Queue] = (),
        device: str | None = None,
    ) -> None:
        self._settings = settings
        self._device = device or settings.device
        self._queues = queues  # none named: all
        self._log_file = log_file
        self._stopping = threading.Event()
        self._ended = threading.Event()  # not join(): a signal's exception within it marks a live thread as ended
        self._child: subprocess.Popen | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self.failure: str | None = None

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Until the worker is stopped or can't be kept. Raises ServiceUnavailable for the latter."""
        while not self._ended.wait(timeout=0.5):
            pass
        self.check()

    def check(self) -> None:
        if self.failure:
            raise ServiceUnavailable(self.failure)

    def stop(self) -> None:
        self._stopping.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
        self._ended.wait(timeout=STOP_S)
        if self._child is not None and self._child.poll() is None:
            self._child.kill()  # its leases run out, or the next worker here ends them
            self._child.wait()

    def _run(self) -> None:
        try:
            self._keep()
        finally:
            self._ended.set()

    def _keep(self) -> None:
        deaths = 0
        while not self._stopping.is_set() and not self.failure:
            started, shortages = time.monotonic(), _memory_shortages()
            code = self._run_child()
            if self._stopping.is_set():
                return
            if code == -signal.SIGKILL and _memory_shortages() == shortages:
                self._absolve()
            deaths = 0 if time.monotonic() - started > SETTLED_S else deaths + 1
            self._after_death(code, deaths)

    def _run_child(self) -> int:
        """The exit code of one worker, or of none where a full disk lets none be started."""
        try:
            with self._output() as output:
                self._child = self._spawn(output)
                if self._stopping.is_set():
                    self._child.terminate()  # stop() came too early to see this child
                return self._child.wait()
        except OSError as error:
            log.warning("no worker can be started (%s)", error)
            return os.EX_OSERR

    def _absolve(self) -> None:
        """Someone killed the worker. Only we saw how it died; its pictures would be held to have done it."""
        try:
            absolve(self._settings, self._child.pid)
        except AppError as refusal:
            log.warning("%s", refusal)

    def _after_death(self, code: int, deaths: int) -> None:
        if code == UNUSABLE:
            self.failure = f"the worker can't run: {self._last_words()}"
            return
        log.warning("the worker ended (%s): starting it again", _cause(code))
        self._stopping.wait(PAUSES_S[min(deaths, len(PAUSES_S) - 1)])

    def _spawn(self, output: IO | None) -> subprocess.Popen:
        environment = os.environ | {
            "DINOSEEK_HOME": str(self._settings.home),
            "DINOSEEK_DEVICE": self._device,
            SUPERVISOR_PID: str(os.getpid()),
        }
        # its own session: Ctrl-C reaches the supervisor alone, which then stops the worker in order
        return subprocess.Popen(
            [sys.executable, "-m", "workers", *self._queues],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    @contextlib.contextmanager
    def _output(self) -> Iterator[IO | None]:
        if self._log_file is None:
            yield None
            return
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as file:
            yield file

    def _last_words(self) -> str:
        if self._log_file is None:
            return "its reason stands above"
        lines = self._log_file.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextlib.contextmanager
def kept_worker(settings: Settings) -> Iterator[Supervisor]:
    """A worker of our own for the length of a block; what it says goes to a file in the home."""
    supervisor = Supervisor(settings, settings.home / "logs" / "worker.log")
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def _memory_shortages() -> int:
    """How often the system has killed a process for want of memory, where it tells: it kills as a person does."""
    with contextlib.suppress(OSError):
        facts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
        return int(facts.get("oom_kill", 0))
    return 0


def _cause(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
