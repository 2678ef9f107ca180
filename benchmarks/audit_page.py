"""How long the review page's answers take at 100,000 groups, on SQLite and on PostgreSQL.

    python -m benchmarks.audit_page --groups 100000 --rounds 20

Fills a database with rows alone, without pictures: the page reads nothing else.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import select

from app.audits.showing import marks, pages
from app.audits.showing.pages import FIRST, LAST, Cursor, Sort
from app.catalog.audit_models import Group
from app.catalog.marks import Rule
from app.catalog.states import Tier
from app.resources import Resources, open_resources
from app.settings import Settings
from tests import servers
from tests.audits.many import fill

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


def measured(resources: Resources, audit_id: int) -> Measured:
    counted = pages.tallies(resources, audit_id)
    open_page = {
        f"{sort.value}, {tier.value if tier else 'all'}, {name}": _page(resources, audit_id, tier, sort, cursor)
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
