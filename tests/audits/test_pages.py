"""Pages of groups: every group once, in order, forwards and backwards, on both databases; done ones stay out."""

import pytest
from sqlalchemy import select

from app.audits.showing import marks, pages
from app.audits.showing.pages import FIRST, LAST, Sort
from app.catalog.audit_models import Audit, Group
from app.catalog.states import Role, Tier
from app.errors import NotFound
from tests.audits.many import fill

GROUPS = 230  # eight of them settled
LIMIT = 20


@pytest.fixture
def audit_id(resources_on_both) -> int:
    return fill(resources_on_both, GROUPS)


def walked(resources, audit_id: int, cursor, step: str, **asked) -> list[list[int]]:
    """Ids of the groups of every page, from `cursor` on."""
    counted, found = pages.tallies(resources, audit_id), []
    while cursor is not None:
        page = pages.page(resources, audit_id, counted, cursor=cursor, limit=LIMIT, **asked)
        found.append([group.id for group in page.groups])
        cursor = getattr(page, step)
    return found


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("tier", [None, Tier.EDITED])
def test_pages_hold_every_group_once_in_order_and_the_same_on_the_way_back(resources_on_both, audit_id, sort, tier):
    asked = {"sort": sort, "tier": tier}
    there = walked(resources_on_both, audit_id, FIRST, "after", **asked)
    back = walked(resources_on_both, audit_id, LAST, "before", **asked)
    assert there == back[::-1]
    assert [len(page) for page in there[:-1]] == [LIMIT] * (len(there) - 1)
    assert [group_id for page in there for group_id in page] == wanted(resources_on_both, sort, tier)


def wanted(resources, sort: Sort, tier: Tier | None) -> list[int]:
    with resources.catalog.read() as session:
        rows = session.scalars(select(Group)).all()
    tiers = (Tier.IDENTICAL, Tier.SAME_PIXELS, Tier.EDITED) if tier is None else (tier,)
    shown = [row for row in rows if not row.settled and row.tier in tiers]
    if sort is Sort.BYTES:
        shown.sort(key=lambda row: (-row.reclaimable_bytes, -row.id))
    else:
        shown.sort(key=lambda row: (row.weakest, row.id))
    return [row.id for row in shown]


def test_a_page_says_where_it_is(resources_on_both, audit_id):
    counted = pages.tallies(resources_on_both, audit_id)
    first = pages.page(resources_on_both, audit_id, counted)
    second = pages.page(resources_on_both, audit_id, counted, cursor=first.after)
    last = pages.page(resources_on_both, audit_id, counted, cursor=LAST)
    total = counted.of(None).number
    assert (first.number, second.number) == (1, 21)
    assert (last.number + len(last.groups) - 1, last.total, last.after) == (total, total, None)
    assert first.before is None


def test_tallies_tell_what_is_open_and_what_is_done(resources_on_both, audit_id):
    before = pages.tallies(resources_on_both, audit_id)
    (group,) = pages.page(resources_on_both, audit_id, before, limit=1).groups
    marks.settle(resources_on_both, audit_id, [group.id])
    after = pages.tallies(resources_on_both, audit_id)
    assert before.of(None).number - after.of(None).number == 1
    assert before.of(None).bytes - after.of(None).bytes == group.reclaimable_bytes
    assert after.of(group.tier, settled=True).number == before.of(group.tier, settled=True).number + 1
    marks.settle(resources_on_both, audit_id, [group.id], settled=False)
    assert pages.tallies(resources_on_both, audit_id) == before


def test_a_group_has_its_keeper_first_and_lays_each_copy_on_it(resources_on_both, audit_id):
    counted = pages.tallies(resources_on_both, audit_id)
    page = pages.page(resources_on_both, audit_id, counted, tier=Tier.EDITED, limit=1)
    group = pages.group(resources_on_both, audit_id, page.groups[0].id)
    assert [member.role for member in group.members] == [Role.KEEPER] + [Role.DUPLICATE] * (group.files - 1)
    copy = group.members[1]
    # the check laid the keeper on the copy by 0.8·x + 0.1: the way back is 1.25·x - 0.125
    assert copy.onto == pytest.approx((1.25, 0, -0.125, 0, 1.25, -0.125))
    assert copy.shows == pytest.approx(1.0)
    assert copy.may_go
    assert not group.members[0].may_go


def test_a_group_of_another_audit_is_not_shown(resources_on_both, audit_id):
    with resources_on_both.catalog.begin() as session:
        of = session.get(Audit, audit_id)
        named = {name: getattr(of, name) for name in ("collection_id", "model_key_id", "cosine", "method", "rules")}
        other = Audit(**named, against_id=of.collection_id)
        session.add(other)
        session.flush()
        other_id = other.id
    with pytest.raises(NotFound, match="has no group 1"):
        pages.group(resources_on_both, other_id, 1)
    assert pages.tallies(resources_on_both, other_id) == pages.Tallies()


def test_what_is_marked_is_counted_up_to_a_limit(resources_on_both, audit_id):
    marked = pages.marked(resources_on_both, audit_id)
    assert pages.count_marked(resources_on_both, audit_id) == marked.files
    assert marked.bytes > 0
