"""The journey of an audit in a real browser: start, look, decide, mark, move aside, bring back, undo."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.resources import open_resources
from tests.conftest import make_settings
from tests.ui.audited import album, tree
from tests.ui.browser import browser, chromium, drawn, press
from tests.workshop import fill, workshop

SLOW_MS = 60_000  # a loaded machine with two cores still gets there
ALIKE = 30  # grey levels, after the brightening; two pictures laid wrongly on one another differ by a hundred
# of two files the one that goes and the one that stays, drawn
BOTH_SHOWN = "() => [...document.querySelectorAll('.moves img')].filter(img => img.naturalWidth).length === 4"
SHELVED = "photos/**/.dinoseek-quarantine/**/*.jpg"


@pytest.fixture(scope="module")
def root(tmp_path_factory, encoders) -> Path:
    """A home with an album that is searchable, and not audited yet."""
    chromium()
    root = tmp_path_factory.mktemp("audits")
    resources = open_resources(make_settings(root / "home"))
    with workshop(resources, encoders) as shop:
        fill(shop, album(root / "photos"))
    resources.catalog.dispose()
    return root


def test_copies_are_found_judged_moved_and_brought_back(address, root):
    before = tree(root / "photos")
    with browser() as page:
        start(page, address)
        compare(page)
        say_different_and_undo(page)
        take_back_from_the_list(page)
        keep_another_and_undo(page)
        mark_and_undo(page)
        mark_many(page)
        finish_and_look_at_it_again(page)
        move(page, root, before)
        bring_back(page)
        change_rules(page, root)
    assert tree(root / "photos") == before


def start(page: Page, address: str) -> None:
    page.goto(f"{address}/audits")
    expect(page.get_by_text("nothing is ever deleted")).to_be_visible(timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Find copies"))
    expect(page).to_have_url(re.compile("/audits.audit=1$"), timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Run again")).to_be_visible(timeout=SLOW_MS)
    drawn(page)  # with the end of the run it is drawn anew: what was taken in hand before is not any more
    expect(page.locator(".group")).to_have_count(3, timeout=SLOW_MS)
    assert files(page) == [
        ["boat.jpg", "boat.jpg", "boat part.jpg", "boat small.jpg"],
        ["roof.jpg", "roof mirrored.jpg"],
        ["container.png", "gate.jpg"],
    ]


def files(page: Page) -> list[list[str]]:
    """Names by group, the keeper first."""
    return [group.locator(".name").all_text_contents() for group in page.locator(".group").all()]


def group(page: Page, name: str) -> Locator:
    return page.locator(".group").filter(has_text=name)


def take(page: Page, name: str) -> None:
    """Have this file in hand."""
    press(page, page.locator(".tile").filter(has_text=name).locator("figcaption .facts"))


def compare(page: Page) -> None:
    """The copy lies on the kept one: what they show differs by next to nothing, turned, cropped and small as it is."""
    take(page, "boat small.jpg")
    page.keyboard.press("Enter")
    dialog = page.locator(".compare")
    expect(dialog.locator(".count")).to_have_text("3 of 5 · 3 of 3 in this group")
    expect(dialog.locator(".verdict")).to_contain_text("smaller: 50% of its side")
    page.keyboard.press("v")
    for number, name in ((3, "boat small.jpg"), (2, "boat part.jpg")):
        page.keyboard.press(str(number))
        assert difference(page, name) < ALIKE
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert difference(page, "roof mirrored.jpg") < ALIKE
    page.keyboard.press("Space")
    expect(dialog.locator(".showing")).to_contain_text("The copy")
    page.keyboard.press("Space")
    expect(dialog.locator(".showing")).to_contain_text("The one that is kept")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def difference(page: Page, name: str) -> float:
    """Mean grey level, 0..255, of what the difference view shows of this copy."""
    dialog = page.locator(".compare")
    expect(dialog.locator(".upper")).to_have_attribute("alt", name)
    expect(dialog.locator(".upper")).to_have_attribute("src", re.compile("/api/pictures/"), timeout=SLOW_MS)
    page.wait_for_function(LOADED)
    shown = dialog.locator(".layers").screenshot()
    return page.evaluate(MEAN, list(shown))


def say_different_and_undo(page: Page) -> None:
    take(page, "boat part.jpg")
    page.keyboard.press("d")
    expect(group(page, "boat small.jpg").locator(".tile")).to_have_count(3, timeout=SLOW_MS)
    expect(page.locator(".groups ~ .said")).to_contain_text("Called different")
    page.reload()  # what was done is in rows, and not in the browser's session
    expect(group(page, "boat small.jpg").locator(".tile")).to_have_count(3, timeout=SLOW_MS)
    page.keyboard.press("u")
    expect(group(page, "boat small.jpg").locator(".tile")).to_have_count(4, timeout=SLOW_MS)
    expect(page.locator(".groups ~ .said")).to_contain_text("Taken back")


def take_back_from_the_list(page: Page) -> None:
    """Whatever was said is listed with both pictures, and taken back by itself; that can be undone as well."""
    for name, key in (("boat part.jpg", "d"), ("roof mirrored.jpg", "s")):
        take(page, name)
        page.keyboard.press(key)
        expect(page.locator(".tile").filter(has_text=name)).to_have_count(0, timeout=SLOW_MS)
    page.reload()
    press(page, page.get_by_role("button", name="Decisions"))
    rows = page.locator(".decision")
    expect(rows).to_have_count(2, timeout=SLOW_MS)
    expect(rows.nth(0)).to_contain_text("Same scene")
    expect(rows.nth(1)).to_contain_text("Different")
    expect(rows.nth(1).locator("img")).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("boat part.jpg")
    press(page, page.get_by_role("button", name="Take back").nth(1))
    expect(rows).to_have_count(1, timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Undo"))
    expect(rows).to_have_count(2, timeout=SLOW_MS)
    for left in (1, 0):
        press(page, page.get_by_role("button", name="Take back").first)
        expect(rows).to_have_count(left, timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Groups"))
    expect(group(page, "roof mirrored.jpg").locator(".tile")).to_have_count(2, timeout=SLOW_MS)
    expect(group(page, "boat small.jpg").locator(".tile")).to_have_count(4, timeout=SLOW_MS)


def keep_another_and_undo(page: Page) -> None:
    take(page, "roof mirrored.jpg")
    page.keyboard.press("m")
    kept = group(page, "roof mirrored.jpg").locator(".keeper")
    expect(kept).to_contain_text("you chose it", timeout=SLOW_MS)
    page.keyboard.press("u")
    expect(kept).to_contain_text("older", timeout=SLOW_MS)


def mark_and_undo(page: Page) -> None:
    take(page, "gate.jpg")
    page.keyboard.press("x")
    expect(page.get_by_text("Quarantine (2 marked)")).to_be_visible(timeout=SLOW_MS)
    page.reload()
    expect(page.locator(".tile.marked")).to_have_count(2, timeout=SLOW_MS)
    press(page, page.get_by_label("Mark gate.jpg for quarantine"))
    expect(page.get_by_text("Quarantine (1 marked)")).to_be_visible(timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Undo"))
    expect(page.get_by_text("Quarantine (2 marked)")).to_be_visible(timeout=SLOW_MS)


def mark_many(page: Page) -> None:
    """Copies that are not identical are marked after a look at them, and only then."""
    dialog = page.get_by_role("dialog")
    press(page, page.get_by_role("button", name="Mark many"))
    expect(dialog).to_be_visible(timeout=SLOW_MS)
    expect(dialog.get_by_text("Nothing fits")).to_be_visible(timeout=SLOW_MS)
    press(page, dialog.get_by_text("Edited"))
    expect(dialog.locator(".sheet li")).to_have_count(3, timeout=SLOW_MS)
    act = dialog.get_by_role("button", name="Mark these 3 files")
    expect(act).to_be_disabled()
    press(page, dialog.get_by_text("I have looked at them"))
    press(page, act)
    expect(page.get_by_text("Quarantine (5 marked)")).to_be_visible(timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Undo"))
    expect(page.get_by_text("Quarantine (2 marked)")).to_be_visible(timeout=SLOW_MS)


def finish_and_look_at_it_again(page: Page) -> None:
    press(page, group(page, "roof.jpg").get_by_role("button", name="Done"))
    expect(page.locator(".group")).to_have_count(2, timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="Done", exact=True).first)
    expect(page.locator(".group")).to_have_count(1, timeout=SLOW_MS)
    expect(page).to_have_url(re.compile("done=yes"))
    press(page, page.get_by_role("button", name="Review again"))
    expect(page.locator(".group")).to_have_count(0, timeout=SLOW_MS)
    press(page, page.get_by_role("button", name="To review"))
    expect(page.locator(".group")).to_have_count(3, timeout=SLOW_MS)


def move(page: Page, root: Path, before: dict[str, bytes]) -> None:
    press(page, page.get_by_text("Quarantine (2 marked)"))
    press(page, page.get_by_role("button", name="Show what would happen"))
    expect(page.locator(".moves li")).to_have_count(2, timeout=SLOW_MS)
    page.wait_for_function(BOTH_SHOWN, timeout=SLOW_MS)
    assert tree(root / "photos") == before
    press(page, page.get_by_role("button", name="Move 2 files into quarantine"))
    expect(page.get_by_text("2 files moved into quarantine")).to_be_visible(timeout=SLOW_MS)
    gone = {"backup/boat.jpg", "2024/gate.jpg"}
    assert tree(root / "photos") == {path: data for path, data in before.items() if path not in gone}
    assert sorted(path.name for path in root.glob(SHELVED)) == ["boat.jpg", "gate.jpg"]
    press(page, page.get_by_role("button", name="Groups"))
    expect(page.locator(".group")).to_have_count(2, timeout=SLOW_MS)


def bring_back(page: Page) -> None:
    press(page, page.get_by_text("Quarantine (0 marked)"))
    press(page, page.get_by_role("button", name="Bring back"))
    expect(page.get_by_text("2 files back at their places")).to_be_visible(timeout=SLOW_MS)


def change_rules(page: Page, root: Path) -> None:
    """A protected folder's copy is kept from now on, whatever else stands against it."""
    press(page, page.get_by_role("button", name="Groups"))
    press(page, page.get_by_role("button", name="Keeper rules"))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Nothing is changed")).to_be_disabled(timeout=SLOW_MS)
    press(page, dialog.locator(".st-key-Later-protected button:visible"))
    expect(dialog.locator(".st-key-rule_0")).to_contain_text("in the folder you prefer", timeout=SLOW_MS)
    protected = dialog.get_by_label("Protected")
    protected.fill(f"{root}/photos/mails")
    protected.blur()
    press(page, dialog.get_by_role("button", name="Choose keepers anew"))
    kept = group(page, "boat.jpg").locator(".keeper")
    expect(kept).to_contain_text("boat part.jpg", timeout=SLOW_MS)
    expect(group(page, "boat.jpg").get_by_text("Stays")).to_have_count(1)  # the other one there is protected as well


LOADED = """() => {
    const find = (root) => root.querySelector('.compare') ?? [...root.querySelectorAll('*')]
        .filter((one) => one.shadowRoot).map((one) => find(one.shadowRoot)).find(Boolean);
    return [...find(document).querySelectorAll('.layers img')].every((image) => image.complete && image.naturalWidth);
}"""
MEAN = """async (bytes) => {
    const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += data[at] + data[at + 1] + data[at + 2];
    return sum / (data.length * 3 / 4);
}"""
