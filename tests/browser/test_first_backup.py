"""From an empty dashboard to a first backup of one's own folder in the browser; two who edit at once."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Dashboard, listening, log_in, running_dashboard
from tests.browser.test_run_backup import tree


def own_folder(top: Path) -> Path:
    """What a person wants to have backed up."""
    folder = top / "my documents"
    (folder / "letters").mkdir(parents=True)
    (folder / "letters" / "to grandma.txt").write_text("Dear grandma\n")
    (folder / "numbers.bin").write_bytes(bytes(range(256)) * 400)
    return folder


def without_complaints(page: Page) -> None:
    assert Axe().run(page).response["violations"] == []


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard in which there is nothing yet."""
    with running_dashboard(tmp_path_factory.mktemp("empty-dashboard"), FOSSUL_DEMO="false") as board:
        yield board


def test_a_new_user_gets_to_a_first_backup_of_their_own_folder(
    browser: Browser, empty: Dashboard, tmp_path: Path
):
    context = browser.new_context(base_url=empty.url)
    page = context.new_page()
    with listening(page):
        first_backup(page, empty, tmp_path)
    context.close()


def first_backup(page: Page, board: Dashboard, tmp_path: Path) -> None:
    source, destination = own_folder(tmp_path), tmp_path / "backups"
    destination.mkdir()
    log_in(page)
    page.get_by_role("link", name="Create a profile").click()
    page.get_by_label("Name").fill("home")
    page.get_by_role("button", name="Create").click()

    page.wait_for_url("**/new-configuration/home/")
    page.get_by_role("link", name=re.compile("Files and folders")).click()
    # A first attempt that is not quite right is told so while it is typed, at the field.
    page.get_by_label(re.compile("^Name")).fill("my documents")
    expect(page.get_by_text("'my documents' is not a name")).to_be_visible()
    page.get_by_label(re.compile("^Name")).fill("documents")
    expect(page.get_by_text("is not a name")).to_have_count(0)
    page.get_by_label(re.compile("^BackupSrcPaths")).fill(str(source))
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Nothing was saved.")).to_be_visible()
    expect(page.get_by_text("the plugin filesystem needs it")).to_be_visible()
    without_complaints(page)
    # What was typed is still there.
    expect(page.get_by_label(re.compile("^BackupSrcPaths"))).to_have_value(str(source))
    page.get_by_label(re.compile("^BackupDestPath")).fill(str(destination))
    expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()
    toml = page.locator("[name='Toml.Storage']")
    expect(toml).to_have_value(re.compile(re.escape(f'BackupDestPath = "{destination}"')))
    page.get_by_role("button", name="Create").click()

    page.wait_for_url("**/profiles/home/documents/")
    page.locator("form[action$='/daily/run/']").get_by_role("button", name="Run backup").click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(page.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=60_000)
    expect(page.locator("#run-version")).to_have_text("version 1")

    number = int(page.url.rstrip("/").rsplit("/", 1)[1])
    assert board.status(number) == "COMPLETED"
    (archive,) = destination.rglob(f"documents-daily-{number}-*.tar.zst")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "--zstd", "-xpf", archive, "-C", unpacked], check=True)
    assert tree(unpacked / source.relative_to("/")) == tree(source)


def test_two_people_who_edit_at_once_do_not_overwrite_each_other(
    page: Page, dashboard: Dashboard, tmp_path: Path
):
    log_in(page)
    page.goto("/new-profile/")
    page.get_by_label("Name").fill("shared")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/new-configuration/shared/")
    page.get_by_label(re.compile("^Name")).fill("orders")
    page.get_by_label(re.compile("^BackupSrcPaths")).fill("/srv/orders")
    page.get_by_label(re.compile("^BackupDestPath")).fill(str(tmp_path))
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/profiles/shared/orders/")
    edit = "/profiles/shared/orders/edit/"
    page.goto(edit)
    other = page.context.new_page()
    other.goto(edit)
    other.get_by_label("Runs kept").fill("7")
    other.get_by_role("button", name="Save").click()
    other.wait_for_url("**/profiles/shared/orders/")

    page.get_by_label("Runs kept").fill("9")
    page.get_by_role("button", name="Save").click()
    told = page.locator("#meanwhile").get_by_role("alert")
    expect(told).to_contain_text("admin saved version 2 after you opened version 1")
    expect(told).to_contain_text("+JobRetention = 9")
    without_complaints(page)
    expect(page.get_by_label("Runs kept")).to_have_value("9")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/profiles/shared/orders/")

    page.get_by_role("link", name="History").click()
    page.locator("#version-1").get_by_role("button").click()
    expect(page.locator("#version-4")).to_contain_text("back to version 1")
    without_complaints(page)


def test_another_plugin_brings_its_fields_and_takes_them_along_again(page: Page, dashboard: Dashboard):
    log_in(page)
    page.goto("/new-profile/")
    page.get_by_label("Name").fill("fields")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/new-configuration/fields/")
    plugin = page.locator("[name=AppPlugin]")
    plugin.fill("postgres-dump")
    plugin.blur()
    expect(page.get_by_label(re.compile("^PqDb "))).to_be_visible()
    assert page.get_by_label(re.compile("^PqPassword")).get_attribute("type") == "password"
    plugin.fill("nonesuch")
    plugin.blur()
    expect(page.get_by_text("No worker has told of an app plugin 'nonesuch'")).to_be_visible()
    page.get_by_role("button", name="Another policy").click()
    expect(page.locator("[name='Policies.3.Policy']")).to_be_visible()
