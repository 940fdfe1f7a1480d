"""Finding runs: every filter and order, words and phrases in all messages, and how much it may cost."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import VIEWER, make_run
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.states import RunState
from workflows_app.models import Run, RunMessage
from workflows_app.services.logs.message_words import Phrase, parse_words
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.runs import run_search
from workflows_app.services.runs.run_search import RunOrder, RunQuery, count_newer, find_runs

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def closed(day: float = 0, seconds: float = 60, **changes: object) -> int:
    start = DAY + timedelta(days=day)
    given = {"status": "COMPLETED", "started": start, "finished": start + timedelta(seconds=seconds)}
    return make_run(**(given | changes)).pk


def say(run: int, *texts: str) -> None:
    RunMessage.objects.bulk_create(
        RunMessage(run_id=run, step=0, attempt=1, seq=seq, time=DAY, level="INFO", text=text)
        for seq, text in enumerate(texts, 1)
    )


def found(page: int = 1, per_page: int = 50, **query: object) -> list[int]:
    return [run.number for run in find_runs(VIEWER, RunQuery(**query), page, per_page).runs]


def test_every_filter_narrows() -> None:
    a = closed(profile="shop", config="orders", policy="daily")
    b = closed(1, profile="shop", config="users", policy="weekly", status="ERROR")
    c = closed(2.9, profile="mail", config="orders", policy="daily", type="restore")
    assert found() == [c, b, a]
    assert found(profile="shop") == [b, a]
    assert found(config="orders") == [c, a]
    assert found(policy="weekly") == [b]
    assert found(type="restore") == [c]
    assert found(state=RunState.ERROR) == [b]
    assert found(first=date(2026, 11, 21)) == [c, b]
    assert found(last=date(2026, 11, 21)) == [b, a]
    assert found(first=date(2026, 11, 22), last=date(2026, 11, 22)) == [c]
    assert found(last=date.max) == [c, b, a]
    assert found(profile="shop", policy="daily") == [a]
    assert found(profile="none") == []


def test_every_order_goes_both_ways_and_what_has_no_figure_comes_last() -> None:
    short, long = closed(0, 10, backup_bytes=500), closed(1, 300, backup_bytes=20)
    running = make_run(started=DAY + timedelta(days=2)).pk
    assert found(order=RunOrder.STARTED) == [running, long, short]
    assert found(order=RunOrder.STARTED, ascending=True) == [short, long, running]
    assert found(order=RunOrder.DURATION) == [long, short, running]
    assert found(order=RunOrder.DURATION, ascending=True) == [short, long, running]
    assert found(order=RunOrder.SIZE) == [short, long, running]
    assert found(order=RunOrder.SIZE, ascending=True) == [long, short, running]


def test_the_duration_is_reckoned_by_the_database() -> None:
    run = make_run(started=DAY)
    assert run.seconds is None
    Run.objects.filter(pk=run.pk).update(finished=DAY + timedelta(hours=30, milliseconds=250))
    run.refresh_from_db()
    assert run.seconds == pytest.approx(30 * 3600 + 0.25, abs=0.002)


def test_pages_are_whole_and_the_last_one_answers_for_those_beyond() -> None:
    numbers = [closed(n / 100) for n in range(7)][::-1]
    assert [found(page, 3) for page in (1, 2, 3)] == [numbers[:3], numbers[3:6], numbers[6:]]
    last = find_runs(VIEWER, RunQuery(), 99, 3)
    assert (last.page, last.pages, last.total, last.more) == (3, 3, 7, False)
    assert find_runs(VIEWER, RunQuery(), -4, 3).page == 1


def test_a_count_ends_somewhere_and_says_so(monkeypatch) -> None:
    monkeypatch.setattr(run_search, "COUNTED", 4)
    for n in range(6):
        closed(n / 100)
    answer = find_runs(VIEWER, RunQuery(), 9, 3)
    assert (answer.total, answer.more, answer.pages, len(answer.runs)) == (4, True, 2, 1)


def test_only_those_who_may_view_find_anything() -> None:
    with pytest.raises(NotAllowed):
        find_runs(NOBODY, RunQuery())
    with pytest.raises(NotAllowed):
        count_newer(NOBODY, RunQuery(), 0)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("", ()), ("  -- ", ()), ('""', ()), ("Backup", (Phrase(("backup",), True),)),
        ("disk full", (Phrase(("disk",), True), Phrase(("full",), True))),
        ('"No space left"', (Phrase(("no", "space", "left"), False),)),
        ('"never closed', (Phrase(("never", "closed"), False),)),
        ("files-daily-12", (Phrase(("files", "daily", "12"), True),)),
        ("/var/lib x_y", (Phrase(("var", "lib"), True), Phrase(("x", "y"), True))),
        ("GRÖSSE: \x00 1'2\"3\" OR", (
            Phrase(("grösse",), True), Phrase(("1", "2"), True), Phrase(("3",), False), Phrase(("or",), True),
        )),
    ],
)  # fmt: skip
def test_a_text_is_words_and_phrases(text: str, phrases: tuple[Phrase, ...]) -> None:
    assert parse_words(text) == phrases


SAID = [
    ("back", [1]), ("BACKUP files", [1]), ("up", []), ('"files daily"', [1]), ('"daily files"', []),
    ('"back"', []), ("space", [2]), ('"no space left"', [2]), ('"no spa"', []), ("no spa", [2]),
    ("größe", [2]), ("GRÖ", [2]), ("lib/app/x", [1, 2]), ("app nothing", []), ("14", [1]),
    ("NEAR(a b) OR space* ^ - : ( \" ' \\ & | ! <-> 100%", []), ("--", []), ("or and not", []), ("\x00", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "runs"), SAID)
def test_runs_are_found_by_what_they_said(text: str, runs: list[int]) -> None:
    first, second, _ = closed(0), closed(1), closed(2)
    say(first, "Performing backup of files-daily-14", "copied /var/lib/app/x.tar")
    say(second, "ERROR: No space left on device", "Größe 12 GiB", "skipped lib_app.x")
    assert found(text=text) == [{1: first, 2: second}[n] for n in reversed(runs)]


def test_words_and_filters_go_together() -> None:
    kinds = [(profile, status) for profile in "ab" for status in ("ERROR", "COMPLETED")]
    runs = [closed(n, profile=profile, status=status) for n, (profile, status) in enumerate(kinds)]
    for run in runs:
        say(run, "no space left")
    assert found(text="space", profile="a", state=RunState.ERROR) == [runs[0]]
    assert found(text="space", first=date(2026, 11, 22), ascending=True) == runs[2:]


def test_the_index_follows_every_change_of_the_messages() -> None:
    run, other = closed(), closed(1)
    say(run, "apples")
    say(other, "apples")
    RunMessage.objects.filter(run=run).update(text="pears")
    assert (found(text="apples"), found(text="pears")) == ([other], [run])
    RunMessage.objects.filter(run=other).delete()
    assert found(text="apples") == []
    Run.objects.filter(pk=run).delete()
    assert found(text="pears") == []
    say(other, "pears again")
    assert found(text="pears") == [other]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")


def test_only_the_newest_of_very_many_lines_are_looked_through(monkeypatch) -> None:
    monkeypatch.setattr(run_search, "SEARCHED_LINES", 3)
    old, new = closed(), closed(1)
    say(old, "same", "same")
    say(new, "same", "same", "same")
    answer = find_runs(VIEWER, RunQuery(text="same"))
    assert ([run.number for run in answer.runs], answer.searched) == ([new], 3)
    assert find_runs(VIEWER, RunQuery(text="same", profile="nobody")).searched is None


def test_newer_runs_are_counted_as_far_as_they_fit() -> None:
    old = closed(profile="shop")
    new = [closed(n, profile=p) for n, p in enumerate(("shop", "mail", "shop"))]
    say(new[0], "no space")
    assert count_newer(VIEWER, RunQuery(), old) == 3
    assert count_newer(VIEWER, RunQuery(profile="shop"), old) == 2
    assert count_newer(VIEWER, RunQuery(profile="shop"), new[0]) == 1
    assert count_newer(VIEWER, RunQuery(text="space"), old) == 1


def test_a_very_long_line_is_stored_and_found_by_its_beginning() -> None:
    run = closed()
    say(run, "beginning " + " ".join(f"w{n}" for n in range(150_000)))
    assert found(text="beginning") == [run]


def many_runs(count: int) -> None:
    Run.objects.bulk_create(
        (
            Run(
                workflow_id=f"fossul/p{n % 20}/c{n % 100}", run_id=f"many-{n}", profile=f"p{n % 20}",
                config=f"c{n % 100}", policy="daily" if n % 7 else "weekly", requested_by="olga",
                type="backup" if n % 50 else "restore", status="ERROR" if n % 997 == 0 else "COMPLETED",
                started=DAY - timedelta(minutes=n), finished=DAY - timedelta(minutes=n, seconds=-(n % 500)),
                backup_bytes=(n * 7919) % 10_000_019, progress={"filling": "x" * 2000},
            )
            for n in range(count)
        ),
        batch_size=2000,
    )  # fmt: skip


QUERIES = [
    RunQuery(),
    RunQuery(state=RunState.ERROR),
    RunQuery(profile="p3", policy="weekly"),
    RunQuery(state=RunState.ERROR, order=RunOrder.DURATION),
    RunQuery(order=RunOrder.SIZE, ascending=True),
    RunQuery(first=date(2026, 11, 1), last=date(2026, 11, 2), order=RunOrder.SIZE),
    RunQuery(type="restore", profile="p0", ascending=True),
]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it reads SQLite's plans")
def test_no_list_of_runs_scans_their_rows() -> None:
    many_runs(3000)
    for query in QUERIES:
        with CaptureQueriesContext(connection) as queries:
            find_runs(VIEWER, query, 2)
        assert len(queries) <= 3
        with connection.cursor() as cursor:
            for asked in queries:
                cursor.execute(f"EXPLAIN QUERY PLAN {asked['sql']}")
                steps = [row[3] for row in cursor.fetchall()]
                assert not [s for s in steps if s == "SCAN workflows_app_run"], query
