"""A page that looks on while the web process or the worker is killed and comes back; and a flood of lines."""

import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, Dashboard, free_port, listening, log_in
from tests.browser.test_bad_days import GATED, LINES, configure, run_from, shown, stored

FLOOD_SECONDS, LINES_A_SECOND = 60, 2000
FLOOD = f"""\
import time
began = time.monotonic()
for second in range({FLOOD_SECONDS}):
    for number in range({LINES_A_SECOND}):
        print(f"second {{second}} line {{number}}")
    print(end="", flush=True)
    time.sleep(max(0.0, began + second + 1 - time.monotonic()))
print("the flood is over", flush=True)
"""


Watching = Callable[[str, str], AbstractContextManager[tuple[Page, int]]]


class OwnProcesses:
    """A web process and a worker beside the dashboard's, with a queue of their own, that can be killed."""

    def __init__(self, dashboard: Dashboard, log: Path) -> None:
        self._log = log.open("ab")
        self._environment = dashboard.environment | {"FOSSUL_TASK_QUEUE": "restarts"}
        self.port = free_port()
        self.web = self._start(*self._web_command())
        self.worker = self._start("manage.py", "run_worker")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _web_command(self) -> tuple[str, ...]:
        serve = ("-m", "uvicorn", "fossul_dashboard.asgi:application", "--lifespan", "off")
        return (*serve, "--host", "127.0.0.1", "--port", str(self.port))

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )

    def restart_web(self) -> None:
        self.web.kill()
        self.web.wait()
        self.web = self._start(*self._web_command())

    def restart_worker(self) -> None:
        self.worker.kill()
        self.worker.wait()
        self.worker = self._start("manage.py", "run_worker")

    def end(self) -> None:
        for process in (self.web, self.worker):
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._log.close()


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2):
        return True
    return False


@pytest.fixture
def processes(dashboard: Dashboard, tmp_path: Path) -> Iterator[OwnProcesses]:
    own = OwnProcesses(dashboard, tmp_path / "log")
    try:
        wait_for(lambda: answers(own.url))
        yield own
    finally:
        own.end()


@pytest.fixture
def watching(browser: Browser, dashboard: Dashboard, processes: OwnProcesses, tmp_path: Path) -> Watching:
    """Run a command under a configuration's name, and look on: a page of the web process, and the run."""

    @contextmanager
    def watch(name: str, command: str) -> Iterator[tuple[Page, int]]:
        address = configure(dashboard, tmp_path, name, command)
        with browser.new_context(base_url=processes.url) as context:
            page = context.new_page()
            with listening(page):
                log_in(page)
                yield page, run_from(page, address)

    return watch


def test_a_page_outlives_the_web_process(
    watching: Watching, dashboard: Dashboard, processes: OwnProcesses, tmp_path: Path
):
    with watching("web-restarts", GATED) as (page, number):
        expect(page.get_by_text("first 39", exact=True)).to_be_visible(timeout=30_000)
        page.evaluate("window.sameDocument = true")
        processes.restart_web()
        (tmp_path / "first").touch()
        wait_for(lambda: stored(dashboard, number, "second 39"))
        wait_for(lambda: answers(processes.url))
        expect(page.get_by_text("second 39", exact=True)).to_be_visible(timeout=60_000)
        for gate in ("second", "third"):
            (tmp_path / gate).touch()
        expect(page.locator("#live")).to_have_text("ended", timeout=60_000)
        assert page.evaluate("window.sameDocument"), "it healed by itself, without a reload"
        assert shown(page) == dashboard.lines(number)
    assert dashboard.status(number) == "COMPLETED"


def test_a_page_tells_the_truth_when_the_worker_is_killed(
    watching: Watching, dashboard: Dashboard, processes: OwnProcesses, tmp_path: Path
):
    """What was frozen is thawed by the next worker, and the page shows what was said before and after."""
    with watching("worker-killed", GATED) as (page, number):
        expect(page.get_by_text("first 39", exact=True)).to_be_visible(timeout=30_000)
        processes.restart_worker()
        header = page.locator("#run-header")
        expect(header).to_have_attribute("data-status", "error", timeout=90_000)
        expect(header).to_contain_text("thawed")
        expect(page.locator("#live")).to_have_text("ended", timeout=30_000)
        assert shown(page) == dashboard.lines(number)
    for gate in ("first", "second", "third"):
        (tmp_path / gate).touch()  # its command outlived the worker, and ends now
    assert dashboard.status(number) == "ERROR"


def test_a_flood_of_lines_leaves_the_worker_and_the_page_small(
    watching: Watching, dashboard: Dashboard, processes: OwnProcesses, tmp_path: Path
):
    with watching("flood", FLOOD) as (page, number):
        wait_for(lambda: stored(dashboard, number, "second 5 line 1999"), 90)
        early = resident(processes.worker.pid)
        wait_for(lambda: stored(dashboard, number, "the flood is over"), 180)
        late = resident(processes.worker.pid)
        expect(page.locator("#run-header")).to_have_attribute("data-status", "complete", timeout=60_000)
        expect(page.get_by_text("the flood is over", exact=True)).to_be_attached(timeout=60_000)
        assert page.locator(LINES).count() <= 2000
    total = FLOOD_SECONDS * LINES_A_SECOND
    said = dashboard.rows(
        "SELECT count(*) FROM workflows_app_runmessage WHERE run_id = ? AND text LIKE 'second % line %'",
        number,
    )
    assert said == [(total,)]
    assert late < early + 64 * 2**20, f"from {early} to {late} bytes"


def resident(pid: int) -> int:
    """How much memory a process has, in bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
