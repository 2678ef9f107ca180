"""A real server on loopback that misbehaves as a test wants."""

import contextlib
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behave = Callable[["Request", int], None]


class Request(BaseHTTPRequestHandler):
    """Answers with the server's `behave`, which is given the first byte asked for."""

    def do_GET(self) -> None:
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        self.server.starts.append(start)
        self.server.paths.append(self.path)
        with contextlib.suppress(ConnectionError):  # a client that has seen enough hangs up
            self.server.behave(self, start)
        self.close_connection = True

    def send(self, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_part(self, start: int, body: bytes, length: int, **headers: str) -> None:
        """A well-behaved answer's header, with as much of the body as the test wants."""
        if start == 0:
            return self.send(200, body, length=length, **headers)
        total = start + length
        return self.send(206, body, length=length, Content_Range=f"bytes {start}-{total - 1}/{total}", **headers)

    def log_message(self, *args: object) -> None:
        """Quiet."""


class Mirror:
    """A server, what it was asked, and where it is."""

    def __init__(self, behave: Behave) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.server.behave, self.server.starts, self.server.paths = behave, [], []
        self.base_url = f"http://127.0.0.1:{self.server.server_port}/mirror"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def starts(self) -> list[int]:
        return self.server.starts

    @property
    def paths(self) -> list[str]:
        return self.server.paths

    @property
    def elsewhere(self) -> str:
        """The same server under another host's name."""
        return f"http://localhost:{self.server.server_port}/store"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def well(content: bytes, **headers: str) -> Behave:
    return lambda request, start: request.send_part(start, content[start:], len(content) - start, **headers)


def cutting(content: bytes, every: int) -> Behave:
    """Promises the rest and stops after so many bytes of it."""

    def behave(request: Request, start: int) -> None:
        request.send_part(start, content[start : start + every], len(content) - start)

    return behave
