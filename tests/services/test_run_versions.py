"""Every run names the version of its configuration, also when its row was lost and made anew."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import running_worker
from tests.factories import ADMIN, OPERATOR, VIEWER, make_catalog, make_run
from workflows_app.models import BackupConfig, Run
from workflows_app.services.configurations import versions
from workflows_app.services.editing import config_places
from workflows_app.services.recording import recorder
from workflows_app.services.runs import runs, starts

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


def test_of_a_configuration_that_was_made_anew_no_run_names_a_version_that_it_was_not_given():
    config = make_catalog(storagePlugin="sample-storage")
    place = (config.profile.name, config.name)
    versions.keep(ADMIN, config, "first")
    run = make_run(profile=place[0], config=place[1], version=1, status="COMPLETED")
    assert runs.get_run(VIEWER, run.pk).summary.version_kept
    run.finished = run.started
    run.save()
    config_places.delete_config(ADMIN, *place, config.name)
    assert not runs.get_run(VIEWER, run.pk).summary.version_kept
    again = make_catalog(*place, storagePlugin="another")
    versions.keep(ADMIN, again, "first of another")
    hour_ago = run.started - timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(started=hour_ago, finished=hour_ago)
    summary = runs.get_run(VIEWER, run.pk).summary
    assert (summary.version, summary.version_kept) == (1, False)
