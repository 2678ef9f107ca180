"""`python -m tests.faults.uploader FOLDER`: uploads each file as the page does; says the digest of each acknowledged.

One that is refused is tried again, as a person would, with the reason on standard error.
"""

import sys
import time
from pathlib import Path

from app.errors import AppError
from app.ingest import receive
from app.library import open_collection
from app.resources import open_resources
from tests.workshop import COLLECTION

PAUSE_S = 0.5


def main(folder: Path) -> None:
    resources = open_resources()
    open_collection(resources, COLLECTION)
    for path in sorted(folder.iterdir()):
        while not uploaded(resources, path):
            time.sleep(PAUSE_S)


def uploaded(resources, path: Path) -> bool:
    try:
        receipt = receive.upload(resources, COLLECTION, path.name, path.read_bytes())
    except AppError as refusal:
        print(refusal, file=sys.stderr, flush=True)
        return False
    print(receipt.image_id, path, flush=True)
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
