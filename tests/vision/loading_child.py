"""Loads files in a process of its own and tells how its private memory grew: `python -m ... DIM DEPTH FILE…`."""

import json
import re
import sys
import threading
from pathlib import Path

import torch

from app.vision import checkpoints
from app.vision.architectures import Architecture
from app.vision.layouts import expected_shapes

SAMPLE_S = 0.002


class Peak(threading.Thread):
    """The most memory of our own, file pages left out, until `stop`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first = self.most = anonymous_bytes()
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(SAMPLE_S):
            self.most = max(self.most, anonymous_bytes())

    def stop(self) -> int:
        self._stopping.set()
        self.join()
        return max(self.most, anonymous_bytes()) - self.first


def anonymous_bytes() -> int:
    return 1024 * int(re.search(r"Anonymous:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text())[1])


def load(architecture: Architecture, path: Path) -> dict[str, int]:
    """Every number of the file is read; nothing of it is kept."""
    peak = Peak()
    peak.start()
    tensors = checkpoints.load(architecture, path)
    read_bytes = sum(tensor.nbytes for tensor in tensors.values() if tensor.sum().isfinite())
    return {"peak_bytes": peak.stop(), "read_bytes": read_bytes}


def main() -> None:
    dim, depth, *paths = sys.argv[1:]
    architecture = Architecture("big", (), dim=int(dim), depth=int(depth))
    torch.set_num_threads(1)
    expected_shapes(architecture)  # what the first use of torch allocates is not the file's
    print(json.dumps([load(architecture, Path(path)) for path in paths]))


if __name__ == "__main__":
    main()
