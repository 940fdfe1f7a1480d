"""The whole way: sign in, click Run backup, watch it live, and hold the archive against the source."""

import re
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard, log_in

SHOWN = "els => els.map(e => e.id)"


def start(page: Page, policy: str = "daily") -> int:
    """Click Run backup of a policy of the demo configuration; answer the run's number."""
    page.goto("/profiles/demo/files/")
    page.locator(f"form[action$='/{policy}/run/']").get_by_role("button", name="Run backup").first.click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    return int(page.url.rstrip("/").rsplit("/", 1)[1])


def shown_lines(page: Page) -> list[str]:
    return page.locator("#log .lines > li").evaluate_all(SHOWN)


def reload_until(page: Page, condition: Callable[[], bool], seconds: float = 60) -> None:
    """Reload as somebody without scripts would, until the page shows what is waited for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it was never shown"
        page.reload()


def status(page: Page) -> str:
    return page.locator("#run-header").get_attribute("data-status") or ""


def test_a_backup_is_watched_live_from_the_click_to_the_end(page: Page, dashboard: Dashboard):
    log_in(page)
    number = start(page)
    header = page.locator("#run-header")
    expect(header).to_have_attribute("data-status", "running")

    # Lines and step changes come while the run goes on.
    expect(page.locator("#log .lines > li").first).to_be_visible()
    expect(page.locator("#run-steps .is-complete").first).to_be_visible()
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#run-steps progress[max]")).to_be_visible(timeout=15_000)
    assert status(page) == "running"
    assert dashboard.status(number) == "RUNNING"
    before = shown_lines(page)
    assert before

    # A reload in the middle loses nothing and doubles nothing.
    page.reload()
    assert status(page) == "running"
    reloaded = shown_lines(page)
    assert set(before) <= set(reloaded)
    expect(page.locator("#live")).to_have_text("live")

    expect(header).to_have_attribute("data-status", "complete", timeout=60_000)
    expect(page.locator("#live")).to_have_text("ended")
    stored = dashboard.lines(number)
    assert shown_lines(page) == stored
    assert len(stored) == len(set(stored))
    assert dashboard.status(number) == "COMPLETED"
    states = page.locator("#run-steps .step").evaluate_all("els => els.map(e => e.className)")
    assert set(states) == {"step is-complete"}
    assert "✓" in page.title()

    # The finished page shows the same from the database.
    page.reload()
    assert shown_lines(page) == stored
    assert status(page) == "complete"


@pytest.fixture(scope="module")
def archive(dashboard: Dashboard) -> Path:
    """The archive of a backup that the command line made."""
    dashboard.manage("run_backup", "demo", "files", "--policy", "weekly")
    archives = sorted((dashboard.var / "demo" / "backups").rglob("files-weekly-*.tar.zst"))
    assert archives
    return archives[-1]


def test_the_archive_unpacks_to_exactly_the_source_tree(dashboard: Dashboard, archive: Path, tmp_path: Path):
    source = dashboard.var / "demo" / "source"
    subprocess.run(["tar", "--zstd", "-xpf", archive, "-C", tmp_path], check=True)
    assert tree(tmp_path / source.relative_to("/")) == tree(source)


def tree(top: Path) -> dict[str, tuple]:
    """Every path below ``top`` with all that matters of it."""
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        stat = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(top))] = (
            stat.st_mode, stat.st_uid, stat.st_gid, stat.st_mtime_ns, content,
        )  # fmt: skip
    return found


def test_no_partial_backup_is_left_and_the_names_are_fossuls(dashboard: Dashboard, archive: Path):
    folder = archive.parent
    assert re.fullmatch(r"files-weekly-\d+-\d+", folder.name)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{folder.name}.manifest.jsonl",
        f"{folder.name}.tar.zst",
    ]
    assert not [path for path in folder.parent.iterdir() if path.name.endswith(".partial")]


def test_a_second_start_answers_with_a_link_to_the_running_run(page: Page, dashboard: Dashboard):
    log_in(page)
    number = start(page)
    page.goto("/profiles/demo/files/")
    page.locator("form[action$='/weekly/run/']").first.get_by_role("button").click()
    link = page.get_by_role("link", name=re.compile(rf"\b{number}\b")).first
    expect(page.get_by_text("busy")).to_be_visible()
    link.click()
    page.wait_for_url(f"**/runs/{number}/")
    expect(page.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=60_000)


def test_a_running_backup_is_cancelled_from_its_page(page: Page, dashboard: Dashboard):
    log_in(page)
    number = start(page)
    expect(page.locator("#run-steps progress[max]")).to_be_visible(timeout=15_000)
    page.locator("#cancel-run summary").click()
    page.get_by_role("button", name=f"Cancel run {number}").click()
    expect(page.locator("#run-header")).to_have_attribute("data-status", "cancelled", timeout=30_000)
    assert dashboard.status(number) == "CANCELLED"
    assert page.get_by_text("compensation").count() > 0
    backups = dashboard.var / "demo" / "backups"
    assert not list(backups.rglob(f"*-daily-{number}-*")), "a cancelled backup leaves nothing"


def test_without_scripts_the_page_works_by_reload(dashboard: Dashboard, browser, base_url: str):
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    log_in(page)
    number = start(page)
    expect(page.get_by_text("not live: reload to refresh")).to_be_visible()
    reload_until(page, lambda: status(page) != "running")
    assert status(page) == "complete"
    # The last lines are stored within a tenth of a second of the end.
    reload_until(page, lambda: shown_lines(page) == dashboard.lines(number))
    assert len(shown_lines(page)) > 20
    context.close()


def test_a_viewer_sees_everything_and_may_start_nothing(page: Page, dashboard: Dashboard):
    dashboard.manage(
        "shell",
        "-v0",
        "-c",
        "from django.contrib.auth.models import Group, User\n"
        "user, _ = User.objects.get_or_create(username='vera')\n"
        "user.set_password('only looking here')\n"
        "user.save()\n"
        "user.groups.set([Group.objects.get(name='viewer')])\n",
    )
    log_in(page, "vera", "only looking here")
    page.goto("/profiles/demo/files/")
    expect(page.get_by_role("heading", name=re.compile("files"))).to_be_visible()
    assert page.get_by_role("button", name=re.compile("Run backup")).count() == 0


def test_the_first_load_of_a_run_page_is_light_and_asks_nobody_else(
    page: Page, dashboard: Dashboard, archive
):
    log_in(page)
    asked: list[tuple[str, int]] = []
    page.on(
        "requestfinished",
        lambda request: asked.append((request.url, request.sizes()["responseBodySize"])),
    )
    number = dashboard.rows("SELECT max(id) FROM workflows_app_run")[0][0]
    page.goto(f"/runs/{number}/")
    page.wait_for_load_state("networkidle")
    assert {url.split("/")[2] for url, _ in asked} == {dashboard.url.removeprefix("http://")}
    assert len(asked) <= 15
    assert sum(size for _, size in asked) < 150_000


def test_the_archive_is_a_plain_tar(archive: Path, tmp_path: Path):
    """Whoever has tar and zstd can read a backup without us."""
    plain = tmp_path / "plain.tar"
    subprocess.run(["zstd", "-dq", archive, "-o", plain], check=True)
    with tarfile.open(plain) as tar:
        assert sum(1 for _ in tar) > 100
