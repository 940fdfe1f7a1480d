"""Schedules on a real Temporal follow what becomes of their configuration, wherever that is interrupted."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from temporalio.client import ScheduleDescription, ScheduleHandle
from temporalio.service import RPCError, RPCStatusCode

from tests.conftest import eventually, running_worker
from tests.factories import ADMIN, OPERATOR, VIEWER
from tests.services.schedules import expected_runs, key_of, scheduled, stored_config, timing
from workflows_app.domain.errors import NotFound
from workflows_app.domain.schedules.schedules import ScheduleKey
from workflows_app.models import AuditEntry, BackupConfig, Profile, ScheduleMove
from workflows_app.services.editing import config_places, profile_edits
from workflows_app.services.schedules import schedule_lists, schedule_moves, schedules

pytestmark = pytest.mark.django_db(transaction=True)

rename = sync_to_async(config_places.rename_config)
duplicate = sync_to_async(config_places.duplicate_config)
delete = sync_to_async(config_places.delete_config)
change_profile = sync_to_async(profile_edits.change_profile)
delete_profile = sync_to_async(profile_edits.delete_profile)


@pytest.fixture(autouse=True)
def temporal_answers(monkeypatch) -> None:
    """What is known of Temporal for two seconds may be of the test before."""
    monkeypatch.setattr(schedule_moves, "temporal_trouble", lambda: "")


def place(config: BackupConfig) -> tuple[str, str]:
    return config.profile.name, config.name


def moved(key: ScheduleKey, config: str) -> ScheduleKey:
    return ScheduleKey(key.profile, config, key.policy, key.name)


async def exists(key: ScheduleKey) -> bool:
    try:
        await schedule_lists.get_schedule(VIEWER, key)
    except NotFound:
        return False
    return True


async def listed(*keys: ScheduleKey) -> None:
    """Wait until Temporal's list, which follows a moment later, has exactly these of their profile."""

    async def same() -> bool:
        found = await schedule_lists.list_schedules(VIEWER, keys[0].profile)
        return {one.key for one in found} == set(keys)

    await eventually(same)


async def moves_of(*places: str) -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(config__in=places, action__contains="schedule of").order_by("pk")
    found = [(e.actor, e.action, e.config) async for e in entries]
    return [one for one in found if not one[1].startswith(("made", "paused"))]


async def test_a_rename_takes_schedules_along_as_they_are(temporal_settings):
    config = await stored_config()
    first, second = key_of(config, "first"), key_of(config, "second", "weekly")
    spec = timing("30 2 * * MON", "Europe/Berlin", jitter="5m", catch_up="2h", when_busy="queue")
    await schedules.create_schedule(ADMIN, first, spec)
    await schedules.create_schedule(ADMIN, second, timing())
    await schedules.pause_schedule(OPERATOR, second, "the disks are exchanged")
    await listed(first, second)
    await rename(ADMIN, *place(config), "renamed")
    there = await schedule_lists.get_schedule(VIEWER, moved(first, "renamed"))
    assert (there.timing, there.paused, there.note) == (spec, False, "")
    other = await schedule_lists.get_schedule(VIEWER, moved(second, "renamed"))
    assert (other.timing, other.paused, other.note) == (timing(), True, "the disks are exchanged (olga)")
    assert not await exists(first)
    assert not await exists(second)
    assert await moves_of("renamed") == [("ada", "moved a schedule of", "renamed")] * 2


async def test_what_has_moved_backs_up_what_it_is_of_now(worker):
    config = await stored_config(preAppQuiesceCmd="echo,x")
    key = await scheduled(config)
    await listed(key)
    await rename(ADMIN, *place(config), "renamed")
    await schedules.run_now(OPERATOR, moved(key, "renamed"))
    (run,) = await expected_runs(moved(key, "renamed"))
    assert (run.status, run.config) == ("COMPLETED", "renamed")


async def test_there_and_back_again_it_is_where_the_configuration_is(temporal_settings, monkeypatch):
    monkeypatch.setattr(schedule_moves, "LISTS_FOLLOW", timedelta(hours=1))
    config = await stored_config()
    key = await scheduled(config)
    await listed(key)
    await rename(ADMIN, *place(config), "renamed")
    await listed(moved(key, "renamed"))
    await rename(ADMIN, config.profile.name, "renamed", config.name)
    await listed(key)
    assert await ScheduleMove.objects.acount() == 2, "both are looked after for a while"
    await schedule_moves.settle_moves()
    assert await exists(key)
    assert not await exists(moved(key, "renamed"))
    assert not (await schedule_lists.get_schedule(VIEWER, key)).paused


@pytest.mark.parametrize("interrupted", ["delete", "update"])
async def test_interrupted_anywhere_it_is_finished_by_whoever_comes_next(
    temporal_settings, monkeypatch, interrupted
):
    config = await stored_config()
    key = await scheduled(config)
    new = moved(key, "renamed")
    await listed(key)

    class Killed(BaseException):
        """The process ends."""

    async def killed(self: ScheduleHandle, *args: object, **options: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(ScheduleHandle, interrupted, killed)
        await rename(ADMIN, *place(config), "renamed")
    active = [
        k for k in (key, new) if await exists(k) and not (await schedule_lists.get_schedule(VIEWER, k)).paused
    ]
    assert active == ([key] if interrupted == "delete" else []), "never two"
    async with running_worker(temporal_settings):

        async def finished() -> bool:
            return await exists(new) and not (await schedule_lists.get_schedule(VIEWER, new)).paused

        await eventually(finished)
    assert not await exists(key)
    assert len(await moves_of("renamed")) == 1


async def test_no_answer_is_not_taken_for_a_schedule_that_is_gone(temporal_settings, monkeypatch):
    config = await stored_config()
    key = await scheduled(config)
    new = moved(key, "renamed")
    await listed(key)
    describe, asked_to_go = ScheduleHandle.describe, []

    async def unheard(self: ScheduleHandle, *args: object, **options: object) -> None:
        asked_to_go.append(self.id)
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    async def late(self: ScheduleHandle, *args: object, **options: object) -> ScheduleDescription:
        if self.id in asked_to_go:
            raise RPCError("late", RPCStatusCode.DEADLINE_EXCEEDED, b"")
        return await describe(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(ScheduleHandle, "delete", unheard)
        patch.setattr(ScheduleHandle, "describe", late)
        await rename(ADMIN, *place(config), "renamed")
    assert asked_to_go == [key.id]
    assert await exists(key)
    assert (await schedule_lists.get_schedule(VIEWER, new)).paused, "never two of it act"
    await schedule_moves.settle_moves()
    assert not await exists(key)
    assert not (await schedule_lists.get_schedule(VIEWER, new)).paused


async def test_what_was_due_while_it_moved_is_made_up_for(temporal_settings, monkeypatch):
    monkeypatch.setattr("workflows_app.domain.schedules.cron.SHORTEST_EVERY", 1)
    config = await stored_config(preAppQuiesceCmd="echo,x")
    key = key_of(config)
    await schedules.create_schedule(ADMIN, key, timing("@every 1h"))
    await listed(key)
    hour_ago = datetime.now(UTC) - timedelta(minutes=59, seconds=59)
    monkeypatch.setattr(schedule_moves, "temporal_trouble", lambda: "Temporal is away")
    await rename(ADMIN, *place(config), "renamed")
    # The schedule is older than the rename, and that was an hour ago: one backup was due since.
    await ScheduleMove.objects.aupdate(time=hour_ago)

    async def before(found: object) -> datetime:
        return hour_ago - timedelta(hours=1)

    monkeypatch.setattr(schedule_moves, "_since", before)
    async with running_worker(temporal_settings):
        (run,) = await expected_runs(moved(key, "renamed"))
    assert run.status == "COMPLETED"


async def test_with_temporal_away_a_rename_is_made_and_the_schedules_follow_later(
    temporal_settings, settings
):
    config = await stored_config()
    key = await scheduled(config)
    await listed(key)
    there = settings.TEMPORAL_ADDRESS
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    await rename(ADMIN, *place(config), "renamed")
    settings.TEMPORAL_ADDRESS = there
    assert await exists(key)
    await schedule_moves.settle_moves()
    assert await exists(moved(key, "renamed"))
    assert not await exists(key)


async def test_a_deletion_takes_the_schedules_with_it_and_none_that_came_later(temporal_settings):
    config = await stored_config()
    key = await scheduled(config)
    await listed(key)
    await delete(ADMIN, *place(config), config.name)
    assert not await exists(key)
    assert await moves_of(config.name) == [("ada", "deleted a schedule of", config.name)]
    again = await sync_to_async(BackupConfig.objects.create)(profile=config.profile, name=config.name)
    await again.policies.acreate(name="daily", keep_backups=1)
    await schedules.create_schedule(ADMIN, key, timing())
    await listed(key)
    await schedule_moves.settle_moves()
    assert await exists(key)


async def test_a_profile_takes_the_schedules_of_all_its_configurations_along(temporal_settings):
    config = await stored_config()
    other = await sync_to_async(BackupConfig.objects.create)(profile=config.profile, name="other")
    await other.policies.acreate(name="daily", keep_backups=1)
    keys = [await scheduled(config), await scheduled(other)]
    await listed(*keys)
    new = f"{config.profile.name}-2"
    await change_profile(ADMIN, config.profile.name, new, "")
    there = [ScheduleKey(new, key.config, key.policy, key.name) for key in keys]
    assert [await exists(key) for key in (*keys, *there)] == [False, False, True, True]
    await listed(*there)
    await delete_profile(ADMIN, new, new)
    assert [await exists(key) for key in there] == [False, False]


async def test_a_duplicate_has_no_schedules_unless_they_are_taken_along(temporal_settings):
    config = await stored_config()
    key = await scheduled(config)
    await schedules.pause_schedule(OPERATOR, key, "why not")
    await listed(key)
    elsewhere = (await Profile.objects.acreate(name=f"{config.profile.name}-else")).name
    await duplicate(ADMIN, *place(config), elsewhere, "without")
    await duplicate(ADMIN, *place(config), elsewhere, "with", with_schedules=True)
    assert not await exists(ScheduleKey(elsewhere, "without", "daily", "nightly"))
    copy = await schedule_lists.get_schedule(VIEWER, ScheduleKey(elsewhere, "with", "daily", "nightly"))
    assert (copy.timing, copy.paused, copy.note) == (timing(), True, "why not (olga)")
    assert await exists(key), "a copy takes nothing away"
    assert not await ScheduleMove.objects.aexists()


async def test_what_is_done_is_forgotten(temporal_settings):
    config = await stored_config()
    await rename(ADMIN, *place(config), "renamed")
    await ScheduleMove.objects.aupdate(time=datetime.now(UTC) - timedelta(seconds=11))
    await schedule_moves.settle_moves()
    assert not await ScheduleMove.objects.aexists()
