"""A whole run on a real Temporal server: backup, archive to S3, both retentions; and back again."""

import asyncio
import shutil
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.factories import make_catalog
from tests.plugins.archiving.archived import contents
from tests.plugins.s3.server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.plugins.whole_runs import run_backup
from workflows_app.domain.config import Config
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Policy
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.s3.plugin import plugin

pytestmark = pytest.mark.django_db(transaction=True)


def configure(source: Path, destination: Path, archive: dict[str, str]) -> BackupConfig:
    config = make_catalog(
        storagePlugin="filesystem",
        archivePlugin="s3",
        storagePluginParameters={"BackupSrcPaths": str(source), "BackupDestPath": str(destination)},
        archivePluginParameters=archive,
    )
    Policy.objects.filter(config=config, name="daily").update(keep_backups=1, keep_archives=2)
    return config


async def test_each_run_archives_its_backup_and_both_retentions_hold(worker, s3: S3Server, tmp_path: Path):
    source, destination = tmp_path / "source", tmp_path / "destination"
    source.mkdir()
    destination.mkdir()
    (source / "file").write_text("content")
    archive = {
        "BucketName": s3.new_bucket(), "EndpointUrl": s3.endpoint,
        "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY,
    }  # fmt: skip
    config = await sync_to_async(configure)(source, destination, archive)
    profile = config.profile.name
    run = None
    for _ in range(3):
        run = await run_backup(config)
        assert run.summary.state is RunState.COMPLETED, run.summary.failure
    texts = "\n".join(m["message"] for m in run.result["result"]["messages"])
    assert "Number of archives [3] greater than archive retention [2]" in texts
    assert "Number of backups [2] greater than backup retention [1]" in texts
    assert SECRET_KEY not in texts

    context = PluginContext(
        config=Config(
            profile_name=profile,
            config_name=config.name,
            storage_plugin_parameters={"BackupDestPath": str(destination)},
        ),
        parameters=archive,
        say=lambda level, text: None,
    )
    listed = [found.name for found in await asyncio.to_thread(plugin.archive_list, context)]
    newest = run.result["result"]["backup"]["name"]
    assert len(listed) == 2
    assert listed[-1] == newest
    folder = destination / profile / config.name
    assert [path.name for path in folder.iterdir()] == [newest]

    before = contents(folder)
    shutil.rmtree(folder / newest)
    await asyncio.to_thread(plugin.fetch, context, newest)
    assert contents(folder) == before
