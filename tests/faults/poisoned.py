"""Workers for whom some pictures are poison: real ones, but for the decoder's program and one step of the network.

No picture is known that crashes the Pillow of today; what a file's name says, these workers suffer.
`python -m tests.faults.poisoned` keeps such a worker, as `dinoseek worker` does; with `worker` behind, it is one.
"""

import functools
import os
import signal
import subprocess
import sys
from typing import IO

from app.cli.supervisor import Supervisor
from app.jobs import SUPERVISOR_PID, Queue
from app.settings import get_settings
from app.vision.decoder import Decoder
from app.vision.encoder import Encoder

READER = (sys.executable, "-m", "tests.faults.poisonous_reader")
DEADLY_COLOUR = (255, 0, 255)  # of a whole picture: the network's step dies of it, and the worker with it


def die_of_deadly_colour(embed):
    """The step of the network, which a picture of one colour does not survive."""

    @functools.wraps(embed)
    def deadly(self, pictures, *arguments, **options):
        if any((abs(picture.astype(int) - DEADLY_COLOUR) < 8).all() for picture in pictures):
            os.abort()
        return embed(self, pictures, *arguments, **options)

    return deadly


def work() -> int:
    from workers import __main__, process

    process.Decoder = functools.partial(Decoder, program=READER)
    Encoder.embed = die_of_deadly_colour(Encoder.embed)
    return __main__.main(list(Queue))


class Keeper(Supervisor):
    """Keeps a worker of ours in place of a plain one."""

    def _spawn(self, output: IO | None) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.faults.poisoned", "worker"]
        environment = os.environ | {SUPERVISOR_PID: str(os.getpid())}
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)


def keep() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    keeper = Keeper(get_settings())
    keeper.start()
    try:
        keeper.wait()
    finally:
        keeper.stop()
    return 0


if __name__ == "__main__":
    os._exit(work()) if sys.argv[1:] == ["worker"] else sys.exit(keep())
