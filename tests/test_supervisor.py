"""How `make run` ends: in the Procfile's order, on Ctrl-C, on a death, when nobody reads any more."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Writes to a common diary when it begins and when it has ended, which takes it a moment after SIGTERM.
PROCESS = """
import os, signal, sys, time
name = sys.argv[1]
def note(what):
    with open("diary", "a") as diary:
        diary.write(f"{name} {what}\\n")
def end(number, frame):
    note("told")
    time.sleep(0.2)
    note("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print(f"{name} is there at {os.environ['PORT']}", flush=True)
signal.pause()
"""

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the supervisor, in a session of its own, and waits until its processes are there."""
    (tmp_path / "process.py").write_text(PROCESS)
    started: list[subprocess.Popen[str]] = []

    def _start(procfile: str) -> subprocess.Popen[str]:
        (tmp_path / "Procfile").write_text(procfile)
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "fossul_dashboard.supervisor"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PORT": "8000", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(supervisor)
        assert supervisor.stdout
        waiting = procfile.count("process.py")
        while waiting:
            line = supervisor.stdout.readline()
            assert line, "the supervisor ended early"
            waiting -= "is there at" in line
        return supervisor

    yield _start
    for supervisor in started:
        if supervisor.poll() is None:
            supervisor.terminate()
            supervisor.wait(timeout=30)
        assert supervisor.stdout
        supervisor.stdout.close()


def procfile(*names: str) -> str:
    return "".join(f"{name}: exec {sys.executable} process.py {name}\n" for name in names)


def diary(folder: Path) -> list[str]:
    return (folder / "diary").read_text().splitlines()


def test_ctrl_c_ends_all_in_the_order_of_the_procfile_and_is_no_failure(start: Start, tmp_path: Path) -> None:
    supervisor = start(procfile("web", "worker", "temporal"))
    # As a terminal does: to the whole foreground process group.
    os.killpg(supervisor.pid, signal.SIGINT)
    output, _ = supervisor.communicate(timeout=30)
    assert supervisor.returncode == 0
    assert "Traceback" not in output
    assert diary(tmp_path) == [
        f"{name} {what}" for name in ("web", "worker", "temporal") for what in ("told", "ended")
    ]


def test_the_death_of_one_ends_the_others_and_is_a_failure(start: Start, tmp_path: Path) -> None:
    dying = "import os, sys, time\nwhile not os.path.exists('die'): time.sleep(0.01)\nsys.exit(3)\n"
    (tmp_path / "dying.py").write_text(dying)
    supervisor = start(procfile("web", "worker") + f"temporal: exec {sys.executable} dying.py\n")
    (tmp_path / "die").touch()
    output, _ = supervisor.communicate(timeout=30)
    assert supervisor.returncode == 3
    assert "temporal.1 stopped (rc=3)" in output
    assert diary(tmp_path) == ["web told", "web ended", "worker told", "worker ended"]


def test_a_closed_terminal_leaves_nothing_running(start: Start, tmp_path: Path) -> None:
    supervisor = start(procfile("web", "temporal"))
    os.killpg(supervisor.pid, signal.SIGHUP)
    supervisor.wait(timeout=30)
    assert diary(tmp_path)[-1] == "temporal ended"


def test_when_nobody_reads_the_output_any_more_all_is_ended(start: Start, tmp_path: Path) -> None:
    chatty = f"worker: {sys.executable} -c \"while True: print('still here', flush=True)\"\n"
    supervisor = start(procfile("web") + chatty)
    assert supervisor.stdout
    supervisor.stdout.close()
    supervisor.wait(timeout=30)
    assert diary(tmp_path) == ["web told", "web ended"]


def test_web_is_given_the_port_that_was_asked_for() -> None:
    # honcho gives PORT to the first process, and PORT + 100, + 200 to the others.
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if not line.startswith("#")]
    assert [line.partition(":")[0] for line in lines] == ["web", "worker", "temporal"]
