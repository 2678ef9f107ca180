"""Resident memory of processes and all they started, looked at once a second. Linux."""

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path

PAGE_BYTES = 4096


class Watch(threading.Thread):
    """Megabytes of each named process with its children, from `start` until `stop`."""

    def __init__(self, processes: dict[str, int], every_s: float = 1.0) -> None:
        super().__init__(daemon=True)
        self._processes, self._every_s = processes, every_s
        self._over = threading.Event()
        self.megabytes: dict[str, list[float]] = {name: [] for name in processes}

    def run(self) -> None:
        while not self._over.wait(self._every_s):
            for name, pid in self._processes.items():
                self.megabytes[name].append(sum(map(resident_mb, family(pid))))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def told(self) -> str:
        """Per process: after a tenth of the time, at half, at the end, and the most."""
        return "; ".join(f"{name} {_course(row)}" for name, row in self.megabytes.items() if row)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = [child for thread in Path(f"/proc/{pid}/task").glob("*") for child in _children(thread)]
    return [pid, *(member for child in children for member in family(child))]


def resident_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6
    return 0.0


def _children(thread: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (thread / "children").read_text().split()]
    return []


def _course(row: Sequence[float]) -> str:
    return f"{row[len(row) // 10]:.0f} / {row[len(row) // 2]:.0f} / {row[-1]:.0f}, most {max(row):.0f} MB"
