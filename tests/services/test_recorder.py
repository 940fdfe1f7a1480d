"""The record of runs: true to Temporal, whoever watched."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError

from tests.conftest import eventually, running_worker
from tests.factories import OPERATOR, make_catalog, make_run
from workflows_app.domain.states import RunState
from workflows_app.models import Run
from workflows_app.services.recording import recorder
from workflows_app.services.runs import runs, starts
from workflows_app.services.temporal.client import temporal
from workflows_app.services.temporal.progress import look

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)
get_run = sync_to_async(runs.get_run)


async def start(**settings: object) -> int:
    config = await catalog(**settings)
    return await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")


async def test_a_run_that_ended_while_nobody_watched_is_recorded_later(temporal_settings):
    async with running_worker(temporal_settings, record=False):
        number = await start()
        run = await get_run(OPERATOR, number)
        await eventually(lambda: _closed_in_temporal(run), 20)
    assert (await get_run(OPERATOR, number)).summary.state is RunState.RUNNING
    recording = asyncio.create_task(recorder.Recorder().run())
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    recording.cancel()
    assert run.summary.state is RunState.COMPLETED


async def _closed_in_temporal(run: runs.RunDetail) -> bool:
    return (await look(run.address)).closed


async def test_lost_rows_are_made_again_from_temporal(worker):
    number = await start()
    before = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    await Run.objects.all().adelete()

    async def adopted() -> bool:
        await recorder.adopt_runs()
        return await Run.objects.filter(pk=number).aexists()

    # Temporal's list of runs follows its histories with a small delay.
    await eventually(adopted)
    after = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert after.summary.requested_by == "olga"
    assert after.progress == before.progress
    assert after.result == before.result


async def test_a_start_whose_answer_was_lost_is_linked_to_its_run(worker):
    number = await start(preAppQuiesceCmd="echo,x")
    await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    run_id = (await get_run(OPERATOR, number)).address.run_id
    await Run.objects.filter(pk=number).aupdate(
        run_id="", finished=None, status="RUNNING", started=datetime.now(UTC) - timedelta(minutes=2)
    )
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.address.run_id == run_id
    assert run.summary.state is RunState.COMPLETED


async def test_a_start_that_never_reached_temporal_is_closed_as_unknown(worker):
    row = await sync_to_async(make_run)(
        run_id="", config=f"never-{uuid4().hex}", started=datetime.now(UTC) - timedelta(minutes=2)
    )
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, row.pk), 20)
    assert run.summary.state is RunState.UNKNOWN
    assert "never answered" in run.summary.failure


async def test_a_database_that_is_away_while_a_backup_runs_does_not_fail_it(worker, monkeypatch):
    away = {"record": True}
    store = recorder.record

    def record(number, sight):
        if away["record"]:
            raise DatabaseError("the database is away")
        store(number, sight)

    monkeypatch.setattr(recorder, "record", record)
    number = await start(preAppQuiesceCmd="echo,x")
    run = await get_run(OPERATOR, number)
    await eventually(lambda: _closed_in_temporal(run), 20)
    assert (await get_run(OPERATOR, number)).summary.state is RunState.RUNNING
    away["record"] = False
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED


async def test_a_list_shows_no_run_as_running_that_was_terminated_with_no_worker_alive(temporal_settings):
    number = await start()
    run = await get_run(OPERATOR, number)
    await recorder.catch_up()
    assert (await get_run(OPERATOR, number)).summary.state is RunState.RUNNING
    async with temporal() as client:
        await client.get_workflow_handle(run.address.workflow_id, run_id=run.address.run_id).terminate()
    await recorder.catch_up()
    assert (await get_run(OPERATOR, number)).summary.state is RunState.TERMINATED


async def test_catching_up_changes_nothing_that_it_cannot_find_out(settings):
    row = await sync_to_async(make_run)()
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    await recorder.catch_up()
    assert (await get_run(OPERATOR, row.pk)).summary.state is RunState.RUNNING
