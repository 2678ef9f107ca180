"""How long the review page's answers take at 100,000 groups, on SQLite and on PostgreSQL.

    python -m benchmarks.audit_page --groups 100000 --rounds 20

Fills a database with rows alone, without pictures: the page reads nothing else.
"""

import argparse
import contextlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.audits import marks, pages
from app.audits.pages import FIRST, LAST, Cursor, Sort
from app.catalog import collections
from app.catalog.audit_models import Audit, Group, Member, Pair
from app.catalog.marks import Rule
from app.catalog.models import Image, Location
from app.catalog.states import AuditStatus, ImageStatus, Role, Tier
from app.resources import Resources, open_resources
from app.settings import Settings
from tests import servers

KEY = {"model": "m", "weights_sha256": "0" * 64, "preprocessing": "p", "precision": "float32", "trained": True}
ROWS_AT_ONCE = 5_000
TIERS = (*[Tier.IDENTICAL] * 50, *[Tier.SAME_PIXELS] * 10, *[Tier.EDITED] * 38, *[Tier.SAME_SCENE] * 2)
SIZES = (2, 2, 2, 2, 3, 3, 3, 3, 2, 3)  # files of a group: 2.5 on average
WARP = [0.8, 0.0, 0.1, 0.0, 0.8, 0.1]
Measured = dict[str, Callable[[], object]]


def main() -> None:
    arguments = parse()
    for name, database in (("SQLite", sqlite), ("PostgreSQL", servers.postgres)):
        with tempfile.TemporaryDirectory() as folder, database() as url:
            settings = Settings(_env_file=None, home=Path(folder), database_url=url)
            resources = open_resources(settings)
            audit_id = fill(resources, arguments.groups)
            report(name, measured(resources, audit_id), arguments.rounds)
            resources.catalog.dispose()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    return parser.parse_args()


@contextlib.contextmanager
def sqlite() -> Iterator[None]:
    yield None  # the settings' own default: a file in the home


def fill(resources: Resources, count: int) -> int:
    """An audit with `count` groups; every thirtieth is settled. Its id."""
    chance = random.Random(7)
    with resources.catalog.begin() as session:
        key = collections.register_model(session, **KEY, dim=4)
        collection = collections.add(session, "photos", key.id)
        audit = Audit(
            collection_id=collection.id, model_key_id=key.id, status=AuditStatus.DONE, cosine=0.5, method="m", rules={}
        )
        session.add(audit)
        session.flush()
        audit_id, collection_id = audit.id, collection.id
    image_id = 1
    for start in range(0, count, ROWS_AT_ONCE):
        with resources.catalog.begin() as session:
            for number in range(start, min(count, start + ROWS_AT_ONCE)):
                image_id = _stage(collection_id, audit_id, number, image_id, chance)
            _store(session)
    _analyze(resources)
    return audit_id


_staged: dict[type, list[dict]] = {Image: [], Location: [], Group: [], Member: [], Pair: []}


def _stage(collection_id: int, audit_id: int, number: int, first_id: int, chance: random.Random) -> int:
    files, tier = SIZES[number % len(SIZES)], TIERS[number % len(TIERS)]
    score = 1.0 if tier is not Tier.EDITED else round(chance.uniform(0.3, 0.999), 6)
    sizes = [chance.randrange(40_000, 9_000_000) for _ in range(files)]
    for place, size in enumerate(sizes):
        _stage_file(collection_id, first_id + place, size, number)
        _stage_member(number + 1, place, first_id + place, tier, score)
        if place and tier is not Tier.IDENTICAL:
            pair = {"audit_id": audit_id, "first_id": first_id, "second_id": first_id + place, "cosine": 0.9}
            _staged[Pair].append(pair | {"tier": tier, "score": score, "area": 1.0, "relations": [], "warp": WARP})
    group = {"id": number + 1, "audit_id": audit_id, "keeper_id": first_id, "scene": tier is Tier.SAME_SCENE}
    group |= {"tier": tier, "weakest": score, "members": files, "settled": number % 30 == 0}
    _staged[Group].append(group | {"reclaimable_bytes": sum(sizes[1:])})
    return first_id + files


def _stage_file(collection_id: int, image_id: int, size: int, number: int) -> None:
    folder = f"/photos/{number % 400:03d}"
    path = f"{folder}/IMG_{image_id:07d}.jpg"
    digest = f"{image_id:064x}"
    shape = {"format": "JPEG", "width_px": 4000, "height_px": 3000, "status": ImageStatus.READY}
    _staged[Image].append(
        {"id": image_id, "collection_id": collection_id, "digest": digest, "size_bytes": size} | shape
    )
    place = {"collection_id": collection_id, "image_id": image_id, "path": path, "folder": folder, "mtime_ns": 0}
    _staged[Location].append({"id": image_id, "path_bytes": path.encode(), "size_bytes": size} | place)


def _stage_member(group_id: int, place: int, image_id: int, tier: Tier, score: float) -> None:
    role, own = (Role.DUPLICATE, tier) if place else (Role.KEEPER, None)
    relations = ["cropped", "recompressed"] if place and tier is Tier.EDITED else []
    row = {"group_id": group_id, "place": place, "image_id": image_id, "location_id": image_id, "role": role}
    row |= {"tier": own, "score": score, "relations": relations, "loses": [], "reason": "smaller: 1 × 1 px"}
    _staged[Member].append(row | {"marked": bool(place) and tier is Tier.IDENTICAL})


def _store(session: Session) -> None:
    for table, rows in _staged.items():
        session.execute(insert(table), rows)
        rows.clear()


def _analyze(resources: Resources) -> None:
    """What both databases do by themselves, sooner or later."""
    with resources.catalog.begin() as session:
        session.connection().exec_driver_sql("ANALYZE")


def measured(resources: Resources, audit_id: int) -> Measured:
    counted = pages.tallies(resources, audit_id)
    open_page = {
        f"{sort.value}, {tier.value if tier else 'all'}, {name}": _page(
            resources, audit_id, counted, tier, sort, cursor
        )
        for sort in Sort
        for tier in (None, Tier.EDITED, Tier.SAME_SCENE)
        for name, cursor in (("first", FIRST), ("deep", _deep(resources, audit_id, sort)), ("last", LAST))
    }
    with resources.catalog.read() as session:
        one = session.scalar(select(Group.id).limit(1))
    rule = Rule(tiers=(Tier.SAME_PIXELS, Tier.EDITED), least_score=0.9, folder="/photos/007", no_larger=True)
    every = Rule(tiers=(Tier.SAME_PIXELS, Tier.EDITED), loses_nothing=True, no_larger=True)
    return open_page | {
        "settled, first": lambda: pages.page(resources, audit_id, counted, settled=True),
        "one group": lambda: pages.group(resources, audit_id, one),
        "the tallies": lambda: pages.tallies(resources, audit_id),
        "what is marked, with its bytes": lambda: pages.marked(resources, audit_id),
        "settle one group": lambda: marks.settle(resources, audit_id, [one]),
        "preview of a rule, one folder": lambda: marks.preview(resources, audit_id, rule),
        "preview of a rule, everything": lambda: marks.preview(resources, audit_id, every),
        "its first files": lambda: marks.previewed(resources, audit_id, every),
    }


def _page(resources: Resources, audit_id: int, tier: Tier | None, sort: Sort, cursor: Cursor) -> Callable[[], object]:
    """All that one drawing of the page asks for."""

    def ask() -> None:
        counted = pages.tallies(resources, audit_id)
        pages.count_marked(resources, audit_id)
        pages.page(resources, audit_id, counted, tier, sort=sort, cursor=cursor)

    return ask


def _deep(resources: Resources, audit_id: int, sort: Sort) -> Cursor:
    """The middle of all groups."""
    order = pages.ORDERS[sort]
    with resources.catalog.read() as session:
        rows = select(order.value(), Group.id).where(Group.audit_id == audit_id, Group.settled.is_(False))
        rows = session.execute(order.sorted(rows, backwards=False)).all()
    return Cursor(tuple(rows[len(rows) // 2]))


def report(name: str, contestants: Measured, rounds: int) -> None:
    print(f"\n{name:42} {'p50 ms':>8} {'p95 ms':>8}", flush=True)
    for what, ask in contestants.items():
        ask()
        spans = [_timed_ms(ask) for _ in range(rounds)]
        print(f"{what:42} {np.percentile(spans, 50):8.1f} {np.percentile(spans, 95):8.1f}", flush=True)


def _timed_ms(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
