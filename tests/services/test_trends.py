"""Trends as they are read from the record of runs: which runs count, where they belong, at what price."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import VIEWER, make_catalog, make_run
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.runs.trends import HISTORY, STRIP_DAYS, ConfigTrend
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Run
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.protection.trends import get_trend, list_trends

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def backups(config: BackupConfig, count: int, **changes: object) -> list[Run]:
    """Completed backups of a minute and 1,000 bytes each, one an hour, the last an hour ago."""
    given = {"policy": "daily", "status": "COMPLETED", "backup_bytes": 1000, **changes}
    runs = []
    for ago in range(count, 0, -1):
        started = NOW - timedelta(hours=ago)
        run = make_run(profile=config.profile.name, config=config.name, started=started, **given)
        run.finished = started + timedelta(minutes=1)
        runs.append(run)
    Run.objects.bulk_update(runs, ["finished"])
    return runs


def trend(config: BackupConfig) -> ConfigTrend:
    return get_trend(VIEWER, config.profile.name, config.name, NOW)


def test_a_backup_is_read_with_its_number_its_seconds_and_its_bytes() -> None:
    config = make_catalog()
    started = datetime(2026, 11, 24, 3, 0, 0, 250_000, tzinfo=UTC)
    run = make_run(
        profile=config.profile.name,
        config=config.name,
        status="COMPLETED",
        started=started,
        finished=started + timedelta(seconds=90.5),
        backup_bytes=2**40,
    )
    found = trend(config).policies[0].history
    assert [(b.number, b.started, b.seconds, b.size) for b in found] == [(run.pk, started, 90.5, 2**40)]


def test_every_policy_has_its_own_history_in_the_order_of_the_configuration() -> None:
    config = make_catalog()
    weekly = backups(config, 2, policy="weekly")
    daily = backups(config, 3)
    found = trend(config)
    assert [p.policy for p in found.policies] == ["daily", "weekly"]
    assert [[b.number for b in p.history] for p in found.policies] == [
        [run.pk for run in daily],
        [run.pk for run in weekly],
    ]
    assert found.current == found.policies[0]


@pytest.mark.parametrize(
    "changes", [{"status": "ERROR"}, {"status": "CANCELLED"}, {"type": "restore"}, {"config": "another"}]
)
def test_what_is_no_completed_backup_of_it_has_no_place_in_the_history(changes: dict[str, str]) -> None:
    config = make_catalog()
    make_run(
        **{
            "profile": config.profile.name,
            "config": config.name,
            "status": "COMPLETED",
            "finished": NOW,
            **changes,
        }
    )
    assert [policy.history for policy in trend(config).policies] == [(), ()]


def test_an_open_run_and_a_size_that_nobody_told_are_no_trouble() -> None:
    config = make_catalog()
    backups(config, 1, backup_bytes=None)
    make_run(profile=config.profile.name, config=config.name, started=NOW)
    found = trend(config)
    assert [b.size for b in found.policies[0].history] == [None]
    assert found.days[-1].counts == {RunState.COMPLETED: 1, RunState.RUNNING: 1}


def test_a_history_is_the_newest_backups_and_no_more() -> None:
    config = make_catalog()
    runs = backups(config, HISTORY + 5)
    assert [b.number for b in trend(config).policies[0].history] == [run.pk for run in runs[5:]]


def test_the_newest_backup_is_judged_alike_for_one_configuration_and_for_all() -> None:
    config = make_catalog()
    runs = backups(config, HISTORY)
    Run.objects.filter(pk=runs[-1].pk).update(backup_bytes=10)
    one = trend(config)
    place = (config.profile.name, config.name)
    among_all = list_trends(VIEWER, NOW)[place]
    assert one.policies[0].newest == among_all.policies[0].newest
    assert one.policies[0].newest.smaller
    assert one.policies[0].recent == among_all.policies[0].recent
    assert one.days == among_all.days


def test_days_count_backups_by_state_and_leave_restores_out() -> None:
    config = make_catalog()
    common = {"profile": config.profile.name, "config": config.name}
    for started, status, kind in [
        (NOW, "RUNNING", "backup"),
        (NOW.replace(hour=0, minute=0), "COMPLETED", "backup"),
        (NOW.replace(hour=0, minute=0) - timedelta(microseconds=1), "ERROR", "backup"),
        (NOW - timedelta(days=1), "COMPLETED", "backup"),
        (NOW - timedelta(days=2), "ERROR", "restore"),
        (NOW - timedelta(days=STRIP_DAYS - 1), "UNKNOWN", "backup"),
        (NOW - timedelta(days=STRIP_DAYS), "ERROR", "backup"),
    ]:
        make_run(started=started, status=status, type=kind, **common)
    days = trend(config).days
    assert len(days) == STRIP_DAYS
    assert days[-1].day == NOW.date()
    assert [(day.day.isoformat(), dict(day.counts)) for day in days if day.counts] == [
        ("2026-10-26", {RunState.UNKNOWN: 1}),
        ("2026-11-23", {RunState.ERROR: 1, RunState.COMPLETED: 1}),
        ("2026-11-24", {RunState.RUNNING: 1, RunState.COMPLETED: 1}),
    ]


def test_days_are_those_of_the_servers_time_zone_also_where_one_has_25_hours(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    config = make_catalog()
    # The clock goes back on 2026-10-25, whose last hour in UTC is 22.
    for moment in ("2026-10-24T21:59Z", "2026-10-24T22:00Z", "2026-10-25T22:59Z", "2026-10-25T23:00Z"):
        make_run(
            profile=config.profile.name,
            config=config.name,
            started=datetime.fromisoformat(moment),
            status="COMPLETED",
        )
    now = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)
    days = get_trend(VIEWER, config.profile.name, config.name, now).days
    assert [(day.day.isoformat(), sum(day.counts.values())) for day in days[-3:]] == [
        ("2026-10-24", 1),
        ("2026-10-25", 2),
        ("2026-10-26", 1),
    ]


def test_a_configuration_that_never_ran_and_one_that_does_not_exist_have_empty_days() -> None:
    config = make_catalog()
    assert all(day.worst is None for day in trend(config).days)
    assert trend(config).current is None
    nowhere = get_trend(VIEWER, f"p-{uuid4().hex[:8]}", "nothing", NOW)
    assert len(nowhere.days) == STRIP_DAYS
    assert nowhere.policies == ()


def test_nobody_without_the_right_sees_trends() -> None:
    config = make_catalog()
    with pytest.raises(NotAllowed):
        list_trends(NOBODY, NOW)
    with pytest.raises(NotAllowed):
        get_trend(NOBODY, config.profile.name, config.name, NOW)


def test_all_configurations_cost_two_queries_and_one_for_their_names() -> None:
    for _ in range(5):
        backups(make_catalog(), 12)
    with CaptureQueriesContext(connection) as asked:
        found = list_trends(VIEWER, NOW)
    assert len(asked) == 3
    assert sum(len(policy.history) for trend in found.values() for policy in trend.policies) >= 60


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_no_query_reads_the_runs_without_an_index() -> None:
    backups(make_catalog(), 1)
    with CaptureQueriesContext(connection) as asked:
        list_trends(VIEWER, NOW)
    plans = []
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plans += [row[3] for row in cursor.fetchall() if "workflows_app_run" in row[3] or "U0" in row[3]]
    assert any("COVERING INDEX run_by_day (type=? AND started>?)" in plan for plan in plans), plans
    seeks = ("run_completed (profile=? AND config=? AND policy=?)", "run_by_outcome (profile=? AND config=?")
    assert any(seek in plan for plan in plans for seek in seeks), plans
