"""Memory of processes, looked at once a second. Linux."""

import contextlib
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path


class Watch(threading.Thread):
    """Megabytes of each named set of processes, from `start` until `stop`."""

    def __init__(self, processes: dict[str, Callable[[], Collection[int]]], every_s: float = 1.0) -> None:
        super().__init__(daemon=True)
        self._processes, self._every_s = processes, every_s
        self._over = threading.Event()
        self.megabytes: dict[str, list[float]] = {name: [] for name in processes}

    def run(self) -> None:
        while not self._over.wait(self._every_s):
            for name, members in self._processes.items():
                self.megabytes[name].append(sum(map(share_mb, members())))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def told(self) -> str:
        """Per name: after a tenth of the time, at half, at the end, and the most."""
        return "; ".join(f"{name} {_course(row)}" for name, row in self.megabytes.items() if row)


def family(pid: int) -> set[int]:
    """A process and its descendants."""
    with contextlib.suppress(OSError):  # it may end while we look
        children = [child for thread in Path(f"/proc/{pid}/task").iterdir() for child in _children(thread)]
        return {pid}.union(*map(family, children))
    return {pid}


def share_mb(pid: int) -> float:
    """What a process holds beside mapped files, whose pages are others' too. A server's buffers count once in all."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:"))) * 1024 / 1e6
    return 0.0


def _children(thread: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (thread / "children").read_text().split()]
    return []


def _course(row: Sequence[float]) -> str:
    return f"{row[len(row) // 10]:.0f} / {row[len(row) // 2]:.0f} / {row[-1]:.0f}, most {max(row):.0f} MB"
