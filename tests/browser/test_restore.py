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
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_label(re.compile("Type"))).to_be_focused()
    expect(page.get_by_label(re.compile("Type"))).to_have_attribute("aria-invalid", "true")
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


def test_the_count_of_chosen_files_follows_the_ticks(page: Page, dashboard: Dashboard):
    dashboard.manage("run_backup", "demo", "files", "--policy", "daily")
    log_in(page)
    page.goto("/profiles/demo/files/restore-points/")
    page.locator("main a[href*='/restore-points/files-']").first.click()
    page.get_by_role("link", name="Look into it").click()
    chosen, boxes = page.locator("#chosen"), page.get_by_role("checkbox")
    expect(chosen).to_have_text(re.compile("Chosen 0"))
    boxes.first.check()
    expect(chosen).to_have_text(re.compile("Chosen 1"))
    page.set_viewport_size({"width": 320, "height": 720})
    box = boxes.first.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (20, 20), "where each file is a card, too"
    page.get_by_role("button", name="Keep the ticks").click()
    expect(page.get_by_text("Which ones")).to_be_visible()
    expect(chosen).to_have_text(re.compile("Chosen 1"))
    boxes.first.uncheck()
    expect(chosen).to_have_text(re.compile("Chosen 0"))
