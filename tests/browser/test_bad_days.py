"""Bad days of a page that looks on: a connection cut by a real proxy, ten tabs, and a very large log."""

import asyncio
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard, listening, log_in
from tests.faults import FaultProxy

LINES = "#log ol.lines > li[id]"
GATED = """\
import os, sys, time
for name in ("first", "second", "third"):
    for number in range(40):
        print(f"{name} {number}", flush=True)
    while not os.path.exists(os.path.join(sys.argv[1], name)):
        time.sleep(0.02)
"""
LARGE = """\
for number in range(100_000):
    print(f"line {number} of many" + (" needle" if number % 1000 == 7 else ""))
print("x" * 1_000_000)
print("the very last line")
"""


@contextmanager
def proxied(dashboard: Dashboard) -> Iterator["ProxyThread"]:
    """A proxy before the dashboard, in a thread of its own."""
    thread = ProxyThread(int(dashboard.url.rsplit(":", 1)[1]))
    thread.start()
    assert thread.ready.wait(10)
    try:
        yield thread
    finally:
        thread.loop.call_soon_threadsafe(thread.done.set)
        thread.join(10)


class ProxyThread(threading.Thread):
    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.proxy = FaultProxy(port)
        self.ready = threading.Event()

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        async with self.proxy.running():
            self.ready.set()
            await self.done.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"

    def go_away(self) -> None:
        self.loop.call_soon_threadsafe(self.proxy.go_away)

    def come_back(self) -> None:
        self.loop.call_soon_threadsafe(self.proxy.come_back)


def configure(dashboard: Dashboard, folder: Path, name: str, script: str) -> str:
    """A configuration that runs a script; answer the address of its page."""
    (folder / "script.py").write_text(script)
    settings = {
        "appPlugin": "sample-app",
        "storagePlugin": "sample-storage",
        "backupCreateCmd": f"{sys.executable},{folder}/script.py,{folder}",
    }
    dashboard.manage(
        "shell",
        "-v0",
        "-c",
        "from workflows_app.models import BackupConfig, Policy, Profile\n"
        "profile, _ = Profile.objects.get_or_create(name='bad-days')\n"
        f"config = BackupConfig.objects.create(profile=profile, name={name!r}, settings={settings!r})\n"
        "Policy.objects.create(config=config, name='daily', keep_backups=3)\n",
    )
    return f"/profiles/bad-days/{name}/"


def run_from(page: Page, address: str) -> int:
    page.goto(address)
    page.locator("form[action$='/daily/run/']").get_by_role("button").first.click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    return int(page.url.rstrip("/").rsplit("/", 1)[1])


def stored(dashboard: Dashboard, number: int, text: str) -> bool:
    """Whether the run has said ``text``."""
    query = "SELECT 1 FROM workflows_app_runmessage WHERE run_id = ? AND text = ?"
    return bool(dashboard.rows(query, number, text))


def shown(page: Page) -> list[str]:
    return page.locator(LINES).evaluate_all("lines => lines.map(line => line.id)")


def test_a_page_that_was_cut_off_has_every_line_once_afterwards(
    browser: Browser, dashboard: Dashboard, tmp_path: Path
):
    address = configure(dashboard, tmp_path, "cut-off", GATED)
    with proxied(dashboard) as proxy, browser.new_context(base_url=proxy.url) as context:
        page = context.new_page()
        with listening(page):
            log_in(page)
            number = run_from(page, address)
            expect(page.get_by_text("first 39", exact=True)).to_be_visible(timeout=15_000)
            page.evaluate("window.sameDocument = true")
            proxy.go_away()
            expect(page.locator("#live")).not_to_have_text("live", timeout=15_000)
            for gate in ("first", "second"):
                (tmp_path / gate).touch()
            while not stored(dashboard, number, "third 39"):
                page.wait_for_timeout(50)
            proxy.come_back()
            expect(page.get_by_text("third 39", exact=True)).to_be_visible(timeout=60_000)
            (tmp_path / "third").touch()
            expect(page.locator("#live")).to_have_text("ended", timeout=60_000)
            assert page.evaluate("window.sameDocument"), "it healed by itself, without a reload"
            assert shown(page) == dashboard.lines(number)
    assert dashboard.status(number) == "COMPLETED"


def test_ten_tabs_of_one_browser_all_follow(browser: Browser, dashboard: Dashboard, base_url, tmp_path: Path):
    address = configure(dashboard, tmp_path, "ten-tabs", GATED)
    with browser.new_context(base_url=base_url) as context:
        first = context.new_page()
        log_in(first)
        number = run_from(first, address)
        tabs = [first]
        for _ in range(9):
            tab = context.new_page()
            tab.goto(f"/runs/{number}/")
            tabs.append(tab)
        for gate in ("first", "second"):
            (tmp_path / gate).touch()
        for tab in tabs:
            expect(tab.get_by_text("third 39", exact=True)).to_be_attached(timeout=30_000)
        (tmp_path / "third").touch()
        for tab in tabs:
            expect(tab.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=30_000)


@pytest.fixture(scope="module")
def large(browser: Browser, dashboard: Dashboard, base_url: str, tmp_path_factory) -> int:
    """The number of a run that said a hundred thousand lines, and one of a megabyte."""
    address = configure(dashboard, tmp_path_factory.mktemp("large"), "large", LARGE)
    with browser.new_context(base_url=base_url) as context:
        page = context.new_page()
        log_in(page)
        number = run_from(page, address)
        expect(page.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=120_000)
        expect(page.locator("#live")).to_have_text("ended", timeout=30_000)
        assert page.locator(LINES).count() <= 2000, "the page stays small while it looks on"
    return number


def test_a_hundred_thousand_lines_are_stored_shown_in_part_and_searched_whole(
    page: Page, dashboard: Dashboard, large: int
):
    said = dashboard.rows(
        "SELECT count(*), count(DISTINCT text) FROM workflows_app_runmessage WHERE run_id = ? "
        "AND text LIKE 'line % of many%'",
        large,
    )
    assert said == [(100_000, 100_000)]
    log_in(page)
    page.goto(f"/runs/{large}/")
    expect(page.get_by_text("the very last line", exact=True)).to_be_visible()
    assert page.locator(LINES).count() <= 2000
    search = page.get_by_role("searchbox").first
    search.fill("needle")
    search.press("Enter")
    expect(page.get_by_text(re.compile(r"of 100$")).first).to_be_visible(timeout=15_000)
    assert page.locator(LINES).count() <= 2000
