"""Two collections compared in a real browser: whose copy is whose, copies moved aside, linked, and brought back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app import library
from app.ingest import scan
from app.ingest.embed import embed_pending
from app.resources import open_resources
from tests.audits.album import picture, shrunk, write
from tests.conftest import make_settings
from tests.ui.audited import tree
from tests.ui.browser import browser, chromium, press
from tests.workshop import COLLECTION, fill, workshop

SLOW_MS = 60_000  # a loaded machine with two cores still gets there
SIZE = (640, 480)
SEEN = """() => {
    window.seen = new Set();
    const told = () => document.querySelectorAll(".work header b, [data-testid=stAlert]");
    const note = () => told().forEach((one) => window.seen.add(one.textContent));
    new MutationObserver(note).observe(document, { childList: true, subtree: true, characterData: true });
}"""
PROGRESS = re.compile("Waits for a worker|No worker|Looking|Finding|Checking|Making")


def trip(root: Path) -> None:
    """Of three pictures of a trip the archive has one as it is and one larger; it has another that we lack."""
    boat, gate = (picture(number, SIZE) for number in (1, 2))
    kept = write(root / "archive" / "old" / "boat.jpg", boat)
    write(root / "archive" / "old" / "gate.jpg", gate)
    write(root / "archive" / "old" / "else.jpg", picture(8, SIZE))
    write(root / "photos" / "trip" / "gate small.jpg", shrunk(gate), quality=70)
    write(root / "photos" / "trip" / "alone.jpg", picture(9, SIZE))
    (root / "photos" / "trip" / "boat.jpg").write_bytes(kept.read_bytes())


@pytest.fixture(scope="module")
def root(tmp_path_factory, encoders) -> Path:
    """A home with two collections, both searchable."""
    chromium()
    root = tmp_path_factory.mktemp("against")
    trip(root)
    resources = open_resources(make_settings(root / "home"))
    with workshop(resources, encoders) as shop:
        fill(shop, root / "photos")
        library.create_collection(resources, "archive", encoders=encoders)
        scan.ingest(resources, [root / "archive"], "archive")
        embed_pending(shop, library.collection(resources, "archive").id, budget_s=120, should_stop=lambda: False)
    resources.catalog.dispose()
    return root


def test_what_another_collection_has_is_moved_aside_linked_and_brought_back(address, root):
    before = tree(root)
    with browser() as page:
        start(page, address)
        say_whose(page)
        move_aside(page, root, before)
        bring_back(page)
        leave_links(page, root)
        free_nothing(page)
        bring_back(page)
        count_again(page)
    assert pictures(tree(root)) == pictures(before)
    assert inode(root, "photos/trip/boat.jpg") != inode(root, "archive/old/boat.jpg")


def pictures(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path.endswith(".jpg")}


def inode(root: Path, name: str) -> int:
    return (root / name).stat().st_ino


def start(page: Page, address: str) -> None:
    page.add_init_script(f"({SEEN})()")
    page.goto(f"{address}/audits")
    choose(page, "Collection", COLLECTION)
    choose(page, "Compare with", "archive")
    press(page, page.get_by_role("button", name="Find copies"))
    expect(page).to_have_url(re.compile("/audits.audit=1$"), timeout=SLOW_MS)
    expect(page.locator(".group")).to_have_count(2, timeout=SLOW_MS)
    expect(page.get_by_role("heading", name="photos in archive")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("in archive too: 2 of 3")).to_be_visible(timeout=SLOW_MS)
    assert any(PROGRESS.search(told) for told in page.evaluate("[...window.seen]"))


def choose(page: Page, label: str, name: str) -> None:
    press(page, page.get_by_label(label))
    press(page, page.get_by_role("option", name=name))


def group(page: Page, name: str) -> Locator:
    return page.locator(".group").filter(has_text=name)


def say_whose(page: Page) -> None:
    """The archive's are kept, ours are the copies; beside one another as well."""
    for name, kept in (("boat.jpg", "boat.jpg"), ("gate small.jpg", "gate.jpg")):
        keeper, copy = group(page, name).locator(".keeper"), group(page, name).locator(".others .tile")
        expect(keeper.locator(".whose")).to_have_text("In archive")
        expect(keeper.locator(".name")).to_have_text(kept)
        expect(copy.locator(".whose")).to_have_text("In photos")
    press(page, group(page, "gate small.jpg").get_by_role("button", name="Compare"))
    dialog = page.locator(".compare")
    expect(dialog.locator(".kept figcaption")).to_contain_text("Kept in archive")
    expect(dialog.locator(".copy figcaption")).to_contain_text("Copy in photos")
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Quarantine (2 marked)")).to_be_visible(timeout=SLOW_MS)


def move_aside(page: Page, root: Path, before: dict[str, bytes]) -> None:
    press(page, page.get_by_text("Quarantine (2 marked)"))
    press(page, page.get_by_role("button", name="Show what would happen"))
    press(page, page.get_by_role("button", name="Move 2 files into quarantine"))
    expect(page.get_by_text("2 files moved into quarantine")).to_be_visible(timeout=SLOW_MS)
    gone = {"photos/trip/boat.jpg", "photos/trip/gate small.jpg"}
    assert pictures(tree(root)) == {path: data for path, data in pictures(before).items() if path not in gone}


def bring_back(page: Page) -> None:
    press(page, page.get_by_role("button", name="Bring back").first)
    expect(page.get_by_text(re.compile(r"^\d files? back at (their|its) places?"))).to_be_visible(timeout=SLOW_MS)


def leave_links(page: Page, root: Path) -> None:
    """Both are marked again, but a link can stand for the same bytes only: the dry run says so of the other."""
    press(page, page.get_by_role("button", name="Groups"))
    for name in ("boat.jpg", "gate small.jpg"):
        mark(page, name)
    press(page, page.get_by_text("Quarantine (2 marked)"))
    press(page, page.get_by_text("A hard link to the copy that stays"))
    expect(page.get_by_text("The two are one file from then on")).to_be_visible(timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Show what would happen"))
    plan = page.locator(".st-key-plan")
    expect(plan.get_by_text("1 file would be replaced by a hard link")).to_be_visible(timeout=SLOW_MS)
    expect(plan.locator("li.left")).to_contain_text("a link can stand for the same bytes only")
    expect(plan.locator("li:not(.left)")).to_contain_text(f"in its place: a link to {root}/archive/old/boat.jpg")
    assert inode(root, "photos/trip/boat.jpg") != inode(root, "archive/old/boat.jpg")
    press(page, page.get_by_text("Nothing", exact=True))  # another way is another plan
    expect(plan).to_have_count(0, timeout=SLOW_MS)
    press(page, page.get_by_text("A hard link to the copy that stays"))
    press(page, page.get_by_role("button", name="Replace 1 file by a hard link"))
    expect(page.get_by_text("1 file replaced by a hard link")).to_be_visible(timeout=SLOW_MS)
    assert inode(root, "photos/trip/boat.jpg") == inode(root, "archive/old/boat.jpg")


def mark(page: Page, name: str) -> None:
    """If it is not: what came back after it was moved aside begins as a new file does."""
    tile = group(page, name).locator(".others .tile")
    expect(tile).to_be_visible(timeout=SLOW_MS)
    if "marked" not in (tile.get_attribute("class") or "").split():
        press(page, tile.locator(".check"))
    expect(tile).to_have_class(re.compile(r"\bmarked\b"), timeout=SLOW_MS)


def free_nothing(page: Page) -> None:
    """A link takes no room: nothing is offered, and nothing can be marked."""
    press(page, page.get_by_role("button", name="Groups"))
    linked = group(page, "Hard link to the one that is kept")
    expect(linked.locator(".others .badge")).to_have_text("Linked", timeout=SLOW_MS)
    expect(linked.locator(".line")).to_have_text("2 files")
    expect(linked.locator(".others .check")).to_have_count(0)
    press(page, page.get_by_text(re.compile(r"Quarantine \(\d marked\)")))


def count_again(page: Page) -> None:
    press(page, page.get_by_role("button", name="Groups"))
    expect(group(page, "boat.jpg").locator(".line")).to_contain_text("frees", timeout=SLOW_MS)
    expect(page.get_by_text("Hard link to the one that is kept")).to_have_count(0)


def test_nothing_is_wider_than_a_phone(address):
    with browser(400, 860) as page:
        page.goto(f"{address}/audits?audit=1")
        expect(page.locator(".whose").first).to_be_visible(timeout=SLOW_MS)
        for tab in ("", "&tab=quarantine", "&tab=said"):
            page.goto(f"{address}/audits?audit=1{tab}")
            expect(page.get_by_role("heading", name="photos in archive")).to_be_visible(timeout=SLOW_MS)
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
