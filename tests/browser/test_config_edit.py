"""The editor's two sides in a real browser: each follows the other, and neither takes the caret away."""

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Dashboard

SECRET = "correct-horse-battery"


def toml(page: Page, part: str) -> Locator:
    return page.locator(f"[name='Toml.{part}']")


def replace_in(area: Locator, old: str, new: str) -> None:
    text = area.input_value()
    assert old in text, text
    area.fill(text.replace(old, new))


def caret(area: Locator) -> list[int]:
    return area.evaluate("area => [area.selectionStart, area.selectionEnd]")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.name ?? ''")


def test_each_side_follows_the_other_and_the_caret_stays(page: Page, profile: str, tmp_path: Path):
    main, storage = toml(page, "Main"), toml(page, "Storage")
    page.get_by_label(re.compile("^Name")).fill("orders")
    page.get_by_label(re.compile("^BackupSrcPaths")).fill("/srv/orders")
    expect(storage).to_have_value(re.compile('BackupSrcPaths = "/srv/orders"'))

    # Typed key by key into the middle of the text, which no answer may write over.
    storage.click()
    storage.press("Control+Home")
    storage.press_sequentially(f'BackupDestPath = "{tmp_path}"\n', delay=15)
    expect(page.get_by_label(re.compile("^BackupDestPath"))).to_have_value(str(tmp_path))
    expect(page.get_by_text("the form follows it")).to_be_visible()
    length = len(f'BackupDestPath = "{tmp_path}"\n')
    assert (focused(page), caret(storage)) == ("Toml.Storage", [length, length])

    # While one looks at a text, the form's answer to the last keys in it is put in under the caret.
    page.get_by_label("Runs kept").fill("9")
    main.click()
    main.press("Control+Home")
    expect(main).to_have_value(re.compile("JobRetention = 9"))
    assert (focused(page), caret(main)) == ("Toml.Main", [0, 0])
    expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()

    replace_in(main, "RetentionNumber = 4", 'RetentionNumber = 4\nWhenBusy = "queue"')
    replace_in(main, 'ArchivePlugin = ""', 'ArchivePlugin = "sample-archive"')
    expect(page.locator("[name=ArchivePlugin]")).to_have_value("sample-archive")
    expect(page.locator("[name='Policies.1.WhenBusy']")).to_have_value("queue")
    expect(toml(page, "Archive")).to_be_visible()
    assert focused(page) == "Toml.Main"
    assert Axe().run(page).response["violations"] == []

    page.get_by_role("button", name="Create").click()
    page.wait_for_url(f"**/profiles/{profile}/orders/")
    page.goto(f"/profiles/{profile}/orders/edit/")
    expect(main).to_have_value(re.compile('WhenBusy = "queue"'))
    expect(main).to_have_value(re.compile("JobRetention = 9"))
    expect(page.get_by_text("Both sides say the same.")).to_be_visible()


def test_what_follows_does_not_disturb_whoever_has_a_checkbox_or_a_password(page: Page, profile: str):
    plugin = page.locator("[name=AppPlugin]")
    plugin.fill("postgres-dump")
    plugin.blur()
    password = page.get_by_label(re.compile("^PqPassword"))
    password.fill(SECRET)
    for asleep in (page.get_by_label("Automatic discovery"), password):
        app = toml(page, "App")
        expect(app).to_have_value(re.compile("PqPassword"))
        name = f"shop{'12'[asleep is password]}"
        app.fill(f'PqPassword = "***"\nPqDb = "{name}"\n')
        asleep.focus()
        expect(page.get_by_label(re.compile("^PqDb "))).to_have_value(name)
        expect(password).to_have_value(SECRET)
        expect(asleep).to_be_focused()


def test_saving_at_once_saves_what_was_just_typed(page: Page, profile: str):
    page.get_by_label(re.compile("^Name")).fill("orders")
    page.get_by_label(re.compile("^BackupSrcPaths")).fill("/srv")
    page.get_by_label(re.compile("^BackupDestPath")).fill("/backup")
    page.get_by_label(re.compile("^BackupDestPath")).press("Enter")
    page.wait_for_url(f"**/profiles/{profile}/orders/")
    page.goto(f"/profiles/{profile}/orders/edit/")
    replace_in(toml(page, "Main"), "JobRetention = 50", "JobRetention = 8")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/profiles/{profile}/orders/")
    page.goto(f"/profiles/{profile}/orders/edit/")
    expect(page.get_by_label("Runs kept")).to_have_value("8")


def test_what_cannot_be_read_is_told_at_the_text_and_the_form_stays(page: Page, profile: str):
    main = toml(page, "Main")
    page.get_by_label("Runs kept").fill("9")
    expect(main).to_have_value(re.compile("JobRetention = 9"))
    replace_in(main, "JobRetention = 9", "JobRetention = nine")
    expect(page.locator("#toml-Main-error")).to_contain_text("Line 5: it is not TOML")
    expect(page.get_by_label("Runs kept")).to_have_value("9")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Nothing was saved.")).to_be_visible()
    expect(main).to_have_value(re.compile("JobRetention = nine"))
    page.get_by_role("button", name="Write the TOML from the form").click()
    expect(main).to_have_value(re.compile("JobRetention = 9"))
    expect(page.locator("#toml-Main-error")).to_be_hidden()


def test_a_secret_typed_into_the_toml_is_kept_on_the_page_alone(
    page: Page, profile: str, dashboard: Dashboard
):
    bodies: list[str] = []
    page.on(
        "response",
        lambda answer: bodies.append(answer.text()) if "text/html" in str(answer.headers) else None,
    )
    plugin = page.locator("[name=AppPlugin]")
    plugin.fill("postgres-dump")
    plugin.blur()
    app = toml(page, "App")
    expect(app).to_be_visible()
    app.fill(f'PqPassword = "{SECRET}"\nPqDb = "shop"\n')
    expect(page.get_by_label(re.compile("^PqDb "))).to_have_value("shop")
    expect(page.get_by_text("The TOML gives it a new value")).to_be_visible()
    page.get_by_label(re.compile("^PqUser")).fill("backup")
    expect(app).to_have_value(re.compile('PqUser = "backup"'))
    expect(app).to_have_value(re.compile(f'PqPassword = "{SECRET}"'))
    # What is typed into the form counts then, and the text shows that it is secret.
    page.get_by_label(re.compile("^PqPassword")).fill("battery-staple-horse")
    page.get_by_label(re.compile("^PqUser")).fill("other")
    expect(app).to_have_value(re.compile(r'PqPassword = "\*\*\*"'))
    app.press("Control+End")
    app.press_sequentially('PqPort = "5433"\n')
    expect(page.locator("[name='AppPluginParameters.PqPort']")).to_have_value("5433")
    expect(page.get_by_label(re.compile("^PqPassword"))).to_have_value("battery-staple-horse")
    assert bodies
    assert not any(SECRET in body or "battery-staple-horse" in body for body in bodies)


def test_the_editor_works_without_scripts(browser: Browser, dashboard: Dashboard, page: Page, profile: str):
    context = browser.new_context(base_url=dashboard.url, java_script_enabled=False)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto(f"/new-configuration/{profile}/?template=files")
    plain.get_by_label(re.compile("^Name")).fill("orders")
    storage = toml(plain, "Storage")
    storage.fill('BackupSrcPaths = "/srv"\nBackupDestPath')
    plain.get_by_role("button", name="Create").click()
    expect(plain.locator("#toml-Storage-error")).to_contain_text('Line 2: a line: it is not Key = "value"')
    expect(storage).to_have_value('BackupSrcPaths = "/srv"\nBackupDestPath')
    storage.fill('BackupSrcPaths = "/srv"\nBackupDestPath = "/backup"')
    plain.get_by_label("Runs kept").fill("9")
    plain.get_by_role("button", name="Create").click()
    expect(plain.get_by_text("Both sides were changed, and they differ.")).to_be_visible()
    plain.get_by_role("button", name="The TOML counts").click()
    expect(plain.get_by_label(re.compile("^BackupDestPath"))).to_have_value("/backup")
    plain.get_by_role("button", name="Create").click()
    plain.wait_for_url(f"**/profiles/{profile}/orders/")
    context.close()


def test_an_editor_whose_server_refuses_or_is_away_says_so_and_keeps_what_is_typed(
    page: Page, profile: str, dashboard: Dashboard
):
    page.get_by_label(re.compile("^Name")).fill("orders")
    page.get_by_label(re.compile("^BackupSrcPaths")).fill("/srv/orders")
    page.get_by_label(re.compile("^BackupDestPath")).fill("/srv/backups")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(f"**/profiles/{profile}/orders/")
    page.goto(f"/profiles/{profile}/orders/edit/")
    notice, description = page.locator(".unanswered"), page.get_by_label("Description")

    page.context.set_offline(True)
    description.fill("first")
    expect(notice).to_contain_text("The dashboard does not answer.")
    page.context.set_offline(False)
    description.fill("second")
    expect(notice).to_have_count(0)

    kept = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    description.fill("third")
    expect(notice).to_contain_text("You are signed out. Sign in again in another tab")
    page.context.add_cookies(kept)

    other = page.context.new_page()
    other.goto(f"/profiles/{profile}/orders/manage/")
    other.get_by_label("New name").fill("moved")
    other.get_by_role("button", name="Rename", exact=True).click()
    other.wait_for_url(f"**/profiles/{profile}/moved/")
    page.get_by_role("button", name="Save").click()
    expect(notice).to_contain_text("Not found.")
    expect(notice).to_contain_text("What you typed is still here.")
    expect(page.locator("#check")).to_be_empty()
    expect(description).to_have_value("third")
    assert Axe().run(page).response["violations"] == []
