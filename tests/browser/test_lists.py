"""The lists of runs and the timeline: live, found again by their address, usable by anyone."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import RESULTS, ROOT, Dashboard, log_in

SCRIPT = """\
import os, sys, time
for name in ("one", "two", "end"):
    print(f"reached {name}, fingerprint zanzibar", flush=True)
    while not os.path.exists(os.path.join(sys.argv[1], name)):
        time.sleep(0.02)
sys.exit(3 if os.path.exists(os.path.join(sys.argv[1], "fail")) else 0)
"""


@pytest.fixture
def gates(dashboard: Dashboard, tmp_path: Path) -> Path:
    """The folder whose files let the backups of ``lists/slow`` go on: one, two, end (and fail)."""
    (tmp_path / "slow.py").write_text(SCRIPT)
    settings = {
        "appPlugin": "sample-app",
        "storagePlugin": "sample-storage",
        "postAppQuiesceCmd": f"{sys.executable},{tmp_path}/slow.py,{tmp_path}",
    }
    dashboard.manage(
        "shell",
        "-v0",
        "-c",
        "from workflows_app.models import BackupConfig, Policy, Profile\n"
        "profile, _ = Profile.objects.get_or_create(name='lists')\n"
        f"values = {{'settings': {settings!r}}}\n"
        "config, _ = BackupConfig.objects.update_or_create(profile=profile, name='slow', defaults=values)\n"
        "Policy.objects.get_or_create(config=config, name='daily', keep_backups=3)\n",
    )
    return tmp_path


def start(dashboard: Dashboard) -> subprocess.Popen[bytes]:
    """Start a backup of ``lists/slow`` from elsewhere."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_backup", "lists", "slow", "--policy", "daily"],
        cwd=ROOT,
        env=dashboard.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def last_run(dashboard: Dashboard) -> int:
    return dashboard.rows("SELECT max(id) FROM workflows_app_run WHERE config = 'slow'")[0][0]


def icon(page: Page) -> str:
    return page.locator("link[rel=icon]").get_attribute("href") or ""


def test_the_overview_follows_a_run_from_its_start_to_its_failure(
    page: Page, dashboard: Dashboard, gates: Path
):
    log_in(page)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#live")).to_have_css("font-size", "12px")  # its dot and colour come with it
    page.evaluate("window.sameDocument = true")
    process = start(dashboard)
    now = page.locator("#part-now")
    expect(now.get_by_text("lists/slow")).to_be_visible(timeout=15_000)
    expect(now.get_by_text("reached one")).to_be_visible(timeout=15_000)
    number = last_run(dashboard)
    expect(page).to_have_title(re.compile("● 1 running"))
    assert icon(page).startswith("data:image/svg+xml")
    (gates / "one").touch()
    expect(now.get_by_text("reached two")).to_be_visible()
    expect(page.locator(f"[id='last-{number}']").get_by_text("running")).to_be_visible()
    link = page.locator(f"[id='now-{number}'] a.strong")
    link.focus()
    (gates / "two").touch()
    expect(now.get_by_text("reached end")).to_be_visible()
    expect(link).to_be_focused()
    (gates / "fail").touch()
    (gates / "end").touch()
    failed = page.locator("#part-needs").get_by_role("link", name=f"lists/slow, run {number}")
    expect(failed).to_be_visible(timeout=15_000)
    expect(page.locator(f"[id='now-{number}']")).to_have_count(0)
    expect(page).to_have_title(re.compile(r"✗ \d+ failed"))
    assert page.evaluate("window.sameDocument"), "nothing was reloaded"
    process.wait(30)

    # The button came over the socket, and still starts a backup.
    row = page.locator("[id='config-lists.slow']")
    row.get_by_role("button", name=re.compile("Run backup")).click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    expect(page.locator("#run-header")).to_have_attribute("data-status", "error", timeout=30_000)


def test_the_list_of_runs_shows_each_change_and_offers_new_runs(
    page: Page, dashboard: Dashboard, gates: Path
):
    log_in(page)
    process = start(dashboard)
    page.goto("/runs/")
    expect(page.locator("#live")).to_have_text("live")
    offer = page.locator("#show-newer")
    row = page.locator("tr", has_text="reached one").first
    expect(offer.or_(row).first).to_be_visible(timeout=15_000)
    if offer.is_visible():
        offer.click()
    expect(row).to_be_visible(timeout=15_000)
    number = last_run(dashboard)
    row = page.locator(f"#run-{number}")
    for name in ("one", "two", "end"):
        (gates / name).touch()
    expect(row.locator(".status").first).to_have_text("complete", timeout=20_000)
    expect(row.get_by_text("reached")).to_have_count(0)
    process.wait(30)
    page.evaluate("window.sameDocument = true")
    again = start(dashboard)
    expect(offer).to_have_text(re.compile("1 new run: show"), timeout=15_000)
    assert page.evaluate("window.sameDocument")
    offer.click()
    expect(page.locator(f"#run-{last_run(dashboard)}")).to_be_visible()
    again.wait(30)


def test_a_filter_is_in_the_address_and_finds_words_in_messages(
    page: Page, dashboard: Dashboard, gates: Path
):
    for name in ("one", "two", "end"):
        (gates / name).touch()
    start(dashboard).wait(60)
    number = last_run(dashboard)
    log_in(page)
    page.goto("/runs/")
    page.get_by_label("Words in any message").fill('zanz "reached two"')
    page.get_by_label("Configuration").select_option("slow")
    page.get_by_label("Order").select_option("longest first")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile(r"q=.*&.*config=slow.*sort=longest"))
    expect(page.locator(f"#run-{number}")).to_be_visible()
    page.reload()
    expect(page.locator(f"#run-{number}")).to_be_visible()
    expect(page.get_by_label("Order")).to_have_value("longest")
    page.get_by_label("Words in any message").fill("zanzibarium")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No run fits this filter.")).to_be_visible()


def test_the_timeline_grows_and_tells_its_figures_by_keyboard(page: Page, dashboard: Dashboard, gates: Path):
    log_in(page)
    process = start(dashboard)
    page.goto("/")
    page.locator("#part-now a.strong").first.click()
    working = page.locator("#run-timeline li.is-running path.work[data-x]")
    expect(working).to_be_attached(timeout=15_000)
    expect(page.locator("#run-timeline path.frozen").first).to_be_attached()
    before = working.get_attribute("d")
    page.wait_for_function(
        "before => document.querySelector('#run-timeline path.work[data-x]')?.getAttribute('d') !== before",
        arg=before,
    )
    bar = page.locator("#run-timeline li.is-running svg[id]")
    bar.focus()
    expect(page.locator("#run-timeline li.is-running .tip")).to_be_visible()
    expect(page.locator("#run-timeline li.is-running .tip")).to_contain_text("worked")
    for name in ("one", "two", "end"):
        (gates / name).touch()
    expect(page.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=30_000)
    expect(page.locator("#run-timeline")).not_to_have_attribute("data-open", "")
    process.wait(30)


@pytest.fixture(scope="module")
def finished(dashboard: Dashboard) -> int:
    """A run that has ended."""
    dashboard.manage("run_backup", "demo", "files", "--policy", "weekly")
    return dashboard.rows("SELECT max(id) FROM workflows_app_run WHERE config = 'files'")[0][0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/runs/",
        "/runs/?q=backup&from=2026-01-01&state=ERROR",
        "/runs/{}/",
        "/profiles/",
        "/profiles/demo/files/",
        "/profiles/demo/files/plan/",
        "/profiles/demo/files/restore-points/",
        "/schedules/",
        "/workers/",
        "/audit/",
    ],
)
def test_everyone_can_use_the_pages(
    browser: Browser, base_url: str, finished: int, address: str, width: int, scheme: str
):
    context = browser.new_context(
        base_url=base_url, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    page = context.new_page()
    log_in(page)
    page.goto(address.format(finished))
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    assert found == [], json.dumps(found, indent=1)[:4000]
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0
    RESULTS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", address).strip("-") or "overview"
    page.screenshot(path=RESULTS / f"{name}-{width}-{scheme}.png", full_page=True)
    context.close()
