import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.conftest import Call
from workflows_app.domain.errors import Cancelled
from workflows_app.plugins.process import Exit, run_process

SUCCESS = Exit(ok=True, started=True, reason="")

# A script that waits for a file to appear, and gives up (status 9) before a hanging test would be a nuisance.
WAIT_FOR = """
import os, sys, time
def wait_for(path):
    for _ in range(2000):
        if os.path.exists(path):
            return
        time.sleep(0.01)
    sys.exit(9)
"""

# A grandchild in the same process group that tells its number, and then stays, deaf to SIGTERM.
GRANDCHILD = """
import os, signal, sys, time
told, tell = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    os.write(tell, b"!")
    time.sleep(60)
    os._exit(0)
os.read(told, 1)
"""

Script = Callable[[str], list[str]]


@pytest.fixture(autouse=True, params=["kernel", "thread"])
def ending(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test, with each way to hear of a child's end; the second is that of macOS."""
    if request.param == "kernel" and not hasattr(os, "pidfd_open"):
        pytest.skip("this kernel has no descriptors for processes")
    if request.param == "thread":
        for linux_only in ("pidfd_open", "waitid"):
            monkeypatch.delattr(os, linux_only, raising=False)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_lines_are_delivered_while_the_process_runs(call: Call, script: Script, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    argv = script(WAIT_FOR + f"print('ready', flush=True); wait_for({str(seen)!r}); print('seen')")
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        seen.touch()

    assert run_process(argv, context=call.context, on_line=on_line) == SUCCESS
    assert lines == ["ready", "seen"]


def test_stdout_and_stderr_come_in_the_order_of_printing(call: Call, script: Script) -> None:
    argv = script("import os\nfor n in range(6): os.write(1 + n % 2, b'%d\\n' % n)")
    lines: list[str] = []
    run_process(argv, context=call.context, on_line=lines.append)
    assert lines == list("012345")


def test_the_child_has_no_input_and_a_session_and_an_environment_of_its_own(
    call: Call, script: Script, tmp_path: Path
) -> None:
    argv = script(
        "import os, sys\n"
        "print(repr(sys.stdin.read()), os.getsid(0) == os.getpgid(0) == os.getpid(), os.getcwd())\n"
        "print(sorted(k for k in os.environ if k != 'LC_CTYPE'))"
    )
    lines: list[str] = []
    run_process(argv, context=call.context, on_line=lines.append, cwd=tmp_path)
    assert lines == [f"'' True {tmp_path}", "['PATH']"]
    run_process(argv, context=call.context, on_line=lines.append, environment={"ProfileName": "p"})
    assert lines[3] == "['ProfileName']"


def test_arguments_reach_the_program_as_they_are(call: Call, script: Script) -> None:
    arguments = ["", " a b ", "$HOME", "*", ";", "'\"", "é"]
    lines: list[str] = []
    run_process(
        [*script("import sys; print(sys.argv[1:])"), *arguments], context=call.context, on_line=lines.append
    )
    assert lines == [str(arguments)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import sys; sys.exit(3)", "exit status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal: killed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "signal: terminated"),
        (
            "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()",
            "signal: aborted",
        ),
    ],
)
def test_a_failure_is_told_in_the_words_of_go(call: Call, script: Script, source: str, reason: str) -> None:
    ended = run_process(script(source), context=call.context, on_line=lambda line: None)
    assert ended == Exit(ok=False, started=True, reason=reason)


def test_what_cannot_be_started_is_told_in_the_words_of_go(call: Call, tmp_path: Path) -> None:
    plain, text, orphan = tmp_path / "plain", tmp_path / "text", tmp_path / "orphan"
    plain.write_text("x")
    text.write_text("x")
    text.chmod(0o755)
    orphan.write_text("#!/no/such/interpreter\n")
    orphan.chmod(0o755)
    expected = {
        "": "exec: no command",
        "nosuchcmd": 'exec: "nosuchcmd": executable file not found in $PATH',
        str(plain): f"fork/exec {plain}: permission denied",
        str(text): f"fork/exec {text}: exec format error",
        str(orphan): f"fork/exec {orphan}: no such file or directory",
        str(tmp_path): f"fork/exec {tmp_path}: permission denied",
        f"{tmp_path}/none": f"fork/exec {tmp_path}/none: no such file or directory",
        f"{plain}/x": f"fork/exec {plain}/x: not a directory",
    }
    ends = {name: run_process([name], context=call.context, on_line=call.context.info) for name in expected}
    assert ends == {name: Exit(False, False, words) for name, words in expected.items()}
    assert call.said == []


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("a\0b", "invalid argument"),
        ("\ud800", "invalid argument"),
        ("x" * 200_000, "argument list too long"),
    ],
)
def test_impossible_arguments_are_told_in_the_words_of_go(call: Call, argument: str, words: str) -> None:
    ended = run_process([sys.executable, argument], context=call.context, on_line=call.context.info)
    assert ended == Exit(False, False, f"fork/exec {sys.executable}: {words}")


def test_a_missing_folder_is_named(call: Call, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    ended = run_process([sys.executable], context=call.context, on_line=call.context.info, cwd=gone)
    assert ended == Exit(False, False, f"chdir {gone}: no such file or directory")


def test_hostile_output_becomes_text(call: Call, script: Script) -> None:
    argv = script(
        "import os, sys\n"
        "sys.stdout.buffer.write(bytes(range(256)) + b'\\n' + b'x' * (1 << 20) + b'\\n\\n' + b'no newline')"
    )
    lines: list[str] = []
    assert run_process(argv, context=call.context, on_line=lines.append).ok
    assert len(lines) == 5
    assert lines[0] == "\ufffd" + bytes(range(1, 10)).decode()
    assert lines[1].endswith("~\x7f" + "\ufffd" * 128)
    assert lines[2:] == ["x" * (1 << 20), "", "no newline"]


def test_a_line_without_an_end_does_not_fill_the_memory(call: Call, script: Script) -> None:
    argv = script("import os\nfor _ in range(40): os.write(1, b'x' * (1 << 16))")
    lines: list[int] = []
    assert run_process(argv, context=call.context, on_line=lambda line: lines.append(len(line))).ok
    assert lines == [1 << 20, 1 << 20, 1 << 19]


def test_a_process_that_closed_its_output_is_waited_for(call: Call, script: Script, tmp_path: Path) -> None:
    closed, go = tmp_path / "closed", tmp_path / "go"
    argv = script(
        WAIT_FOR + f"os.close(1); os.close(2); open({str(closed)!r}, 'w'); wait_for({str(go)!r}); os._exit(4)"
    )
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(run_process, argv, context=call.context, on_line=call.context.info)
        assert until(closed.exists)
        assert not run.done()
        go.touch()
        assert run.result(10).reason == "exit status 4"


def test_what_a_command_leaves_in_its_group_is_killed(
    call: Call, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.process.LINGER_SECONDS", 0.05)
    lines: list[str] = []
    assert run_process(script(GRANDCHILD), context=call.context, on_line=lines.append) == SUCCESS
    (grandchild,) = map(int, lines)
    assert until(lambda: not alive(grandchild))


def test_a_daemon_that_holds_the_output_is_outwaited_and_lives(
    call: Call, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.process.LINGER_SECONDS", 0.05)
    ready = tmp_path / "ready"
    argv = script(
        WAIT_FOR
        + f"""
if os.fork() == 0:
    os.setsid()
    print(os.getpid(), flush=True)
    open({str(ready)!r}, 'w')
    time.sleep(60)
    os._exit(0)
wait_for({str(ready)!r})
"""
    )
    lines: list[str] = []
    begin = time.monotonic()
    assert run_process(argv, context=call.context, on_line=lines.append) == SUCCESS
    assert time.monotonic() - begin < 10
    daemon = int(lines[0])
    assert alive(daemon)
    os.kill(daemon, signal.SIGKILL)


def test_what_the_child_itself_wrote_is_read_to_the_end(
    call: Call, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.process.LINGER_SECONDS", 0.0)
    argv = script(
        "import fcntl; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)\n"
        + GRANDCHILD
        + "os.write(1, b'%d\\n' % os.getpid() + b'line\\n' * 100000)"
    )
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            assert until(lambda: not alive(int(line))), (
                "the child ends, and most of its output waits in the pipe"
            )

    assert run_process(argv, context=call.context, on_line=on_line) == SUCCESS
    assert lines[2:] == ["line"] * 100000


def test_cancelling_terminates_the_whole_group_and_hears_its_last_words(
    call: Call, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.process.LINGER_SECONDS", 0.05)
    argv = script(
        GRANDCHILD
        + "def bye(*_): os.write(1, b'bye\\n'); os._exit(0)\n"
        + "signal.signal(signal.SIGTERM, bye); os.write(1, b'ready\\n'); time.sleep(60)"
    )
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            threading.Thread(target=call.cancel).start()

    with pytest.raises(Cancelled):
        run_process(argv, context=call.context, on_line=on_line)
    assert lines[-1] == "bye"
    assert call.stops == []
    grandchild = next(int(line) for line in lines if line.isdecimal())
    assert until(lambda: not alive(grandchild))


def test_a_process_deaf_to_sigterm_is_killed_after_the_grace(call: Call, script: Script) -> None:
    argv = script(
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        call.cancel()

    begin = time.monotonic()
    with pytest.raises(Cancelled):
        run_process(argv, context=call.context, on_line=on_line, grace=0.05)
    assert 0.05 <= time.monotonic() - begin < 10
    assert not Path(f"/proc/{lines[0]}").exists(), "killed, and reaped"


def test_cancelling_ends_a_flood(call: Call, script: Script) -> None:
    argv = script("import os\nwhile True: os.write(1, b'y\\n' * 1000)")
    count = 0

    def on_line(line: str) -> None:
        nonlocal count
        count += 1
        if count == 5000:
            call.cancel()

    with pytest.raises(Cancelled):
        run_process(argv, context=call.context, on_line=on_line)


def test_nothing_is_started_for_a_cancelled_call(call: Call, script: Script, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    call.cancel()
    with pytest.raises(Cancelled):
        run_process(script(f"open({str(mark)!r}, 'w')"), context=call.context, on_line=call.context.info)
    assert not mark.exists()


def test_a_cancel_that_comes_late_is_harmless(call: Call, script: Script) -> None:
    stops: list[Callable[[], None]] = []

    def on_cancel(stop: Callable[[], None]) -> Callable[[], None]:
        stops.append(stop)
        return lambda: None

    context = replace(call.context, on_cancel=on_cancel)
    assert run_process(script(""), context=context, on_line=context.info) == SUCCESS
    stops[0]()


def test_an_error_of_the_listener_leaves_no_process(call: Call, script: Script) -> None:
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        raise ValueError(line)

    argv = script(GRANDCHILD + "time.sleep(60)")
    with pytest.raises(ValueError, match=r"^\d+$"):
        run_process(argv, context=call.context, on_line=on_line)
    assert until(lambda: not alive(int(lines[0])))


def test_many_at_once_from_many_threads_leave_no_descriptor(call: Call, script: Script) -> None:
    argv = script("print('here')")
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with ThreadPoolExecutor(8) as pool:
        ends = list(
            pool.map(lambda _: run_process(argv, context=call.context, on_line=call.context.info), range(24))
        )
    assert ends == [SUCCESS] * 24
    assert len(call.said) == 24
    # Fewer may be open than before: those of other tests' servers and clients close when they like.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_source_is_read_to_its_end_and_closed_here_once_the_child_has_it(call: Call):
    reader, writer = os.pipe()
    heard: list[str] = []
    with os.fdopen(reader, "rb", buffering=0) as source, os.fdopen(writer, "wb", buffering=0) as into:

        def feed(line: str) -> None:
            heard.append(line)
            if line == "ready":
                assert source.closed
                into.write(b"x" * 1000)
                into.close()

        code = "import sys; print('ready', flush=True); print(len(sys.stdin.read()))"
        ended = run_process([sys.executable, "-c", code], context=call.context, on_line=feed, source=source)
    assert ended == SUCCESS
    assert heard == ["ready", "1000"]


def test_a_source_is_closed_when_nothing_could_be_started(call: Call):
    reader, writer = os.pipe()
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as source:
        ended = run_process(["no-such-program"], context=call.context, on_line=print, source=source)
        assert not ended.started
        assert source.closed
