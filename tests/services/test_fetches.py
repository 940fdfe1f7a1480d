"""Fetching archives back, with real plugins on the product's own worker."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.factories import OPERATOR, VIEWER
from tests.services.test_restores import back_up, catalog, restore, settings_for, source
from workflows_app.domain.errors import ConfigInvalid, NotAllowed, NotFound
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.domain.states import RunState
from workflows_app.models import AuditEntry, BackupConfig, Run
from workflows_app.services.points import fetches, restores
from workflows_app.services.runs import runs

__all__ = ["source"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def archived(source: Path, tmp_path: Path) -> BackupConfig:
    (tmp_path / "backups").mkdir()
    (tmp_path / "archives").mkdir()
    archive = {"ArchivePath": str(tmp_path / "archives")}
    return await catalog(**settings_for(source, archivePlugin="filesystem", archivePluginParameters=archive))


async def fetch(config: BackupConfig, name: str) -> runs.RunDetail:
    number = await fetches.start_fetch(OPERATOR, config.profile.name, config.name, name)
    return await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)


async def test_a_backup_that_is_only_archived_can_be_fetched_and_restored(worker, archived, source, tmp_path):
    name = await back_up(archived)
    shutil.rmtree(tmp_path / "backups")
    (tmp_path / "backups").mkdir()
    assert not await restores.list_restore_points(OPERATOR, archived.profile.name, archived.name)
    run = await fetch(archived, name)
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert run.summary.type == "fetch"
    (point,) = await restores.list_restore_points(OPERATOR, archived.profile.name, archived.name)
    assert point.backup.name == name
    (source / "deep" / "letter.txt").write_text("spoilt")
    assert (await restore(archived, name, RestoreRequest())).summary.state is RunState.COMPLETED
    assert (source / "deep" / "letter.txt").read_text() == "as it was"
    entry = await AuditEntry.objects.aget(run=run.summary.number)
    assert (entry.action, entry.details) == ("started", name)


async def test_what_is_no_archive_is_refused_and_leaves_nothing(worker, archived, tmp_path):
    await back_up(archived)
    run = await fetch(archived, "files-daily-424242-1700000000")
    assert run.summary.state is RunState.ERROR
    assert "files-daily-424242-1700000000" in run.summary.failure
    assert len(await restores.list_restore_points(OPERATOR, archived.profile.name, archived.name)) == 1


@pytest.mark.parametrize("name", ["../../etc/passwd-daily-1-1", "nonsense", ".hidden-daily-1-1"])
async def test_a_name_that_is_none_of_a_backup_starts_nothing(temporal_settings, archived, name):
    with pytest.raises(ConfigInvalid, match="archive"):
        await fetches.start_fetch(OPERATOR, archived.profile.name, archived.name, name)
    assert await Run.objects.acount() == 0


async def test_without_the_right_or_the_plugin_nothing_starts(temporal_settings, archived, source):
    with pytest.raises(NotAllowed):
        await fetches.start_fetch(VIEWER, archived.profile.name, archived.name, "files-daily-1-1")
    plain = await catalog(**settings_for(source))
    with pytest.raises(NotFound, match="no archive plugin"):
        await fetches.start_fetch(OPERATOR, plain.profile.name, plain.name, "files-daily-1-1")
    assert await Run.objects.acount() == 0
