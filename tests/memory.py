"""Memory of one act in a process of its own: what threads of other tests allocate meanwhile is not counted."""

import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def peak_bytes(act: Callable, *given: object) -> tuple[int, Any]:
    """What Python had allocated at most while `act` ran, and what it returned. All of it is pickled."""
    asked = pickle.dumps((act, given))
    ran = subprocess.run([sys.executable, "-m", __name__], input=asked, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return pickle.loads(ran.stdout)


def _measured(act: Callable, given: tuple) -> tuple[int, Any]:
    tracemalloc.start()
    returned = act(*given)
    return tracemalloc.get_traced_memory()[1], returned


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(_measured(*pickle.load(sys.stdin.buffer))))
