"""A real browser before the product, and what it loads."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.product import Product
from tests.browser.conftest import PASSWORD

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
IDLE_MILLISECONDS = 1500


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which speaks to nobody but us."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=list(ARGUMENTS)
        )
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, board: Product) -> Page:
    """A page of somebody who has just signed in."""
    page = browser.new_context(base_url=board.url).new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page


@dataclass
class Loaded:
    """What came over the network: answers, and their bytes with headers, compressed as they were."""

    requests: int = 0
    bytes: int = 0


def first_load(page: Page, address: str) -> Loaded:
    """Open an address with an empty cache; count until nothing more is asked for."""
    loaded = Loaded()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.clearBrowserCache")

    def finished(event: dict[str, float]) -> None:
        loaded.requests += 1
        loaded.bytes += int(event["encodedDataLength"])

    network.on("Network.loadingFinished", finished)
    page.goto(address, wait_until="load")
    seen = -1
    while seen != loaded.requests:
        seen = loaded.requests
        page.wait_for_timeout(IDLE_MILLISECONDS)
    network.detach()
    return loaded
