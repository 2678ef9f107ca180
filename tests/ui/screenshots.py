"""Makes the pictures of docs/screenshots from painted samples: `python -m tests.ui.screenshots`."""

import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, expect

from app import library
from app.api.tokens import PARTS
from app.ingest import scan
from app.resources import Resources, open_resources
from app.samples import hunt, truth
from app.samples.generate import generate
from app.ui.audits.wording import RELATIONS
from app.vision.architectures import FALLBACK
from tests.conftest import make_settings
from tests.ui.browser import browser, drawn, press, server

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SAMPLES = 100
THINGS, SCENES = 24, 60  # of the hunt that instances are shown with
HUNTED = 3  # the thing of it that is looked for
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
        things = hunt.generate(photos.with_name("hunt"), THINGS, SCENES)
        library.create_collection(resources, "things", detail="light")
        scan.ingest(resources, [photos.with_name("hunt") / "pictures"], "things")
        with server(home, DINOSEEK_MODEL=FALLBACK) as address:
            wait_until_read(resources)
            asked = most_copied(photos)
            known = library.pictures(resources, "samples", limit=SAMPLES)
            take(address, next(picture.image_id for picture in known if picture.name == asked))
            take_audit(address)
            take_instances(address, photos.with_name("hunt"), things.questions[HUNTED])
        resources.catalog.dispose()


def most_copied(samples: Path) -> str:
    """The name of the picture with the most copies that are not the same bytes: a search has something to show."""
    copies = (picture for picture in truth.load(samples).pictures if picture.tier not in (None, "identical"))
    return Path(Counter(picture.original for picture in copies).most_common(1)[0][0]).name


def wait_until_read(resources: Resources) -> None:
    while any(facts.pending for facts in library.collections(resources)):
        time.sleep(1)


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


def take_instances(address: str, folder: Path, question: hunt.Question) -> None:
    """A thing boxed and found, and what speaks for the first hit."""
    for name, width, scheme in (("instances", 1280, "light"), ("instances-phone", 400, "dark")):
        with browser(width, 860, scheme) as page:
            page.goto(f"{address}/instances?collection=things")
            page.locator(".picker .input").set_input_files(folder / question.picture)
            expect(page.locator(".tile .score").first).to_be_visible(timeout=WAIT_MS)
            box = ".".join(str(round(share * PARTS)) for share in question.box)
            page.goto(f"{page.url}.{box}")
            settle(page)
            keep(page, name)
            press(page, page.locator(".tile .frame").first, WAIT_MS)
            expect(page.locator(".evidence g.agrees").first).to_be_visible(timeout=WAIT_MS)
            page.wait_for_timeout(1500)
            keep(page, f"{name}-evidence")


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
