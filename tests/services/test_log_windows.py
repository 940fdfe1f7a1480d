"""Windows and streams of a log: whole or cut, and in bounded memory; the pages' tests have the rest."""

import tracemalloc
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async

from tests.factories import VIEWER, make_run
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.results import Level
from workflows_app.models import RunMessage
from workflows_app.services.logs import log_stream
from workflows_app.services.logs.log_stream import stream_lines
from workflows_app.services.logs.log_windows import census, log_sections, log_window, whole_line
from workflows_app.services.logs.messages import LINE_CHARS, Tail, read_on
from workflows_app.services.people.permissions import NOBODY

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
MEGABYTE = 1_000_000


def make_log(count: int, text: str, **levels: int) -> int:
    """A run with ``count`` lines at step 0, then as many at step 1 as each level is given."""
    number = make_run().pk
    rows = [(0, seq, "INFO", text) for seq in range(1, count + 1)]
    given = [level for level, times in levels.items() for _ in range(times)]
    rows += [(1, seq, level, "short") for seq, level in enumerate(given, 1)]
    RunMessage.objects.bulk_create(
        RunMessage(run_id=number, step=step, attempt=1, seq=seq, time=NOW, level=level, text=text)
        for step, seq, level, text in rows
    )
    return number


def peak() -> int:
    """The most memory that was in use since tracing began; ends it."""
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.django_db
def test_a_census_counts_every_line_once() -> None:
    counted = census(VIEWER, make_log(3, "x", INFO=2, ERROR=1, strange=4))
    assert counted.places == {(0, 1): 3, (1, 1): 7}
    assert counted.levels == {Level.INFO: 5, Level.ERROR: 1, Level.UNKNOWN: 4}


@pytest.mark.django_db
def test_sections_share_the_room_and_the_last_come_first() -> None:
    number = make_log(50, "x" * 770, INFO=5)
    first, last = log_sections(VIEWER, number, room=10_000)
    assert [line.seq for line in last.lines] == [1, 2, 3, 4, 5]
    assert [line.seq for line in first.lines] == list(range(43, 51)), "1,000 each, of the 8,825 that are left"
    assert (first.total, first.earlier, last.earlier) == (50, 42, 0)
    least = log_sections(VIEWER, number, room=0)
    assert [len(section.lines) for section in least] == [1, 1]


@pytest.mark.django_db
def test_long_lines_are_cut_before_they_reach_this_process() -> None:
    number = make_log(20, "é" * MEGABYTE)
    tracemalloc.start()
    window = log_window(VIEWER, number, (0, 1))
    section, = log_sections(VIEWER, number)  # fmt: skip
    ((_, live),) = read_on([tail_of(number)])
    assert peak() < 5 * MEGABYTE
    for lines in (window.lines, section.lines, live):
        assert [len(line.text) for line in lines] == [LINE_CHARS] * 20
        assert all(line.cut and line.length == MEGABYTE for line in lines)
    assert len(whole_line(VIEWER, number, (0, 1, 20)).text) == MEGABYTE


def tail_of(number: int) -> Tail:
    tail = Tail(number)
    tail.open = {(0, 1): None}
    return tail


@pytest.mark.django_db(transaction=True)
async def test_a_download_takes_no_more_memory_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "BATCH", 2)
    number = await sync_to_async(make_log)(20, "x" * MEGABYTE, ERROR=1)
    tracemalloc.start()
    sizes, last = [], None
    async for lines in stream_lines(VIEWER, number):
        sizes.append(sum(len(line.text) for line in lines))
        last = lines[-1]
    assert peak() < 10 * MEGABYTE
    assert sizes == [2 * MEGABYTE] * 10 + [5]
    assert last is not None
    assert (last.place, last.seq, last.level) == ((1, 1), 1, "ERROR")


def test_only_those_who_may_view_get_any_line() -> None:
    for ask in (
        lambda: census(NOBODY, 1),
        lambda: log_sections(NOBODY, 1),
        lambda: log_window(NOBODY, 1, (0, 1)),
        lambda: whole_line(NOBODY, 1, (0, 1, 1)),
        lambda: stream_lines(NOBODY, 1),
    ):
        with pytest.raises(NotAllowed):
            ask()
