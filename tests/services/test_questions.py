"""What pages ask of workers has seats of its own: however much of it hangs, a backup starts at once."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from temporalio.client import Client

from tests.conftest import eventually, running_worker
from tests.factories import OPERATOR, VIEWER, make_catalog, make_run
from tests.services.slow_plugins import SlowPlugin, slow_plugin
from tests.workflows.steps import Steps
from workflows_app.contracts.points import CatalogueInput
from workflows_app.domain.config import Config
from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.restore_points import Presence
from workflows_app.domain.results import Backups
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Removal
from workflows_app.services.points import questions, restore_points
from workflows_app.services.runs import runs, starts
from workflows_app.services.temporal import looks
from workflows_app.worker import WorkerOptions, WorkerRunner
from workflows_app.workflows.catalogue import CatalogueWorkflow

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)
SEATS = 8
SLOW = """#!/bin/sh
case "$1" in
--info) echo '{"name": "slow", "version": "1", "type": "storage", "capabilities": [{"name": "backupList"}]}';;
--backupList) echo begun >>"%(folder)s/begun"; until [ -e "%(folder)s/go" ]; do sleep 0.02; done
    cat "%(folder)s/list";;
esac
"""


@pytest.fixture
def storage(settings, tmp_path: Path) -> Iterator[SlowPlugin]:
    """That of the storage plugin ``slow``, which has nothing."""
    (tmp_path / "list").write_text("[]")
    with slow_plugin(settings, tmp_path, "storage", SLOW) as plugin:
        yield plugin


def slow(config: str = "") -> Config:
    return Config(profile_name="p", config_name=config or uuid4().hex[:8], storage_plugin="slow")


async def answers(*asked: "asyncio.Task[Backups]") -> list[Backups | BaseException]:
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_a_backup_starts_at_once_while_fifty_questions_hang(
    temporal_settings: str, storage: SlowPlugin, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 50.0)
    config = await catalog(
        storagePlugin="sample-storage", storagePluginParameters={"BackupDestPath": str(tmp_path / "to")}
    )
    async with running_worker(temporal_settings):
        asked = [asyncio.create_task(questions.which_backups(slow())) for _ in range(50)]
        await eventually(lambda: storage.asked == SEATS)
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 30)
        assert run.summary.state is RunState.COMPLETED, run.summary.failure
        assert storage.asked == SEATS, "as many are asked at once as there are seats, and none has ended"
        storage.go_on()
        found = await answers(*asked)
    assert {type(one) for one in found} == {Backups}, "all are answered once the storage does"
    assert storage.asked == 50


async def test_who_asks_the_same_at_the_same_time_is_answered_once(
    temporal_settings: str, storage: SlowPlugin
):
    """As ten tabs of a page that are reloaded."""
    async with running_worker(temporal_settings):
        asked = [asyncio.create_task(questions.which_backups(slow("same"))) for _ in range(10)]
        await eventually(lambda: storage.asked == 1)
        storage.go_on()
        found = await answers(*asked)
        assert all(one == found[0] and isinstance(one, Backups) for one in found)
        assert storage.asked == 1
        await questions.which_backups(slow("same"))
    assert storage.asked == 2, "an answer that was given is not given again"


@pytest.mark.parametrize("known", ["a backup", "a deletion", "another configuration"])
async def test_who_knows_more_asks_anew(temporal_settings: str, storage: SlowPlugin, known: str):
    """What a run has reported since must not be called missing by a list that was begun before."""
    config = slow()
    async with running_worker(temporal_settings):
        first = asyncio.create_task(questions.which_backups(config))
        await eventually(lambda: storage.asked == 1)
        if known == "a backup":
            progress = {"backup_name": "files-daily-1-1"}
            await sync_to_async(make_run)(profile="p", config=config.config_name, progress=progress)
        elif known == "a deletion":
            await sync_to_async(removal)(config)
        else:
            config = config.model_copy(update={"storage_plugin_parameters": {"BackupName": "other"}})
        second = asyncio.create_task(questions.which_backups(config))
        await eventually(lambda: storage.asked == 2)
        storage.go_on()
        await asyncio.gather(first, second)


def removal(config: Config) -> None:
    Removal.objects.create(
        profile="p", config=config.config_name, backup="files-daily-1-1", how="olga", time=datetime.now(UTC)
    )


async def test_a_question_that_hangs_does_not_keep_a_worker_from_draining(
    temporal_settings: str, storage: SlowPlugin, monkeypatch
):
    """Its steps may go on for ten minutes; nobody waits for the answer as long."""
    monkeypatch.setattr("workflows_app.worker.QUESTION_SECONDS", 0.2)
    runner = WorkerRunner(WorkerOptions(temporal_settings, grace_seconds=600, record=False))
    running = asyncio.create_task(runner.run())
    asked = asyncio.create_task(questions.which_backups(slow()))
    await eventually(lambda: storage.asked == 1)
    runner.stop()
    await asyncio.wait_for(running, 15)
    asked.cancel()


async def test_questions_that_take_too_long_are_told_apart_from_missing_workers(
    temporal_settings: str, storage: SlowPlugin, monkeypatch
):
    async with running_worker(temporal_settings):
        await eventually(lambda: looks._polled(f"{temporal_settings}-questions"))
        monkeypatch.setattr(questions, "LOOK_SECONDS", 0.5)
        with pytest.raises(TemporalUnavailable, match=r"No answer came within 0 s .*: it takes long there"):
            await questions.which_backups(slow())


async def test_workers_of_an_earlier_version_leave_a_page_unknown_and_soon(
    temporal_server: Client, temporal_settings: str, storage: SlowPlugin, monkeypatch
):
    """They poll the queue of runs alone."""
    monkeypatch.setattr(looks, "UNSEEN_SECONDS", 0.5)
    config: BackupConfig = await catalog(storagePlugin="slow")
    place, progress = {"profile": config.profile.name, "config": config.name}, {"backup_name": "a-daily-1-1"}
    await sync_to_async(make_run)(**place, progress=progress, finished=datetime.now(UTC))
    async with Steps().worker(temporal_server, temporal_settings):
        await eventually(lambda: looks._polled(temporal_settings))
        begun = time.monotonic()
        found = await restore_points.list_points(VIEWER, **place)
        assert time.monotonic() - begun < 5
    assert "those that run are of an earlier version. Restart them" in found.trouble
    assert [point.presence for point in found.points] == [Presence.UNKNOWN]


async def test_web_processes_of_an_earlier_version_are_answered(
    temporal_server: Client, temporal_settings: str, storage: SlowPlugin
):
    """They ask on the queue of runs."""
    storage.go_on()
    async with running_worker(temporal_settings):
        found = await temporal_server.execute_workflow(
            CatalogueWorkflow.run, CatalogueInput(config=slow()), id=uuid4().hex, task_queue=temporal_settings
        )
    assert (found.result.code, found.backup, storage.asked) == (0, (), 1)
