"""The overview tells until when something is protected, by itself; its schedules follow a configuration."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import RESULTS, Dashboard, log_in


def row(page: Page, name: str) -> Locator:
    return page.locator(f"[id='config-demo.{name}']")


def add_schedule(page: Page, name: str) -> None:
    page.goto(f"/profiles/demo/{name}/")
    page.get_by_role("link", name="Add a schedule", exact=True).click()
    page.get_by_role("button", name="Make the schedule").click()
    expect(page.get_by_role("heading", name="nightly")).to_be_visible()


def test_protection_and_the_next_run_come_by_themselves(page: Page, dashboard: Dashboard):
    log_in(page)
    page.goto("/profiles/demo/files/manage/")
    page.get_by_label("Name of the duplicate").fill("guarded")
    page.get_by_role("button", name="Duplicate").click()
    expect(page).to_have_url(re.compile("/profiles/demo/guarded/$"))

    page.goto("/")
    expect(row(page, "guarded")).to_contain_text("never backed up")
    expect(row(page, "guarded")).to_contain_text("not scheduled")
    page.evaluate("window.sameDocument = true")
    dashboard.manage("run_backup", "demo", "guarded", "--policy", "daily")
    expect(row(page, "guarded")).to_contain_text("no promise", timeout=20_000)
    expect(row(page, "guarded")).to_contain_text("no schedule")
    other = page.context.new_page()
    add_schedule(other, "guarded")
    other.close()
    expect(row(page, "guarded")).to_contain_text(re.compile(r"protected\s+until 20\d\d-"), timeout=20_000)
    expect(row(page, "guarded")).to_contain_text(re.compile(r"20\d\d-\d\d-\d\d 03:0\d"))
    assert page.evaluate("window.sameDocument"), "without a reload"

    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=RESULTS / "overview-protected.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.screenshot(path=RESULTS / "overview-protected-narrow.png", full_page=True)


def test_schedules_follow_a_rename_and_go_with_a_deletion(page: Page, dashboard: Dashboard):
    log_in(page)
    page.goto("/profiles/demo/files/manage/")
    page.get_by_label("Name of the duplicate").fill("moving")
    page.get_by_role("button", name="Duplicate").click()
    expect(page).to_have_url(re.compile("/profiles/demo/moving/$"))
    add_schedule(page, "moving")

    # Temporal's list of schedules follows within a second or so.
    manage = "/profiles/demo/moving/manage/"
    page.goto(manage)
    for _ in range(20):
        if page.get_by_text("Its schedules follow").count():
            break
        page.wait_for_timeout(500)
        page.goto(manage)
    expect(page.get_by_text("Its backups do not follow.")).to_be_visible()
    expect(page.get_by_text(f"{dashboard.var}/demo/backups/demo/moving")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=RESULTS / "config-manage.png", full_page=True)
    page.get_by_label("New name").fill("moved")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page).to_have_url(re.compile("/profiles/demo/moved/$"))
    page.goto("/schedules/demo/moved/daily/nightly/")
    for _ in range(20):
        if page.get_by_role("heading", name="nightly").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_role("heading", name="nightly")).to_be_visible()
    page.goto("/audit/")
    expect(page.get_by_text("moved a schedule of").first).to_be_visible()

    page.goto("/profiles/demo/moved/manage/")
    expect(page.get_by_text("Gone: the schedule nightly of daily")).to_be_visible()
    page.get_by_label("Type moved to confirm").fill("moved")
    page.get_by_role("button", name="Delete moved").click()
    expect(page).to_have_url(re.compile("/profiles/demo/$"))
    answer = page.goto("/schedules/demo/moved/daily/nightly/")
    assert answer and answer.status == 404


def test_a_policy_is_renamed_in_the_editor_after_it_said_what_it_leaves(page: Page, dashboard: Dashboard):
    log_in(page)
    page.goto("/profiles/demo/files/manage/")
    page.get_by_label("Name of the duplicate").fill("called")
    page.get_by_role("button", name="Duplicate").click()
    expect(page).to_have_url(re.compile("/profiles/demo/called/$"))
    dashboard.manage("run_backup", "demo", "called", "--policy", "daily")
    add_schedule(page, "called")
    expect(page.get_by_text("It has not been due yet.")).to_be_visible()

    page.goto("/profiles/demo/called/edit/")
    page.locator("[name='Policies.0.Policy']").fill("evening")
    page.get_by_role("button", name="Save").click()
    left = page.locator("#gone-policies")
    expect(left).to_contain_text("Policy daily would be gone, and nothing was saved yet.")
    expect(left).to_contain_text("1 restore point")
    expect(left.get_by_role("combobox")).to_have_value("evening")
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    left.get_by_label("Save, and leave this behind").check()
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/profiles/demo/called/$"))

    schedule = page.goto("/schedules/demo/called/evening/nightly/")
    for _ in range(20):
        if schedule and schedule.status == 200:
            break
        page.wait_for_timeout(500)
        schedule = page.reload()
    expect(page.get_by_role("heading", name="nightly")).to_be_visible()
    page.goto("/profiles/demo/called/restore-points/")
    expect(page.get_by_text("no such policy: nothing cleans it up")).to_be_visible()
