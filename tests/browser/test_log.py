"""The log of a real run that prints hostile and many lines: read, searched, filtered, followed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import RESULTS, ROOT, Dashboard, log_in

LINES = "#log .lines > li"
MOST = 2000
MANY = 3000

NOISE = f"""\
import os, sys, time

def say(text):
    sys.stdout.buffer.write(text.encode() + b"\\n")

gates = sys.argv[1]

def wait(name):
    sys.stdout.flush()
    while not os.path.exists(os.path.join(gates, name)):
        time.sleep(0.02)

say("<script>document.title = 'broken'</script><img src=x onerror=alert(1)>")
for style in (1, 3, 4, 7, 9):
    for bright in (30, 90):
        say("".join(f"\\x1b[{{style}};{{n}}mcolour {{n}}\\x1b[0m " for n in range(bright, bright + 8)))
say("".join(f"\\x1b[{{colour}}mground {{colour}}\\x1b[0m " for colour in (*range(40, 48), *range(100, 108))))
say("".join(f"\\x1b[38;5;{{n}}m{{n}} " for n in range(16, 256, 6)) + "\\x1b[0m")
say("gnp.\\u202eexe\\u202c and zero\\u200bwidth \\x1b]8;;javascript:alert(1)\\x07a link\\x1b]8;;\\x07")
say("\\r".join(f"{{n:3}} % copied" for n in range(0, 101)))
say("x" * 1_000_000 + " the very end")
for n in range(1, {MANY} + 1):
    say(f"first {{n}}: " + ("a \\x1b[31mnee\\x1b[32mdle\\x1b[0m" if n % 1000 == 500 else "hay"))
wait("more")
for n in range(1, {MANY} + 1):
    say(f"second {{n}}")
wait("end")
sys.exit(3)
"""


@pytest.fixture(scope="module")
def gates(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose files let the command of the configuration ``logs/noisy`` go on."""
    folder = tmp_path_factory.mktemp("noisy")
    (folder / "noise.py").write_text(NOISE)
    settings = {
        "appPlugin": "sample-app",
        "storagePlugin": "sample-storage",
        "preAppQuiesceCmd": f"{sys.executable},{folder}/noise.py,{folder}",
    }
    dashboard.manage(
        "shell",
        "-v0",
        "-c",
        "import json\n"
        "from workflows_app.models import BackupConfig, Profile\n"
        "profile = Profile.objects.create(name='logs')\n"
        f"settings = json.loads({json.dumps(json.dumps(settings))})\n"
        "config = BackupConfig.objects.create(profile=profile, name='noisy', settings=settings)\n"
        "config.policies.create(name='daily', keep_backups=5, position=0)\n",
    )
    return folder


@pytest.fixture(scope="module")
def ended(dashboard: Dashboard, gates: Path) -> int:
    """The number of a run of that configuration that has failed, as its command does."""
    for gate in ("more", "end"):
        (gates / gate).touch()
    subprocess.run(
        [sys.executable, "manage.py", "run_backup", "logs", "noisy", "--policy", "daily"],
        cwd=ROOT,
        env=dashboard.environment,
        capture_output=True,
        timeout=120,
    )
    for gate in ("more", "end"):
        (gates / gate).unlink()
    number = dashboard.rows("SELECT max(id) FROM workflows_app_run WHERE config = 'noisy'")[0][0]
    assert dashboard.status(number) == "ERROR"
    return number


@pytest.fixture
def log(page: Page, ended: int) -> Page:
    """The page of that run."""
    log_in(page)
    page.goto(f"/runs/{ended}/")
    expect(page.locator("#log-wrap")).to_be_visible()
    return page


def line_of(dashboard: Dashboard, number: int, text: str) -> str:
    """The address of the first line that contains ``text``."""
    step, attempt, seq = dashboard.rows(
        "SELECT step, attempt, seq FROM workflows_app_runmessage WHERE run_id = ? AND instr(text, ?)"
        " ORDER BY 1, 2, 3 LIMIT 1",
        number,
        text,
    )[0]
    return f"step-{step}-attempt-{attempt}-L{seq}"


def count(page: Page) -> int:
    """How many lines the page has, of which each is there once, and in order."""
    places = page.locator(LINES).evaluate_all("els => els.map(e => e.id.match(/\\d+/g).map(Number))")
    assert places == sorted(places)
    assert len({tuple(place) for place in places}) == len(places)
    return len(places)


def test_a_permalink_brings_the_window_around_a_line_that_the_first_paint_lacks(log: Page, dashboard, ended):
    address = line_of(dashboard, ended, "first 1600:")
    assert log.locator(f"#{address}").count() == 0
    log.goto(f"/runs/{ended}/#{address}")
    line = log.locator(f"#{address}:target")
    expect(line).to_be_in_viewport()
    expect(line.locator("bdi")).to_have_text("first 1600: hay")
    assert line.locator("a").first.get_attribute("href") == f"#{address}"
    assert 400 < count(log) < 900

    # The lines before it and behind it are a click away, and no line comes twice.
    before = count(log)
    log.locator("#between-0-1 a").click()
    expect(log.locator(LINES)).to_have_count(before + 500)
    log.locator("#earlier-0-1 a").click()
    expect(log.locator(LINES)).to_have_count(before + 1000)
    assert count(log) == before + 1000
    for _ in range(6):
        log.locator("#between-0-1 a").click()
        log.wait_for_load_state("networkidle")
        assert count(log) <= MOST


def test_the_whole_log_is_searched_by_keyboard(log: Page, dashboard, ended):
    log.keyboard.press("/")
    log.keyboard.type("NEEDLE")
    log.keyboard.press("Enter")
    found = log.locator("#log-found")
    for key, index, text in [("", 1, "first 500:"), ("n", 2, "first 1500:"), ("n", 3, "first 2500:"),
                             ("n", 1, "first 500:"), ("N", 3, "first 2500:")]:  # fmt: skip
        if key:
            log.locator("#log").focus()
            log.keyboard.press(key)
        expect(found).to_have_text(f"{index} of 3")
        line = log.locator(f"#{line_of(dashboard, ended, text)}:target")
        expect(line).to_be_in_viewport()
    assert log.evaluate("CSS.highlights.get('hit').size") == 0, "the word is in two colours"
    log.locator("#log-query").fill("first 2500")
    log.keyboard.press("Enter")
    expect(found).to_have_text("1 of 1")
    log.wait_for_function("CSS.highlights.get('hit').size === 1")
    log.locator("#log-query").fill("nothing like it")
    log.keyboard.press("Enter")
    expect(found).to_have_text("none")


def test_the_first_error_is_one_key_away(log: Page, dashboard, ended):
    log.locator("#log").focus()
    log.keyboard.press("e")
    line = log.locator(f"#{line_of(dashboard, ended, 'failed')}:target")
    expect(line).to_be_in_viewport()
    expect(line).to_have_class("error")
    expect(log.locator("#log-found")).to_contain_text("error 1 of")


def test_a_filter_by_level_is_of_the_whole_log(log: Page, dashboard, ended):
    stored = dashboard.rows(
        "SELECT count(*) FROM workflows_app_runmessage WHERE run_id = ? AND level = 'ERROR'", ended
    )[0][0]
    expect(log.locator("#count-error")).to_have_text(str(stored))
    log.locator(".levels a.error").click()
    expect(log.locator(".levels a.error")).to_have_attribute("aria-current", "true")
    assert set(log.locator(LINES).evaluate_all("els => els.map(e => e.className)")) == {"error"}
    assert count(log) == stored
    log.get_by_role("link", name="all levels").click()
    expect(log.locator(f"{LINES}.info").first).to_be_attached()


def test_hostile_lines_are_words_and_nothing_else(log: Page, dashboard, ended):
    address = line_of(dashboard, ended, "<script>")
    log.goto(f"/runs/{ended}/#{address}")
    line = log.locator(f"#{address}")
    expect(line.locator("bdi")).to_have_text(
        "<script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
    )
    assert "broken" not in log.title()
    bdi = log.locator("#log bdi")
    assert bdi.locator("script, img, a, [style]").count() == 0
    expect(
        bdi.filter(has_text="gnp.⟨U+202E⟩exe⟨U+202C⟩ and zero⟨U+200B⟩width a link⟨javascript:alert(1)⟩")
    ).to_have_count(1)
    expect(log.locator(LINES).filter(has_text="redrawn: show all states").locator("bdi")).to_have_text(
        "100 % copied"
    )
    colours = bdi.locator(".fg-1").evaluate_all("els => els.map(e => getComputedStyle(e).color)")
    assert len(set(colours)) > 1, "inverse is not red on the page's ground"

    long = log.locator(LINES).filter(has_text="show all 1,000,013 characters")
    assert len(long.locator("bdi").inner_text()) == 2000
    long.locator(".rest").click()
    expect(log.locator(LINES).filter(has_text="the very end")).to_have_count(1)


def test_how_the_log_is_read_is_kept(log: Page):
    time = log.locator(f"{LINES} time").last
    log.locator("#log").focus()
    for key, shape in [("", r"\d\d:\d\d:\d\d"), ("t", r"\d+ (s|min) ago"), ("t", r"\+\d:\d\d:\d\d")]:
        if key:
            log.keyboard.press(key)
        assert re.fullmatch(shape, time.inner_text())
    log.keyboard.press("w")
    assert log.locator("#log bdi").first.evaluate("e => getComputedStyle(e).whiteSpace") == "pre"
    log.reload()
    expect(log.locator("#log-wrap")).to_have_attribute("aria-pressed", "false")
    assert re.fullmatch(r"\+\d:\d\d:\d\d", log.locator(f"{LINES} time").last.inner_text())
    assert log.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keys_are_listed_and_can_be_turned_off(log: Page):
    log.locator("#log").focus()
    log.keyboard.press("?")
    dialog = log.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    dialog.get_by_label("These keys work").uncheck()
    log.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    log.locator("#log").focus()
    for key in ("?", "w", "/"):
        log.keyboard.press(key)
    expect(dialog).to_be_hidden()
    expect(log.locator("#log-wrap")).to_have_attribute("aria-pressed", "true")
    expect(log.locator("#log-query")).not_to_be_focused()


def test_keys_are_letters_where_one_writes(log: Page):
    log.locator("#log-query").click()
    log.keyboard.type("new? /wt")
    expect(log.locator("#log-query")).to_have_value("new? /wt")
    expect(log.get_by_role("dialog")).to_be_hidden()


def test_the_log_is_copied_and_downloaded(log: Page, dashboard, ended, tmp_path: Path):
    log.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log.locator("#log-copy").click()
    expect(log.locator("#log-copy")).to_have_text("Copied")
    copied = log.evaluate("navigator.clipboard.readText()")
    assert copied.count("\n") + 1 == count(log)
    stored = [text for (text,) in dashboard.rows(
        "SELECT text FROM workflows_app_runmessage WHERE run_id = ? ORDER BY step, attempt, seq", ended
    )]  # fmt: skip
    for name, suffix in (("Text", "txt"), ("NDJSON", "ndjson")):
        with log.expect_download() as download:
            log.get_by_role("link", name=name, exact=True).click()
        assert download.value.suggested_filename == f"run-{ended}.{suffix}"
        download.value.save_as(tmp_path / suffix)
    objects = [json.loads(line) for line in (tmp_path / "ndjson").read_text().split("\n")[:-1]]
    assert [entry["message"] for entry in objects] == stored
    printed = (tmp_path / "txt").read_bytes().decode()
    assert all(f"{text}\n" in printed for text in stored[:200])
    assert printed.count("\n") == len(stored) + len({(e["step"], e["attempt"]) for e in objects})


def test_without_scripts_search_permalinks_and_filter_work(browser: Browser, base_url: str, dashboard, ended):
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    log_in(page)
    page.goto(f"/runs/{ended}/")
    page.locator("#log-query").fill("needle")
    page.locator("#log-search button[type=submit]").click()
    expect(page.get_by_text("3 lines")).to_be_visible()
    address = line_of(dashboard, ended, "first 1500:")
    page.locator(f"#{address} a").click()
    expect(page.locator(f"#{address}:target")).to_be_in_viewport()
    page.get_by_role("link", name=re.compile("earlier lines")).click()
    expect(page.locator(f"#{line_of(dashboard, ended, 'first 1000:')}")).to_be_attached()
    page.goto(f"/runs/{ended}/")
    page.locator("#first-error").click()
    expect(page.locator(".lines li.error").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_log_is_accessible_and_fits(
    browser: Browser, base_url: str, dashboard, ended, width: int, scheme: str
):
    context = browser.new_context(
        base_url=base_url, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    log_in(page)
    RESULTS.mkdir(exist_ok=True)
    hostile = line_of(dashboard, ended, "<script>")
    for name, path in {
        "end": "",
        "hostile": f"#{hostile}",
        "search": "log/?q=needle&level=INFO",
        "window": f"log/0/1/?around=500#{hostile}",
        "filter": "?level=ERROR&level=CMD",
    }.items():
        page.goto("about:blank")
        page.goto(f"/runs/{ended}/{path}")
        if name == "hostile":
            expect(page.locator(f"#{hostile}:target")).to_be_in_viewport()
        page.screenshot(path=RESULTS / f"log-{name}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        answer = Axe().run(page)
        assert answer.violations_count == 0, answer.generate_report()
    page.goto(f"/runs/{ended}/")
    page.locator("#log-keys").click()
    page.screenshot(path=RESULTS / f"log-keys-{width}-{scheme}.png")
    answer = Axe().run(page)
    assert answer.violations_count == 0, answer.generate_report()
    context.close()


def test_the_first_load_stays_light_whatever_the_log_holds(page: Page, ended):
    log_in(page)
    asked: list[int] = []
    page.on("requestfinished", lambda request: asked.append(request.sizes()["responseBodySize"]))
    page.goto(f"/runs/{ended}/")
    page.wait_for_load_state("networkidle")
    assert len(asked) <= 16
    assert sum(asked) < 150_000


def test_following_yields_to_the_reader_and_comes_back(page: Page, dashboard, gates: Path):
    log_in(page)
    page.goto("/profiles/logs/noisy/")
    page.locator("form[action$='/daily/run/']").get_by_role("button").first.click()
    page.wait_for_url(re.compile(r"/runs/\d+/"))
    number = int(page.url.rstrip("/").rsplit("/", 1)[1])
    log = page.locator("#log")
    last = f"#{line_of_when_stored(page, dashboard, number, f'first {MANY}:')}"
    expect(page.locator(last)).to_be_in_viewport()
    assert count(page) <= MOST // 2

    # Somebody reads further up: what they read stays where it is, whatever comes.
    before = count(page)
    page.locator("#earlier-0-1 a").click()
    expect(page.locator(LINES)).to_have_count(before + 500)
    read = page.locator(f"{LINES} >> nth=100")
    read.evaluate("e => e.scrollIntoView({block: 'center'})")
    address = read.get_attribute("id")
    expect(page.locator("#follow")).to_be_visible()
    top = page.locator(f"#{address}").bounding_box()["y"]
    (gates / "more").touch()
    newest = line_of_when_stored(page, dashboard, number, f"second {MANY}")
    expect(page.locator(f"#{newest}")).to_be_attached()
    assert abs(page.locator(f"#{address}").bounding_box()["y"] - top) < 30
    assert count(page) <= MOST
    total = dashboard.rows(
        "SELECT count(*) FROM workflows_app_runmessage WHERE run_id = ? AND level='INFO'", number
    )
    expect(page.locator("#count-info")).to_have_text(str(total[0][0]))

    log.focus()
    page.keyboard.press("f")
    expect(page.locator(f"#{newest}")).to_be_in_viewport()
    expect(page.locator("#count-error")).to_have_text("0")
    expect(page.locator("#first-error")).to_be_hidden()
    (gates / "end").touch()
    expect(page.locator("#live")).to_have_text("ended", timeout=30_000)
    expect(page.locator("#first-error")).to_be_visible()
    assert count(page) <= MOST
    for gate in ("more", "end"):
        (gates / gate).unlink()


def line_of_when_stored(page: Page, dashboard: Dashboard, number: int, text: str) -> str:
    """The address of a line, as soon as the page shows it."""
    expect(page.locator(f"{LINES} bdi", has_text=re.compile(f"^{re.escape(text)}"))).to_have_count(
        1, timeout=30_000
    )
    return line_of(dashboard, number, text)
