"""Restore points and restores, with the filesystem plugin on the product's own worker."""

import asyncio
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.factories import OPERATOR, VIEWER, make_catalog
from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotAllowed,
    NotFound,
    TemporalUnavailable,
)
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Run, RunMessage
from workflows_app.services.points import questions, restores
from workflows_app.services.runs import runs, starts

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "letter.txt").write_text("as it was")
    (source / "empty").mkdir()
    return source


def settings_for(source: Path, **more: object) -> dict[str, object]:
    return {
        "storagePlugin": "filesystem",
        "storagePluginParameters": {
            "BackupName": "files",
            "BackupSrcPaths": str(source),
            "BackupDestPath": str(source.parent / "backups"),
        },
        **more,
    }


async def back_up(config: BackupConfig, policy: str = "daily") -> str:
    """Make a backup and answer its name."""
    number = await starts.start_backup(OPERATOR, config.profile.name, config.name, policy)
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    return run.progress.backup_name


async def restore(config: BackupConfig, name: str, request: RestoreRequest) -> runs.RunDetail:
    number = await restores.start_restore(
        OPERATOR, config.profile.name, config.name, name, request, config.name
    )
    return await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)


async def points(config: BackupConfig) -> list[str]:
    found = await restores.list_restore_points(VIEWER, config.profile.name, config.name)
    return [point.backup.name for point in found]


async def test_a_backup_is_listed_and_restores_what_was_lost(worker, source):
    config = await catalog(**settings_for(source, appPlugin="sample-app"))
    name = await back_up(config)
    assert await points(config) == [name]
    (source / "deep" / "letter.txt").write_text("scribbled over")
    (source / "empty").rmdir()
    run = await restore(config, name, RestoreRequest())
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert (run.summary.type, run.summary.policy) == ("restore", "daily")
    assert (source / "deep" / "letter.txt").read_text() == "as it was"
    assert (source / "empty").is_dir()
    assert [s.key for s in run.progress.steps] == [
        "pre-restore-plugin",
        "restore-plugin",
        "post-restore-plugin",
    ]
    assert run.result["workflow"]["type"] == "restore"


async def test_a_restore_to_another_place_leaves_the_original_alone(worker, source, tmp_path):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    (source / "deep" / "letter.txt").write_text("newer")
    target = tmp_path / "elsewhere"
    run = await restore(config, name, RestoreRequest(target=str(target)))
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert (source / "deep" / "letter.txt").read_text() == "newer"
    assert (target / source.relative_to("/") / "deep" / "letter.txt").read_text() == "as it was"


async def test_a_dry_run_touches_nothing_and_runs_nothing_else(worker, source):
    config = await catalog(
        **settings_for(source, appPlugin="sample-app", preAppRestoreCmd="echo,not in a dry run")
    )
    name = await back_up(config)
    (source / "deep" / "letter.txt").unlink()
    run = await restore(config, name, RestoreRequest(dry_run=True))
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert [s.key for s in run.progress.steps] == ["restore-plugin"]
    assert not (source / "deep" / "letter.txt").exists()
    said = RunMessage.objects.filter(run=run.summary.number, text__startswith="Dry run of")
    assert "1 to create" in (await said.aget()).text


async def test_retention_keeps_what_the_policy_says_and_never_the_last_one_less(worker, source):
    config = await catalog(**settings_for(source))
    names = [await back_up(config, "weekly") for _ in range(3)]
    daily = await back_up(config, "daily")
    kept = await points(config)
    assert set(kept) == {names[1], names[2], daily}, "weekly keeps 2"


async def test_a_restore_over_live_data_wants_the_name_typed(temporal_settings, source):
    config = await catalog(**settings_for(source))
    for typed in ("", "yes", config.name.upper()):
        with pytest.raises(ConfigInvalid, match="confirmation"):
            await restores.start_restore(
                OPERATOR, config.profile.name, config.name, "x", RestoreRequest(), typed
            )
    assert await Run.objects.acount() == 0


async def test_a_relative_target_is_refused(temporal_settings, source):
    config = await catalog(**settings_for(source))
    with pytest.raises(ConfigInvalid, match="target"):
        await restores.start_restore(
            OPERATOR, config.profile.name, config.name, "x", RestoreRequest(target="etc"), config.name
        )


async def test_what_is_no_restore_point_cannot_be_restored(worker, source):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    for wrong in (name[:-1], name + "0", "../" + name):
        with pytest.raises(NotFound, match="no restore point"):
            await restore(config, wrong, RestoreRequest())


async def test_a_viewer_may_look_and_not_restore(temporal_settings, source):
    config = await catalog(**settings_for(source))
    with pytest.raises(NotAllowed):
        await restores.start_restore(
            VIEWER, config.profile.name, config.name, "x", RestoreRequest(), config.name
        )


async def test_a_destination_that_cannot_be_read_is_no_empty_list(worker, source):
    config = await catalog(**settings_for(source))
    with pytest.raises(FossulError, match="cannot be read"):
        await points(config)


async def test_without_a_worker_the_restore_points_are_unknown(temporal_settings, source, monkeypatch):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.5)
    config = await catalog(**settings_for(source))
    with pytest.raises(TemporalUnavailable, match="No worker answered"):
        await points(config)
