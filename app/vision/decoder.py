"""Decodes pictures in child processes, so that nothing hostile is decoded in ours."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from multiprocessing import Pipe
from pathlib import Path
from queue import Empty, LifoQueue

import app
from app.errors import AppError, UnreadableImage
from app.settings import Settings
from app.vision.answers import Answered, Prepared, Seen, Views, understood
from app.vision.decode_child import Limits
from app.vision.pixels import Box
from app.vision.preprocessing import DEFAULT, get_preprocessing

# -P: a numpy.py lying in the folder we were started in must not become part of the program
PROGRAM = (sys.executable, "-P", "-m", "app.vision.decode_child")
HOME_OF_APP = str(Path(app.__file__).parent.parent)
MOST_ANSWER_BYTES = 64 * 2**20  # in one block; no child makes us hold more
READING = (
    "its bytes did not come within {seconds:g} s: look at the disk or the network it lies on, then ingest it again"
)
DECODING = (
    "decoding took longer than {seconds:g} s: the file is damaged or made to harm, or the machine is busy; "
    "try again, or raise DINOSEEK_DECODE_TIMEOUT_S"
)
TOILSOME = (
    "decoding takes over {seconds:g} s of processor time: the file is damaged or made to harm; "
    "re-save it, or raise DINOSEEK_DECODE_CPU_S"
)
CRASHED = "the decoder crashed on this file (exit {code}): it is damaged or made to harm; re-save it"
LATE_S = 2.0  # a picture that takes so long is rare, and may hang: another child takes the seat meanwhile
TASKS_PER_CHILD = 500  # then a fresh one: libraries leak, and a heap in shreds counts against the memory limit


class Decoder:
    """A few children, started when first needed. Thread-safe; close it, or use it as a context.

    Not multiprocessing's pools: their children import the parent's main module, share one pipe whose lock a dying
    child may hold, and answer in pickles.
    """

    def __init__(self, settings: Settings, program: Sequence[str] = PROGRAM) -> None:
        self._limits = Limits(
            max_pixels=settings.max_pixels,
            max_file_bytes=settings.max_file_bytes,
            memory_bytes=settings.decode_memory_bytes,
            cpu_s=settings.decode_cpu_s,
            timeout_s=settings.decode_timeout_s,
            read_timeout_s=settings.read_timeout_s,
            thumbnail_px=settings.thumbnail_px,
        )
        self._program = program
        self._seats = threading.Semaphore(settings.decode_processes)
        self._threads = ThreadPoolExecutor(2 * settings.decode_processes, thread_name_prefix="decode")
        self._idle: LifoQueue[_Child] = LifoQueue()

    def submit(
        self,
        source: Path | bytes,
        *,
        preprocessing: str = DEFAULT,
        box: Box | None = None,
        thumbnail: bool = False,
        name: str = "",
    ) -> Future[Prepared]:
        """The future raises UnreadableImage, whatever went wrong, or InvalidInput for the box.

        `name` helps to say what refused bytes are; a path names itself. Raises NotFound for the preprocessing.
        """
        preprocessing = get_preprocessing(preprocessing).name
        request = {"job": "prepare", "box": box, "preprocessing": preprocessing, "thumbnail": thumbnail}
        return self._send(source, request, name)

    def view(self, source: Path | bytes, long_side_px: int, *, whole: bool = False, name: str = "") -> Future[Seen]:
        """A picture to be compared with others. `whole`: decoded in full, for the digest of its pixels.

        The future raises UnreadableImage, whatever went wrong.
        """
        return self._send(source, {"job": "view", "long_side_px": long_side_px, "whole": whole}, name)

    def views(self, source: Path, preprocessings: Sequence[str], cut: Box | None = None) -> Future[Views]:
        """A picture as the file stores it, not turned upright, or what lies within `cut`, (left, top, right, bottom)
        in its pixels.

        The future raises UnreadableImage, whatever went wrong, or InvalidInput for the cut. Raises NotFound for a
        preprocessing, InvalidInput for its side.
        """
        names = [get_preprocessing(name).name for name in preprocessings]
        return self._send(source, {"job": "views", "cut": cut, "preprocessings": names}, "")

    def close(self) -> None:
        """Drop what waits, let what runs finish, end the children."""
        self._threads.shutdown(cancel_futures=True)
        with contextlib.suppress(Empty):
            while True:
                self._idle.get_nowait().kill()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _send(self, source: Path | bytes, request: dict, name: str) -> Future:
        path = os.fspath(source) if isinstance(source, Path) else None
        request |= {"path": path, "name": name}
        return self._threads.submit(self._seated, request, source if path is None else b"")

    def _seated(self, request: dict, data: bytes) -> Answered:
        """Decode, as one of so many at a time. Who is late gives up the seat and goes on; as many may do so."""
        with self._seat():
            return self._decode(request, data)

    @contextlib.contextmanager
    def _seat(self) -> Iterator[None]:
        given_back = threading.Lock()

        def give_back() -> None:
            if given_back.acquire(blocking=False):
                self._seats.release()

        self._seats.acquire()
        late = threading.Timer(LATE_S, give_back)
        late.start()
        try:
            yield
        finally:
            late.cancel()
            give_back()

    def _decode(self, request: dict, data: bytes) -> Answered:
        child = self._idle_child()
        try:
            answer = child.ask(request, data)
        except UnreadableImage as death:
            child.kill()
            if death.code == "decoder_crashed" and child.tasks > 1:
                return self._decode(request, data)  # an earlier picture may have left it damaged: ask another
            raise
        self._retire_or_keep(child)
        if isinstance(answer, AppError):
            raise answer
        return answer

    def _idle_child(self) -> "_Child":
        """One that lives; a child may have been killed while it waited, which is no picture's fault."""
        with contextlib.suppress(Empty):
            while True:
                child = self._idle.get_nowait()
                if child.lives():
                    return child
                child.kill()
        return _Child(self._program, self._limits)

    def _retire_or_keep(self, child: "_Child") -> None:
        if child.tasks >= TASKS_PER_CHILD:
            child.kill()
        else:
            self._idle.put(child)


class _Child:
    """One process and the line to it."""

    def __init__(self, program: Sequence[str], limits: Limits) -> None:
        self.tasks = 0
        self._late: UnreadableImage | None = None
        self._limits = limits
        self._line, theirs = Pipe()
        with theirs:
            command = [*program, str(theirs.fileno()), json.dumps(asdict(limits))]
            environment = {**os.environ, "PYTHONPATH": HOME_OF_APP}  # also where app is not installed
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, env=environment, pass_fds=[theirs.fileno()]
            )

    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict, data: bytes) -> Answered | AppError:
        """One picture, or why not. Raises UnreadableImage when the child died of it, hung, or answered nonsense."""
        self.tasks += 1
        try:
            with self._alarm(self._limits.read_timeout_s, READING):
                self._line.send_bytes(json.dumps(request).encode())
                self._line.send_bytes(data)
                self._line.recv_bytes(0)
            with self._alarm(self._limits.timeout_s, DECODING):
                header, pixels, thumbnail = (self._line.recv_bytes(MOST_ANSWER_BYTES) for _ in range(3))
            return understood(request, header, pixels, thumbnail)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            raise self._obituary() from None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._line.close()

    @contextlib.contextmanager
    def _alarm(self, seconds: float, late: str) -> Iterator[None]:
        """Within the block the child lives so long."""
        alarm = threading.Timer(seconds, self._end, [late.format(seconds=seconds)])
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _end(self, late: str) -> None:
        self._late = UnreadableImage(late, "decoder_timeout")
        self._process.kill()

    def _obituary(self) -> UnreadableImage:
        self._process.kill()  # one that talks nonsense still lives
        code = self._process.wait()
        if self._late is not None:
            return self._late
        if code == -signal.SIGPROF:
            return UnreadableImage(TOILSOME.format(seconds=self._limits.cpu_s), "decoder_cpu")
        return UnreadableImage(CRASHED.format(code=code), "decoder_crashed")
