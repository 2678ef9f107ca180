"""Examples as short texts for addresses: which picture, which part of it, and whether it is meant.

`i7` is picture 7 of the collection, `q` and 64 digits a kept query picture; four numbers behind it are a box in
ten-thousandths, and a minus before it says that what it shows is not meant: `-i7.1000.2500.9000.10000`.
"""

import re

from app.search.examples import Example
from app.search.query import Box

PARTS = 10_000  # of a side: finer than a pixel of what is shown
TOKEN = re.compile(r"(-?)(?:q([0-9a-f]{64})|i([0-9]{1,18}))((?:\.[0-9]{1,5}){4})?", re.ASCII)


def token(example: Example) -> str:
    """Nothing in it is escaped in an address."""
    sign = "" if example.wanted else "-"
    picture = f"q{example.digest}" if example.digest else f"i{example.image_id}"
    return sign + picture + "".join(f".{round(share * PARTS)}" for share in example.box or ())


def read_token(text: str) -> Example:
    """Raises ValueError for a text that is no token, InvalidInput for a box that is none."""
    match = TOKEN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    sign, digest, image_id, box = match.groups()
    return Example(digest=digest, image_id=image_id and int(image_id), box=box and _box(box), wanted=not sign)


def _box(text: str) -> Box:
    x0, y0, x1, y1 = (int(number) / PARTS for number in text[1:].split("."))
    return x0, y0, x1, y1
