"""Whether two pictures are copies of each other, and how one lies in the other. Knows OpenCV and nothing of us."""

from app.alignment.comparison import DEFAULT_THRESHOLD, METHOD, compare, turned_round
from app.alignment.evidence import Evidence
from app.alignment.hashes import forms, hash_of, hashes_of
from app.alignment.insets import content_share
from app.alignment.relations import Facts, relations
from app.alignment.view import VIEW_BYTES, VIEW_PX, View

__all__ = [
    "DEFAULT_THRESHOLD",
    "METHOD",
    "VIEW_BYTES",
    "VIEW_PX",
    "Evidence",
    "Facts",
    "View",
    "compare",
    "content_share",
    "forms",
    "hash_of",
    "hashes_of",
    "relations",
    "turned_round",
]
