"""The whole product as `make run` starts it, in a folder of its own, and a real browser before it."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Dashboard:
    """A running dashboard: where it is, and where its files are."""

    url: str
    var: Path
    environment: dict[str, str]

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command and answer what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def rows(self, query: str, *values: object) -> list[tuple]:
        """Ask the database itself, reading only."""
        with closing(sqlite3.connect(f"file:{self.var}/fossul.sqlite3?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def lines(self, number: int) -> list[str]:
        """The addresses of a run's stored lines, as the page's ids have them, in order."""
        return [
            f"step-{step}-attempt-{attempt}-L{seq}"
            for step, attempt, seq in self.rows(
                "SELECT step, attempt, seq FROM workflows_app_runmessage WHERE run_id = ? ORDER BY 1, 2, 3",
                number,
            )
        ]

    def status(self, number: int) -> str:
        """The recorded status of a run."""
        return self.rows("SELECT status FROM workflows_app_run WHERE id = ?", number)[0][0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The product, started as `make run` starts it."""
    with running_dashboard(tmp_path_factory.mktemp("dashboard")) as board:
        yield board


@contextmanager
def running_dashboard(folder: Path, **more: str) -> Iterator[Dashboard]:
    """A dashboard of its own in ``folder``, with ``more`` in its environment."""
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("FOSSUL_", "DJANGO_"))
    } | {
        "FOSSUL_VAR_DIR": str(folder / "var"),
        "FOSSUL_ADMIN_PASSWORD": PASSWORD,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
        # The machine of the tests may be busy.
        "FOSSUL_PAGE_SECONDS": "10",
        **more,
    }
    board = Dashboard(f"http://127.0.0.1:{port}", folder / "var", environment)
    board.manage("prepare")
    log = (folder / "log").open("wb")
    processes = subprocess.Popen(
        [sys.executable, "-m", "fossul_dashboard.supervisor"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_until_healthy(board, processes, folder / "log")
        yield board
    finally:
        processes.send_signal(signal.SIGTERM)
        try:
            processes.wait(30)
        finally:
            log.close()
            RESULTS.mkdir(exist_ok=True)
            shutil.copy(folder / "log", RESULTS / f"{folder.name.rstrip('0123456789')}.log")


def _wait_until_healthy(board: Dashboard, processes: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{board.url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        assert processes.poll() is None, log.read_text()
        time.sleep(0.1)
    pytest.fail(f"not healthy after 60 s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def base_url(dashboard: Dashboard) -> str:
    return dashboard.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """Debian's Chromium, which speaks to nobody but us."""
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium") or "/usr/bin/chromium",
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ],
    }


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that fails the test when the browser complains: a broken CSP, a script error."""
    with listening(page):
        yield page


@contextmanager
def listening(page: Page) -> Iterator[None]:
    """Fail when the browser complains of a page: a broken CSP, a script error."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield
    assert complaints == []


def log_in(page: Page, name: str = "admin", password: str = PASSWORD) -> None:
    """Sign in as a person does."""
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


@pytest.fixture
def profile(page: Page, request: pytest.FixtureRequest) -> str:
    """An empty profile of the test's own; the page is at its new configuration."""
    name = re.sub(r"[^a-z]+", "-", request.node.originalname)[:60].strip("-")
    log_in(page)
    page.goto("/new-profile/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(f"**/new-configuration/{name}/")
    return name
