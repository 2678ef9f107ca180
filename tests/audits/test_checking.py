"""How pairs are checked: each picture decoded about once, ahead of its need, and one product on one core."""

import random
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest
from sqlalchemy import update
from threadpoolctl import threadpool_info, threadpool_limits

from app.alignment import DEFAULT_THRESHOLD
from app.audits import runs
from app.audits.finding import verification
from app.audits.finding.gaze import Gaze
from app.audits.finding.lease import held
from app.audits.finding.order import Key, neighbours_together
from app.audits.finding.verification import Checker, batches
from app.catalog.audit_models import Audit, Pair
from app.catalog.states import AuditStatus
from app.errors import UnreadableImage
from app.vision.decoder import Decoder
from tests.audits import pairs
from tests.audits.album import family, picture, shrunk, write
from tests.workshop import COLLECTION, fill, images_at

KEPT = 20


def scattered(families: int, of: int) -> list[Key]:
    """Every pair of each family, whose ids lie anywhere: originals were ingested long before their copies."""
    ids = random.Random(1).sample(range(families * of), families * of)
    rows = (ids[start : start + of] for start in range(0, len(ids), of))
    return sorted((min(pair), max(pair)) for row in rows for pair in combinations(row, 2))


def decoded(keys: Iterable[Key], kept: int = KEPT) -> int:
    """How often a picture is decoded, when those asked for last are at hand."""
    at_hand: OrderedDict[int, None] = OrderedDict()
    count = 0
    for image_id in (image_id for key in keys for image_id in key):
        count += image_id not in at_hand
        at_hand[image_id] = None
        at_hand.move_to_end(image_id)
        if len(at_hand) > kept:
            at_hand.popitem(last=False)
    return count


def test_pairs_that_share_pictures_are_checked_together():
    keys = scattered(300, 4)
    ordered = neighbours_together(keys)
    assert sorted(ordered) == keys
    assert decoded(ordered) == 1200 < decoded(keys) / 1.5


def test_along_a_chain_of_pictures_each_is_decoded_once():
    """A walk through a town: each shot looks like the few before it, and all hang together."""
    ids = random.Random(2).sample(range(2000), 2000)
    keys = sorted((min(pair), max(pair)) for n in range(1990) for pair in ((ids[n], ids[n + 1]), (ids[n], ids[n + 5])))
    assert decoded(neighbours_together(keys)) < 2200
    assert decoded(keys) > 5000


def test_the_order_does_not_depend_on_that_of_the_rows():
    keys = scattered(50, 4)
    assert neighbours_together(random.Random(3).sample(keys, len(keys))) == neighbours_together(keys)


def test_batches_come_in_that_order_each_with_the_next(resources, monkeypatch):
    monkeypatch.setattr(verification, "BATCH", 7)
    audited = pairs.fill(resources, *pairs.world(20))
    ends = min(audited.truth)[0], max(audited.truth)[1]
    with resources.catalog.begin() as session:
        session.execute(update(Pair).values(tier=None))
        session.execute(update(Audit).values(status=AuditStatus.WAITING))
        session.add(Pair(audit_id=audited.audit_id, first_id=ends[0], second_id=ends[1]))
    with held(resources, audited.audit_id, lambda: False) as hold:
        found = batches(hold)
        cut = [next(found) for _ in range(3)]
    keys = [key for batch, _ in cut for key in batch]
    assert [len(batch) for batch, _ in cut] == [7, 7, 7]
    assert keys == neighbours_together([*audited.truth, ends]) != sorted(keys)
    assert [following for _, following in cut] == [cut[1][0], cut[2][0], ()]


class CountingDecoder(Decoder):
    """The real one; who asked for what."""

    def view(self, source, *arguments, **options):
        self.__dict__.setdefault("asked", []).append(source)
        return super().view(source, *arguments, **options)


@pytest.fixture
def hold(shop, tmp_path):
    family(tmp_path / "photos", 1)
    for number in (2, 3):
        write(tmp_path / "photos" / f"{number}.jpg", picture(number))
        write(tmp_path / "photos" / f"{number} small.jpg", shrunk(picture(number)))
    fill(shop, tmp_path / "photos")
    audit_id = runs.open_audit(shop.resources, COLLECTION)
    with held(shop.resources, audit_id, lambda: False) as hold:
        yield hold


def test_the_next_pictures_are_decoded_while_these_are_compared(hold, resources, tmp_path):
    paths = [tmp_path / "photos" / name for name in ("2.jpg", "2 small.jpg", "3.jpg", "3 small.jpg")]
    ids = images_at(resources, *paths)
    with CountingDecoder(resources.settings) as decoder, ThreadPoolExecutor(2) as threads:
        checker = Checker(hold, Gaze(resources, decoder), DEFAULT_THRESHOLD, threads)
        checker.verdicts([tuple(ids[:2])], [tuple(ids[2:])])
        assert decoder.asked == paths
        checker.verdicts([tuple(ids[2:])])
        assert decoder.asked == paths


def test_a_picture_that_is_in_no_row_is_refused_and_not_asked_for_without_end(resources, decoder):
    with pytest.raises(UnreadableImage, match="not in the catalogue any more"):
        Gaze(resources, decoder).view(999)


def test_a_product_takes_one_core_while_others_compare(hold, shop, monkeypatch):
    seen: set[int] = set()

    def compare(*views):
        seen.update(pool["num_threads"] for pool in threadpool_info() if "numpy" in pool["filepath"])
        return compared(*views)

    compared = verification.compare
    monkeypatch.setattr(verification, "compare", compare)
    keys = images_at(shop.resources, *sorted(hold.resources.settings.home.parent.glob("photos/?.jpg")))
    with shop.resources.catalog.begin() as session:
        session.add(Pair(audit_id=hold.audit_id, first_id=min(keys), second_id=max(keys)))
    with threadpool_limits(2, user_api="blas"):
        verification.verify(hold, Gaze(shop.resources, shop.decoder))
    assert seen == {1}
