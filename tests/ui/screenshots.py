"""Makes the pictures of docs/screenshots from painted samples: `python -m tests.ui.screenshots`."""

import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, expect

from app import library
from app.ingest import receive
from app.resources import open_resources
from app.samples import truth
from app.samples.generate import generate
from app.vision.architectures import FALLBACK
from tests.conftest import make_settings
from tests.ui.browser import browser, server

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SAMPLES = 100
WAIT_MS = 240_000


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        resources = open_resources(make_settings(home).model_copy(update={"model": FALLBACK}))
        generate(home / "samples", SAMPLES)
        library.create_collection(resources, "samples")
        for path in sorted((home / "samples").rglob("*.*")):
            receive.upload(resources, "samples", path.name, path.read_bytes())
        with server(home, DINOSEEK_MODEL=FALLBACK) as address:
            wait_until_read(address)
            asked = most_copied(home / "samples")
            known = library.pictures(resources, "samples", limit=SAMPLES)
            take(address, next(picture.image_id for picture in known if picture.name == asked))
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
            page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=82)


def settle(page: Page) -> None:
    """Every picture in sight is there."""
    expect(page.locator(".tile img, .card img").first).to_be_visible(timeout=WAIT_MS)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def open_beside(page: Page) -> None:
    page.locator(".tile .frame").first.click()
    page.wait_for_timeout(2500)


if __name__ == "__main__":
    main()
