"""Makes the pictures of docs/screenshots from painted samples: `python -m tests.ui.screenshots`."""

import re
import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, expect

from app import library
from app.ingest import scan
from app.resources import open_resources
from app.samples import truth
from app.samples.generate import generate
from app.ui.audits.wording import RELATIONS
from app.vision.architectures import FALLBACK
from tests.conftest import make_settings
from tests.ui.browser import browser, drawn, press, server

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SAMPLES = 100
WAIT_MS = 240_000
CAPTIONED = "-card"  # in the names of painted copies that something is written on


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home, photos = Path(folder) / "home", Path(folder) / "photos"
        resources = open_resources(make_settings(home).model_copy(update={"model": FALLBACK}))
        generate(photos, SAMPLES)
        library.create_collection(resources, "samples")
        scan.ingest(resources, [photos], "samples")
        with server(home, DINOSEEK_MODEL=FALLBACK) as address:
            wait_until_read(address)
            asked = most_copied(photos)
            known = library.pictures(resources, "samples", limit=SAMPLES)
            take(address, next(picture.image_id for picture in known if picture.name == asked))
            take_audit(address)
        resources.catalog.dispose()


def most_copied(samples: Path) -> str:
    """The name of the picture with the most copies that are not the same bytes: a search has something to show."""
    copies = (picture for picture in truth.load(samples).pictures if picture.tier not in (None, "identical"))
    return Path(Counter(picture.original for picture in copies).most_common(1)[0][0]).name


def wait_until_read(address: str) -> None:
    with browser() as page:
        page.goto(f"{address}/library?collection=samples")
        expect(page.get_by_text("Looking at pictures")).to_have_count(1, timeout=WAIT_MS)
        expect(page.get_by_text("Looking at pictures")).to_have_count(0, timeout=WAIT_MS)


def take(address: str, image_id: int) -> None:
    asked = f"?collection=samples&image={image_id}"
    for name, width, scheme, path in (
        ("start", 1280, "light", ""),
        ("search", 1280, "light", asked),
        ("beside", 1280, "dark", asked),
        ("library", 1280, "dark", "library?collection=samples"),
        ("start-phone", 400, "light", ""),
        ("search-phone", 400, "dark", asked),
    ):
        with browser(width, 860, scheme) as page:
            page.goto(f"{address}/{path}")
            settle(page)
            if name == "beside":
                open_beside(page)
            keep(page, name)


def take_audit(address: str) -> None:
    """Copies found, compared and about to be moved; nothing is."""
    with browser(1280, 860, "light") as page:
        page.goto(f"{address}/audits")
        page.get_by_role("button", name="Find copies").click(timeout=WAIT_MS)
        expect(page.get_by_role("button", name="Run again")).to_be_visible(timeout=WAIT_MS)
        press(page, page.get_by_text(re.compile(r"^Edited \d")), WAIT_MS)
        expect(page).to_have_url(re.compile("tier=edited"), timeout=WAIT_MS)
        settle(page)
        keep(page, "audit")
        compare(page)
        press(page, page.get_by_text("Quarantine ("), WAIT_MS)
        press(page, page.get_by_role("button", name="Show what would happen"), WAIT_MS)
        expect(page.locator(".moves li").first).to_be_visible(timeout=WAIT_MS)
        page.wait_for_timeout(1500)
        keep(page, "audit-quarantine")


def compare(page: Page) -> None:
    """A copy that something is written on, beside the picture that a person chose to keep; and what differs."""
    if CAPTIONED not in in_hand(page):
        page.keyboard.press("m")
        expect(page.get_by_text("you chose it").first).to_be_visible(timeout=WAIT_MS)
        in_hand(page)
    page.keyboard.press("Enter")
    page.wait_for_timeout(2500)
    keep(page, "audit-compare")
    page.keyboard.press("v")
    page.wait_for_timeout(2500)
    keep(page, "audit-difference")
    page.keyboard.press("Escape")


def in_hand(page: Page) -> str:
    """Takes the copy that differs by something laid over it from the one that is kept; its words."""
    tile = page.locator(".tile").filter(has_text=RELATIONS["overlaid"]).first
    tile.locator("figcaption .facts").click()
    return tile.inner_text()


def keep(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=82)


def settle(page: Page) -> None:
    """Every picture in sight is there."""
    expect(page.locator(".tile img, .card img").first).to_be_visible(timeout=WAIT_MS)
    page.wait_for_load_state("networkidle")
    drawn(page, WAIT_MS)  # what is drawn anew is pale meanwhile
    page.wait_for_timeout(1500)


def open_beside(page: Page) -> None:
    page.locator(".tile .frame").first.click()
    page.wait_for_timeout(2500)


if __name__ == "__main__":
    main()
