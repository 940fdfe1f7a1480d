import os
import signal
from pathlib import Path

import pytest

from workflows_app.plugins.executable import NotExecutable, find_executable
from workflows_app.plugins.exit import Exit


def ended(code: int, status: int) -> os.waitid_result:
    return os.waitid_result((1, 0, signal.SIGCHLD, status, code))


def test_status_zero_is_success() -> None:
    assert Exit.of(ended(os.CLD_EXITED, 0)) == Exit(ok=True, started=True, reason="")


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (os.CLD_EXITED, 1, "exit status 1"),
        (os.CLD_EXITED, 255, "exit status 255"),
        (os.CLD_KILLED, signal.SIGHUP, "signal: hangup"),
        (os.CLD_KILLED, signal.SIGINT, "signal: interrupt"),
        (os.CLD_KILLED, signal.SIGKILL, "signal: killed"),
        (os.CLD_KILLED, signal.SIGTERM, "signal: terminated"),
        (os.CLD_KILLED, signal.SIGPIPE, "signal: broken pipe"),
        (os.CLD_KILLED, signal.SIGTRAP, "signal: trace/breakpoint trap"),
        (os.CLD_KILLED, 34, "signal: signal 34"),
        (os.CLD_DUMPED, signal.SIGQUIT, "signal: quit (core dumped)"),
        (os.CLD_DUMPED, signal.SIGSEGV, "signal: segmentation fault (core dumped)"),
        (os.CLD_DUMPED, signal.SIGABRT, "signal: aborted (core dumped)"),
    ],
)
def test_failures_have_the_words_of_go(code: int, status: int, reason: str) -> None:
    assert Exit.of(ended(code, status)) == Exit(ok=False, started=True, reason=reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0, ""), (3, "exit status 3"), (-signal.SIGKILL, "signal: killed"), (-34, "signal: signal 34")],
)
def test_the_number_of_subprocess_has_the_same_words(code: int, reason: str) -> None:
    assert Exit.of_returncode(code) == Exit(ok=code == 0, started=True, reason=reason)


def program(folder: Path, mode: int = 0o755) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "tool"
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_first_executable_in_the_path_is_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "tool").mkdir(parents=True)
    program(tmp_path / "b", 0o644)
    wanted = program(tmp_path / "c")
    program(tmp_path / "d")
    path = ":".join(str(tmp_path / name) for name in ("missing", "a", "b", "c", "d"))
    assert find_executable("tool", path) == str(wanted)


def test_a_name_with_a_slash_is_not_looked_up(tmp_path: Path) -> None:
    assert find_executable("./tool", str(program(tmp_path).parent)) == "./tool"


@pytest.mark.parametrize("path", ["", ":/nowhere", "relative"])
def test_a_program_in_a_relative_folder_is_refused(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path)
    program(tmp_path / "relative")
    monkeypatch.chdir(tmp_path)
    words = (
        "cannot run executable found relative to current directory"
        if path
        else "executable file not found in $PATH"
    )
    with pytest.raises(NotExecutable) as refusal:
        find_executable("tool", path)
    assert str(refusal.value) == f'exec: "tool": {words}'


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "exec: no command"),
        ("nosuchcmd", 'exec: "nosuchcmd": executable file not found in $PATH'),
        (" sh", 'exec: " sh": executable file not found in $PATH'),
        (":ls", 'exec: ":ls": executable file not found in $PATH'),
        ("..", 'exec: "..": executable file not found in $PATH'),
        ('a"b\\c\0', 'exec: "a\\"b\\\\c\\x00": executable file not found in $PATH'),
    ],
)
def test_what_cannot_be_found_has_the_words_of_go(name: str, words: str) -> None:
    with pytest.raises(NotExecutable) as refusal:
        find_executable(name, "/usr/bin:/bin")
    assert str(refusal.value) == words
