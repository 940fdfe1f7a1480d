"""Restore points in a browser: verified now, held, looked into; a retention tried before it is saved."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, log_in


def test_a_restore_point_is_verified_held_and_spared_by_a_retention_that_was_tried(
    page: Page, dashboard: Dashboard
) -> None:
    for _ in range(2):
        dashboard.manage("run_backup", "demo", "files", "--policy", "weekly")
    log_in(page)
    page.goto("/profiles/demo/files/restore-points/?policy=weekly")
    points = page.get_by_role("link", name=re.compile("^files-weekly-"))
    expect(points).to_have_count(2)
    older = points.last.inner_text()

    points.last.click()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_role("status").get_by_text("verified", exact=True)).to_be_visible(timeout=20_000)
    page.get_by_label("Why it is held").fill("the auditors want it")
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("the auditors want it")).to_be_visible()

    page.get_by_role("link", name="Look into it").click()
    page.get_by_label("Part of a path").fill("readme")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Files")).to_be_visible()

    page.goto("/profiles/demo/files/")
    page.get_by_role("listitem").filter(has_text="weekly").get_by_role("link", name="keeps").click()
    expect(page.get_by_text("0 of 2 would go now")).to_be_visible()
    page.get_by_label("The newest").fill("1")
    row = page.get_by_role("row").filter(has_text=older)
    expect(row.get_by_text("stays: held").last).to_be_visible()
    page.get_by_label("The newest").fill("0")
    expect(page.get_by_text("would leave no backup")).to_be_visible()
    kept = dashboard.rows(
        "SELECT policy.keep_backups FROM workflows_app_policy policy "
        "JOIN workflows_app_backupconfig config ON config.id = policy.config_id "
        "JOIN workflows_app_profile profile ON profile.id = config.profile_id "
        "WHERE profile.name = 'demo' AND config.name = 'files' AND policy.name = 'weekly'"
    )
    assert kept == [(page.get_by_label("The newest").evaluate("input => Number(input.defaultValue)"),)]
