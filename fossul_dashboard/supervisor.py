"""What ``make run`` ends in: the Procfile's processes, started together and ended in its order by honcho."""

import os
import signal
import sys
import threading
import time
from types import FrameType

from honcho import command, compat, manager, printer  # type: ignore[import-untyped]

# How long running steps may go on after Ctrl-C, unless the environment says otherwise.
GRACE_SECONDS = 5
# And then: for the steps' programs to end, and for Temporal to hear of it.
MARGIN_SECONDS = 15
POLL_SECONDS = 0.05
# honcho's exit code after Ctrl-C, which is how a person ends all this: no failure.
INTERRUPTED = 130


def main() -> None:
    """Run the processes until one ends or a signal comes, then end all.

    Exits with honcho's code, or 0 after Ctrl-C. What has not ended in time is killed.
    """
    grace = os.environ.setdefault("FOSSUL_WORKER_GRACE_SECONDS", str(GRACE_SECONDS))
    # honcho gives each process a PORT of its own, and the worker's notices link to the web server.
    if "PORT" in os.environ:
        os.environ.setdefault("FOSSUL_WEB_PORT", os.environ["PORT"])
    # honcho's own five seconds, from the end of the first process, would leave a step's programs running.
    manager.KILL_WAIT = int(grace) + MARGIN_SECONDS
    manager.ProcessManager = _InOrder
    command.Printer = _Printer
    signal.signal(signal.SIGHUP, _hung_up)
    try:
        # Without an env file: the settings read the environment alone, so what is started should, too.
        command.main(["--env", os.devnull, "start"])
    except SystemExit as end:
        sys.exit(0 if end.code == INTERRUPTED else end.code)


class _InOrder(compat.ProcessManager):  # type: ignore[misc]
    """Tells processes to end one after the other: a worker can report to Temporal as long as it lives."""

    def __init__(self) -> None:
        self._told: list[int] = []

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the group of ``pid`` as soon as those that were named before have ended."""
        before = tuple(self._told)
        self._told.append(pid)
        threading.Thread(target=self._terminate_after, args=(before, pid), daemon=True).start()

    def _terminate_after(self, before: tuple[int, ...], pid: int) -> None:
        while any(_lives(other) for other in before):
            time.sleep(POLL_SECONDS)
        super().terminate(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class _Printer(printer.Printer):  # type: ignore[misc]
    """Prints what the processes print. When nobody can read it any more, the processes are ended."""

    def write(self, message: printer.Message) -> None:
        """Print a line, with the time and the process's name."""
        try:
            super().write(message)
        except OSError:
            _end_silently()


def _hung_up(number: int, frame: FrameType | None) -> None:
    """The terminal was closed."""
    _end_silently()


def _end_silently() -> None:
    """End as on SIGTERM, and write nothing more to a terminal or pipe that is gone."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
