"""Search in a log: every hit counted and found, on both databases, and quick in a long one."""

import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.factories import VIEWER, make_run
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.results import Level
from workflows_app.models import RunMessage
from workflows_app.services.logs.log_search import PAGE_SIZE, Found, LogQuery, find_line, list_hits
from workflows_app.services.people.permissions import NOBODY

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
LONG, SHORT = 100_000, 6_250


def make_log(*texts: str, step: int = 0, attempt: int = 1, run: int = 0, level: str = "INFO") -> int:
    """Add lines to a run (to a new one) and answer its number."""
    number = run or make_run().pk
    lines = RunMessage.objects.filter(run=number, step=step, attempt=attempt).count()
    RunMessage.objects.bulk_create(
        RunMessage(run_id=number, step=step, attempt=attempt, seq=lines + n, time=NOW, level=level, text=text)
        for n, text in enumerate(texts, 1)
    )
    return number


def texts(number: int, text: str = "", *levels: Level) -> list[str]:
    return [line.text for line in list_hits(VIEWER, number, LogQuery(text, frozenset(levels))).lines]


def test_hits_come_one_by_one_in_the_order_of_the_log_and_begin_anew() -> None:
    number = make_log("needle", "hay", "a Needle too", step=2)
    make_log("NEEDLE", run=number, step=2, attempt=2)
    make_log("needles", run=number, step=10)
    make_log("needle in another run")
    query = LogQuery("needle")
    forwards = [(2, 1, 1), (2, 1, 3), (2, 2, 1), (10, 1, 1)]
    start = None
    for index, line in [*enumerate(forwards, 1), (1, forwards[0])]:
        assert find_line(VIEWER, number, query, start) == Found(4, index, line)
        start = line
    start = None
    for index, line in [*reversed(list(enumerate(forwards, 1))), (4, forwards[3])]:
        assert find_line(VIEWER, number, query, start, backwards=True) == Found(4, index, line)
        start = line


def test_the_search_goes_on_from_a_line_that_is_no_hit() -> None:
    number = make_log("x", "hay", "x")
    assert find_line(VIEWER, number, LogQuery("x"), (0, 1, 2)) == Found(2, 2, (0, 1, 3))
    assert find_line(VIEWER, number, LogQuery("x"), (0, 1, 2), backwards=True) == Found(2, 1, (0, 1, 1))
    assert find_line(VIEWER, number, LogQuery("nothing like it"), (0, 1, 2)) == Found(0)


@pytest.mark.parametrize(
    ("needle", "line"),
    [
        ("100%", "now at 100% of it"),
        ("a_b", "A_B"),
        ("c:\\temp", "C:\\Temp"),
        ("'; drop", "x'; DROP TABLE"),
        (".*", "a .* b"),
        ("größe", "die GRÖßE"),
        ("ночь", "тихая НОЧЬ"),
        ("error", "\x1b[31mER\x1b[1;4mROR\x1b[0m"),
        ("[31", "array[31]"),
        ("größe", "\x1b[1mGRÖ\x1b[0mßE"),
    ],
)
def test_any_text_is_found_whatever_its_case_and_means_only_itself(needle: str, line: str) -> None:
    number = make_log("1000 of it", "axb", "c:temp", "nothing", "a b", "array 31", line)
    assert texts(number, needle) == [line]


def test_levels_narrow_the_search() -> None:
    number = make_log("one x", "two")
    make_log("three x", run=number, level="ERROR")
    make_log("four x", run=number, level="WARN")
    make_log("five x", run=number, level="<b>")
    assert texts(number, "x", Level.ERROR, Level.WARN) == ["three x", "four x"]
    assert texts(number, "", Level.UNKNOWN) == ["five x"]
    assert find_line(VIEWER, number, LogQuery("", frozenset({Level.ERROR}))) == Found(1, 1, (0, 1, 3))


def test_hits_are_paged() -> None:
    number = make_log(*(f"line {n}" for n in range(PAGE_SIZE + 5)))
    first = list_hits(VIEWER, number, LogQuery("line"))
    assert (len(first.lines), first.total, first.page, first.pages) == (PAGE_SIZE, PAGE_SIZE + 5, 1, 2)
    last = list_hits(VIEWER, number, LogQuery("line"), 99)
    assert (last.page, [line.seq for line in last.lines]) == (2, list(range(PAGE_SIZE + 1, PAGE_SIZE + 6)))
    none = list_hits(VIEWER, number, LogQuery("nothing like it"), -1)
    assert (none.lines, none.total, none.page, none.pages) == ((), 0, 1, 1)


def test_a_needle_with_nul_or_of_any_length_is_no_error() -> None:
    number = make_log("hay", "\ufffd")
    assert texts(number, "\0") == ["\ufffd"]
    assert texts(number, "x" * 100_000) == []
    assert texts(number, "\ud800") == []


def test_only_those_who_may_view_can_search() -> None:
    number = make_log("needle")
    for search in (find_line, list_hits):
        with pytest.raises(NotAllowed):
            search(NOBODY, number, LogQuery("needle"))


def seconds(number: int, query: LogQuery, start: tuple[int, int, int], total: int) -> float:
    """The best of three: how long one step to the next hit takes."""
    took = []
    for backwards in (False, True, False):
        began = time.perf_counter()
        assert find_line(VIEWER, number, query, start, backwards=backwards).total == total
        took.append(time.perf_counter() - began)
    return min(took)


def test_every_hit_in_a_hundred_thousand_lines_in_a_time_that_grows_as_the_log_does() -> None:
    """Sixteen times the lines may take thirty times the time, on any machine; and each hit is counted."""
    mark = uuid4().hex
    logs = {}
    for size in (SHORT, LONG):
        logs[size] = make_log(*(f"file {n}: {mark if n % 50 == 7 else 'copied'}" for n in range(size)))
    query = LogQuery(mark.upper())
    small = seconds(logs[SHORT], query, (0, 1, SHORT // 2), SHORT // 50)
    assert seconds(logs[LONG], query, (0, 1, LONG // 2), LONG // 50) < 30 * max(small, 0.002)
    found = find_line(VIEWER, logs[LONG], query, (0, 1, 99_907))
    assert (found.index, found.line) == (1999, (0, 1, 99_908))
    last = list_hits(VIEWER, logs[LONG], query, 10)
    assert (last.total, last.pages, last.lines[-1].seq) == (2000, 10, 99_958)
