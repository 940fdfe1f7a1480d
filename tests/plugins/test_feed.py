"""What a process reads while its output is heard."""

from tests.plugins.conftest import Call
from tests.plugins.test_process import SUCCESS, Script, ending
from workflows_app.plugins.process import run_process

__all__ = ["ending"]  # every test, with each way to hear of a child's end


def test_a_process_reads_all_of_its_input_while_it_writes(call: Call, script: Script) -> None:
    data = b"x" * 300_000 + b"\n"
    argv = script(
        "import sys\n"
        "for chunk in iter(lambda: sys.stdin.buffer.read1(4096), b''):\n"
        "    sys.stdout.buffer.write(chunk); sys.stdout.buffer.flush()\n"
        "print('end')"
    )
    lines: list[str] = []
    assert run_process(argv, context=call.context, on_line=lines.append, stdin=data) == SUCCESS
    assert lines == ["x" * 300_000, "end"]


def test_one_that_writes_first_and_reads_later_does_not_block(call: Call, script: Script) -> None:
    argv = script("import os, sys\nos.write(1, b'y' * 50000 + b'\\n'); print(len(sys.stdin.read()))")
    lines: list[str] = []
    assert run_process(argv, context=call.context, on_line=lines.append, stdin=b"x" * 200_000) == SUCCESS
    assert lines == ["y" * 50000, "200000"]


def test_input_that_nobody_reads_is_dropped(call: Call, script: Script) -> None:
    for source in ("", "import os; os.close(0); print('on')"):
        ended = run_process(
            script(source), context=call.context, on_line=call.context.info, stdin=b"x" * 10**6
        )
        assert ended == SUCCESS
    assert [text for _, text in call.said] == ["on"]
