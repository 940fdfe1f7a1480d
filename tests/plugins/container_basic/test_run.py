"""Whole runs on a real Temporal server: commands in the pod around a backup of its files, and retention."""

import pytest
from asgiref.sync import sync_to_async

from tests.factories import make_catalog
from tests.plugins.container_basic.conftest import PodStorage
from tests.plugins.whole_runs import run_backup
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Policy

pytestmark = pytest.mark.django_db(transaction=True)


def configure(pod: PodStorage) -> BackupConfig:
    where = {"Namespace": "shop", "PodSelector": "db", "KubeConfig": str(pod.server.kubeconfig())}
    frozen = pod.source / "frozen"
    config = make_catalog(
        appPlugin="",
        storagePlugin="container-basic.so",
        preAppQuiesceCmd=f":touch,{frozen}",
        postAppUnquiesceCmd=f":rm,{frozen}",
        appPluginParameters=where,
        storagePluginParameters=where
        | {"BackupSrcPaths": str(pod.source), "BackupDestPath": str(pod.destination)},
    )
    Policy.objects.filter(config=config, name="daily").update(keep_backups=1)
    return config


async def test_a_pod_is_frozen_by_its_commands_and_backed_up(worker, pod: PodStorage) -> None:
    (pod.source / "file").write_text("content")
    config = await sync_to_async(configure)(pod)
    profile = config.profile.name
    run = None
    for _ in range(2):
        run = await run_backup(config)
        assert run.summary.state is RunState.COMPLETED, run.summary.failure
    texts = "\n".join(message["message"] for message in run.result["result"]["messages"])
    assert "Performing remote pre quiesce command [:touch," in texts
    assert "on pod [db-0] container [main] completed successfully" in texts
    assert "Number of backups [2] greater than backup retention [1]" in texts
    assert not (pod.source / "frozen").exists()
    newest = run.result["result"]["backup"]["name"]
    assert [path.name for path in (pod.destination / profile / config.name).iterdir()] == [newest]


async def test_a_command_that_fails_in_the_pod_fails_the_run(worker, pod: PodStorage) -> None:
    config = await sync_to_async(configure)(pod)
    config.settings["preAppQuiesceCmd"] = ":false"
    await sync_to_async(config.save)()
    run = await run_backup(config)
    assert run.summary.state is RunState.ERROR
    texts = "\n".join(message["message"] for message in run.result["result"]["messages"])
    assert "Could not execute command: command terminated with exit code 1" in texts
    assert not (pod.destination / config.profile.name).exists()
