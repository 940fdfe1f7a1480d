"""Hears the end of a child process: through the kernel's descriptor for it, or by a thread that waits."""

import os
import subprocess
import threading
from types import TracebackType
from typing import Self

from workflows_app.plugins.alarm import Alarm
from workflows_app.plugins.exit import Exit


class KernelEnding:
    """The end of a child on Linux. Hearing it does not reap the child."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._descriptor = os.pidfd_open(child.pid)

    def fileno(self) -> int:
        """A descriptor that becomes readable when the child ends."""
        return self._descriptor

    def exit(self) -> Exit:
        """How the child ended; waits for that."""
        ended = os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None  # noqa: S101 - without WNOHANG there is an answer
        return Exit.of(ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


class ThreadEnding:
    """The end of a child where the kernel has no such descriptor (macOS).

    Hearing it reaps the child: from then on only what is left of its group keeps the group's id from being
    given anew. Whether a core was dumped is not known.
    """

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._bell = Alarm()
        # Not joined: it ends with the child, and a child may outlive the interest in it.
        threading.Thread(target=self._wait, name=f"end of {child.pid}", daemon=True).start()

    def fileno(self) -> int:
        """A descriptor that becomes readable when the child ends."""
        return self._bell.fileno()

    def exit(self) -> Exit:
        """How the child ended; waits for that."""
        return Exit.of_returncode(self._child.wait())

    def _wait(self) -> None:
        self._child.wait()  # Popen's own lock lets several threads wait
        self._bell.ring()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bell.__exit__(kind, error, trace)


def ending_of(child: "subprocess.Popen[bytes]") -> KernelEnding | ThreadEnding:
    """The best way that this machine has to hear the end of a child that nobody has waited for yet."""
    return KernelEnding(child) if hasattr(os, "pidfd_open") else ThreadEnding(child)
