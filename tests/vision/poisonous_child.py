"""A decode child whose pictures do what their names say: how a decoder dies, without needing a bug in one."""

import ctypes
import os
import sys
import time

from app.vision import decode_child
from app.vision.decode_child import Answer, Limits

libc = ctypes.CDLL(None)


def spin() -> None:
    while True:
        pass


def gobble() -> None:
    held = []
    while True:
        held.append(bytearray(2**24))


DEATHS = {
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "sleep": lambda: time.sleep(600),
    "sleep-in-c": lambda: libc.sleep(600),
    "spin": spin,
    "gobble": gobble,
    "python-error": lambda: 1 / 0,
    "die-at-the-next": lambda: DEATHS.update({"": os.abort}),
}
LIES = {
    "few-pixels": Answer({"taken_at": None, "notes": [], "shape": [224, 224]}, b"123", b""),
    "many-pixels": Answer({"taken_at": None, "notes": [], "shape": [2240, 2240]}, bytes(2240 * 2240 * 3), b""),
    "odd-sides": Answer({"taken_at": None, "notes": [], "shape": [1, 2]}, b"123456", b""),
    "no-facts": Answer({}, b"", b""),
    "a-list": Answer([], b"", b""),
}


def job(request: dict, data: bytes, limits: Limits) -> Answer:
    name = request["name"]
    if name in LIES:
        return LIES[name]
    DEATHS.get(name, lambda: None)()
    return decode_child.prepare(request, data, limits)


if __name__ == "__main__":
    decode_child.main(sys.argv[1:], job)
