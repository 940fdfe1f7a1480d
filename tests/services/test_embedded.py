"""The embedded Temporal server, started as the Procfile starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from workflows_app.services.setup.embedded import embedded_address
from workflows_app.services.setup.machine import MachineNotReady

ROOT = Path(__file__).resolve().parents[2]
TEMPORAL = Path(sys.executable).with_name("temporal")

Start = Callable[[str], subprocess.Popen[str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts ``run_temporal`` for an address, in a process group of its own as honcho does."""
    started: list[subprocess.Popen[str]] = []

    def _start(address: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_temporal"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
            | {
                "FOSSUL_VAR_DIR": str(tmp_path),
                "TEMPORAL_ADDRESS": address,
                "FOSSUL_SECRET_KEY": "for tests",
            },
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.stderr
        process.stderr.close()


def retention(address: str) -> str:
    """The time for which the server at ``address`` keeps histories; empty while it does not answer."""
    argv = [
        TEMPORAL,
        "operator",
        "namespace",
        "describe",
        "-n",
        "default",
        "--address",
        address,
        "-o",
        "json",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        return ""
    answer: str = json.loads(done.stdout)["config"]["workflowExecutionRetentionTtl"]
    return answer


def wait_for(ask: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.05)


@pytest.mark.parametrize("tell_all", [True, False], ids=["as honcho does", "the command alone"])
def test_the_server_keeps_histories_for_30_days_and_ends_in_good_order(
    start: Start, tmp_path: Path, tell_all: bool
) -> None:
    address = f"127.0.0.1:{free_port()}"
    process = start(address)
    wait_for(lambda: retention(address) == "2592000s")
    # Its own stamps have no zone and are cut to milliseconds.
    told = datetime.now().isoformat(timespec="milliseconds")  # noqa: DTZ005
    (os.killpg if tell_all else os.kill)(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    # A complaint of its start may have been on its way when it came to serve.
    after = [line for line in said.splitlines() if not line.startswith("time=") or line[5:28] > told]
    assert (process.returncode, after) == (0, [])
    assert (tmp_path / "temporal.sqlite3").is_file()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_server_that_dies_is_reported_and_is_a_failure(start: Start) -> None:
    address = f"127.0.0.1:{free_port()}"
    process = start(address)
    wait_for(lambda: retention(address) != "")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        if b"start-dev" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGKILL
    assert "Temporal has ended by itself" in said


def test_a_server_that_fails_as_it_starts_is_started_again_and_says_why(start: Start, tmp_path: Path) -> None:
    (tmp_path / "temporal.sqlite3").mkdir()
    process = start(f"127.0.0.1:{free_port()}")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.count("it is started once more") == 2
    assert said.count("unable to open database file") == 3
    assert "Temporal has ended by itself, with code 1" in said


def test_a_taken_port_is_one_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start(address)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.startswith(f"Something already listens on {address}, where the dashboard's own Temporal")
    assert said.count("\n") == 1


def test_with_a_temporal_elsewhere_nothing_is_started(start: Start, tmp_path: Path) -> None:
    process = start("temporal.example.org:7233")
    assert process.stderr
    assert "no server is started here" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "embedded"),
    [
        ("127.0.0.1:7233", ("127.0.0.1", 7233)),
        ("localhost:7300", ("127.0.0.1", 7300)),
        ("[::1]:7233", ("::1", 7233)),
        ("10.0.0.7:7233", None),
        ("ns.account.tmprl.cloud:7233", None),
    ],
)
def test_only_this_machine_s_own_address_is_embedded(settings, address: str, embedded: object) -> None:
    settings.TEMPORAL_ADDRESS = address
    assert embedded_address() == embedded


def test_an_address_without_a_port_is_refused(settings) -> None:
    settings.TEMPORAL_ADDRESS = "localhost:temporal"
    with pytest.raises(MachineNotReady, match="localhost:temporal does not end in a port"):
        embedded_address()
