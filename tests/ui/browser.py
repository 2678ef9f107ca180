"""A real server with its worker, and a real Chromium that looks at it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests import servers

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
START_S = 120
STOP_S = 120  # a worker beside the page ends its batch
ANSWER_MS = 60_000  # a loaded machine with two cores still gets there


def chromium() -> str:
    """The browser's path. Skips where there is none; fails in CI, where there must be."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("CI has no Chromium: install it, the browser test must run there")
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    return found


@contextlib.contextmanager
def server(home: Path, **environment: str) -> Iterator[str]:
    """`dinoseek up` on a free port; its address."""
    port = servers.free_port()
    command = [Path(sys.executable).with_name("dinoseek"), "up", "--port", str(port), "--no-browser"]
    variables = os.environ | {"DINOSEEK_HOME": str(home), "DINOSEEK_MODEL": "dinoseek_tiny14"} | environment
    with (home.parent / "up.log").open("w") as log:
        process = subprocess.Popen(command, env=variables, cwd=home.parent, stdout=log, stderr=log)
        try:
            yield wait_until_live(f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)


def wait_until_live(address: str, process: subprocess.Popen) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address}/health/live").raise_for_status()
            return address
        time.sleep(0.2)
    raise AssertionError(f"the server did not come up at {address} (exit {process.poll()}): see up.log")


@contextlib.contextmanager
def browser(width: int = 1280, height: int = 860, scheme: str = "light") -> Iterator[Page]:
    """A page that may talk to this machine alone; any other address and any script error fails the test."""
    expect.set_options(timeout=ANSWER_MS)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = chrome.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=width < 600
        )
        context.set_default_timeout(ANSWER_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend(_foreign(request.url)))
        page.on("console", lambda line: complaints.extend(_blocked(line.text)))
        yield page
        chrome.close()
    assert not complaints


def press(page: Page, button: Locator, slow_ms: float = 60_000) -> None:
    """Click once the page is drawn to its end: while it is drawn anew a click may go nowhere."""
    expect(button).to_be_visible(timeout=slow_ms)
    drawn(page, slow_ms)
    button.click(timeout=slow_ms)


def drawn(page: Page, slow_ms: float = 60_000) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=slow_ms)


def _foreign(url: str) -> list[str]:
    local = url.startswith(("http://127.0.0.1", "data:", "blob:"))
    return [] if local else [f"the page asked for {url}"]


def _blocked(text: str) -> list[str]:
    return [text] if "Content Security Policy" in text else []
