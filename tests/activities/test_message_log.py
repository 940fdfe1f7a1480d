"""The full log of steps, with a real database, and with one that is away for a while."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from tests.activities.conftest import until
from tests.factories import make_run
from workflows_app.activities import message_log
from workflows_app.activities.message_log import Line, MessageLog, store
from workflows_app.domain.results import Level
from workflows_app.models import Run, RunMessage

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def started(**options: object) -> Iterator[MessageLog]:
    log = MessageLog(**options)
    log.start()
    try:
        yield log
    finally:
        log.close(1)


def stored(run: Run) -> list[tuple[int, int, int, str]]:
    rows = RunMessage.objects.filter(run=run).order_by("step", "attempt", "seq")
    return list(rows.values_list("step", "attempt", "seq", "text"))


class Shelf:
    """Stands for a database: takes lines as long as it is not told to refuse them."""

    def __init__(self) -> None:
        self.away = threading.Event()
        self.refused = threading.Event()
        self.lines: list[Line] = []

    def __call__(self, lines: Sequence[Line]) -> None:
        if self.away.is_set():
            self.refused.set()
            raise OperationalError("the database is away")
        self.lines += lines


def test_the_lines_of_each_attempt_are_numbered_from_one() -> None:
    run, other = make_run(), make_run()
    with started() as log:
        for attempt in (1, 2):
            transcript = log.transcript(run.pk, 3, attempt)
            for word in ("one", "two"):
                transcript.write(Level.INFO, f"{word} of {attempt}")
            assert transcript.lines == 2
        log.transcript(other.pk, 0, 1).write(Level.ERROR, "another run")
        assert log.close()
    assert stored(run) == [
        (3, 1, 1, "one of 1"), (3, 1, 2, "two of 1"), (3, 2, 1, "one of 2"), (3, 2, 2, "two of 2"),
    ]  # fmt: skip
    (message,) = RunMessage.objects.filter(run=other)
    assert (message.seq, message.level, message.text) == (1, "ERROR", "another run")


def test_a_line_is_in_the_database_soon_after_it_was_said() -> None:
    run = make_run()
    with started() as log:
        transcript = log.transcript(run.pk, 0, 1)
        transcript.write(Level.INFO, "the first opens the connection")
        until(lambda: len(stored(run)) == 1)
        said = time.monotonic()
        transcript.write(Level.INFO, "now")
        until(lambda: len(stored(run)) == 2)
        assert time.monotonic() - said < 1.0


def test_closing_writes_what_is_left() -> None:
    run = make_run()
    with started() as log:
        transcript = log.transcript(run.pk, 0, 1)
        for number in range(1700):
            transcript.write(Level.INFO, f"line {number}")
        assert log.close()
    assert [(seq, text) for _, _, seq, text in stored(run)] == [(n + 1, f"line {n}") for n in range(1700)]


def test_a_database_that_is_away_loses_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other write fails: by turns before and after it was committed."""
    monkeypatch.setattr(message_log, "RETRY_SECONDS", 0.01)
    run = make_run()
    calls = []

    def write(lines: Sequence[Line]) -> None:
        calls.append(len(lines))
        if len(calls) % 4 == 1:
            raise OperationalError("the connection was lost before the commit")
        store(lines)
        if len(calls) % 4 == 3:
            raise OperationalError("the connection was lost after the commit")

    with started(write=write) as log:
        transcript = log.transcript(run.pk, 0, 1)
        for number in range(3000):
            transcript.write(Level.INFO, f"line {number}")
        assert log.close()
    assert len(calls) > 6
    assert [(seq, text) for _, _, seq, text in stored(run)] == [(n + 1, f"line {n}") for n in range(3000)]


def test_what_finds_no_room_is_a_gap_that_is_told_and_numbered() -> None:
    shelf = Shelf()
    shelf.away.set()
    with started(write=shelf, capacity_lines=3) as log:
        transcript = log.transcript(1, 0, 1)
        for number in range(10):
            transcript.write(Level.INFO, f"line {number}")
        assert transcript.lines == 3
        shelf.away.clear()
        until(lambda: not log._lines)
        transcript.write(Level.INFO, "line 10")
        assert log.close()
    texts = [f"line {n}" for n in range(3)]
    texts += ["7 lines are missing here: the database could not take them", "line 10"]
    assert [(line.seq, line.text) for line in shelf.lines] == list(enumerate(texts, 1))
    assert shelf.lines[3].level == Level.WARN


def test_a_gap_at_the_end_is_told_even_without_room() -> None:
    shelf = Shelf()
    shelf.away.set()
    with started(write=shelf, capacity_lines=2) as log:
        transcript = log.transcript(1, 0, 1)
        for number in range(3):
            transcript.write(Level.INFO, f"line {number}")
        transcript.admit_loss()
        transcript.admit_loss()
        assert transcript.lines == 3
        shelf.away.clear()
        assert log.close()
    assert [line.text for line in shelf.lines] == [
        "line 0", "line 1", "1 line is missing here: the database could not take them",
    ]  # fmt: skip


@pytest.mark.parametrize("room", [{"capacity_lines": 50}, {"capacity_bytes": 1000}])
def test_a_database_that_stays_away_does_not_fill_the_memory(room: dict[str, int]) -> None:
    shelf = Shelf()
    shelf.away.set()
    with started(write=shelf, **room) as log:
        transcript = log.transcript(1, 0, 1)
        for _ in range(10_000):
            transcript.write(Level.INFO, "x" * 20)
        transcript.admit_loss()
        assert transcript.lines == 51
        shelf.away.clear()
        assert log.close()
    assert shelf.lines[-1].text == "9950 lines are missing here: the database could not take them"


def test_lines_of_a_run_that_is_not_known_are_dropped_and_block_nobody() -> None:
    run = make_run()
    with started() as log:
        for number in (987_654_321, run.pk, 987_654_322):
            log.transcript(number, 0, 1).write(Level.INFO, f"of {number}")
        assert log.close()
    assert list(RunMessage.objects.values_list("run", "text")) == [(run.pk, f"of {run.pk}")]


def test_writing_a_line_twice_is_harmless() -> None:
    run = make_run()
    with started() as log:
        log.transcript(run.pk, 0, 1).write(Level.INFO, "once")
        log.transcript(run.pk, 0, 1).write(Level.INFO, "the same address again")
        assert log.close()
    assert stored(run) == [(0, 1, 1, "once")]


def test_closing_gives_up_on_a_database_that_stays_away(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    shelf.away.set()
    with started(write=shelf) as log:
        log.transcript(1, 0, 1).write(Level.INFO, "lost")
        assert shelf.refused.wait(10)
        begin = time.monotonic()
        assert not log.close(0.3)
        assert time.monotonic() - begin < 5
        until(lambda: not log._thread.is_alive())
    waiting = [record for record in caplog.records if "1 log lines wait: OperationalError" in record.message]
    assert 1 <= len(waiting) <= 3, "it does not try without a pause"
    assert shelf.lines == []


def test_a_database_that_returns_while_the_log_closes_gets_the_lines() -> None:
    shelf = Shelf()
    shelf.away.set()
    with started(write=shelf) as log:
        log.transcript(1, 0, 1).write(Level.INFO, "kept")
        assert shelf.refused.wait(10)
        shelf.away.clear()
        assert log.close()
    assert [line.text for line in shelf.lines] == ["kept"]
