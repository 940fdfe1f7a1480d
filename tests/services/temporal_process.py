"""A Temporal server that a test may stop and start again, with all that it knows."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import DEV_SERVER, eventually, temporal_binary


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class TemporalProcess:
    """The server; its database is a file, so it outlives the process."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / "temporal.sqlite3"
        self._port, self._http = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        ports = ["--ip", "127.0.0.1", "--port", str(self._port), "--http-port", str(self._http)]
        kept = ["--db-filename", str(self._database), "--headless", "--log-level", "error"]
        self._process = subprocess.Popen(
            [temporal_binary(), "server", "start-dev", *ports, *kept, *DEV_SERVER]
        )
        await eventually(self.answers, 30)

    def stop(self) -> None:
        """Stop it and wait until it is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            argv = [temporal_binary(), "operator", "namespace", "describe", "-n", "default"]
            done = subprocess.run([*argv, "--address", self.address], capture_output=True, check=False)
            return done.returncode == 0
        return False


@pytest.fixture
def own_temporal(tmp_path: Path, settings, task_queue: str) -> Iterator[TemporalProcess]:
    """A server of the test's own, not started yet; the services are pointed at it."""
    server = TemporalProcess(tmp_path)
    settings.TEMPORAL_ADDRESS = server.address
    settings.TEMPORAL_TASK_QUEUE = task_queue
    yield server
    server.stop()
