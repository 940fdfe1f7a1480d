"""Ends the programs that a lost worker left running on this machine.

What holds a lock in the server is the session of such a program. The server ends it when its client is gone,
at once or, while it waits for a lock, within a second; so it is the program that is to be ended. One on
another machine ends by itself as soon as it wants to say or write something.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from workflows_app.plugins.base import PluginContext

_PROCESSES = Path("/proc")


def end_leftovers(context: PluginContext, argument: str) -> None:
    """End the processes of the worker's user that have ``argument``, which only this run gives, exactly."""
    ended = sum(_end(entry, argument) for entry in _PROCESSES.glob("[0-9]*"))
    if ended:
        context.warn(f"Ended {ended} programs that a lost worker had left of this run")


def _end(entry: Path, argument: str) -> bool:
    # The process may end while it is looked at; then there is nothing to do.
    with suppress(OSError):
        if not _has(entry, argument):
            return False
        descriptor = os.pidfd_open(int(entry.name))
        try:
            # Its number may be another's by now; from here on the descriptor holds on to the process.
            if _has(entry, argument):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                return True
        finally:
            os.close(descriptor)
    return False


def _has(entry: Path, argument: str) -> bool:
    if entry.stat().st_uid != os.geteuid():
        return False
    return os.fsencode(argument) in (entry / "cmdline").read_bytes().split(b"\0")
