"""Notices as a person meets them: a channel added and tested, a backup that fails, and its recovery."""

import json
import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import RESULTS, Dashboard, log_in
from tests.services.receivers import http_receiver


def failing_configuration(dashboard: Dashboard, folder: Path) -> Path:
    """A configuration whose backup fails until the file that is answered exists."""
    well = folder / "well"
    script = folder / "backup.sh"
    script.write_text(f'#!/bin/sh\ntest -e "{well}"\n')
    script.chmod(0o755)
    place = folder / "configs" / "alerts" / "shop"
    place.mkdir(parents=True)
    (place / "shop.conf").write_text(
        f'BackupCreateCmd = "{script}"\n\n[[BackupRetentions]]\nPolicy = "daily"\nRetentionNumber = 3\n'
    )
    dashboard.manage("import_configs", str(folder / "configs"))
    return well


def is_fit(page: Page) -> None:
    """axe finds nothing in the page, and at 320 px it does not scroll sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert size is not None
    page.set_viewport_size(size)


def run_backup(page: Page) -> None:
    page.goto("/profiles/alerts/shop/")
    page.get_by_role("button", name=re.compile("Run backup")).first.click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))


def test_a_channel_is_tested_and_told_once_of_a_failing_backup_and_of_its_recovery(
    page: Page, dashboard: Dashboard, tmp_path: Path
):
    well = failing_configuration(dashboard, tmp_path)
    with http_receiver() as receiver:
        log_in(page)
        page.get_by_role("link", name="Settings").click()
        page.get_by_role("link", name=re.compile("Webhook")).click()
        page.get_by_label("Name").fill("ops")
        page.get_by_label("Address").fill(f"http://localhost:{receiver.port}/geheimnis")
        page.get_by_label("Signing secret").fill("a signing secret of the tests")
        page.get_by_role("button", name="Add the channel").click()
        expect(page.get_by_role("heading", name="Channel ops")).to_be_visible()
        assert "geheimnis" not in page.content()
        expect(page.get_by_label("Address")).to_have_value("")

        page.get_by_role("button", name="Send a test").click()
        expect(page.locator("#tested .status")).to_have_text("sent", timeout=20_000)
        page.screenshot(path=RESULTS / "channel.png", full_page=True)

        run_backup(page)
        page.goto("/settings/notifications/")
        row = page.get_by_role("row", name="alerts/shop: the backup failed")
        expect(row).to_contain_text("sent", timeout=30_000)
        page.reload()
        expect(page.locator(".alarm.is-error", has_text="alerts/shop: the backup failed")).to_be_visible()
        page.screenshot(path=RESULTS / "notices.png", full_page=True)

        run_backup(page)
        well.touch()
        run_backup(page)
        page.goto("/settings/notifications/")
        expect(page.get_by_role("row", name="Over: alerts/shop")).to_contain_text("sent", timeout=30_000)
        told = [json.loads(one.body) for one in receiver.received]
        assert [one["event"] for one in told] == ["test", "incident.opened", "incident.recovered"]
        # The worker has another PORT than the web server; people find the latter.
        assert told[1]["url"].startswith(f"{dashboard.url}/runs/")
        assert all(one.headers["X-Fossul-Signature"].startswith("t=") for one in receiver.received)

        for link in ("Settings", "ops"):
            page.get_by_role("link", name=link, exact=True).click()
            is_fit(page)
        page.get_by_label(re.compile("Type ops")).fill("ops")
        page.get_by_role("button", name="Delete ops").click()
        expect(page.get_by_text("Nobody is told of anything yet.")).to_be_visible()
