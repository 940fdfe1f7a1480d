"""Restore points on the product's own worker: reconciled with runs, held, verified, deleted, browsed."""

import asyncio
import contextlib
import os
import shutil
import threading
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import OperationalError

from tests.conftest import eventually
from tests.factories import ADMIN, OPERATOR, VIEWER, make_run
from tests.services.test_restores import back_up, catalog, settings_for, source
from workflows_app.activities import holds as reading
from workflows_app.activities.pulse import Patient
from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotAllowed,
    NotFound,
    NotNow,
    RunAlreadyActive,
)
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.restore_points import Ability, Presence
from workflows_app.domain.states import CheckState, RunState
from workflows_app.models import AuditEntry, BackupConfig, Hold, Removal, RunMessage, Verification
from workflows_app.services.points import deletions, holds, questions, restore_points, verifications
from workflows_app.services.points.restore_points import Point
from workflows_app.services.runs import runs, starts

__all__ = ["source"]

pytestmark = pytest.mark.django_db(transaction=True)


def names(config: BackupConfig) -> tuple[str, str]:
    return config.profile.name, config.name


async def points(config: BackupConfig) -> dict[str, Point]:
    found = await restore_points.list_points(VIEWER, *names(config))
    return {point.backup.name: point for point in found.points}


async def presences(config: BackupConfig) -> dict[str, Presence]:
    return {name: point.presence for name, point in (await points(config)).items()}


@pytest.fixture
def folder(source: Path) -> Path:
    """Where backups go."""
    folder = source.parent / "backups"
    folder.mkdir()
    return folder


def kept_at(folder: Path, config: BackupConfig, name: str) -> Path:
    return folder / config.profile.name / config.name / name


async def test_a_backup_is_present_with_its_run_and_verified_as_it_was_made(worker, source):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    found = await restore_points.list_points(VIEWER, *names(config))
    (point,) = found.points
    assert (point.backup.name, point.presence, point.held, point.check) == (
        name,
        Presence.PRESENT,
        None,
        None,
    )
    assert point.run == int(point.backup.workflow_id)
    assert point.verified == point.made
    assert point.size
    assert found.can(Ability.VERIFY)
    assert found.can(Ability.BROWSE)
    assert not found.has_archives


async def test_what_a_run_reported_and_nobody_removed_is_missing(worker, source, folder):
    config = await catalog(**settings_for(source))
    gone, broken, there = [await back_up(config) for _ in range(3)]
    shutil.rmtree(kept_at(folder, config, gone))
    (kept_at(folder, config, broken) / f"{broken}.manifest.jsonl").write_text("half")
    found = await points(config)
    assert {name: point.presence for name, point in found.items()} == {
        gone: Presence.MISSING,
        broken: Presence.MISSING,
        there: Presence.PRESENT,
    }
    assert found[gone].verified is None
    assert found[gone].size, "what the run said of it"


async def test_what_retention_removed_is_not_missing(worker, source):
    config = await catalog(**settings_for(source))
    first, *kept = [await back_up(config, "weekly") for _ in range(3)]
    assert await presences(config) == dict.fromkeys(kept, Presence.PRESENT)
    removal = await Removal.objects.aget()
    assert removal.backup == first
    assert removal.how.startswith("the retention of run ")


async def test_a_removal_that_the_storage_contradicts_is_forgotten(worker, source, folder):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    await Removal.objects.acreate(
        profile=config.profile.name, config=config.name, backup=name, how="x", time=_now()
    )
    assert await presences(config) == {name: Presence.PRESENT}
    shutil.rmtree(kept_at(folder, config, name))
    assert await presences(config) == {name: Presence.MISSING}


async def test_a_storage_that_cannot_be_read_leaves_everything_unknown(worker, source, folder):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    folder.rename(folder.with_name("elsewhere"))
    found = await restore_points.list_points(VIEWER, *names(config))
    assert "Cannot list the backups" in found.trouble
    assert [point.presence for point in found.points] == [Presence.UNKNOWN]
    assert found.points[0].backup.name == name
    assert found.points[0].verified is None


async def test_without_a_worker_everything_is_unknown(temporal_settings, source, monkeypatch):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.3)
    config = await catalog(**settings_for(source))
    await sync_to_async(make_run)(
        profile=config.profile.name,
        config=config.name,
        progress={"backup_name": "files-daily-1-1"},
        finished=_now(),
    )
    found = await restore_points.list_points(VIEWER, *names(config))
    assert "No worker answered" in found.trouble
    assert [point.presence for point in found.points] == [Presence.UNKNOWN]


async def test_while_a_run_is_open_nothing_is_called_missing(worker, source, folder):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    shutil.rmtree(kept_at(folder, config, name))
    await sync_to_async(make_run)(profile=config.profile.name, config=config.name)
    assert await presences(config) == {name: Presence.UNKNOWN}


async def test_archives_are_told_beside_the_backups(worker, source, folder, tmp_path):
    (tmp_path / "archives").mkdir()
    archive = {"ArchivePath": str(tmp_path / "archives")}
    config = await catalog(
        **settings_for(source, archivePlugin="filesystem", archivePluginParameters=archive)
    )
    gone, there = await back_up(config), await back_up(config)
    await sync_to_async(Removal.objects.create)(
        profile=config.profile.name, config=config.name, backup=gone, how="x", time=_now()
    )
    shutil.rmtree(kept_at(folder, config, gone))
    found = await restore_points.list_points(VIEWER, *names(config))
    assert {p.backup.name: (p.presence, p.archived) for p in found.points} == {
        gone: (Presence.ARCHIVED, True),
        there: (Presence.PRESENT, True),
    }
    assert found.can(Ability.FETCH)
    (tmp_path / "archives").rename(tmp_path / "away")
    found = await restore_points.list_points(VIEWER, *names(config))
    assert found.archive_trouble
    assert [(p.presence, p.archived) for p in found.points] == [(Presence.PRESENT, None)]


# Holds


async def test_retention_spares_what_is_held_until_it_is_released(worker, source):
    config = await catalog(**settings_for(source))
    first = await back_up(config, "weekly")
    await restore_points.hold_point(OPERATOR, *names(config), first, "the auditors want it")
    _, third, fourth = [await back_up(config, "weekly") for _ in range(3)]
    found = await points(config)
    assert set(found) == {first, third, fourth}, "weekly keeps 2, and the held one beside them"
    held = found[first].held
    assert held is not None
    assert (held.reason, held.by) == ("the auditors want it", "olga")
    assert await RunMessage.objects.filter(text=f"Backup {first} is held and stays").aexists()
    await sync_to_async(holds.release)(OPERATOR, *names(config), first)
    fifth = await back_up(config, "weekly")
    assert set(await points(config)) == {fourth, fifth}
    actions = AuditEntry.objects.filter(action__endswith="a restore point of").order_by("pk")
    assert [entry.action async for entry in actions] == [
        "held a restore point of",
        "released a restore point of",
    ]


async def test_archive_retention_spares_what_is_held(worker, source, tmp_path):
    (tmp_path / "archives").mkdir()
    archive = {"ArchivePath": str(tmp_path / "archives")}
    config = await catalog(
        **settings_for(source, archivePlugin="filesystem", archivePluginParameters=archive)
    )
    await config.policies.filter(name="weekly").aupdate(keep_archives=1)
    first = await back_up(config, "weekly")
    await restore_points.hold_point(OPERATOR, *names(config), first, "kept")
    _, third = await back_up(config, "weekly"), await back_up(config, "weekly")
    archived = tmp_path / "archives" / config.profile.name / config.name
    assert {path.name for path in archived.iterdir() if path.is_dir()} == {first, third}


async def test_a_hold_that_cannot_be_read_stops_the_retention(worker, source, monkeypatch):
    config = await catalog(**settings_for(source))
    made = [await back_up(config, "weekly"), await back_up(config, "weekly")]

    def away() -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(reading, "drop_broken_connections", away)
    number = await starts.start_backup(OPERATOR, *names(config), "weekly")
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.ERROR
    assert "Which restore points are held cannot be read" in run.summary.failure
    assert set(made) < set(await points(config)), "nothing was deleted"


async def test_a_plugin_that_does_not_know_holds_is_not_asked_to_delete(worker):
    config = await catalog(storagePlugin="sample-storage")
    await Hold.objects.acreate(
        profile=config.profile.name, config=config.name, backup="x", reason="r", by="b", since=_now()
    )
    number = await starts.start_backup(OPERATOR, *names(config), "daily")
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED
    said = [m.text async for m in RunMessage.objects.filter(run=number)]
    assert "*** Backup Delete Workflow ***" not in said
    assert any("does not declare the capability 'holds'" in text for text in said)


async def test_a_hold_is_refused_without_a_reason_twice_or_for_what_nobody_knows(worker, source):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    with pytest.raises(ConfigInvalid, match=r"^reason: "):
        await restore_points.hold_point(OPERATOR, *names(config), name, "  ")
    with pytest.raises(NotFound, match="no restore point"):
        await restore_points.hold_point(OPERATOR, *names(config), name + "0", "why")
    with pytest.raises(NotAllowed):
        await restore_points.hold_point(VIEWER, *names(config), name, "why")
    await restore_points.hold_point(OPERATOR, *names(config), name, "why")
    with pytest.raises(NotNow, match="held already"):
        await restore_points.hold_point(OPERATOR, *names(config), name, "why")
    with pytest.raises(NotAllowed):
        await sync_to_async(holds.release)(VIEWER, *names(config), name)
    assert await Hold.objects.acount() == 1


# Verify now


async def check(config: BackupConfig, name: str) -> verifications.Check:
    async def ended() -> verifications.Check | None:
        found = await verifications.get_check(VIEWER, *names(config), name)
        return found if found and not found.running else None

    return await eventually(ended)


async def test_a_good_backup_is_verified_now(worker, source):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    await restore_points.verify_point(OPERATOR, *names(config), name)
    found = await check(config, name)
    assert (found.state, found.words, found.by) == (CheckState.GOOD, "", "olga")
    assert (await points(config))[name].verified == found.finished
    assert await AuditEntry.objects.filter(action="verified a restore point of", details=name).aexists()


async def test_a_damaged_backup_is_found_and_is_not_shown_as_verified(worker, source, folder):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    archive = kept_at(folder, config, name) / f"{name}.tar.zst"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    await restore_points.verify_point(OPERATOR, *names(config), name)
    found = await check(config, name)
    assert found.failed
    assert "failed its verification" in found.words
    assert (await points(config))[name].verified is None


async def test_a_verification_can_be_cancelled_and_only_one_runs(worker, source, folder, monkeypatch):
    heard = threading.Event()
    end = Patient.end
    monkeypatch.setattr(Patient, "end", lambda patient: (end(patient), heard.set()))
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    # A pipe in the place of the archive: whoever reads it waits until somebody writes.
    archive = kept_at(folder, config, name) / f"{name}.tar.zst"
    whole = archive.read_bytes()
    archive.unlink()
    os.mkfifo(archive)
    await restore_points.verify_point(OPERATOR, *names(config), name)
    with pytest.raises(NotNow, match="being verified already"):
        await restore_points.verify_point(OPERATOR, *names(config), name)
    assert await Verification.objects.acount() == 1
    with pytest.raises(NotAllowed):
        await verifications.cancel(VIEWER, *names(config), name)
    await verifications.cancel(OPERATOR, *names(config), name)
    with await asyncio.to_thread(archive.open, "wb") as pipe:
        assert await asyncio.to_thread(heard.wait, 15)
        await asyncio.to_thread(_fill, pipe, whole)
    assert (await check(config, name)).state is CheckState.CANCELLED
    with pytest.raises(NotFound, match="not being verified"):
        await verifications.cancel(OPERATOR, *names(config), name)


async def test_a_verification_that_temporal_lost_is_not_shown_as_running(temporal_settings, source):
    config = await catalog(**settings_for(source))
    await Verification.objects.acreate(
        profile=config.profile.name, config=config.name, backup="x", workflow_id="gone", run_id=str(uuid4()),
        by="b", started=_now(),
    )  # fmt: skip
    found = await verifications.get_check(VIEWER, *names(config), "x")
    assert found is not None
    assert found.state is CheckState.LOST


# Delete


async def test_a_typed_deletion_deletes_exactly_that_one(worker, source, folder):
    config = await catalog(**settings_for(source))
    first, second = await back_up(config), await back_up(config)
    with pytest.raises(NotAllowed):
        await deletions.delete_point(OPERATOR, *names(config), first, first)
    with pytest.raises(ConfigInvalid, match=r"^confirmation: "):
        await deletions.delete_point(ADMIN, *names(config), first, second)
    assert await deletions.delete_point(ADMIN, *names(config), first, first)
    assert not kept_at(folder, config, first).exists()
    assert await presences(config) == {second: Presence.PRESENT}
    assert (await Removal.objects.aget()).how == "ada"
    assert await AuditEntry.objects.filter(action="deleted a restore point of", details=first).aexists()


async def test_what_is_held_is_not_deleted_even_when_the_hold_came_late(worker, source, folder, monkeypatch):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    await restore_points.hold_point(OPERATOR, *names(config), name, "why")
    with pytest.raises(NotNow, match="is held by olga: why"):
        await deletions.delete_point(ADMIN, *names(config), name, name)
    monkeypatch.setattr(holds, "refuse_held", lambda names: None)
    with pytest.raises(FossulError, match="is held"):
        await deletions.delete_point(ADMIN, *names(config), name, name)
    assert await presences(config) == {name: Presence.PRESENT}


async def test_nothing_is_deleted_while_a_run_holds_the_lock(worker, source, two_lines):
    command, go = two_lines
    config = await catalog(**settings_for(source, preAppQuiesceCmd=command))
    await sync_to_async(_without_command)(config)
    name = await back_up(config)
    await sync_to_async(_with_command)(config, command)
    number = await starts.start_backup(OPERATOR, *names(config), "daily")
    with pytest.raises(RunAlreadyActive, match=f"run {number}"):
        await deletions.delete_point(ADMIN, *names(config), name, name)
    go.touch()
    await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert (await presences(config))[name] is Presence.PRESENT


async def test_a_missing_one_is_forgotten_by_the_same_typed_name(worker, source, folder):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    shutil.rmtree(kept_at(folder, config, name))
    assert await deletions.delete_point(ADMIN, *names(config), name, name)
    assert await presences(config) == {}


# Browse


async def browse(config: BackupConfig, name: str, **query: object) -> FileListing:
    return await restore_points.browse(VIEWER, *names(config), name, FileQuery(**query))


async def test_the_files_of_a_restore_point_are_listed_folder_by_folder(worker, source):
    hostile = "<b>&\n\"'" + os.fsdecode(b"\xff")
    (source / "deep" / hostile).write_text("x")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    (top,) = (await browse(config, name)).entries
    assert (top.path, top.type) == (str(source), "directory")
    below = await browse(config, name, folder=top.key)
    assert [e.path.rsplit("/", 1)[1] for e in below.entries] == ["deep", "empty"]
    deep = await browse(config, name, folder=below.entries[0].key)
    assert {e.path.rsplit("/", 1)[1]: e.size for e in deep.entries} == {
        "<b>&\n\"'\\xff": 1,
        "letter.txt": 9,
    }
    found = await browse(config, name, search="LETTER")
    assert [e.path for e in found.entries] == [str(source / "deep" / "letter.txt")]
    paged = await browse(config, name, search="e", offset=1, limit=1)
    assert (len(paged.entries), paged.total) == (1, (await browse(config, name, search="e")).total)


async def test_browsing_leads_nowhere_else(worker, source, tmp_path):
    (tmp_path / "secret").write_text("x")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    for folder in ("/etc", "/..", f"{source}/../secret", "/%00"):
        try:
            assert (await browse(config, name, folder=folder)).entries == ()
        except FossulError as error:
            assert "no path in a backup" in str(error)
    for wrong in ("../" + name, name + "0", "", "."):
        with pytest.raises(FossulError, match="no longer available"):
            await browse(config, wrong)


async def test_what_is_held_or_was_removed_is_known_without_a_worker(temporal_settings, source, monkeypatch):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.3)
    config = await catalog(**settings_for(source))
    removed = "inbox-daily-1-1790000000"
    await sync_to_async(holds.hold)(OPERATOR, *names(config), "inbox-daily-2-1790000000", "the audit")
    await Removal.objects.acreate(
        profile=config.profile.name, config=config.name, backup=removed, how="x", time=_now()
    )
    (point,) = (await points(config)).values()
    assert (point.backup.name, point.presence) == ("inbox-daily-2-1790000000", Presence.UNKNOWN)
    with pytest.raises(NotFound, match="any more"):
        await restore_points.get_point(VIEWER, *names(config), removed)


def _now() -> datetime:
    return datetime.now(UTC)


def _fill(pipe: BinaryIO, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(content)


def _with_command(config: BackupConfig, command: str) -> None:
    config.settings["preAppQuiesceCmd"] = command
    config.save()


def _without_command(config: BackupConfig) -> None:
    config.settings.pop("preAppQuiesceCmd")
    config.save()


async def test_what_was_gone_before_removals_were_written_down_is_forgiven(worker, source, folder):
    config = await catalog(**settings_for(source))
    gone, there = await back_up(config), await back_up(config)
    shutil.rmtree(kept_at(folder, config, gone))
    assert (await presences(config))[gone] is Presence.MISSING
    migration = import_module("workflows_app.migrations.0006_restore_points")
    await sync_to_async(migration.forgive_what_is_gone)(apps, None)
    assert await presences(config) == {there: Presence.PRESENT}
    shutil.rmtree(kept_at(folder, config, there))
    assert await presences(config) == {there: Presence.MISSING}, "it was there after that, and said so"
