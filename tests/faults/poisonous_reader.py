"""A decode child that suffers what the name of a file says: light, as the real one, and without torch."""

import sys
from pathlib import Path

from app.vision import decode_child
from app.vision.decode_child import Answer, Limits
from tests.vision.poisonous_child import DEATHS

TWO_GIGABYTES = 2 * 2**30
POISONS = {
    "segfault": DEATHS["segfault"],
    "hang": DEATHS["sleep-in-c"],
    "memory": lambda: bytearray(TWO_GIGABYTES),
}


def read(request: dict, data: bytes, limits: Limits) -> Answer:
    """A file called 17-segfault.jpg does what it says; others are decoded."""
    POISONS.get(Path(request["path"]).stem.rpartition("-")[2], lambda: None)()
    return decode_child.prepare(request, data, limits)


if __name__ == "__main__":
    decode_child.main(sys.argv[1:], read)
