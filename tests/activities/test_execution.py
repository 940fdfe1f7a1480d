"""How a step is done: its lines, its heartbeats, and every way to fail."""

import json
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError, CancelledError

from tests.activities.conftest import Bench, until
from workflows_app.activities import execution, message_log
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Backup, Level, Message, Result
from workflows_app.plugins.base import PluginContext, Report


def test_what_is_said_is_in_the_result_and_in_the_log(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        context.info("one")
        context.warn("two")
        return Result(data=("kept",), backup=Backup(name="b"))

    result = bench.call(work, attempt=3)
    assert [(m.level, m.message) for m in result.messages] == [("INFO", "one"), ("WARN", "two")]
    assert (result.code, result.lines, result.data, result.backup.name) == (0, 2, ("kept",), "b")
    stored = bench.stored(attempt=3)
    assert [(line.seq, line.level, line.text) for line in stored] == [(1, "INFO", "one"), (2, "WARN", "two")]


def test_what_a_plugin_answers_rather_than_says_is_said_for_it(bench: Bench) -> None:
    answered = (Message(level="ERROR", message="disk full"), Message(level="LOUD", message="what?"))
    result = bench.call(lambda context: Result(code=1, messages=answered))
    assert [(m.level, m.message) for m in result.messages] == [("ERROR", "disk full"), ("UNKOWN", "what?")]
    assert result.reason == "disk full"
    assert [line.text for line in bench.stored()] == ["disk full", "what?"]


def test_the_lines_are_counted_though_not_all_travel(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        for number in range(3000):
            context.info(f"line {number}")
        return Result()

    result = bench.call(work)
    assert result.lines == 3000
    assert len(result.messages) == 1001
    assert [line.text for line in bench.stored()] == [f"line {n}" for n in range(3000)]


def test_credentials_are_taken_out_of_everything(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def work(context: PluginContext) -> Result:
        context.info("connecting with password=hunter22")
        context.report(Report(note="token=hunter22"))
        until(lambda: bench.heartbeats, 5)
        raise ValueError("postgres://user:hunter22@host is away")

    with pytest.raises(ApplicationError) as crash:
        bench.call(work)
    assert crash.value.message == "ValueError: postgres://user:***@host is away"
    assert [line.text for line in bench.stored()] == ["connecting with password=***", crash.value.message]
    assert bench.heartbeats[-1]["note"] == "token=***"
    assert "ValueError: postgres://user:***@host is away" in caplog.text
    assert "hunter22" not in caplog.text


def test_a_command_that_prints_a_credential_has_it_taken_out(bench: Bench) -> None:
    result = bench.do("backup-create-command", backupCreateCmd="echo,password=hunter22")
    texts = [line.text for line in bench.stored()]
    assert texts == [m.message for m in result.messages]
    assert "password=***" in texts
    assert "hunter22" not in " ".join(texts)


@pytest.mark.parametrize("error", [PluginFailed("The disk is full"), ConfigInvalid("Name", "is empty")])
def test_a_plugins_own_no_is_a_result(bench: Bench, error: Exception) -> None:
    def work(context: PluginContext) -> Result:
        context.info("trying")
        context.say(Level.ERROR, "write: errno 28")
        raise error

    result = bench.call(work)
    assert result.code == 1
    assert result.reason == str(error), "which sums up what was said before"
    assert [(m.level, m.message) for m in result.messages] == [
        ("INFO", "trying"), ("ERROR", "write: errno 28"), ("ERROR", str(error)),
    ]  # fmt: skip
    assert result.lines == len(bench.stored()) == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [(ValueError("token: abcdefgh"), "ValueError: token: ***"), (SystemExit(3), "SystemExit: 3")],
)
def test_an_unexpected_error_is_a_crash(bench: Bench, error: BaseException, words: str) -> None:
    def work(context: PluginContext) -> Result:
        raise error

    with pytest.raises(ApplicationError) as crash:
        bench.call(work)
    assert (crash.value.type, crash.value.message) == ("PluginCrashed", words)
    assert not crash.value.non_retryable, "the plan decides how often a step is tried"
    assert [(line.level, line.text) for line in bench.stored()] == [("ERROR", words)]


def test_the_words_of_a_crash_are_short_enough_for_temporal(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        raise ValueError("x" * 5_000_000)

    with pytest.raises(ApplicationError) as crash:
        bench.call(work)
    assert len(crash.value.message.encode()) <= 4096
    assert len(bench.stored()[0].text) > 5_000_000


def test_text_that_neither_json_nor_a_database_can_carry_is_replaced(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        context.info("a\udcff\0b")
        context.report(Report(note="\udcff"))
        until(lambda: bench.heartbeats, 5)
        return Result()

    result = bench.call(work)
    assert json.loads(result.model_dump_json(by_alias=True))["messages"][0]["message"] == "a?\ufffdb"
    assert [line.text for line in bench.stored()] == ["a?\ufffdb"]
    assert bench.heartbeats[-1]["note"] == "?"


def test_the_last_report_is_in_the_heartbeat(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        context.report(Report(done_bytes=5, total_bytes=10, done_files=1, total_files=2, note="copying"))
        until(lambda: bench.heartbeats, 5)
        return Result()

    bench.call(work)
    assert bench.heartbeats[-1] == {
        "done_bytes": 5, "total_bytes": 10, "done_files": 1, "total_files": 2, "note": "copying",
    }  # fmt: skip


def test_a_cancelled_step_ends_as_cancelled(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        called = threading.Event()
        context.on_cancel(called.set)
        bench.environment.cancel()
        assert called.wait(10)
        assert context.cancelled()
        context.check_cancelled()
        raise AssertionError("not reached")

    with pytest.raises(CancelledError):
        bench.call(work)
    (line,) = bench.stored()
    assert (line.level, line.text) == ("WARN", "The step was cancelled")


def test_a_step_that_ends_well_in_spite_of_its_cancel_is_a_success(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        bench.environment.cancel()
        until(context.cancelled)
        return Result()

    assert bench.call(work).code == 0


@pytest.mark.parametrize(
    "stop",
    [
        lambda bench: bench.pulse.halt(),
        lambda bench: bench.environment.cancel(ActivityCancellationDetails(worker_shutdown=True)),
    ],
    ids=["at once", "after the grace"],
)
def test_a_step_that_its_worker_stops_has_failed_and_may_be_tried_again(
    bench: Bench, stop: Callable[[Bench], None]
) -> None:
    def work(context: PluginContext) -> Result:
        stop(bench)
        until(context.cancelled)
        context.check_cancelled()
        raise AssertionError("not reached")

    with pytest.raises(ApplicationError) as stopped:
        bench.call(work)
    assert (stopped.value.type, stopped.value.message) == ("WorkerStopped", execution.WORKER_STOPPED)
    assert not stopped.value.non_retryable
    assert [(line.level, line.text) for line in bench.stored()] == [("ERROR", execution.WORKER_STOPPED)]


def test_a_step_whatever_its_end_is_no_longer_under_care(bench: Bench) -> None:
    def good(context: PluginContext) -> Result:
        assert bench.pulse._patients
        return Result()

    def bad(context: PluginContext) -> Result:
        raise ValueError

    bench.call(good)
    with pytest.raises(ApplicationError):
        bench.call(bad)
    assert not bench.pulse._patients


def test_threads_of_a_plugin_may_speak_at_once(bench: Bench) -> None:
    def work(context: PluginContext) -> Result:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: context.info(f"line {number}"), range(4000)))
        return Result()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert bench.call(work).lines == 4000
    finally:
        sys.setswitchinterval(interval)
    stored = bench.stored()
    assert [line.seq for line in stored] == list(range(1, 4001))
    assert {line.text for line in stored} == {f"line {n}" for n in range(4000)}


def test_a_database_that_is_away_never_fails_or_slows_a_step(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(lines: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(bench.log, "_write", away)
    monkeypatch.setattr(bench.log, "_capacity_lines", 10)

    def work(context: PluginContext) -> Result:
        for number in range(100):
            context.info(f"line {number}")
        return Result()

    begin = time.monotonic()
    result = bench.call(work)
    assert time.monotonic() - begin < 1
    assert len(result.messages) == 100
    assert result.lines == 11, "ten lines and the one that tells of the gap"
    assert not bench.log.close(0.1)


def test_a_hundred_thousand_lines_fit_into_memory_and_the_result_into_temporal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of 1 kB are 100 MB in all; the log keeps at most 4 MB of them for a database that is away."""
    monkeypatch.setattr(bench.log, "_write", lambda lines: None)
    monkeypatch.setattr(bench.log, "_capacity_bytes", 4 * 1024 * 1024)
    text = "x" * 1000

    def work(context: PluginContext) -> Result:
        for number in range(100_000):
            context.info(f"{number} {text}")
        return Result()

    tracemalloc.start()
    try:
        result = bench.call(work)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * 1024 * 1024
    assert len(result.model_dump_json(by_alias=True)) < 2_000_000
    assert result.messages[-1].message.startswith("99999 ")
    assert message_log.CAPACITY_BYTES <= 64 * 1024 * 1024
