"""Import and export in a browser: a folder looked at, taken, downloaded; single files that come back."""

import json
import re
import shutil
import zipfile
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, log_in
from tests.browser.test_restore import finished

MAIN = """StoragePlugin = "restic"

[[BackupRetentions]]
Policy = "daily"
RetentionNumber = 2

[KeepRules.daily]
Weekly = 4
"""
PASSWORD = "the-password-of-the-repository"


def configs(dashboard: Dashboard, profile: str) -> list[tuple]:
    return dashboard.rows(
        "SELECT config.name FROM workflows_app_backupconfig config JOIN workflows_app_profile profile "
        "ON profile.id = config.profile_id WHERE profile.name = ?",
        profile,
    )


def folder_of(root: Path, profile: str) -> Path:
    """A folder to upload: a configuration that backs up ``root``/source with restic."""
    source = root / "source"
    (source / "deep").mkdir(parents=True)
    for name in ("deep/letter.txt", "other.txt"):
        (source / name).write_text("as it was")
    folder = root / "configs" / profile / "letters"
    folder.mkdir(parents=True)
    (folder / "letters.conf").write_text(MAIN)
    (folder / "restic.conf").write_text(
        f'Repository = "{root}/repository"\nPassword = "{PASSWORD}"\nBackupSrcPaths = "{source}"\n'
    )
    (root / "configs" / "README.md").write_text("not for Fossul")
    return root / "configs"


def take(page: Page, folder: Path) -> None:
    page.goto("/profiles/")
    page.get_by_role("link", name="Import and export").click()
    page.get_by_label("Or the folder itself").set_input_files(folder)
    page.locator("#folder-form").get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("would be made")).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_contain_text("Taken.")


def fit_for_everybody(page: Page) -> None:
    """axe finds nothing in the page, and at 320 px it does not scroll sideways."""
    found = Axe().run(page).response["violations"]
    assert found == [], json.dumps(found, indent=1)[:4000]
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_folder_is_looked_at_taken_and_downloaded_again(page: Page, dashboard: Dashboard, tmp_path: Path):
    folder = folder_of(tmp_path, "paper")
    log_in(page)
    page.goto("/files/")
    page.get_by_label("Or the folder itself").set_input_files(folder)
    page.locator("#folder-form").get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text('+Password = "***"')).to_be_visible()
    expect(page.get_by_text("+Weekly = 4")).to_be_visible()
    fit_for_everybody(page)
    assert configs(dashboard, "paper") == []
    assert PASSWORD not in page.content()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_contain_text("Taken.")
    assert configs(dashboard, "paper") == [("letters",)]

    page.get_by_role("link", name="paper/letters").click()
    expect(page.get_by_text("keeps 2 backups and 4 weekly")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as files").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.read("paper/letters/letters.conf").decode().endswith("[KeepRules.daily]\nWeekly = 4\n")
        assert PASSWORD not in archive.read("paper/letters/restic.conf").decode()

    page.goto("/files/")
    page.get_by_label("A folder of configurations").set_input_files(waiting.value.path())
    page.get_by_role("button", name="Show what would change").first.click()
    expect(page.get_by_role("alert")).to_contain_text("is none of .zip")
    again = tmp_path / "again.zip"
    shutil.copy(waiting.value.path(), again)
    page.get_by_label("A folder of configurations").set_input_files(again)
    page.get_by_role("button", name="Show what would change").first.click()
    expect(page.get_by_role("status")).to_contain_text("Nothing differs")


def test_single_files_are_chosen_across_folders_and_come_back(
    page: Page, dashboard: Dashboard, tmp_path: Path
):
    folder = folder_of(tmp_path, "ink")
    log_in(page)
    take(page, folder)
    dashboard.manage("run_backup", "ink", "letters", "--policy", "daily")
    source = tmp_path / "source"
    page.goto("/profiles/ink/letters/restore-points/")
    page.get_by_role("link", name=re.compile("^letters-daily-")).first.click()
    page.get_by_role("link", name="Look into it").click()
    page.get_by_role("button", name=str(source)).click()
    page.get_by_role("button", name="deep").click()
    page.get_by_role("checkbox", name="letter.txt").check()
    page.get_by_role("button", name="All that was backed up").click()
    expect(page.get_by_role("heading", name="Chosen 1")).to_be_visible()
    fit_for_everybody(page)
    page.get_by_role("button", name="Restore the chosen ones").click()
    expect(page.get_by_text(f"{source}/deep/letter.txt")).to_be_visible()
    fit_for_everybody(page)

    back = tmp_path / "back"
    page.get_by_label("Folder", exact=True).fill(str(back))
    page.get_by_role("button", name="Dry run").click()
    finished(page)
    assert not back.exists()
    page.go_back()
    page.get_by_label("Folder", exact=True).fill(str(back))
    page.get_by_label(re.compile("Type")).fill("letters")
    page.get_by_role("button", name="Restore 1 of letters").click()
    finished(page)
    expect(page.get_by_text("1 chosen file or folder")).to_be_visible()
    there = back / source.relative_to("/")
    assert [path.relative_to(there).as_posix() for path in sorted(there.rglob("*"))] == [
        "deep",
        "deep/letter.txt",
    ]
