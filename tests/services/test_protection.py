"""Protection as pages ask for it: from what workers read of storages anyway, in a few queries for all."""

import asyncio
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import ADMIN, VIEWER, make_catalog, make_run
from tests.services.schedules import key_of, timing
from tests.services.test_restores import back_up, settings_for, source
from tests.services.test_restores import catalog as stored_catalog
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.runs.protection import Promise, ProtectionState, storage_mark
from workflows_app.domain.states import CheckState
from workflows_app.models import BackupConfig, Catalogue, Verification
from workflows_app.services.configurations import catalog
from workflows_app.services.editing import config_places
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.points import deletions, restore_points
from workflows_app.services.protection import protection, trends
from workflows_app.services.protection.protection import Outlook
from workflows_app.services.schedules.schedule_lists import KnownSchedules, ScheduleSummary

__all__ = ["source"]

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)
AWAY = KnownSchedules(trouble="Temporal does not answer.")


def place(config: BackupConfig) -> tuple[str, str]:
    return config.profile.name, config.name


def nightly(config: BackupConfig, name: str = "nightly", policy: str = "daily") -> ScheduleSummary:
    due = NIGHT + timedelta(days=1)
    each = timing("0 3 * * *")
    return ScheduleSummary(key_of(config, name, policy), "0 3 * * *", "", "UTC", due, False, "", each)


def known(*schedules: ScheduleSummary) -> KnownSchedules:
    found: dict[tuple[str, str], tuple[ScheduleSummary, ...]] = {}
    for one in schedules:
        of = (one.key.profile, one.key.config)
        found[of] = (*found.get(of, ()), one)
    return KnownSchedules(found)


def seen(config: BackupConfig, *made: datetime, **changes: object) -> None:
    """The storage was seen to have backups that were made then."""
    points = [(f"b-daily-{n}-{m:%s}", "daily", int(m.timestamp())) for n, m in enumerate(made)]
    settings = config.settings
    mark = storage_mark(settings.get("storagePlugin", ""), settings.get("storagePluginParameters", {}))
    given = {"points": points, "read": NOW, "tried": NOW, "storage": mark, **changes}
    Catalogue.objects.create(profile=config.profile.name, config=config.name, **given)


def outlook(config: BackupConfig, schedules: KnownSchedules = AWAY, now: datetime = NOW) -> Outlook:
    summary = catalog.get_config(VIEWER, *place(config)).summary
    trend = {place(config): trends.get_trend(VIEWER, *place(config), now)}
    return protection.list_outlooks(VIEWER, [summary], trend, schedules, now)[place(config)]


@pytest.mark.django_db
def test_the_newest_point_that_was_seen_protects_until_a_newer_one_must_be_there():
    config = make_catalog()
    seen(config, NIGHT, NIGHT - timedelta(days=1))
    run = make_run(profile=config.profile.name, config=config.name, status="COMPLETED", started=NIGHT)
    type(run).objects.filter(pk=run.pk).update(finished=NIGHT + timedelta(minutes=12))
    found = outlook(config, known(nightly(config)))
    assert found.protection.state is ProtectionState.PROTECTED
    assert found.protection.until == NIGHT + timedelta(days=1, minutes=12)
    assert (found.next_time, found.next_policy) == (NIGHT + timedelta(days=1), "daily")
    late = outlook(config, known(nightly(config)), NOW + timedelta(days=1))
    assert late.protection.state is ProtectionState.LAPSED


@pytest.mark.django_db
def test_the_next_run_is_the_earliest_of_all_schedules_that_are_at_work():
    config = make_catalog()
    first = replace(nightly(config, "weekly", "weekly"), next_time=NIGHT + timedelta(hours=12))
    paused = replace(nightly(config, "paused"), next_time=None, paused=True)
    found = outlook(config, known(nightly(config), first, paused))
    assert (found.next_time, found.next_policy) == (first.next_time, "weekly")
    found = outlook(config, known(paused))
    assert (found.next_time, found.promise) == (None, Promise.PAUSED)
    assert outlook(config, known()).promise is Promise.NONE
    assert outlook(config, AWAY).promise is Promise.UNKNOWN
    BackupConfig.objects.filter(pk=config.pk).update(disabled=True)
    found = outlook(config, known(nightly(config)))
    assert (found.next_time, found.promise) == (None, Promise.DISABLED)


@pytest.mark.django_db
def test_a_backup_that_a_run_merely_reported_protects_nothing():
    config = make_catalog()
    make_run(
        profile=config.profile.name,
        config=config.name,
        status="COMPLETED",
        started=NIGHT,
        finished=NIGHT + timedelta(minutes=1),
        progress={"backup_name": "b-daily-1-1"},
    )
    assert outlook(config, known(nightly(config))).protection.state is ProtectionState.UNKNOWN
    seen(config)
    assert outlook(config, known(nightly(config))).protection.state is ProtectionState.EMPTY


@pytest.mark.django_db
def test_a_point_that_was_found_bad_counts_for_nothing_until_it_is_found_good():
    config = make_catalog()
    seen(config, NIGHT, NIGHT - timedelta(days=1))
    bad = Catalogue.objects.get().points[0][0]
    given = {
        "profile": config.profile.name,
        "config": config.name,
        "backup": bad,
        "by": "olga",
        "started": NOW,
    }
    Verification.objects.create(**given, workflow_id="w", state=CheckState.FAILED)
    newest = outlook(config, known(nightly(config))).protection.newest
    assert newest and newest.made == NIGHT - timedelta(days=1)
    Verification.objects.create(**given, workflow_id="w", state=CheckState.GOOD)
    newest = outlook(config, known(nightly(config))).protection.newest
    assert newest and newest.made == NIGHT


@pytest.mark.django_db
def test_what_another_place_had_says_nothing_of_the_place_that_is_set_now():
    config = make_catalog(storagePlugin="filesystem", storagePluginParameters={"BackupDestPath": "/a"})
    seen(config, NIGHT)
    assert outlook(config, known(nightly(config))).protection.state is ProtectionState.PROTECTED
    settings = {"storagePlugin": "filesystem", "storagePluginParameters": {"BackupDestPath": "/b"}}
    BackupConfig.objects.filter(pk=config.pk).update(settings=settings)
    assert outlook(config, known(nightly(config))).protection.newest is None


@pytest.mark.django_db
def test_after_a_rename_nobody_has_looked_yet():
    config = make_catalog()
    seen(config, NIGHT)
    config_places.rename_config(ADMIN, *place(config), "renamed")
    assert not Catalogue.objects.exists()


@pytest.mark.django_db
def test_all_configurations_cost_as_many_queries_as_one():
    with pytest.raises(NotAllowed):
        protection.list_outlooks(NOBODY, [], {}, AWAY, NOW)

    def queries() -> int:
        configs, trend = catalog.list_configs(VIEWER), trends.list_trends(VIEWER, NOW)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            found = protection.list_outlooks(VIEWER, configs, trend, known(), NOW)
        assert len(found) == len(configs)
        return len(caught)

    seen(make_catalog(), NIGHT)
    one = queries()
    for _ in range(5):
        seen(make_catalog(), NIGHT)
    assert queries() == one == 2


@pytest.mark.django_db(transaction=True)
async def test_a_run_leaves_behind_what_the_storage_has_after_it(worker, source: Path):
    config = await stored_catalog(**settings_for(source))
    await back_up(config)
    newest = await back_up(config)
    found = await sync_to_async(outlook)(config, known(nightly(config)), datetime.now(UTC))
    assert found.protection.state is ProtectionState.PROTECTED
    assert found.protection.newest and found.protection.newest.name == newest
    assert found.protection.seen and datetime.now(UTC) - found.protection.seen < timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
async def test_whoever_looks_at_the_restore_points_or_deletes_one_brings_it_up_to_date(worker, source: Path):
    config = await stored_catalog(**settings_for(source))
    older, newer = await back_up(config), await back_up(config)

    async def newest() -> str:
        found = await sync_to_async(outlook)(config, AWAY, datetime.now(UTC))
        return found.protection.newest.name if found.protection.newest else ""

    assert await newest() == newer
    await deletions.delete_point(ADMIN, *place(config), newer, newer)
    assert await newest() == older
    kept = source.parent / "backups" / config.profile.name / config.name
    await asyncio.to_thread(shutil.rmtree, kept / older)
    await restore_points.list_points(VIEWER, *place(config))
    assert await newest() == ""
    assert (await sync_to_async(outlook)(config)).protection.state is ProtectionState.EMPTY


@pytest.mark.django_db(transaction=True)
async def test_a_storage_that_cannot_be_read_any_more_makes_it_unknown(worker, source: Path):
    config = await stored_catalog(**settings_for(source))
    name = await back_up(config)
    backups = source.parent / "backups"
    backups.rename(source.parent / "away")
    await restore_points.list_points(VIEWER, *place(config))
    found = await sync_to_async(outlook)(config, known(nightly(config)), datetime.now(UTC))
    assert found.protection.state is ProtectionState.UNKNOWN
    assert "Cannot list the backups" in found.protection.trouble
    assert found.protection.newest and found.protection.newest.name == name, "as it was seen last"
