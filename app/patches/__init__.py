"""What parts of pictures say, and where two pictures agree. Knows numpy, and nothing of us but errors.

Letters: C candidates, K tokens of one, Q tokens of the query, M matches, D numbers of a projected token.
Places are (x, y) in tokens, from the top left corner of the grid: the first token's centre is (0.5, 0.5).
"""

from app.patches.basis import DIM, Basis
from app.patches.candidates import Candidates
from app.patches.description import describe
from app.patches.detail import DETAILS, OFF, Detail, Window, get_detail
from app.patches.keypoints import Keypoints
from app.patches.local import MOST_BYTES, Local
from app.patches.query import Query, Sight
from app.patches.verification import Verdicts, verify

__all__ = [
    "DETAILS",
    "DIM",
    "MOST_BYTES",
    "OFF",
    "Basis",
    "Candidates",
    "Detail",
    "Keypoints",
    "Local",
    "Query",
    "Sight",
    "Verdicts",
    "Window",
    "describe",
    "get_detail",
    "verify",
]
