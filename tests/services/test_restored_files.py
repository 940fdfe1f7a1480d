"""Restores of chosen files, with a real restic repository on the product's own worker."""

import asyncio
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.factories import OPERATOR, make_catalog
from tests.services.test_restores import back_up, restore, settings_for, source
from workflows_app.domain.errors import ConfigInvalid, NotNow
from workflows_app.domain.runs.restores import RestoreRequest, Restoring
from workflows_app.domain.states import RunState
from workflows_app.models import AuditEntry, BackupConfig, Run
from workflows_app.services.points import questions, restores
from workflows_app.services.runs import runs
from workflows_app.services.temporal import progress

__all__ = ["source"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def config(source: Path) -> BackupConfig:
    (source / "deep" / "other.txt").write_text("not asked for")
    return await sync_to_async(make_catalog)(
        appPlugin="sample-app",
        preAppRestoreCmd="echo,not for single files",
        storagePlugin="restic",
        storagePluginParameters={
            "Repository": str(source.parent / "repository"),
            "Password": "the-password-of-the-repository",
            "BackupSrcPaths": str(source),
        },
    )


async def test_only_what_was_chosen_comes_back(worker, config, source, tmp_path):
    name = await back_up(config)
    wanted = (f"{source}/deep/letter.txt", f"{source}/empty")
    run = await restore(config, name, RestoreRequest(target=str(tmp_path / "back"), files=wanted))
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    back = tmp_path / "back" / source.relative_to("/")
    assert {path.relative_to(back).as_posix() for path in back.rglob("*")} == {
        "deep",
        "deep/letter.txt",
        "empty",
    }
    assert (back / "deep" / "letter.txt").read_text() == "as it was"
    assert [step.key for step in run.progress.steps] == ["restore-plugin"]
    entry = await AuditEntry.objects.aget(run=run.summary.number)
    assert entry.details == f"2 chosen files or folders of {name}"


async def test_a_run_tells_what_it_restores_from_temporal_alone(worker, config, source, tmp_path):
    name = await back_up(config)
    request = RestoreRequest(target=str(tmp_path / "back"), dry_run=True, files=(f"{source}/deep",))
    run = await restore(config, name, request)
    told = Restoring(backup=name, target=request.target, dry_run=True, files=1, named=(f"{source}/deep",))
    assert run.progress.restoring == told
    assert (await progress.look(run.address)).progress.restoring == told
    whole = await restore(config, name, RestoreRequest())
    assert whole.progress.restoring == Restoring(backup=name)
    assert not (tmp_path / "back").exists()


async def test_a_plugin_that_cannot_restore_files_is_refused_before_anything_starts(
    worker, source, monkeypatch
):
    config = await sync_to_async(make_catalog)(**settings_for(source))
    name = await back_up(config)
    ask = questions.which_backups

    async def without_files(config):
        return (await ask(config)).model_copy(update={"abilities": ("browse",)})

    monkeypatch.setattr(questions, "which_backups", without_files)
    before = await Run.objects.acount()
    with pytest.raises(NotNow, match="'filesystem' cannot restore single files"):
        await restore(config, name, RestoreRequest(files=(f"{source}/deep",)))
    assert await Run.objects.acount() == before


async def test_what_is_no_file_of_a_backup_is_refused_before_anything_starts(temporal_settings, config):
    for wrong in ("deep", "/srv/../etc", "/a\0"):
        with pytest.raises(ConfigInvalid, match="files"):
            await restore(config, "x", RestoreRequest(files=(wrong,)))
    assert await Run.objects.acount() == 0


async def test_a_file_that_the_backup_does_not_hold_ends_in_error_and_writes_nothing(
    worker, config, source, tmp_path
):
    name = await back_up(config)
    number = await restores.start_restore(
        OPERATOR,
        config.profile.name,
        config.name,
        name,
        RestoreRequest(target=str(tmp_path / "back"), files=(f"{source}/nonesuch",)),
        config.name,
    )
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.ERROR
    assert "nonesuch" in run.summary.failure
    assert not (tmp_path / "back").exists()
