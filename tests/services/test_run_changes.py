"""Which runs have changed: told once each, by a query that does not grow with the number of runs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import VIEWER, make_run
from workflows_app.domain.errors import NotAllowed
from workflows_app.models import Run, RunMessage
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.runs.run_changes import RunChanges, RunNews, add_last_lines, get_news
from workflows_app.services.runs.runs import list_runs

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


def say(run: Run, seq: int, text: str, step: int = 0) -> None:
    RunMessage.objects.create(run=run, step=step, attempt=1, seq=seq, time=NOW, level="INFO", text=text)


def close(run: Run, **changes: object) -> None:
    Run.objects.filter(pk=run.pk).update(finished=NOW, status="COMPLETED", **changes)


def numbers(news: list[RunNews]) -> list[int]:
    return [item.run.number for item in news]


def test_the_first_look_tells_what_may_still_change() -> None:
    make_run(finished=NOW, status="ERROR")
    running, guarded = make_run(), make_run(finished=NOW, status="TERMINATED", guarded=True)
    changes = RunChanges()
    assert numbers(changes.look()) == [running.pk, guarded.pk]
    assert changes.look() == []
    assert changes.look() == []


def test_each_change_is_told_once() -> None:
    changes = RunChanges()
    assert changes.look() == []
    run = make_run()
    assert numbers(changes.look()) == [run.pk]
    say(run, 1, "copying a")
    assert [item.said for item in changes.look()] == ["copying a"]
    say(run, 2, "copying b")
    say(run, 1, "archived", step=3)
    assert [item.said for item in changes.look()] == ["archived"]
    assert changes.look() == []
    close(run, backup_bytes=9)
    (closed,) = changes.look()
    assert (closed.run.state.closed, closed.run.backup_bytes, closed.said) == (True, 9, "")
    assert [changes.look() for _ in range(3)] == [[], [], []]


def test_a_run_that_came_and_went_between_two_looks_is_told() -> None:
    changes = RunChanges()
    changes.look()
    run = make_run(finished=NOW, status="ERROR")
    assert numbers(changes.look()) == [run.pk]
    assert changes.look() == []


def test_a_closed_run_that_somebody_thaws_is_told_again() -> None:
    progress = {"frozen_since": NOW.isoformat(), "still_frozen": ["unquiesce-plugin"], "state": "TERMINATED"}
    run = make_run(finished=NOW, status="TERMINATED", progress=progress)
    changes = RunChanges()
    assert changes.look() == []
    Run.objects.filter(pk=run.pk).update(guarded=True)
    assert numbers(changes.look()) == [run.pk]
    Run.objects.filter(pk=run.pk).update(guarded=False, progress={**progress, "still_frozen": []})
    (thawed,) = changes.look()
    assert thawed.run.frozen_since is None
    assert changes.look() == []


def test_a_look_is_two_queries_and_settled_runs_make_it_no_dearer() -> None:
    run = make_run()
    Run.objects.bulk_create(
        Run(
            workflow_id="w", run_id=str(n), profile="p", config="c", policy="d", requested_by="o",
            status="COMPLETED", started=NOW - timedelta(days=n), finished=NOW,
        )
        for n in range(300)
    )  # fmt: skip
    changes = RunChanges()
    changes.look()
    say(run, 1, "one")
    with CaptureQueriesContext(connection) as queries:
        assert numbers(changes.look()) == [run.pk]
    assert len(queries) == 2
    if connection.vendor != "sqlite":
        return
    plan = []
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan += [row[3] for row in cursor.fetchall()]
    scans = {step for step in plan if step.startswith("SCAN")}
    assert scans <= {f"SCAN workflows_app_run USING INDEX run_{kind}" for kind in ("open", "guarded")}


def test_news_of_single_runs_need_the_right() -> None:
    run, other = make_run(), make_run()
    say(run, 1, "so far so good")
    assert {n: item.said for n, item in get_news(VIEWER, [run.pk, other.pk, 424242]).items()} == {
        run.pk: "so far so good",
        other.pk: "",
    }
    with pytest.raises(NotAllowed):
        get_news(NOBODY, [run.pk])


def test_a_page_of_runs_gets_the_last_lines_of_those_that_are_open() -> None:
    closed, run = make_run(finished=NOW, status="ERROR"), make_run()
    say(closed, 1, "over")
    say(run, 1, "at it")
    news = add_last_lines(list_runs(VIEWER).runs)
    assert [(item.run.number, item.said) for item in news] == [(run.pk, "at it"), (closed.pk, "")]
