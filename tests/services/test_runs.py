"""Starting, following, cancelling and finding runs, with the product's own worker on a real Temporal."""

import asyncio
import socket

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually, running_worker
from tests.factories import OPERATOR, VIEWER, make_catalog, make_run
from workflows_app.domain.errors import (
    ConfigInvalid,
    NotAllowed,
    NotFound,
    RunAlreadyActive,
    TemporalUnavailable,
)
from workflows_app.domain.states import RunState, StepState
from workflows_app.models import BackupConfig, Policy, Run
from workflows_app.services.runs import control, runs, starts
from workflows_app.services.temporal.client import temporal

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)
get_run = sync_to_async(runs.get_run)
list_runs = sync_to_async(runs.list_runs)


async def start(config: BackupConfig, policy: str = "daily") -> int:
    return await starts.start_backup(OPERATOR, config.profile.name, config.name, policy)


async def test_a_backup_runs_to_its_end_and_is_recorded(worker):
    config = await catalog()
    number = await start(config)
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED
    assert run.summary.requested_by == "olga"
    assert run.summary.finished > run.summary.started
    assert {s.state for s in run.progress.steps} == {StepState.COMPLETE}
    assert run.progress.thawed_at is not None
    workflow = run.result["workflow"]
    assert (workflow["id"], workflow["status"], workflow["type"], workflow["policy"]) == (
        number, "COMPLETED", "backup", "daily",
    )  # fmt: skip
    texts = [m["message"] for m in run.result["result"]["messages"]]
    assert texts[0] == "*** Application Discovery ***"
    assert texts[3:7] == [
        "Performing pre quiesce command [echo,pre quiesce]",
        "Executing command [echo pre quiesce]",
        "pre quiesce",
        "Command [echo pre quiesce] completed successfully",
    ]
    assert "*** Application Quiesce ***" in texts


async def test_a_failed_step_is_recorded_with_its_words_and_the_thaw(worker):
    config = await catalog(appPlugin="sample-app", backupCreateCmd="false", storagePlugin="sample-storage")
    number = await start(config)
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.ERROR
    assert "Step 1 (Backup create command) failed: Command [false ] failed" in run.summary.failure
    assert run.result["workflow"]["status"] == "ERROR"
    assert not run.progress.frozen
    states = {s.key: s.state for s in run.progress.steps}
    assert states["undo-unquiesce-plugin"] is StepState.COMPLETE
    assert states["backup-plugin"] is StepState.SKIPPED


async def test_an_unknown_plugin_is_a_kind_error_not_a_crash(worker):
    number = await start(await catalog(storagePlugin="no-such-plugin"))
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.ERROR
    assert "There is no storage plugin 'no-such-plugin'" in run.summary.failure


async def test_a_second_start_is_refused_with_the_holder(temporal_settings):
    config = await catalog()
    number = await start(config)
    with pytest.raises(RunAlreadyActive) as caught:
        await start(config, "weekly")
    assert caught.value.run == number
    assert await Run.objects.acount() == 1, "the refused start leaves no row"
    await control.cancel_run(OPERATOR, number)


async def test_configurations_do_not_lock_each_other(worker):
    first, second = await catalog(), await catalog()
    numbers = [await start(first), await start(second)]
    for number in numbers:
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
        assert run.summary.state is RunState.COMPLETED


async def test_a_cancelled_run_thaws_and_is_recorded_as_cancelled(worker):
    config = await catalog(appPlugin="sample-app", backupCreateCmd="sleep,60")
    number = await start(config)

    async def backing_up() -> bool:
        current = (await get_run(OPERATOR, number)).progress.current
        return current is not None and current.key == "backup-create-command"

    await eventually(backing_up)
    await control.cancel_run(OPERATOR, number)
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.CANCELLED
    assert run.result["workflow"]["status"] == "ERROR", "a cancelled run is never a success"
    assert not run.progress.frozen
    states = {s.key: s.state for s in run.progress.steps}
    assert states["backup-create-command"] is StepState.CANCELLED
    assert states["undo-unquiesce-plugin"] is StepState.COMPLETE


async def test_cancelling_a_closed_run_changes_nothing(worker):
    number = await start(await catalog())
    before = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    await control.cancel_run(OPERATOR, number)
    assert await get_run(OPERATOR, number) == before


async def test_a_terminated_run_is_recorded_as_what_it_is(worker):
    number = await start(await catalog(appPlugin="sample-app", backupCreateCmd="sleep,60"))
    run = await get_run(OPERATOR, number)
    async with temporal() as client:
        await client.get_workflow_handle(run.address.workflow_id, run_id=run.address.run_id).terminate(
            reason="pulled the plug"
        )
    run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.TERMINATED
    assert "pulled the plug" in run.summary.failure
    assert run.result["workflow"]["status"] == "ERROR"


@pytest.mark.parametrize(
    ("profile", "config", "policy", "words"),
    [
        ("nope", "files", "daily", "There is no profile 'nope'"),
        ("known", "nope", "daily", "There is no configuration 'nope' in profile 'known'"),
        ("known", "files", "hourly", "known/files has no policy 'hourly'. Its policies: daily, weekly"),
    ],
)
async def test_what_does_not_exist_is_named(temporal_settings, profile, config, policy, words):
    await catalog("known", "files")
    with pytest.raises(NotFound, match=words.replace(".", r"\.")):
        await starts.start_backup(OPERATOR, profile, config, policy)
    assert await Run.objects.acount() == 0


async def test_a_policy_that_keeps_nothing_is_refused_before_anything_starts(temporal_settings):
    config = await catalog()
    await Policy.objects.filter(config=config, name="daily").aupdate(keep_backups=0)
    with pytest.raises(ConfigInvalid, match="keeps 0 backups"):
        await start(config)
    assert await Run.objects.acount() == 0


async def test_a_viewer_may_neither_start_nor_cancel(temporal_settings):
    config = await catalog()
    with pytest.raises(NotAllowed, match="start and control runs"):
        await starts.start_backup(VIEWER, config.profile.name, config.name, "daily")
    number = await start(config)
    with pytest.raises(NotAllowed):
        await control.cancel_run(VIEWER, number)
    await control.cancel_run(OPERATOR, number)


async def test_with_temporal_away_a_start_is_a_clear_error_and_leaves_nothing(settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.TEMPORAL_ADDRESS = f"127.0.0.1:{unused.getsockname()[1]}"
        config = await catalog()
        with pytest.raises(TemporalUnavailable, match="The backup was not started"):
            await start(config)
    assert await Run.objects.acount() == 0


async def test_without_a_worker_the_run_waits_and_goes_on_when_one_comes(temporal_settings):
    number = await start(await catalog())
    assert (await get_run(OPERATOR, number)).summary.state is RunState.RUNNING
    async with running_worker(temporal_settings):
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED


async def test_runs_are_listed_newest_first_by_page_and_filter():
    make = sync_to_async(make_run)
    first = await make(profile="a", config="x", status="COMPLETED", finished=None)
    second = await make(profile="a", config="y", status="ERROR", finished=None)
    third = await make(profile="b", config="x", status="ERROR", finished=None)
    page = await list_runs(VIEWER)
    assert [r.number for r in page.runs] == [third.pk, second.pk, first.pk]
    assert [r.number for r in (await list_runs(VIEWER, profile="a")).runs] == [second.pk, first.pk]
    assert [r.number for r in (await list_runs(VIEWER, state=RunState.ERROR)).runs] == [third.pk, second.pk]
    last = await list_runs(VIEWER, page=99, per_page=2)
    assert (last.page, last.pages, last.total) == (2, 2, 3)
    assert [r.number for r in last.runs] == [first.pk]
