"""Groups while an audit still runs: there before its end, with true totals, and in the end those of any other run."""

import itertools

import pytest
from sqlalchemy import delete, update

from app.audits import runs
from app.audits.finding import verification
from app.audits.finding.lease import held
from app.audits.grouping import decisions, forming
from app.audits.grouping.forming import EVERY_S, MOST_SHARE, Forming, Pace
from app.audits.showing import answers
from app.catalog.audit_models import Audit, Group, Member, Pair
from app.catalog.states import AuditStatus, Tier, Word
from app.search.refresh import Readers
from tests.audits.album import cropped, family, picture, write
from tests.workshop import COLLECTION, fill

FAMILIES = 3


# what concerns the database's own locks runs on both each time; of the rest PostgreSQL's half is in the soak
FIRST_ON_SQLITE = pytest.mark.parametrize(
    "catalogue_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True
)


@pytest.fixture
def often(monkeypatch) -> None:
    """Groups are made after every few pairs, whatever time it takes."""
    monkeypatch.setattr(verification, "BATCH", 8)
    monkeypatch.setattr(forming, "EVERY_S", 0)
    monkeypatch.setattr(forming, "MOST_SHARE", 1)
    monkeypatch.setattr(forming, "SEEDS", 5)


@pytest.fixture
def families(shop_on_both, tmp_path) -> list[dict]:
    made = [family(tmp_path / "photos", number) for number in range(FAMILIES)]
    fill(shop_on_both, tmp_path / "photos")
    return made


class Watcher:
    """Runs the audit, and looks at it before every few pairs."""

    def __init__(self, shop) -> None:
        self._shop, self.resources = shop, shop.resources
        self.audit_id = runs.open_audit(shop.resources, COLLECTION)

    def run(self, meanwhile=lambda seen: None) -> list[dict]:
        """What `audit show` said each time; at last of the one that is done."""
        seen = []

        def look() -> bool:
            seen.append(self.document())
            meanwhile(seen[-1])
            return False

        runs.ask_for(self.resources, self.audit_id)
        assert runs.run(self.resources, self.audit_id, self._shop.decoder, Readers(self.resources), look)
        return [*seen, self.document()]

    def document(self) -> dict:
        return answers.document(self.resources, self.audit_id)

    def forget(self, *tables: type) -> None:
        """As before the first run."""
        with self.resources.catalog.begin() as session:
            for table in tables:
                session.execute(delete(table))
            session.execute(update(Audit).values(seq=0, mark=None))


@pytest.fixture
def watcher(shop_on_both, families) -> Watcher:
    return Watcher(shop_on_both)


def files(group: dict) -> frozenset[str]:
    return frozenset(member["path"] for member in group["members"])


def together(document: dict) -> set[frozenset[str]]:
    return {files(group) for group in document["groups"]}


def said(document: dict) -> list:
    """All that is said of its groups, but for their ids."""
    rows = [{name: value for name, value in group.items() if name != "group_id"} for group in document["groups"]]
    return sorted(rows, key=lambda row: row["members"][0]["path"])


def test_groups_are_there_before_the_end_with_true_totals(watcher, families, often):
    *seen, last = watcher.run()
    whole = {frozenset(map(str, paths.values())) for paths in families}
    assert together(last) == whole
    early = [document for document in seen if document["groups"]]
    assert any(together(document) != whole and together(document) & whole for document in early)
    assert together(seen[-1]) == whole
    for document in early:
        assert document["status"] is AuditStatus.RUNNING
        assert document["images"] == last["images"]
        assert document["reclaimable_bytes"] == sum(group["reclaimable_bytes"] for group in document["groups"])
        assert all(any(files(group) <= family for family in whole) for group in document["groups"])
    checked = [document["pairs_checked"] for document in seen]
    assert checked == sorted(checked)
    assert checked[-1] > 0


@FIRST_ON_SQLITE
def test_the_groups_in_the_end_are_those_of_a_run_without(watcher, often, monkeypatch):
    last = watcher.run()[-1]
    monkeypatch.setattr(forming, "EVERY_S", float("inf"))
    monkeypatch.setattr(forming, "MOST_SHARE", -1)
    watcher.forget(Member, Group, Pair)
    *seen, other = watcher.run()
    assert not any(document["groups"] for document in seen)
    assert said(other) == said(last)
    assert other["reclaimable_bytes"] == last["reclaimable_bytes"]


@FIRST_ON_SQLITE
def test_a_flood_of_frames_is_left_for_the_end_and_keeps_no_other_back(watcher, families, shop_on_both, monkeypatch):
    """As the next process sees it, when one was killed before it made any group."""
    frames = [write(families[0]["keeper"].parent / f"{n}.jpg", cropped(picture(0), 0.9 - n / 50)) for n in range(3)]
    fill(shop_on_both, frames[0].parent)
    last = watcher.run()[-1]
    watcher.forget(Member, Group)
    monkeypatch.setattr(forming, "MOST_TOGETHER", len(families[1]))
    runs.ask_for(watcher.resources, watcher.audit_id)
    with held(watcher.resources, watcher.audit_id, lambda: False) as hold:
        Forming(hold).form()
    flood = frozenset(str(path) for path in (*families[0].values(), *frames))
    assert together(watcher.document()) == together(last) - {flood} != together(last)


def test_a_decision_meanwhile_holds(watcher, often):
    """The first copy that is seen to be edited is called different from its keeper."""
    apart: set[str] = set()

    def decide(seen: dict) -> None:
        for group in () if apart else seen["groups"]:
            kept, copy = group["members"][0], group["members"][-1]
            if copy["tier"] == Tier.EDITED and not apart:
                apart.update((kept["path"], copy["path"]))
                decisions.decide(
                    watcher.resources, seen["audit_id"], group["group_id"], Word.DIFFERENT, [copy["image_id"]]
                )

    seen = watcher.run(decide)
    later = seen[1 + next(n for n, document in enumerate(seen) if any(apart <= each for each in together(document))) :]
    assert len(later) > 2
    assert not any(apart <= group for document in later for group in together(document))


@FIRST_ON_SQLITE
def test_a_keeper_that_was_chosen_meanwhile_is_kept(watcher, often):
    chosen: list[int] = []

    def choose(seen: dict) -> None:
        for group in () if chosen else seen["groups"]:
            copy = group["members"][-1]
            if copy["tier"] == Tier.EDITED and not chosen:
                chosen.append(copy["image_id"])
                decisions.keep(watcher.resources, seen["audit_id"], group["group_id"], *chosen)

    last = watcher.run(choose)[-1]
    assert chosen[0] in [group["members"][0]["image_id"] for group in last["groups"]]


def test_groups_of_an_earlier_check_stay_until_the_new_one_is_done(watcher, families, often):
    """Also one that the new check does not make."""
    first = watcher.run()[-1]
    made_up = [group["members"][0]["image_id"] for group in first["groups"][:2]]
    with watcher.resources.catalog.begin() as session:
        wrong = update(Pair).where(Pair.first_id.in_(made_up), Pair.second_id.in_(made_up))
        assert session.execute(wrong.values(tier=Tier.EDITED, score=0.99)).rowcount == 1
    decisions.regroup(watcher.resources, watcher.audit_id, made_up)
    before = watcher.document()
    assert together(before) != together(first)
    with watcher.resources.catalog.begin() as session:
        session.execute(update(Audit).values(method="of another release"))
    *seen, last = watcher.run()
    assert all(said(document) == said(before) for document in seen)
    assert said(last) == said(first)


def test_no_more_than_its_share_of_the_time():
    now, spent = 0.0, 0.0
    pace = Pace(lambda: now)
    for _ in range(2000):
        now += 0.5  # of checking
        while pace.is_due() and pace.allows():
            with pace.spent():
                now, spent = now + 0.4, spent + 0.4
        assert spent <= MOST_SHARE * now + 0.4
    assert spent > 0.9 * MOST_SHARE * now


def test_no_oftener_than_every_few_seconds():
    now, turns = 0.0, []
    pace = Pace(lambda: now)
    for _ in range(1000):
        now += 0.1
        if pace.is_due():
            turns.append(now)
            with pace.spent():
                now += 0.001
    assert len(turns) > 2
    assert all(after - before >= EVERY_S for before, after in itertools.pairwise(turns))
