"""The main journey in a real browser: upload, progress, search, hits, more like this, the same after a reload."""

import re

import PIL.Image
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import paint
from tests.ui.browser import browser, chromium, server

PICTURES = 6


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    chromium()
    with server(tmp_path_factory.mktemp("browser") / "home") as address:
        yield address


def names(page: Page) -> list[str]:
    return page.locator(".tile .name").all_inner_texts()


def hits(page: Page) -> list[str]:
    expect(page.locator(".tile .score").first).to_be_visible()
    # what the page showed before the search fades out beside the hits for a moment
    expect(page.locator(".tile:not(:has(.score))")).to_have_count(0)
    return names(page)


def test_from_an_empty_home_to_more_like_this(address, tmp_path):
    files = [paint(tmp_path / f"picture {number}.jpg", number, (320, 240)) for number in range(PICTURES)]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(files[0].read_bytes()[:900])
    notes = tmp_path / "notes.jpg"
    notes.write_text("no picture at all")
    with browser() as page:
        make_collection(page, address)
        upload(page, [*files, broken])
        search_by_upload(page, address, files[2])
        like_the_second(page)
        search_by_a_part(page)
        refuse(page, notes)
        walk_by_keyboard(page)


def make_collection(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Make a collection").click()
    page.get_by_role("textbox", name="Name").fill("Holidays")
    page.get_by_role("button", name="Make it").click()
    expect(page).to_have_url(re.compile("/library.collection=Holidays$"))


def upload(page: Page, files: list) -> None:
    page.evaluate(WATCH)
    page.locator(".uploader .input").set_input_files(files)
    expect(page.locator(".uploader .sum")).to_have_text(f"{PICTURES + 1} added")
    expect(page.locator(".tile")).to_have_count(PICTURES)
    expect(page.get_by_text("1 picture refused")).to_be_visible()
    assert page.evaluate("window.sawProgress")
    try_again(page)
    assert (
        page.locator(".tile img").first.evaluate("async image => { await image.decode(); return image.naturalWidth }")
        == 320
    )


def try_again(page: Page) -> None:
    """The broken one is looked at anew, and refused again."""
    page.get_by_text("1 picture refused").click()
    expect(page.locator(".refused li")).to_contain_text("cut short")
    page.get_by_role("button", name="Try these again").click()
    expect(page.get_by_text("1 picture to be looked at again")).to_be_visible()
    expect(page.get_by_text("1 picture refused")).to_be_visible()


def search_by_upload(page: Page, address: str, file) -> None:
    page.goto(address)
    page.locator(".picker .input").set_input_files(file)
    found = hits(page)
    assert (len(found), found[0]) == (PICTURES, "picture 2.jpg")
    expect(page).to_have_url(re.compile(r"q=[0-9a-f]{64}$"))


def like_the_second(page: Page) -> None:
    asked, before = page.url, names(page)
    page.locator(".tile").nth(1).hover()
    page.locator(".tile .like").nth(1).click()
    expect(page).to_have_url(re.compile("image=[0-9]+$"))
    expect(page.locator(".picker .title")).to_have_text(before[1])
    expect(page.locator(".tile")).to_have_count(PICTURES - 1)
    alike = hits(page)
    page.reload()
    assert hits(page) == alike
    page.go_back()
    expect(page).to_have_url(asked)
    expect(page.locator(".tile")).to_have_count(PICTURES)
    assert names(page) == before


def search_by_a_part(page: Page) -> None:
    stage = page.locator(".stage").bounding_box()
    page.mouse.move(stage["x"] + stage["width"] * 0.25, stage["y"] + stage["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.75, stage["y"] + stage["height"] * 0.75, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("box=0.2[0-9]*%2C0.2[0-9]*%2C0.7[0-9]*%2C0.7"))
    expect(page.locator(".stage .box")).to_be_visible()
    page.get_by_role("button", name="Whole picture").click()
    expect(page).to_have_url(re.compile(r"q=[0-9a-f]{64}$"))


def refuse(page: Page, file) -> None:
    page.locator(".picker .input").set_input_files(file)
    expect(page.locator(".picker .error")).to_be_visible()
    said = page.locator(".picker .error").inner_text()
    assert "\n" not in said
    assert "Traceback" not in page.content()


def walk_by_keyboard(page: Page) -> None:
    expect(page.locator(".tile")).to_have_count(PICTURES)
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".viewer .count")).to_have_text(f"2 of {PICTURES}")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".viewer .count")).to_have_text(f"3 of {PICTURES}")
    page.keyboard.press("Escape")
    expect(page.locator(".viewer[open]")).to_have_count(0)


def test_a_picture_is_pasted_and_dropped_on_a_telephone_too(address, tmp_path):
    """Runs after the journey: the collection is there."""
    PIL.Image.linear_gradient("L").resize((64, 48)).save(tmp_path / "grey.png")
    data = list((tmp_path / "grey.png").read_bytes())
    for event in ("paste", "drop"):
        with browser(width=400, height=800, scheme="dark") as page:
            page.goto(address)
            expect(page.locator(".picker .lead")).to_be_visible()
            page.evaluate(SEND, [event, data])
            hits(page)
            expect(page.locator(".tile")).to_have_count(PICTURES)
            assert page.evaluate("document.documentElement.scrollWidth") <= 400


# progress may be over before a test looks: the page itself notes that it was there
WATCH = """() => {
    const look = () => { window.sawProgress ||= /Looking at pictures: \\d+ of \\d/.test(document.body.innerText); };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
SEND = """([event, data]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(data)], "grey.png", { type: "image/png" }));
    const sent = event === "paste"
        ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.body.dispatchEvent(sent);
}"""
