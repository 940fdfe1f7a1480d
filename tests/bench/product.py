"""The product's processes as the Procfile has them, in a folder of their own, and what speaks to them."""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import PASSWORD, ROOT, Dashboard, free_port

READY_SECONDS = 60.0
# The order in which they end: a worker reports to Temporal as long as it lives.
PARTS = ("web", "worker", "temporal")


class Product(Dashboard):
    """A running dashboard, whose processes are known one by one."""

    def pid(self, part: str) -> int:
        """The process of a part: ``web``, ``worker`` or ``temporal``."""
        return int((self.var.parent / f"{part}.pid").read_text())

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command and answer what it prints. Raises RuntimeError, with its complaint."""
        try:
            return super().manage(*arguments, stdin=stdin)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{' '.join(arguments)}: {error.stderr.strip()[-2000:]}") from error

    def seed(self, call: str) -> str:
        """Call a function of ``tests.bench.seed`` in the dashboard's environment; answer what it says."""
        return self.manage("shell", "-v0", "-c", f"from tests.bench import seed\nprint(seed.{call})").strip()


@contextmanager
def product(ui_port: int = 0) -> Iterator[Product]:
    """Start the product and end it. With ``ui_port`` its Temporal server shows its own pages there.

    Raises RuntimeError, with what the processes printed, when it does not become healthy.
    """
    with tempfile.TemporaryDirectory(prefix="fossul-bench-") as name:
        folder = Path(name)
        address = free_port()
        port = free_port()
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("FOSSUL_", "DJANGO_"))
        } | {
            "FOSSUL_VAR_DIR": str(folder / "var"),
            "FOSSUL_ADMIN_PASSWORD": PASSWORD,
            "FOSSUL_WORKER_GRACE_SECONDS": "2",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{address}",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
        }
        board = Product(f"http://127.0.0.1:{port}", folder / "var", environment)
        board.manage("prepare")
        commands = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE))
        if ui_port:
            commands["temporal"] = _with_ui(address, ui_port, folder)
        started: dict[str, subprocess.Popen[bytes]] = {}
        with (folder / "log").open("wb") as log:
            try:
                for part in reversed(PARTS):
                    # Every line of the Procfile is an `exec`: the shell's process becomes the part's.
                    started[part] = subprocess.Popen(
                        ["sh", "-c", commands[part]],
                        cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
                    )  # fmt: skip
                    (folder / f"{part}.pid").write_text(str(started[part].pid))
                _wait_until_healthy(board, started, folder / "log")
                yield board
            finally:
                for part in PARTS:
                    if part in started:
                        _end(started[part])


def _with_ui(port: int, ui_port: int, folder: Path) -> str:
    return (
        f"exec temporal server start-dev --ip 127.0.0.1 --port {port} --ui-port {ui_port} "
        f"--ui-ip 127.0.0.1 --log-level error --db-filename {folder}/temporal.sqlite3 "
        "--sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=full "
        "--dynamic-config-value history.transferProcessorMaxPollRPS=2000"
    )


def _wait_until_healthy(board: Product, started: Mapping[str, subprocess.Popen[bytes]], log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{board.url}/health", timeout=2) as answer:
                if b'"workers": 1' in answer.read():
                    return
        except OSError:
            pass
        for part, process in started.items():
            if process.poll() is not None:
                raise RuntimeError(f"{part} has ended:\n{log.read_text()}")
        time.sleep(0.1)
    raise RuntimeError(f"not healthy after {READY_SECONDS:.0f} s:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Visitor:
    """Somebody who is signed in and asks for pages without a browser."""

    def __init__(self, board: Product) -> None:
        self._connection = http.client.HTTPConnection(board.url.removeprefix("http://"))
        self.cookies: dict[str, str] = {}
        self.get("/login/")
        form = {
            "username": "admin",
            "password": PASSWORD,
            "csrfmiddlewaretoken": self.cookies["csrftoken"],
        }
        self._ask("POST", "/login/", urllib.parse.urlencode(form), 302)

    @property
    def cookie(self) -> str:
        """The header with which others may ask in this name."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, path: str) -> bytes:
        """Answer a page. Raises RuntimeError for anything but 200."""
        return self._ask("GET", path, "", 200)

    def post(self, path: str) -> str:
        """Send an empty form; answer where it leads."""
        self._ask(
            "POST", path, urllib.parse.urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"]}), 302
        )
        return self._location

    def _ask(self, method: str, path: str, body: str, expected: int) -> bytes:
        headers = {"Cookie": self.cookie}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        # The server closes one that is idle for some seconds; the next request opens a new one.
        self._connection.close()
        self._location = answer.headers.get("Location", "")
        for said in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = said.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status != expected:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}")
        return content
