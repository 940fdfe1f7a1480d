"""Schedules as a person meets them: the next times while typing, made, run, paused, deleted."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import RESULTS, Dashboard, log_in


def test_a_schedule_is_made_run_paused_and_deleted(page: Page, dashboard: Dashboard):
    log_in(page)
    page.goto("/profiles/demo/files/")
    expect(page.get_by_text("No backup of it is scheduled.")).to_be_visible()
    page.get_by_role("link", name="Add a schedule", exact=True).click()

    preview = page.locator("#preview")
    expect(preview).to_contain_text("Due at 03:00 every day, by the clocks of UTC.")
    page.get_by_label("Cron expression").press("End")
    page.get_by_label("Cron expression").press_sequentially(" x")
    expect(preview).to_contain_text("expected exactly 5 fields, found 6")
    page.get_by_label("Cron expression").fill("30 2 * * MON-FRI")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    expect(preview).to_contain_text("Due at 02:30 on Monday to Friday, by the clocks of Europe/Berlin.")
    expect(preview.locator("li")).to_have_count(10)
    expect(preview.locator("li").first).to_contain_text(re.compile(r"(Mon|Tue|Wed|Thu|Fri) .* 02:30 CES?T"))
    page.screenshot(path=RESULTS / "schedule-edit.png", full_page=True)
    page.get_by_role("button", name="Make the schedule").click()

    expect(page.get_by_role("heading", name="nightly")).to_be_visible()
    expect(page.get_by_text("It has not been due yet.")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status")).to_contain_text("asked to run now")

    def runs() -> list[tuple]:
        return dashboard.rows(
            "SELECT status FROM workflows_app_run WHERE requested_by = 'schedule nightly' ORDER BY id"
        )

    # The page tells what was so when it was opened.
    for _ in range(60):
        page.reload()
        if page.locator("td.cell-status", has_text="complete").count():
            break
        page.wait_for_timeout(500)
    assert runs() == [("COMPLETED",)]
    page.screenshot(path=RESULTS / "schedule-detail.png", full_page=True)

    page.get_by_label("Why it is paused").fill("the disks are exchanged")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("the disks are exchanged (admin)")).to_be_visible()
    page.get_by_role("link", name="Schedules").first.click()
    expect(page.get_by_role("row", name="nightly demo/files")).to_contain_text("paused")
    page.screenshot(path=RESULTS / "schedule-list.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    page.screenshot(path=RESULTS / "schedule-list-narrow.png", full_page=True)
    page.goto("/profiles/demo/files/")
    page.get_by_role("link", name="nightly").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.screenshot(path=RESULTS / "schedule-detail-narrow.png", full_page=True)
    page.get_by_label(re.compile("Type nightly")).fill("night")
    page.get_by_role("button", name="Delete nightly").click()
    expect(page.get_by_role("alert")).to_contain_text("type the schedule's name")
    page.get_by_label(re.compile("Type nightly")).fill("nightly")
    page.get_by_role("button", name="Delete nightly").click()
    expect(page).to_have_url(re.compile("/profiles/demo/files/$"))
