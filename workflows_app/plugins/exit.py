"""How a child process ended, in the words that Fossul (a Go program) uses for it."""

import os
import signal
from dataclasses import dataclass

# syscall.Signal.String() of Go on Linux (syscall/zerrors_linux_amd64.go).
_SIGNAL_WORDS: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
    signal.SIGXCPU: "CPU time limit exceeded",
    signal.SIGXFSZ: "file size limit exceeded",
    signal.SIGVTALRM: "virtual timer expired",
    signal.SIGPROF: "profiling timer expired",
    signal.SIGIO: "I/O possible",
    signal.SIGSYS: "bad system call",
}


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    ``ok`` when it exited with status 0; ``started`` is False when there never was a process; ``reason``
    is Go's text for anything but success (``exit status 3``, ``signal: killed``, ``exec: no command``),
    ``""`` for success.
    """

    ok: bool
    started: bool
    reason: str

    @classmethod
    def of(cls, ended: "os.waitid_result") -> "Exit":  # in quotes: macOS has it from Python 3.13 on
        """The exit of a process that ended."""
        if ended.si_code == os.CLD_EXITED:
            ok = ended.si_status == 0
            return cls(ok=ok, started=True, reason="" if ok else f"exit status {ended.si_status}")
        dumped = " (core dumped)" if ended.si_code == os.CLD_DUMPED else ""
        return cls(ok=False, started=True, reason=f"signal: {_signal_words(ended.si_status)}{dumped}")

    @classmethod
    def of_returncode(cls, code: int) -> "Exit":
        """The exit of a process by its status or, as subprocess has it, minus the signal that ended it."""
        if code < 0:
            return cls(ok=False, started=True, reason=f"signal: {_signal_words(-code)}")
        return cls(ok=code == 0, started=True, reason=f"exit status {code}" if code else "")

    @classmethod
    def never_started(cls, reason: str) -> "Exit":
        """The exit of a process that could not be started."""
        return cls(ok=False, started=False, reason=reason)


def _signal_words(number: int) -> str:
    return _SIGNAL_WORDS.get(number, f"signal {number}")


def words_of(error: OSError) -> str:
    """Go's words for a system error: as the C library's, but beginning with a small letter."""
    words = os.strerror(error.errno) if error.errno else str(error)
    return words[:1].lower() + words[1:]
