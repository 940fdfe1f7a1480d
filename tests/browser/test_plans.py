"""The editor of a plan in a real browser: arranged by keyboard and by pointer; both sides keep together."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Dashboard


@pytest.fixture
def profile(page: Page, profile: str) -> str:
    """A profile of the test's own with a configuration ``orders``; the page is at the editor of its plan."""
    page.get_by_label(re.compile("^Name")).fill("orders")
    page.locator("[name=AppPlugin]").fill("sample-app")
    page.locator("[name=StoragePlugin]").fill("sample-storage")
    page.locator("[name=StoragePlugin]").blur()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(f"**/profiles/{profile}/orders/")
    page.goto(f"/profiles/{profile}/orders/plan/")
    return profile


def board(page: Page) -> list[list[str]]:
    """The keys of the steps, by stage."""
    return page.evaluate(
        "[...document.querySelectorAll('.stage')].map((s) => "
        "[...s.querySelectorAll('.card')].map((c) => c.dataset.key))"
    )


def expect_board(page: Page, *stages: list[str]) -> None:
    page.wait_for_function(
        "wanted => JSON.stringify([...document.querySelectorAll('.stage')].map((s) => "
        "[...s.querySelectorAll('.card')].map((c) => c.dataset.key))) === wanted"
        " && !document.querySelector('.is-lifted, .htmx-request')",
        arg=str([*map(list, stages)]).replace("'", '"').replace(", ", ","),
    )


def grip(page: Page, key: str) -> Locator:
    return page.locator(f"#card-{key}-grip")


def toml(page: Page) -> Locator:
    return page.get_by_label("The same as TOML")


FREEZE, BACKUP, THAW = ["quiesce-plugin"], ["backup-plugin"], ["unquiesce-plugin"]
ENDING = [["backup-retention"], ["job-retention"]]


def test_a_plan_is_arranged_and_saved_by_keyboard(page: Page, profile: str):
    said = page.get_by_role("status").and_(page.locator("#plan-said"))
    lifted = grip(page, "job-retention")
    lifted.focus()
    page.keyboard.press("Space")
    expect(said).to_contain_text("Job retention is lifted")
    page.keyboard.press("ArrowUp")
    expect(said).to_have_text("At the same time as Backup retention with sample-storage.")
    expect(lifted).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(said).to_have_text(
        "In a stage of its own, after Unquiesce with sample-app, before Backup retention with sample-storage."
    )
    page.keyboard.press("Escape")
    expect(said).to_have_text("Job retention is where it was.")
    expect_board(page, FREEZE, BACKUP, THAW, *ENDING)
    expect(lifted).to_be_focused()

    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect_board(page, FREEZE, BACKUP, THAW, ["backup-retention", "job-retention"])
    expect(said).to_contain_text("Job retention: stage 4 of 4, at the same time as Backup retention")
    expect(said).to_contain_text("The plan keeps every rule.")
    expect(lifted).to_be_focused()
    expect(toml(page)).to_have_value(re.compile(r'\["backup-retention", "job-retention"\]'))

    # The buttons do the same, and a broken rule is told.
    earlier = page.get_by_role("button", name="Move earlier: Backup with sample-storage")
    earlier.focus()
    page.keyboard.press("Enter")
    expect_board(page, BACKUP, FREEZE, THAW, ["backup-retention", "job-retention"])
    expect(earlier).to_be_focused()
    expect(said).to_contain_text("The plan breaks 1 rule.")
    expect(page.locator("#card-backup-plugin")).to_contain_text("comes before 'quiesce-plugin' freezes")
    assert Axe().run(page).response["violations"] == []
    save = page.get_by_role("button", name="Save the plan")
    save.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("Nothing was saved.")

    page.get_by_role("button", name="Move later: Backup with sample-storage").focus()
    page.keyboard.press("Enter")
    expect_board(page, FREEZE, BACKUP, THAW, ["backup-retention", "job-retention"])
    expect(page.locator("#verdict")).to_contain_text("The plan keeps every rule.")
    save.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/profiles/{profile}/orders/")
    expect(page.get_by_text("at the same time")).to_be_visible()
    page.goto(f"/profiles/{profile}/orders/plan/")
    assert board(page)[-1] == ["backup-retention", "job-retention"]


def test_a_step_is_dragged_into_a_stage_and_between_stages(page: Page, profile: str):
    head = page.locator("#card-job-retention .card-name")
    head.drag_to(page.locator("#card-backup-retention"))
    expect_board(page, FREEZE, BACKUP, THAW, ["backup-retention", "job-retention"])
    expect(grip(page, "job-retention")).to_be_focused()
    head.drag_to(page.locator(".gap[data-number='3']"))
    expect_board(page, FREEZE, BACKUP, THAW, ["job-retention"], ["backup-retention"])
    expect(page.locator("#drawing")).to_contain_text(re.compile("Job retention.*Backup retention", re.S))


def test_options_and_toml_follow_each_other_and_the_caret_stays(page: Page, profile: str):
    card = page.locator("#card-backup-plugin")
    card.get_by_text("Options").click()
    attempts = card.get_by_label("Attempts")
    assert attempts.get_attribute("placeholder") == "1"
    attempts.press_sequentially("3")
    expect(toml(page)).to_have_value(re.compile("Attempts = 3"))
    expect(card.locator(".chip")).to_have_text("3 attempts")
    expect(attempts).to_be_focused()

    card.get_by_label("Timeout").fill("soon")
    expect(card.locator(".field-error:not(:empty)")).to_contain_text("this is no time")
    card.get_by_label("Timeout").fill("2h")
    expect(toml(page)).to_have_value(re.compile('Timeout = "2h"'))

    toml(page).click()
    toml(page).press("Control+Home")
    toml(page).press("ArrowDown")
    toml(page).press_sequentially('PauseFor = "2h"\n', delay=15)
    expect(page.get_by_label("PauseFor")).to_have_value("2h")
    expect(toml(page)).to_be_focused()
    assert toml(page).evaluate("area => area.selectionStart") == len('[Plan]\nPauseFor = "2h"\n')
    expect(attempts).to_be_visible()

    page.get_by_role("button", name="Fossul's order again").click()
    expect(page.get_by_label("PauseFor")).to_have_value("")
    expect(attempts).to_have_value("")


def test_the_second_of_two_editors_is_shown_the_difference(page: Page, profile: str):
    other = page.context.new_page()
    other.goto(f"/profiles/{profile}/orders/plan/")
    other.get_by_label("PauseFor").fill("3h")
    other.get_by_role("button", name="Save the plan").click()
    other.wait_for_url(f"**/profiles/{profile}/orders/")

    page.get_by_label("FreezeBudget").fill("10m")
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else was here.")
    expect(page.locator(".difference .added").filter(has_text='PauseFor = "3h"')).to_be_visible()
    expect(page.get_by_label("FreezeBudget")).to_have_value("10m")
    page.get_by_role("button", name="Save the plan").click()
    page.wait_for_url(f"**/profiles/{profile}/orders/")


def test_a_plan_is_edited_without_scripts(browser: Browser, dashboard: Dashboard, page: Page, profile: str):
    context = browser.new_context(base_url=dashboard.url, java_script_enabled=False)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto(f"/profiles/{profile}/orders/plan/")
    expect(plain.locator(".grip").first).to_be_hidden()
    plain.get_by_label("Name").fill("inventory")
    plain.locator("[name='New.Command']").fill("ls,-l")
    plain.get_by_role("button", name="Add the command").click()
    alone = plain.get_by_role("button", name="Run with the stage above: Inventory command")
    alone.click()
    expect(alone).to_be_focused()
    expect(plain.locator(".stage").last).to_contain_text("at the same time")
    plain.get_by_role("button", name="Save the plan").click()
    plain.wait_for_url(f"**/profiles/{profile}/orders/")
    expect(plain.get_by_text("Inventory command")).to_be_visible()
    context.close()
