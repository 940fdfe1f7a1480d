"""Bad days: Temporal away for a while, the database locked. Nothing is lost, and all heals by itself."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from tests.conftest import eventually
from tests.factories import OPERATOR, make_catalog
from tests.faults import FaultProxy
from tests.services.test_watch import Eye
from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.states import RunState
from workflows_app.models import Run, RunMessage
from workflows_app.services.runs import runs, starts
from workflows_app.services.temporal import health
from workflows_app.services.temporal.progress import look

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)
get_run = sync_to_async(runs.get_run)


async def test_a_watcher_is_told_that_temporal_is_away_and_sees_the_rest_when_it_is_back(
    worker, two_lines, settings
):
    command, go = two_lines
    config = await catalog(preAppQuiesceCmd=command)
    number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
    port = int(settings.TEMPORAL_ADDRESS.rpartition(":")[2])
    async with FaultProxy(port).running() as proxy:
        settings.TEMPORAL_ADDRESS = f"127.0.0.1:{proxy.port}"
        eye = Eye(number)
        await eventually(lambda: "first" in eye.texts())
        proxy.go_away()
        await eventually(lambda: eye.sights[-1].trouble)
        assert str(proxy.port) in eye.sights[-1].trouble
        assert eye.sights[-1].progress.steps, "what was last seen is still shown"
        assert (await health.check()).report()["temporal"] == "unavailable"
        with pytest.raises(TemporalUnavailable, match="was not started"):
            other = await catalog()
            await starts.start_backup(OPERATOR, other.profile.name, other.name, "daily")
        go.touch()
        proxy.come_back()
        await eye.done()
    assert eye.sights[-1].progress.state is RunState.COMPLETED
    assert eye.sights[-1].trouble == ""
    assert [line.seq for line in eye.lines] == list(range(1, len(eye.lines) + 1))


async def test_a_backup_succeeds_while_the_database_is_locked_and_its_log_comes_later(worker, two_lines):
    command, go = two_lines
    config = await catalog(preAppQuiesceCmd=command)
    number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
    run = await get_run(OPERATOR, number)
    while not await RunMessage.objects.filter(run=number, text="first").aexists():
        await asyncio.sleep(0.02)

    async def closed() -> bool:
        return (await look(run.address)).closed

    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        go.touch()
        await eventually(closed)
        assert (await Run.objects.aget(pk=number)).status == "RUNNING"
        assert not await RunMessage.objects.filter(run=number, text="second").aexists()
        other.execute("ROLLBACK")
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED
    await eventually(RunMessage.objects.filter(run=number, text="second").aexists)
