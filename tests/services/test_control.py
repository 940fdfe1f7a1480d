"""Controlling runs, with the product's own worker on a real Temporal: what is asked and recorded."""

import asyncio
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually, running_worker
from tests.factories import ADMIN, OPERATOR, VIEWER, make_catalog
from workflows_app.domain.errors import ConfigInvalid, NotAllowed, NotNow, PlanRefused, RunAlreadyActive
from workflows_app.domain.states import FreezeState, RunState, StepState
from workflows_app.models import AuditEntry, BackupConfig, Policy, Run, RunMessage
from workflows_app.services.editing import config_edits
from workflows_app.services.runs import control, runs, starts
from workflows_app.services.runs.runs import RunDetail

pytestmark = pytest.mark.django_db(transaction=True)

get_run = sync_to_async(runs.get_run)


@sync_to_async
def catalog(plan: dict[str, object] | None = None, **settings: object) -> BackupConfig:
    config = make_catalog(**settings)
    config.plan = plan or {}
    config.save()
    return config


async def start(config: BackupConfig) -> int:
    return await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")


async def closed(number: int) -> RunDetail:
    return await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 30)


async def step_number(number: int, key: str) -> int:
    """Wait until the run waits for a person about the step; answer the step's number."""

    async def paused() -> int | None:
        steps = (await get_run(OPERATOR, number)).progress.paused
        return next((s.step for s in steps if s.key == key), None)

    return await eventually(lambda: _truthy(paused()))


async def _truthy(found):
    answer = await found
    return None if answer is None else answer + 1


async def settled(number: int) -> RunDetail:
    async def ask() -> RunDetail | None:
        run = await get_run(OPERATOR, number)
        return run if run.settled else None

    return await eventually(ask, 30)


async def actions(number: int) -> list[tuple[str, str]]:
    return [(e.actor, e.action) async for e in AuditEntry.objects.filter(run=number).order_by("pk")]


def needs(flag: Path) -> str:
    """A command that fails until the file is there."""
    return f"test,-e,{flag}"


PAUSES = {"options": {"backup-create-command": {"onFailure": "pause", "maySkip": False}}}


async def paused_backup(flag: Path, plan: dict[str, object] = PAUSES) -> tuple[int, int]:
    config = await catalog(
        plan, appPlugin="sample-app", backupCreateCmd=needs(flag), storagePlugin="sample-storage"
    )
    number = await start(config)
    return number, await step_number(number, "backup-create-command") - 1


async def test_a_paused_run_is_thawed_and_a_retry_freezes_it_again(worker, tmp_path):
    flag = tmp_path / "flag"
    number, step = await paused_backup(flag)
    waiting = await get_run(OPERATOR, number)
    assert waiting.summary.waits
    assert waiting.progress.pause_until is not None
    assert waiting.progress.freeze is FreezeState.THAWED, "nothing stays frozen while a run waits"
    flag.touch()
    await control.retry_step(OPERATOR, number, step)
    run = await closed(number)
    assert run.summary.state is RunState.COMPLETED
    assert run.progress.freeze is FreezeState.THAWED
    taken = [s.key for s in run.progress.steps if s.state is StepState.COMPLETE]
    assert taken.count("quiesce-plugin") == 2
    assert taken.count("unquiesce-plugin") + taken.count("undo-unquiesce-plugin") == 2
    tries = [s for s in run.progress.steps if s.key == "backup-create-command"]
    assert [(s.state, s.decision) for s in tries] == [
        (StepState.ERROR, "retried by olga"),
        (StepState.COMPLETE, ""),
    ]
    assert await actions(number) == [("olga", "started"), ("olga", "retried a step of")]


async def test_a_step_is_skipped_only_where_the_plan_allows_it(worker, tmp_path):
    number, step = await paused_backup(tmp_path / "never")
    with pytest.raises(NotNow, match="does not allow"):
        await control.skip_step(OPERATOR, number, step)
    with pytest.raises(NotNow, match="does not wait for a decision about step 999"):
        await control.retry_step(OPERATOR, number, 999)
    await control.abort_run(OPERATOR, number, step)
    run = await closed(number)
    assert run.summary.state is RunState.ERROR
    assert "olga aborted the run" in run.summary.failure
    assert not run.progress.still_owed
    assert ("olga", "aborted") in await actions(number)
    with pytest.raises(NotNow, match="ended"):
        await control.retry_step(OPERATOR, number, step)


async def test_a_skipped_step_is_passed_over(worker, tmp_path):
    plan = {"options": {"pre-quiesce-command": {"onFailure": "pause", "maySkip": True}}}
    config = await catalog(plan, preAppQuiesceCmd="false", storagePlugin="sample-storage")
    number = await start(config)
    step = await step_number(number, "pre-quiesce-command") - 1
    await control.skip_step(OPERATOR, number, step)
    run = await closed(number)
    assert run.summary.state is RunState.COMPLETED
    assert run.progress.steps[0].state is StepState.SKIPPED
    assert run.progress.steps[0].decision == "skipped by olga"


async def test_a_step_is_tried_as_often_as_the_plan_says(worker, tmp_path):
    plan = {"options": {"pre-quiesce-command": {"attempts": 3, "backoffSeconds": 1}}}
    config = await catalog(plan, preAppQuiesceCmd="false", storagePlugin="sample-storage")
    number = await start(config)
    run = await closed(number)
    assert run.summary.state is RunState.ERROR
    assert run.progress.steps[0].attempt == 3
    said = RunMessage.objects.filter(run=number, step=0, text__startswith="Performing pre quiesce")
    assert [m.attempt async for m in said.order_by("attempt")] == [1, 2, 3]


async def test_a_plans_own_command_runs_where_the_plan_puts_it(worker):
    plan = {
        "stages": [
            ["quiesce-plugin"],
            ["backup-plugin", "inventory"],
            ["unquiesce-plugin"],
            ["backup-retention"],
        ],
        "commands": {"inventory": "echo,counted"},
    }
    config = await catalog(plan, appPlugin="sample-app", storagePlugin="sample-storage")
    run = await closed(await start(config))
    assert run.summary.state is RunState.COMPLETED
    assert await RunMessage.objects.filter(run=run.summary.number, text="counted").aexists()


async def test_a_plan_that_breaks_a_rule_starts_nothing(temporal_settings):
    config = await catalog(
        {"stages": [["backup-plugin"], ["quiesce-plugin"]]},
        appPlugin="sample-app",
        storagePlugin="sample-storage",
    )
    with pytest.raises(PlanRefused, match="unquiesce-plugin"):
        await start(config)
    assert await Run.objects.acount() == 0


async def test_a_terminated_run_is_undone_on_demand(worker):
    config = await catalog(appPlugin="sample-app", backupCreateCmd="sleep,30", sendTrapErrorCmd="echo,told")
    number = await start(config)

    async def frozen() -> bool:
        current = (await get_run(OPERATOR, number)).progress.current
        return current is not None and current.key == "backup-create-command"

    await eventually(frozen)
    with pytest.raises(NotAllowed, match="terminate runs"):
        await control.terminate_run(OPERATOR, number, "it hangs")
    with pytest.raises(ConfigInvalid, match="reason"):
        await control.terminate_run(ADMIN, number, "  ")
    await control.terminate_run(ADMIN, number, "it hangs")
    run = await closed(number)
    assert run.summary.state is RunState.TERMINATED
    assert "it hangs (ada)" in run.summary.failure
    assert run.progress.freeze is FreezeState.FROZEN, "a terminated run undoes nothing"

    async def watched() -> bool:
        return (await get_run(OPERATOR, number)).guarded

    await eventually(watched)
    await control.thaw_run(OPERATOR, number)
    run = await settled(number)
    assert run.progress.freeze is FreezeState.THAWED
    assert run.progress.watchdog.reason == "olga ordered to thaw the application"
    done = {s.key: s.state for s in run.progress.steps if s.step and s.step >= 1000}
    assert done == {
        "undo-unquiesce-plugin": StepState.COMPLETE,
        "send-trap-error-command": StepState.COMPLETE,
    }
    assert await RunMessage.objects.filter(run=number, text="told").aexists()
    assert await actions(number) == [
        ("olga", "started"),
        ("ada", "terminated"),
        ("olga", "ordered the undoing of"),
    ]
    with pytest.raises(NotNow, match="nothing to be undone"):
        await control.thaw_run(OPERATOR, number)


async def test_a_thaw_on_demand_ends_a_run_that_hangs(worker):
    config = await catalog(appPlugin="sample-app", backupCreateCmd="sleep,60")
    number = await start(config)

    async def backing_up() -> bool:
        run = await get_run(OPERATOR, number)
        return run.progress.current is not None and run.progress.current.key == "backup-create-command"

    await eventually(backing_up)
    await control.thaw_run(OPERATOR, number)
    run = await settled(number)
    assert run.summary.state is RunState.ERROR
    assert "olga ordered to thaw the application, and the run was given up" in run.summary.failure
    assert run.progress.freeze is FreezeState.THAWED
    thaws = [s for s in run.progress.steps if s.key == "undo-unquiesce-plugin"]
    assert len(thaws) == 1, "thawed once: by the watchdog, not by the run as well"


async def test_the_budget_thaws_by_itself(worker):
    plan = {"freezeBudgetSeconds": 1}
    config = await catalog(plan, appPlugin="sample-app", backupCreateCmd="sleep,60")
    number = await start(config)
    run = await settled(number)
    assert run.summary.state is RunState.ERROR
    assert "The freeze budget of 1 s was spent" in run.summary.failure
    assert run.progress.freeze is FreezeState.THAWED
    states = {s.key: s.state for s in run.progress.steps}
    assert states["backup-create-command"] is StepState.CANCELLED


async def test_a_run_goes_on_from_its_failed_step(worker, tmp_path):
    flag = tmp_path / "flag"
    config = await catalog(
        appPlugin="sample-app",
        storagePlugin="sample-storage",
        archivePlugin="sample-archive",
        archiveCreateCmd=needs(flag),
    )
    number = await start(config)
    failed = await closed(number)
    assert failed.summary.state is RunState.ERROR
    flag.touch()
    await sync_to_async(config_edits.rename_policy)(
        ADMIN, config.profile.name, config.name, "daily", "nightly"
    )
    again = await starts.resume_backup(OPERATOR, number)
    run = await closed(again)
    assert run.summary.state is RunState.COMPLETED
    names = (run.summary.policy, run.summary.former_policy, run.result["workflow"]["policy"])
    assert names == ("nightly", "daily", "daily"), "it works on what was made under the old name"
    keys = [s.key for s in run.progress.steps]
    assert keys[:2] == ["mount-plugin", "archive-create-command"]
    assert not {"quiesce-plugin", "backup-plugin"} & set(keys), "the backup is made already"
    entry = await AuditEntry.objects.aget(run=again)
    assert f"from the failed step of run {number}" in entry.details


async def test_a_run_whose_backup_failed_can_only_be_run_anew(worker):
    number = await start(
        await catalog(appPlugin="sample-app", storagePlugin="sample-storage", backupCreateCmd="false")
    )
    await closed(number)
    with pytest.raises(PlanRefused, match="start a new run"):
        await starts.resume_backup(OPERATOR, number)


async def test_a_policy_may_let_a_second_start_wait(worker, tmp_path):
    config = await catalog(backupCreateCmd="sleep,60", appPlugin="sample-app")
    await Policy.objects.filter(config=config).aupdate(when_busy="queue")
    first = await start(config)
    second = await start(config)
    assert (await get_run(OPERATOR, second)).summary.state is RunState.QUEUED
    with pytest.raises(RunAlreadyActive, match=f"run {second} .queued"):
        await start(config)
    assert await Run.objects.acount() == 2
    await control.cancel_run(OPERATOR, first)
    await closed(first)

    async def running() -> bool:
        run = await get_run(OPERATOR, second)
        return run.summary.state is RunState.RUNNING and bool(run.progress.steps)

    await eventually(running, 30)
    await control.cancel_run(OPERATOR, second)
    assert (await closed(second)).summary.state is RunState.CANCELLED
    assert await actions(second) == [("olga", "queued"), ("olga", "cancelled")]


async def test_a_queued_run_can_be_cancelled(temporal_settings):
    config = await catalog(preAppQuiesceCmd="echo,x")
    await Policy.objects.filter(config=config).aupdate(when_busy="queue")
    first = await start(config)
    second = await start(config)
    await control.cancel_run(OPERATOR, second)
    async with running_worker(temporal_settings):
        run = await closed(second)
        await closed(first)
    assert run.summary.state is RunState.CANCELLED


async def test_the_holder_of_a_lock_is_named(temporal_settings):
    config = await catalog(preAppQuiesceCmd="echo,x")
    number = await start(config)
    with pytest.raises(RunAlreadyActive, match=rf"run {number} \(a backup, started by olga .* ago\)"):
        await start(config)
    await control.cancel_run(OPERATOR, number)


async def test_a_viewer_may_control_nothing(temporal_settings):
    config = await catalog(preAppQuiesceCmd="echo,x")
    number = await start(config)
    for ask in (
        control.cancel_run(VIEWER, number),
        control.terminate_run(VIEWER, number, "x"),
        control.retry_step(VIEWER, number, 0),
        control.skip_step(VIEWER, number, 0),
        control.abort_run(VIEWER, number, 0),
        control.thaw_run(VIEWER, number),
        starts.resume_backup(VIEWER, number),
    ):
        with pytest.raises(NotAllowed):
            await ask
    assert await actions(number) == [("olga", "started")]
    await control.cancel_run(OPERATOR, number)
