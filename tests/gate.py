"""A door in front of a server: shut, connections are refused and those there are cut, as when a machine goes away."""

import contextlib
import socket
import threading


class Gate:
    """Listens on `port` of loopback and hands everything on to `behind`."""

    def __init__(self, port: int, behind: int) -> None:
        self._port, self._behind = port, behind
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.open()

    def open(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self._port), backlog=128)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def shut(self) -> None:
        _cut(self._listening)
        with self._lock:
            for line in self._open:
                _cut(line)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # shut
            while True:
                ours, _ = listening.accept()
                theirs = socket.create_connection(("127.0.0.1", self._behind))
                for source, target in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._hand_on, args=(source, target), daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with self._lock:
            self._open.add(source)
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                target.sendall(data)
        with self._lock:
            self._open.discard(source)
        _cut(target)
        source.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    if line.fileno() >= 0 and line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        line.close()
