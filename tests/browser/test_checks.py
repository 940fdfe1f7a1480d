"""*Test* in the browser: what a run would need is found out by a worker, before anything is saved."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, log_in
from tests.browser.test_first_backup import without_complaints


def test_a_source_that_is_missing_is_found_before_anything_is_saved(
    page: Page, dashboard: Dashboard, tmp_path: Path
):
    source, destination = tmp_path / "documents", tmp_path / "backups"
    destination.mkdir()
    log_in(page)
    page.goto("/new-profile/")
    page.get_by_label("Name").fill("tested")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/new-configuration/tested/")
    page.get_by_role("link", name=re.compile("Files and folders")).click()
    page.get_by_label(re.compile("^BackupSrcPaths")).fill(str(source))
    page.get_by_label(re.compile("^BackupDestPath")).fill(str(destination))

    results = page.locator("#test-results")
    page.get_by_role("button", name="Test storage plugin").click()
    told = results.get_by_role("listitem").filter(has_text="Cannot read the source")
    expect(told).to_contain_text("bad")
    expect(told).to_contain_text(str(source))
    without_complaints(page)
    told.get_by_role("link", name="BackupSrcPaths").click()
    expect(page.get_by_label(re.compile("^BackupSrcPaths"))).to_be_in_viewport()

    source.mkdir()
    page.get_by_role("button", name="Test all").click()
    expect(results.get_by_role("listitem").filter(has_text=f"{source} can be read")).to_contain_text("good")
    expect(results).not_to_contain_text("bad")
    assert dashboard.rows(
        "SELECT count(*) FROM workflows_app_backupconfig c JOIN workflows_app_profile p "
        "ON p.id = c.profile_id WHERE p.name = 'tested'"
    ) == [(0,)]

    page.get_by_label(re.compile("^Name")).fill("documents")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/profiles/tested/documents/")
    source.rmdir()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(results).to_contain_text("Cannot read the source")
    without_complaints(page)
