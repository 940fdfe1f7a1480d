"""What a policy leaves behind: its schedules follow or go, its restore points keep its name."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import ADMIN, OPERATOR, VIEWER
from tests.services.schedules import key_of, stored_config, timing
from tests.services.test_restores import back_up, settings_for, source
from tests.services.test_restores import catalog as stored_catalog
from workflows_app.domain.errors import NotAllowed, NotFound, PoliciesGone
from workflows_app.domain.schedules.schedules import ScheduleKey
from workflows_app.models import AuditEntry, BackupConfig, ScheduleMove
from workflows_app.services.editing import config_edits, gone_policies
from workflows_app.services.schedules import schedule_lists, schedule_moves, schedules

__all__ = ["source"]

pytestmark = pytest.mark.django_db(transaction=True)

rename_policy = sync_to_async(config_edits.rename_policy)


@pytest.fixture(autouse=True)
def temporal_answers(monkeypatch) -> None:
    """What is known of Temporal for two seconds may be of the test before."""
    monkeypatch.setattr(schedule_moves, "temporal_trouble", lambda: "")


def place(config: BackupConfig) -> tuple[str, str]:
    return config.profile.name, config.name


async def exists(key: ScheduleKey) -> bool:
    try:
        await schedule_lists.get_schedule(VIEWER, key)
    except NotFound:
        return False
    return True


async def made(*keys: ScheduleKey) -> None:
    """Make schedules and wait until Temporal lists them."""
    for key in keys:
        await schedules.create_schedule(ADMIN, key, timing())

    async def listed() -> bool:
        found = await schedule_lists.list_schedules(VIEWER, keys[0].profile)
        return {one.key for one in found} == set(keys)

    await eventually(listed)


@sync_to_async
def save_without(config: BackupConfig, policy: str, successors: dict[str, str]) -> None:
    edit = config_edits.open_edit(ADMIN, *place(config))
    kept = tuple(each for each in edit.configuration.policies if each.name != policy)
    changed = type(edit.configuration)(edit.configuration.config, kept, edit.configuration.plan)
    config_edits.save_config(ADMIN, *place(config), edit.version, edit.description, changed, successors)


async def test_a_renamed_policy_takes_its_schedules_along_as_they_are_and_no_others(temporal_settings):
    config = await stored_config(preAppQuiesceCmd="echo,x")
    first, paused, other = key_of(config, "first"), key_of(config, "second"), key_of(config, "w", "weekly")
    await made(first, paused, other)
    await schedules.pause_schedule(OPERATOR, paused, "the disks are exchanged")
    await rename_policy(ADMIN, *place(config), "daily", "nightly")
    there = await schedule_lists.get_schedule(VIEWER, key_of(config, "first", "nightly"))
    assert (there.timing, there.paused, there.obstacle) == (timing(), False, None)
    there = await schedule_lists.get_schedule(VIEWER, key_of(config, "second", "nightly"))
    assert (there.paused, there.note) == (True, "the disks are exchanged (olga)")
    assert [await exists(key) for key in (first, paused, other)] == [False, False, True]
    told = AuditEntry.objects.filter(action="moved a schedule of").order_by("details")
    assert [entry.details async for entry in told] == [
        "nightly/first: it was of policy daily before",
        "nightly/second: it was of policy daily before",
    ]


async def test_there_and_back_again_it_has_its_schedule(temporal_settings):
    config = await stored_config(preAppQuiesceCmd="echo,x")
    key = key_of(config)
    await made(key)
    await rename_policy(ADMIN, *place(config), "daily", "other")
    moved = key_of(config, policy="other")
    await eventually(lambda: exists(moved))

    async def listed() -> bool:
        return [one.key for one in await schedule_lists.list_schedules(VIEWER, *place(config))] == [moved]

    await eventually(listed)
    await rename_policy(ADMIN, *place(config), "other", "daily")
    await schedule_moves.settle_moves()
    assert await exists(key)
    assert not await exists(moved)


async def test_a_removed_policy_takes_its_schedules_away_and_no_others(temporal_settings):
    config = await stored_config(preAppQuiesceCmd="echo,x")
    gone, other = key_of(config), key_of(config, "w", "weekly")
    await made(gone, other)
    with pytest.raises(PoliciesGone):
        await save_without(config, "daily", {})
    assert await exists(gone)
    await save_without(config, "daily", {"daily": ""})
    assert [await exists(key) for key in (gone, other)] == [False, True]
    entry = await AuditEntry.objects.aget(action="deleted a schedule of")
    assert entry.details == "daily/nightly: with its policy"


async def test_with_temporal_away_a_worker_lets_them_follow_later(temporal_settings, monkeypatch):
    config = await stored_config(preAppQuiesceCmd="echo,x")
    key = key_of(config)
    await made(key)
    monkeypatch.setattr(schedule_moves, "temporal_trouble", lambda: "it is away")
    await rename_policy(ADMIN, *place(config), "daily", "other")
    assert await ScheduleMove.objects.acount() == 1
    listed = await schedule_lists.get_schedule(VIEWER, key)
    assert listed.obstacle is not None, "until then it says that what is due fails"
    await schedule_moves.settle_moves()
    assert [await exists(each) for each in (key, key_of(config, policy="other"))] == [False, True]


async def test_what_a_policy_would_leave_is_counted_and_stays(worker, source: Path):
    config = await stored_catalog(**settings_for(source))
    name = await back_up(config)
    await back_up(config)
    await back_up(config, "weekly")
    key = key_of(config)
    await made(key)
    found = await gone_policies.left_behind(ADMIN, *place(config), ["daily", "weekly"])
    assert [(one.policy, one.points, one.archives) for one in found.policies] == [
        ("daily", 2, 0),
        ("weekly", 1, 0),
    ]
    assert [[one.key for one in left.schedules] for left in found.policies] == [[key], []]
    assert not found.nothing
    await rename_policy(ADMIN, *place(config), "daily", "nightly")
    newest = await back_up(config, "nightly")
    again = await gone_policies.left_behind(ADMIN, *place(config), ["daily"])
    assert again.policies[0].points == 2, "the retention of another policy lets them be"
    kept = source.parent / "backups" / config.profile.name / config.name
    assert (kept / name).is_dir() and (kept / newest).is_dir()
    with pytest.raises(NotAllowed):
        await gone_policies.left_behind(OPERATOR, *place(config), ["daily"])


async def test_what_cannot_be_found_out_is_said_and_is_not_nothing(temporal_settings, settings):
    config = await stored_config(preAppQuiesceCmd="echo,x")
    found = await gone_policies.left_behind(ADMIN, *place(config), ["daily"])
    assert found.nothing, "it has no plugin that keeps anything, and no schedule"
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    found = await gone_policies.left_behind(ADMIN, *place(config), ["daily"])
    assert "does not answer" in found.schedule_trouble
    assert not found.nothing
