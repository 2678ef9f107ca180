"""A decode child on a disk that takes its time for every file."""

import sys
import time

from app.vision import decode_child

DELAY_S = 5.0
read = decode_child.read_regular_file


def slowly(path: str, max_bytes: int) -> bytes:
    time.sleep(DELAY_S)
    return read(path, max_bytes)


if __name__ == "__main__":
    decode_child.read_regular_file = slowly
    decode_child.main(sys.argv[1:])
