"""Schedules on a real Temporal, with the product's worker: made, used, and what becomes of their runs."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from asgiref.sync import sync_to_async
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowExecutionStatus,
)
from temporalio.testing import ActivityEnvironment

from tests.conftest import eventually, running_worker
from tests.factories import ADMIN, OPERATOR, VIEWER
from tests.services.schedules import expected_runs, key_of, scheduled, stored_config, timing
from workflows_app.activities.schedules import ScheduleRecordActivities
from workflows_app.contracts.schedules import ExpectedRun
from workflows_app.domain import naming
from workflows_app.domain.config import WhenBusy
from workflows_app.domain.errors import ConfigInvalid, NotAllowed, NotFound, NotNow, TemporalUnavailable
from workflows_app.domain.schedules.schedules import ScheduleKey
from workflows_app.domain.states import RunState
from workflows_app.models import AuditEntry, BackupConfig, Policy, Run
from workflows_app.services.runs import queue, starts
from workflows_app.services.schedules import schedule_lists, schedules
from workflows_app.services.schedules.schedule_specs import schedule_of
from workflows_app.services.temporal.client import temporal

pytestmark = pytest.mark.django_db(transaction=True)


async def last(key: ScheduleKey, count: int = 1) -> tuple[schedule_lists.Expected, ...]:
    """Wait until Temporal lists ``count`` expected runs whose run is known; answer them, the newest first."""

    async def known() -> tuple[schedule_lists.Expected, ...] | None:
        found = (await schedule_lists.get_schedule(VIEWER, key)).last
        return found if len(found) == count and all(one.run for one in found) else None

    return await eventually(known, 30)


async def actions(key: ScheduleKey) -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(profile=key.profile, config=key.config, action__contains="schedule")
    return [(e.actor, e.action, e.details) async for e in entries.order_by("pk")]


async def test_a_schedule_is_kept_by_temporal_as_it_was_written(temporal_settings):
    key = key_of(await stored_config())
    written = timing("TZ=Europe/Berlin 30 2 1,15 * MON", jitter="5m", catch_up="2h", when_busy="queue")
    await schedules.create_schedule(ADMIN, key, written)
    found = await schedule_lists.get_schedule(VIEWER, key)
    assert found.timing == written
    assert (found.timing.cron.text, found.timing.zone.key) == ("30 2 1,15 * MON", "Europe/Berlin")
    assert found.timing.when_busy is WhenBusy.QUEUE
    assert found.words == "at 02:30 on days 1 and 15 of the month and on Monday"
    assert (found.paused, found.missed, found.last) == (False, 0, ())
    assert len(found.next_times) == 10
    assert await actions(key) == [
        ("ada", "made a schedule of", "daily/nightly: 30 2 1,15 * MON, Europe/Berlin")
    ]


async def test_schedules_are_listed_of_their_configuration_and_their_queue_alone(temporal_settings, settings):
    config = await stored_config()
    first, second = key_of(config, "first"), key_of(config, "second", "weekly")
    await schedules.create_schedule(ADMIN, first, timing("@every 90m"))
    await schedules.create_schedule(ADMIN, second, timing("0 3 * * *", "Europe/Berlin"))
    await scheduled()

    async def listed() -> list[schedule_lists.ScheduleSummary] | None:
        found = await schedule_lists.list_schedules(VIEWER, config.profile.name, config.name)
        return list(found) if len(found) == 2 else None

    found = {one.key: one for one in await eventually(listed)}
    assert set(found) == {first, second}
    assert (found[first].text, found[first].words) == (
        "@every 5400s",
        "every 1 h 30 m, counted from midnight UTC",
    )
    assert (found[second].text, found[second].words, found[second].zone) == (
        "0 3 * * *",
        "at 03:00 every day",
        "Europe/Berlin",
    )
    assert found[second].next_time and found[second].next_time > datetime.now(UTC)
    settings.TEMPORAL_TASK_QUEUE = "another"
    assert await schedule_lists.list_schedules(VIEWER, config.profile.name) == ()
    with pytest.raises(NotFound):
        await schedule_lists.get_schedule(VIEWER, first)
    with pytest.raises(NotFound):
        await schedules.delete_schedule(ADMIN, first, "first")


async def test_a_schedule_of_somebody_else_is_never_touched(temporal_settings):
    key = key_of(await stored_config())
    action = ScheduleActionStartWorkflow("theirs", id="theirs", task_queue=temporal_settings)
    async with temporal() as client:
        theirs = await client.create_schedule(key.id, Schedule(action=action, spec=ScheduleSpec()))
    with pytest.raises(ConfigInvalid, match="already"):
        await schedules.create_schedule(ADMIN, key, timing())
    for use in (
        schedules.delete_schedule(ADMIN, key, "nightly"),
        schedules.pause_schedule(ADMIN, key, "why not"),
        schedules.run_now(ADMIN, key),
        schedules.change_schedule(ADMIN, key, timing()),
        schedule_lists.get_schedule(ADMIN, key),
    ):
        with pytest.raises(NotFound, match="no schedule 'nightly'"):
            await use
    found = await theirs.describe()
    assert (found.schedule.state.paused, found.info.num_actions) == (False, 0)
    assert await actions(key) == []


async def test_who_may_do_what(temporal_settings):
    key = await scheduled()
    now = datetime.now(UTC)
    for use in (
        schedules.create_schedule(OPERATOR, key, timing()),
        schedules.change_schedule(OPERATOR, key, timing()),
        schedules.delete_schedule(OPERATOR, key, "nightly"),
        schedules.pause_schedule(VIEWER, key, "why"),
        schedules.resume_schedule(VIEWER, key),
        schedules.run_now(VIEWER, key),
        schedules.backfill_schedule(VIEWER, key, now - timedelta(days=1), now),
    ):
        with pytest.raises(NotAllowed):
            await use


async def test_what_makes_no_sense_makes_no_schedule(temporal_settings):
    config = await stored_config()
    with pytest.raises(NotFound, match="no policy 'hourly'"):
        await schedules.create_schedule(ADMIN, key_of(config, policy="hourly"), timing())
    with pytest.raises(NotFound, match="no configuration 'gone'"):
        await schedules.create_schedule(
            ADMIN, ScheduleKey(config.profile.name, "gone", "daily", "nightly"), timing()
        )
    with pytest.raises(ConfigInvalid, match="name"):
        await schedules.create_schedule(ADMIN, key_of(config, "../other"), timing())
    await schedules.create_schedule(ADMIN, key_of(config), timing())
    with pytest.raises(ConfigInvalid, match="already"):
        await schedules.create_schedule(ADMIN, key_of(config), timing())
    assert len(await actions(key_of(config))) == 1


async def test_a_schedule_is_paused_with_a_note_changed_resumed_and_deleted(temporal_settings):
    key = await scheduled()
    with pytest.raises(ConfigInvalid, match="note"):
        await schedules.pause_schedule(OPERATOR, key, "  ")
    await schedules.pause_schedule(OPERATOR, key, "the disks are exchanged")
    paused = await schedule_lists.get_schedule(VIEWER, key)
    assert (paused.paused, paused.note, paused.next_times) == (True, "the disks are exchanged (olga)", ())
    await schedules.change_schedule(ADMIN, key, timing("0 4 * * *", "America/New_York"))
    changed = await schedule_lists.get_schedule(VIEWER, key)
    assert changed.paused, "a change does not resume"
    assert changed.timing == timing("0 4 * * *", "America/New_York")
    await schedules.resume_schedule(OPERATOR, key)
    resumed = await schedule_lists.get_schedule(VIEWER, key)
    assert (resumed.paused, len(resumed.next_times)) == (False, 10)
    with pytest.raises(ConfigInvalid, match="typed"):
        await schedules.delete_schedule(ADMIN, key, "night")
    await schedules.delete_schedule(ADMIN, key, "nightly")
    with pytest.raises(NotFound):
        await schedule_lists.get_schedule(VIEWER, key)
    assert [action for _, action, _ in await actions(key)] == [
        "made a schedule of",
        "paused a schedule of",
        "changed a schedule of",
        "resumed a schedule of",
        "deleted a schedule of",
    ]


async def test_with_temporal_away_there_are_words(temporal_settings, settings):
    key = await scheduled()
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    for use in (
        schedule_lists.list_schedules(VIEWER),
        schedule_lists.get_schedule(VIEWER, key),
        schedules.run_now(OPERATOR, key),
        schedules.create_schedule(ADMIN, ScheduleKey(key.profile, key.config, "daily", "two"), timing()),
    ):
        with pytest.raises(TemporalUnavailable, match="does not answer"):
            await use


async def test_run_now_backs_up_with_the_configuration_of_that_moment(worker):
    config = await stored_config(preAppQuiesceCmd="echo,before")
    key = await scheduled(config)
    await BackupConfig.objects.filter(pk=config.pk).aupdate(settings={"preAppQuiesceCmd": "echo,after"})
    await schedules.run_now(OPERATOR, key)
    (run,) = await expected_runs(key)
    assert (run.status, run.policy, run.requested_by) == ("COMPLETED", "daily", "schedule nightly")
    said = [m.text async for m in run.messages.all()]
    assert "after" in said
    assert "before" not in said
    (done,) = await last(key)
    assert done.run and (done.run.number, done.run.state) == (run.pk, RunState.COMPLETED)
    assert await actions(key) == [
        ("ada", "made a schedule of", "daily/nightly: 0 3 1 1 *, UTC"),
        ("olga", "ran a schedule now of", "daily/nightly"),
    ]


async def test_two_that_are_asked_for_at_the_same_time_are_two_runs(worker):
    key = await scheduled(await stored_config(preAppQuiesceCmd="echo,x"))
    await asyncio.gather(schedules.run_now(OPERATOR, key), schedules.run_now(ADMIN, key))
    assert len(await expected_runs(key, 2)) == 2
    assert len({one.run.number for one in await last(key, 2) if one.run}) == 2


async def test_whoever_asks_too_often_is_told(temporal_settings, monkeypatch):
    monkeypatch.setattr(schedules, "LONGEST_TURN", 0.5)
    key = await scheduled()
    await schedules.run_now(OPERATOR, key)
    with pytest.raises(NotNow, match="just now"):
        await schedules.run_now(OPERATOR, key)


async def test_it_runs_when_it_is_due(worker):
    key = key_of(await stored_config(preAppQuiesceCmd="echo,x"))
    before = datetime.now(UTC)
    await schedules.create_schedule(ADMIN, key, timing("* * * * *"))
    (run,) = await expected_runs(key, timeout=90)
    await schedules.delete_schedule(ADMIN, key, "nightly")
    assert run.status == "COMPLETED"
    (done,) = await last_of_deleted(key)
    assert done.due.second == 0
    assert before < done.due <= run.started


async def last_of_deleted(key: ScheduleKey):
    async with temporal() as client:
        asked = await schedule_lists._expected(client, f"TemporalScheduledById = '{key.id}'", 5)
    return asked[-1:]


async def test_a_backup_that_fails_is_a_failed_run_and_a_failed_workflow(worker):
    key = await scheduled(await stored_config(preAppQuiesceCmd="false"))
    await schedules.run_now(OPERATOR, key)
    (run,) = await expected_runs(key)
    assert run.status == "ERROR"
    async with temporal() as client:

        async def failed() -> bool:
            query = f"TemporalScheduledById = '{key.id}' AND ExecutionStatus = 'Failed'"
            return (await client.count_workflows(query)).count == 1

        await eventually(failed)


async def held(config: BackupConfig, go) -> int:
    """A run by hand that holds the lock until the test makes the file ``go``."""
    await BackupConfig.objects.filter(pk=config.pk).aupdate(settings={"preAppQuiesceCmd": str(go)})
    number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
    await eventually(Run.objects.filter(pk=number, messages__text="first").aexists, 20)
    await BackupConfig.objects.filter(pk=config.pk).aupdate(settings={"preAppQuiesceCmd": "echo,x"})
    return number


async def test_while_a_run_by_hand_holds_the_lock_it_is_skipped_and_says_why(worker, two_lines):
    command, go = two_lines
    config = await stored_config()
    key = await scheduled(config)
    number = await held(config, command)
    await schedules.run_now(OPERATOR, key)
    (run,) = await expected_runs(key)
    go.touch()
    assert run.status == "SKIPPED"
    assert run.failure.startswith(f"Run {number}, a backup, started by olga ")
    assert run.finished is not None
    (done,) = await last(key)
    assert done.run and done.run.state is RunState.SKIPPED


async def test_while_a_run_by_hand_holds_the_lock_it_waits_where_the_policy_says_so(worker, two_lines):
    command, go = two_lines
    config = await stored_config()
    await Policy.objects.filter(config=config, name="daily").aupdate(when_busy="queue")
    key = await scheduled(config)
    await Policy.objects.filter(config=config, name="daily").aupdate(when_busy="queue")
    await held(config, command)
    await schedules.run_now(OPERATOR, key)

    def rows(*states: RunState):
        return Run.objects.filter(requested_by="schedule nightly", status__in=states)

    waits = f"WorkflowType = '{naming.QUEUE_WORKFLOW}' AND TaskQueue = '{worker._options.task_queue}'"
    async with temporal() as client:

        async def queued() -> bool:
            return (await client.count_workflows(waits)).count == 1

        await eventually(queued)
    await eventually(rows(RunState.QUEUED).aexists)
    await schedules.run_now(OPERATOR, key)
    await eventually(rows(RunState.SKIPPED).aexists)
    go.touch()
    runs = await expected_runs(key, 2)
    assert sorted(run.status for run in runs) == ["COMPLETED", "SKIPPED"]
    completed, skipped = sorted(runs, key=lambda run: run.status)
    assert skipped.failure == f"The lock was held, and run {completed.pk} waited for it already."


async def test_a_schedule_may_say_itself_what_is_done_while_the_lock_is_held(worker, two_lines):
    command, go = two_lines
    config = await stored_config()
    key = await scheduled(config, when_busy="queue")
    await held(config, command)
    await schedules.run_now(OPERATOR, key)
    await eventually(Run.objects.filter(requested_by="schedule nightly", status="QUEUED").aexists)
    go.touch()
    (run,) = await expected_runs(key)
    assert run.status == "COMPLETED"


async def test_what_cannot_start_is_a_failed_run_that_says_why(worker):
    config = await stored_config()
    key = await scheduled(config)
    await Policy.objects.filter(config=config, name="daily").adelete()
    await schedules.run_now(OPERATOR, key)
    (run,) = await expected_runs(key)
    assert run.status == "ERROR"
    assert run.failure.startswith("The schedule nightly could not start it. ")
    assert "has no policy 'daily'" in run.failure
    await BackupConfig.objects.filter(pk=config.pk).aupdate(disabled=True)
    await schedules.run_now(OPERATOR, key)
    _, skipped = await expected_runs(key, 2)
    assert (skipped.status, "is disabled" in skipped.failure) == ("SKIPPED", True)


async def test_with_no_worker_it_is_overdue_and_runs_when_one_is_back_in_time(temporal_settings, monkeypatch):
    monkeypatch.setattr(schedule_lists, "OVERDUE_AFTER", timedelta(0))
    key = await scheduled(await stored_config(preAppQuiesceCmd="echo,x"))
    await schedules.run_now(OPERATOR, key)
    (late,) = await eventually(schedule_lists.find_overdue)
    assert late.key == key
    assert not await Run.objects.aexists()
    (waiting,) = (await schedule_lists.get_schedule(VIEWER, key)).last
    assert (waiting.run, waiting.open) == (None, True)
    async with running_worker(temporal_settings):
        (run,) = await expected_runs(key)
        assert run.status == "COMPLETED"

        async def nothing() -> bool:
            return not await schedule_lists.find_overdue()

        await eventually(nothing)


async def test_with_no_worker_in_time_it_is_missed_and_says_so(temporal_settings):
    key = await scheduled()
    await schedules.run_now(OPERATOR, key)
    async with temporal() as client:
        (asked,) = await eventually(lambda: executions(client, key))
        # An hour later a worker is back.
        given = schedule_of(key, timing()).action.args[0]
        expected = ExpectedRun(scheduled=given, asked=datetime.now(UTC) - timedelta(minutes=61))
        environment = ActivityEnvironment()
        prepare = ScheduleRecordActivities().prepare
        first = await sync_to_async(environment.run)(prepare, expected)
        again = await sync_to_async(environment.run)(prepare, expected)
    assert first == again
    (run,) = await expected_runs(key)
    assert (run.status, run.failure) == ("MISSED", "No worker took it for 1 h 1 m; it may be 1 h late.")
    assert first.failed and first.backup is None
    assert asked.status is WorkflowExecutionStatus.RUNNING


async def test_a_prepared_run_stays_queued_until_what_starts_it_is_terminated(temporal_settings):
    key = await scheduled()
    await schedules.run_now(OPERATOR, key)
    async with temporal() as client:
        (asked,) = await eventually(lambda: executions(client, key))
        given = schedule_of(key, timing()).action.args[0]
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_run_id=asked.run_id)
        expected = ExpectedRun(scheduled=given, asked=datetime.now(UTC))
        prepared = await sync_to_async(environment.run)(ScheduleRecordActivities().prepare, expected)
        long_ago = datetime.now(UTC) - timedelta(minutes=5)
        await Run.objects.filter(pk=prepared.run).aupdate(started=long_ago)
        run = await Run.objects.aget(pk=prepared.run)
        await queue.follow_queue(run)
        await run.arefresh_from_db()
        assert run.status == "QUEUED"
        await client.get_workflow_handle(asked.id, run_id=asked.run_id).terminate()

        async def unknown() -> bool:
            await queue.follow_queue(run)
            return await Run.objects.filter(pk=run.pk, status="UNKNOWN", finished__isnull=False).aexists()

        await eventually(unknown)


async def executions(client, key):
    return [e async for e in client.list_workflows(f"TemporalScheduledById = '{key.id}'")]


async def test_a_backfill_runs_each_time_that_was_due_one_after_the_other(worker):
    key = await scheduled(
        await stored_config(preAppQuiesceCmd="echo,x"), cron="0 3 * * *", zone="Europe/Berlin"
    )
    now = datetime.now(UTC)
    with pytest.raises(ConfigInvalid, match="later"):
        await schedules.backfill_schedule(OPERATOR, key, now, now - timedelta(days=1))
    with pytest.raises(ConfigInvalid, match="past"):
        await schedules.backfill_schedule(OPERATOR, key, now, now + timedelta(days=1))
    with pytest.raises(ConfigInvalid, match="more than 50 times"):
        await schedules.backfill_schedule(OPERATOR, key, now - timedelta(days=90), now)
    with pytest.raises(ConfigInvalid, match="never due"):
        begin = datetime(2026, 3, 1, 4, tzinfo=UTC)
        await schedules.backfill_schedule(OPERATOR, key, begin, begin + timedelta(hours=1))
    # Both ends are times at which it was due: 03:00 in Berlin is 02:00 in UTC in winter.
    begin = datetime(2026, 2, 1, 2, tzinfo=UTC)
    assert await schedules.backfill_schedule(OPERATOR, key, begin, begin + timedelta(days=2)) == 3
    runs = await expected_runs(key, 3)
    assert [run.status for run in runs] == ["COMPLETED"] * 3
    done = await last(key, 3)
    assert sorted(one.due for one in done) == [begin + timedelta(days=day) for day in range(3)]
    spans = sorted((run.started, run.finished) for run in runs)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert (await actions(key))[-1] == (
        "olga",
        "backfilled a schedule of",
        "daily/nightly: 3 times, 2026-02-01 02:00 to 2026-02-03 02:00 UTC",
    )
