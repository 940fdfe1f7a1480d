"""Every run names the version of its configuration, also when its row was lost and made anew."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import running_worker
from tests.factories import ADMIN, OPERATOR, make_catalog
from workflows_app.models import BackupConfig, Run
from workflows_app.services import recorder, runs, starts, versions

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_run_names_the_version_that_it_was_given(temporal_settings):
    config: BackupConfig = await sync_to_async(make_catalog)(storagePlugin="sample-storage")
    place = (config.profile.name, config.name)
    async with running_worker(temporal_settings):
        before = await starts.start_backup(OPERATOR, *place, "daily")
        await asyncio.wait_for(runs.wait_for_run(OPERATOR, before), 20)
        await sync_to_async(versions.keep)(ADMIN, config, "first")
        await sync_to_async(versions.keep)(ADMIN, config, "second")
        number = await starts.start_backup(OPERATOR, *place, "daily")
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.version == 2
    assert (await sync_to_async(runs.get_run)(OPERATOR, before)).summary.version is None

    await Run.objects.filter(config=config.name).adelete()
    await recorder.adopt_runs()
    assert [run.version async for run in Run.objects.filter(config=config.name).order_by("pk")] == [None, 2]
