"""The way back: choose a restore point, look before you leap, type the name, and have everything again."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, log_in
from tests.browser.test_run_backup import status, tree


def finished(page: Page) -> int:
    """Wait for the run to complete; answer its number."""
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(page.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=60_000)
    return int(page.url.rstrip("/").rsplit("/", 1)[1])


def test_a_restore_point_is_tried_refused_and_restored(page: Page, dashboard: Dashboard, tmp_path: Path):
    dashboard.manage("run_backup", "demo", "files", "--policy", "daily")
    source = dashboard.var / "demo" / "source"
    log_in(page)
    page.goto("/profiles/demo/files/")
    page.get_by_role("link", name="Restore points").click()
    page.get_by_role("link", name=re.compile("^Restore files-")).first.click()

    page.get_by_role("button", name="Dry run").click()
    finished(page)
    expect(page.get_by_text(re.compile("Dry run of files-.*: 0 to create"))).to_be_visible()

    page.go_back()
    page.get_by_label("Folder").fill(str(tmp_path / "again"))
    page.get_by_role("button", name="Restore files").click()
    expect(page.get_by_role("alert")).to_contain_text("type 'files' to confirm")
    expect(page.get_by_label("Folder")).to_have_value(str(tmp_path / "again"))
    assert not (tmp_path / "again").exists()

    page.get_by_label(re.compile("Type")).fill("files")
    page.get_by_role("button", name="Restore files").click()
    number = finished(page)
    assert status(page) == "complete"
    assert dashboard.rows("SELECT type, status FROM workflows_app_run WHERE id = ?", number) == [
        ("restore", "COMPLETED")
    ]
    assert tree(tmp_path / "again" / source.relative_to("/")) == tree(source)
