"""Hosts within this machine: each has a disk and a name of its own, and they share nothing but what servers give them.

Where namespaces may be made, a host's folder is a file system that no other host sees, under the same path on each;
elsewhere it is a folder of its own.
"""

import functools
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx

from app.api.links import Links
from tests import servers
from tests.program import Program, wait_until


@functools.cache
def namespaces() -> bool:
    tried = ["unshare", "--mount", "--uts", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("nsenter") is not None and subprocess.run(tried, capture_output=True).returncode == 0


class Host(Program):
    """One of them: `dinoseek` runs in it, `do` runs any other command."""

    def __init__(self, name: str, folder: Path, **knobs: object) -> None:
        self.name = name
        self.folder = folder / "disk" if namespaces() else folder / name
        self.folder.mkdir(exist_ok=True, parents=True)
        self.port = servers.free_port()
        self._inside = _enter(self._hold()) if namespaces() else []
        super().__init__(self.folder / "home", **knobs, port=self.port)

    def do(self, *command: object) -> bytes:
        return subprocess.run([*self._inside, *map(str, command)], check=True, capture_output=True).stdout

    def copy_in(self, folder: Path, name: str) -> Path:
        """A folder of the test onto this host's disk."""
        self.do("cp", "-r", folder, self.folder / name)
        return self.folder / name

    def read(self, path: Path) -> bytes:
        return self.do("cat", path)

    def exists(self, path: Path) -> bool:
        return subprocess.run([*self._inside, "test", "-e", path]).returncode == 0

    def get(self, path: str) -> httpx.Response:
        """From this host's page, by an address that its page would have signed."""
        links = Links(self.read(self.home / "secret"))
        return httpx.get(f"http://127.0.0.1:{self.port}{links.sign(path)}", timeout=60)

    def serve(self) -> subprocess.Popen:
        process = self.start("up")
        ready = functools.partial(_answers, f"http://127.0.0.1:{self.port}/health/ready")
        wait_until(ready, f"the page of {self.name}", 180)
        return process

    def close(self) -> None:
        super().close()
        if self._inside:
            self._holder.kill()
            self._holder.wait()

    def _hold(self) -> int:
        """A process that does nothing but keep the namespaces; its number."""
        script = 'mount -t tmpfs none "$0" && hostname "$1" && echo made && exec sleep infinity'
        made = ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", script, self.folder, self.name]
        self._holder = subprocess.Popen(made, stdout=subprocess.PIPE)
        assert self._holder.stdout.readline() == b"made\n"
        return self._holder.pid

    def _command(self, arguments: Sequence) -> list[str]:
        return [*self._inside, *super()._command(tuple(arguments))]


def _enter(pid: int) -> list[str]:
    return ["nsenter", f"--target={pid}", "--mount", "--uts", "--"]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
