"""A program's run, with its time and the most memory that it took."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.005


@dataclass(frozen=True)
class Used:
    """What a program took: seconds, and bytes of memory at its peak; and what it printed."""

    seconds: float
    peak: int
    said: str


def run(argv: Sequence[str | Path], cwd: Path | None = None, **environment: str) -> Used:
    """Run a program to its end. Raises RuntimeError, with what it printed, when it fails.

    The peak is that of all processes of its session, each at its own peak. It is read from ``/proc``: the
    kernel's own account (``ru_maxrss``) of a process begins with the memory of its parent.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in argv],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    peaks: dict[int, int] = {}
    while process.poll() is None:
        peaks |= _peaks(process.pid)
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - begun
    said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"{argv[0]} ended with {process.returncode}: {said.strip()[-2000:]}")
    return Used(seconds, sum(peaks.values()), said)


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peaks(session: int) -> Mapping[int, int]:
    """The peaks until now of the processes of a session."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                    found[int(folder.name)] = _high_water(folder)
            except OSError:
                continue  # it has ended
    return {pid: peak for pid, peak in found.items() if peak}


def _high_water(folder: Path) -> int:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0  # it has ended, and nobody has asked for its exit code yet
