"""What was due while Temporal itself was away is seen by everyone: a real server, away and back again."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually, running_worker
from tests.factories import ADMIN, VIEWER, make_run
from tests.services.schedules import key_of, scheduled, stored_config
from tests.services.temporal_process import TemporalProcess, own_temporal
from workflows_app.domain.schedules.cron import parse_cron
from workflows_app.domain.schedules.schedules import ScheduleKey, Timing
from workflows_app.models import Run, ScheduleWatch
from workflows_app.services.recording import missed_runs
from workflows_app.services.runs import runs
from workflows_app.services.schedules import schedule_lists, schedules
from workflows_app.services.temporal.client import temporal

__all__ = ["own_temporal"]

pytestmark = pytest.mark.django_db(transaction=True)

EVERY, LATE = 4, 10


def often() -> Timing:
    return Timing(parse_cron(f"@every {EVERY}s"), ZoneInfo("UTC"), catch_up_seconds=LATE)


async def started(key: ScheduleKey) -> list[datetime]:
    async with temporal() as client:
        found = await schedule_lists._expected(client, f"TemporalScheduledById = '{key.id}'", 500)
    return [one.due for one in found]


async def missed(key: ScheduleKey) -> list[Run]:
    rows = Run.objects.filter(profile=key.profile, config=key.config, status="MISSED")
    return [run async for run in rows.order_by("started")]


async def test_each_run_that_was_due_while_temporal_was_away_is_started_late_or_missed_once(
    own_temporal: TemporalProcess, task_queue: str, monkeypatch
):
    monkeypatch.setattr("workflows_app.domain.schedules.cron.SHORTEST_EVERY", 1)
    await own_temporal.start()
    key = key_of(await stored_config(preAppQuiesceCmd="echo,x"))
    async with running_worker(task_queue):
        await schedules.create_schedule(ADMIN, key, often())
        await eventually(Run.objects.filter(status="COMPLETED").aexists, 30)
        own_temporal.stop()
        back_at = datetime.now(UTC) + timedelta(seconds=LATE + 3 * EVERY)
        await eventually(lambda: datetime.now(UTC) > back_at, 60)
        await own_temporal.start()

        async def recorded() -> bool:
            found = await schedule_lists.get_schedule(VIEWER, key)
            return found.missed > 0 and len(await missed(key)) == found.missed

        await eventually(recorded, 180)
        after = datetime.now(UTC) + timedelta(seconds=EVERY)
        await eventually(lambda: datetime.now(UTC) > after)
        await schedules.pause_schedule(ADMIN, key, "enough was seen")
        created = (await schedule_lists.get_schedule(VIEWER, key)).created

        async def accounted() -> bool:
            moments = [*(await started(key)), *(run.started for run in await missed(key))]
            due = list(takewhile(lambda moment: moment < after, often().due_after(created)))
            return sorted(moment for moment in moments if moment < after) == due

        await eventually(accounted)
    gone = await missed(key)
    assert all(run.requested_by == "schedule nightly" and run.finished == run.started for run in gone)
    assert "Temporal itself was away" in gone[0].failure
    latest = (await sync_to_async(runs.latest_runs)(VIEWER))[key.profile, key.config]
    assert latest.started > gone[-1].started, "what ran later is the last run"

    # Several workers at once, and one that has forgotten what it saw, make no row twice.
    before = [run.pk for run in gone]
    await ScheduleWatch.objects.all().adelete()
    await asyncio.gather(*(missed_runs.record_missed() for _ in range(3)))
    assert [run.pk for run in await missed(key)] == before


async def test_a_schedule_that_drops_nothing_gets_no_row(temporal_settings):
    key = await scheduled()

    async def watched() -> ScheduleWatch | None:
        assert not await missed_runs.record_missed()  # Temporal lists a new schedule a moment later
        return await ScheduleWatch.objects.filter(schedule=key.id).afirst()

    watch = await eventually(watched)
    assert (watch.missed, await missed(key)) == (0, [])
    assert not await Run.objects.aexists()


async def test_a_year_of_minutes_is_settled_at_once_and_holds_nothing_up(temporal_settings):
    key = key_of(await stored_config())
    # Not in the seconds after a full minute, when what was due then has to wait.
    now = datetime.now(UTC).replace(second=30)
    timing = Timing(parse_cron("* * * * *"), ZoneInfo("Europe/Berlin"), catch_up_seconds=3600)
    found = missed_runs._Look(key, timing, 500_000, now - timedelta(days=365))
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - begun)

    ticking, begun = asyncio.create_task(tick()), time.monotonic()
    async with temporal() as client:
        assert await missed_runs._record(client, found, None, now)
    took = time.monotonic() - begun
    ticking.cancel()
    rows = [run.started for run in await missed(key)]
    assert len(rows) == missed_runs.MOST
    assert rows[-1] == (now - timedelta(hours=1)).replace(second=0, microsecond=0)
    assert rows[0] == rows[-1] - timedelta(minutes=missed_runs.MOST - 1)
    assert longest < 0.5
    assert took < 5


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pauses", "hours"),
    [
        ([], range(1, 7)),
        ([(at(3), at(4))], [1, 2, 5, 6]),
        ([(at(2, 30), at(3, 30)), (at(5, 30), None)], [1, 2, 4, 5]),
        ([(at(0), at(2, 30))], range(3, 7)),
        ([(at(0), None)], []),
        ([(at(9), at(10))], range(1, 7)),
        ([(at(1), at(1)), (at(6), at(6))], range(2, 6)),
    ],
)
def test_what_was_due_while_a_schedule_was_paused_was_not_expected(pauses, hours):
    hourly = Timing(parse_cron("0 * * * *"), ZoneInfo("UTC"))
    spans = missed_runs._expected_spans(at(0), at(6, 30), pauses)
    assert missed_runs._last_dropped(hourly, spans, (), 100) == [at(hour) for hour in hours]
    last_but_started = missed_runs._last_dropped(hourly, spans, {at(4)}, 2)
    assert last_but_started == [at(hour) for hour in hours if hour != 4][-2:]


@pytest.mark.parametrize("status", ["COMPLETED", "RUNNING"])
def test_a_run_that_was_missed_before_the_last_one_is_not_the_last_one(status):
    now = datetime.now(UTC)
    last = make_run(status=status, started=now)
    make_run(config=last.config, status="MISSED", started=now - timedelta(hours=1), finished=now)
    assert runs.latest_runs(VIEWER)["test", last.config].number == last.pk
    newer = make_run(config=last.config, status="MISSED", started=now + timedelta(hours=1), finished=now)
    assert runs.latest_runs(VIEWER)["test", last.config].number == newer.pk
