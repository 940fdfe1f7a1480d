"""Workers as they run in earnest: a process of their own, which signals reach."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.conftest import eventually

ROOT = Path(__file__).resolve().parents[2]
READY = "Worker polls task queue"


class WorkerProcess:
    """A worker, and what it has written."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        return self._log.read_text()

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    async def says(self, text: str) -> None:
        """Wait until it has written ``text``."""
        await eventually(lambda: text in self.output or self.code is not None, 30)
        assert text in self.output, f"it ended with {self.code}:\n{self.output}"

    async def ends(self, seconds: float = 20) -> int:
        """Wait until it has ended, and answer its code."""
        await eventually(lambda: self.code is not None, seconds)
        assert self.code is not None
        return self.code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def told_environment(address: str, task_queue: str, folder: Path) -> dict[str, str]:
    """What a process of the product is told so that it works on this test's database and queue."""
    return {
        "PATH": os.environ["PATH"],
        "FOSSUL_SECRETS_KEY": settings.FOSSUL_SECRETS_KEYS[0],
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "FOSSUL_VAR_DIR": str(folder),
        "FOSSUL_SECRET_KEY": "for tests alone",
        "FOSSUL_TASK_QUEUE": task_queue,
        "TEMPORAL_ADDRESS": address,
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def worker_process(
    address: str,
    task_queue: str,
    folder: Path,
    *arguments: str,
    argv: Sequence[str] = (sys.executable, "manage.py", "run_worker"),
    **environment: str,
) -> Iterator[WorkerProcess]:
    """A worker of its own process, with this test's database; killed in the end if it still runs.

    ``folder`` takes its log. ``environment`` adds to what a worker of the product is told.
    """
    log = folder / f"worker-{len(list(folder.glob('worker-*.log')))}.log"
    told = told_environment(address, task_queue, folder) | environment
    process = WorkerProcess([*argv, "--task-queue", task_queue, *arguments], told, log)
    try:
        yield process
    finally:
        process.kill()
