"""The backup workflow and its engine, on a real Temporal server."""

import asyncio
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError, WorkflowAlreadyStartedError

from tests.conftest import eventually
from tests.factories import make_config
from tests.workflows.steps import GOOD, Held, Steps, crash, say_no, succeed_after
from workflows_app.contracts import BackupInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.plans import Plan, Stage, backup_plan
from workflows_app.domain.results import Discover, Result, WorkflowStatusResult
from workflows_app.workflows.backup import BackupWorkflow

EVERY_KEY = [step.key for step in backup_plan(make_config()).steps]
UNDONE_BY = {
    "quiesce-command": "unquiesce-command",
    "quiesce-plugin": "unquiesce-plugin",
    "mount-plugin": "unmount-plugin",
}
NOTICE = "send-trap-error-command"
THAW = ["undo unquiesce-command", "undo unquiesce-plugin", f"undo {NOTICE}"]


async def start(
    client: Client, task_queue: str, config: Config | None = None, plan: Plan | None = None
) -> WorkflowHandle:
    config = config or make_config()
    return await client.start_workflow(
        BackupWorkflow.run,
        BackupInput(run=7, config=config, plan=plan or backup_plan(config), requested_by="olga"),
        id=f"fossul/test/{uuid4().hex}",
        task_queue=task_queue,
    )


async def failure_of(handle: WorkflowHandle) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


def details_of(failure: ApplicationError) -> WorkflowStatusResult:
    return WorkflowStatusResult.model_validate(failure.details[0])


async def test_a_backup_takes_every_configured_step_in_fossuls_order(temporal_server, task_queue):
    async with Steps().worker(temporal_server, task_queue) as steps:
        result = await (await start(temporal_server, task_queue)).result()
    assert steps.done == EVERY_KEY
    wire = result.wire()
    assert wire["workflow"]["status"] == "COMPLETED"
    assert wire["workflow"]["id"] == 7
    assert wire["workflow"]["type"] == "backup"
    assert wire["workflow"]["policy"] == "daily"
    assert [(s["id"], s["label"], s["status"]) for s in wire["workflow"]["steps"]] == [
        (i, f"Step {i}", "COMPLETE") for i in range(len(EVERY_KEY))
    ]
    assert [m["message"] for m in wire["result"]["messages"]] == [f"did {key}" for key in EVERY_KEY]
    assert result.result.backup == GOOD


async def test_a_backup_with_nothing_configured_completes_without_steps(temporal_server, task_queue):
    config = Config(profile_name="test", config_name="empty").for_run(7, "daily", 1)
    async with Steps().worker(temporal_server, task_queue) as steps:
        result = await (await start(temporal_server, task_queue, config)).result()
    assert steps.done == []
    assert result.workflow.steps == ()


async def test_replaying_after_every_task_changes_nothing(temporal_server, task_queue):
    behave = {"backup-plugin": say_no}
    async with Steps(behave).worker(temporal_server, task_queue, cached=0) as steps:
        await failure_of(await start(temporal_server, task_queue))
    assert steps.done[-3:] == THAW


@pytest.mark.parametrize("fails", [say_no, crash], ids=["says no", "crashes"])
@pytest.mark.parametrize("key", EVERY_KEY)
async def test_whatever_fails_the_application_is_thawed(temporal_server, task_queue, key, fails):
    """Each step fails in turn, once: what was frozen or mounted is undone as often as is needed."""
    behave = {key: succeed_after(1, fails)}
    thaws_by_itself = fails is crash and key in UNDONE_BY.values()
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        handle = await start(temporal_server, task_queue)
        if thaws_by_itself:
            # An undoing that breaks is tried again by Temporal, and the run goes on.
            await handle.result()
            assert steps.done.count(key) == 2
            return
        failure = await failure_of(handle)
    reached = EVERY_KEY[: EVERY_KEY.index(key) + 1]
    owed = [
        undo for done, undo in UNDONE_BY.items() if done in reached and (undo not in reached or undo == key)
    ]
    assert steps.done == reached + [f"undo {undo}" for undo in (*owed, NOTICE)]
    assert failure.type == naming.STEP_FAILED
    assert failure.non_retryable
    status = details_of(failure)
    assert status.workflow.status == "ERROR"
    assert status.result.code == 1
    assert [s.status for s in status.workflow.steps] == [
        *["COMPLETE"] * (len(reached) - 1),
        "ERROR",
        *["COMPLETE"] * (len(owed) + 1),
    ]
    made = EVERY_KEY.index(key) > EVERY_KEY.index("backup-plugin")
    assert ("is good" in failure.message) == made, "a failure later on does not make the backup bad"
    words = f"{key} said no" if fails is say_no else f"{key} broke"
    assert words in failure.message
    assert words in [m.message for m in status.result.messages]


async def test_a_thaw_that_fails_for_good_is_told_and_does_not_stop_the_other(temporal_server, task_queue):
    behave = {"backup-plugin": say_no, "unquiesce-command": say_no}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        failure = await failure_of(await start(temporal_server, task_queue))
    assert steps.done[-3:] == THAW
    undone = details_of(failure).workflow.steps[-3:-1]
    assert [(s.key, s.status) for s in undone] == [
        ("unquiesce-command", "ERROR"),
        ("unquiesce-plugin", "COMPLETE"),
    ]
    assert "backup-plugin said no" in failure.message


async def test_a_cancelled_backup_thaws_and_ends_as_cancelled(temporal_server, task_queue):
    held = Held()
    order = []
    behave = {
        "backup-plugin": held,
        "unquiesce-plugin": lambda step: order.append(held.ended.is_set()) or succeed_after(0, crash)(step),
    }
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        handle = await start(temporal_server, task_queue)
        await eventually(held.entered.is_set)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert steps.done[-3:] == THAW
    assert order == [True], "the backup was over before the application was thawed"


async def test_a_cancel_while_thawing_does_not_stop_the_thaw(temporal_server, task_queue):
    held = Held()
    behave = {"backup-plugin": say_no, "unquiesce-command": held}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        handle = await start(temporal_server, task_queue)
        await eventually(held.entered.is_set)
        await handle.cancel()
        held.release.set()
        failure = await failure_of(handle)
    assert steps.done[-3:] == THAW
    assert [s.status for s in details_of(failure).workflow.steps[-3:]] == ["COMPLETE"] * 3


async def test_what_is_discovered_reaches_the_storage_plugin(temporal_server, task_queue):
    given = []
    found = Result(discover_list=(Discover(instance="a", data=("/data",), logs=("/log",)),))
    behave = {
        "discover-plugin": lambda step: found,
        "backup-plugin": lambda step: given.append(step.config.storage_plugin_parameters) or Result(),
    }
    async with Steps(behave).worker(temporal_server, task_queue):
        await (await start(temporal_server, task_queue)).result()
    assert given == [{"DataFilePaths": "/data", "LogFilePaths": "/log"}]


async def test_an_error_notice_that_fails_changes_nothing_else(temporal_server, task_queue):
    behave = {"backup-plugin": say_no, NOTICE: say_no}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        failure = await failure_of(await start(temporal_server, task_queue))
    assert steps.done[-3:] == THAW
    assert "backup-plugin said no" in failure.message


async def test_the_query_status_answers_while_the_run_goes_on(temporal_server, task_queue):
    held = Held()
    async with Steps({"backup-plugin": held}).worker(temporal_server, task_queue):
        handle = await start(temporal_server, task_queue)
        await eventually(held.entered.is_set)
        status = await handle.query(BackupWorkflow.status)
        held.release.set()
        await handle.result()
    assert status.workflow.status == "RUNNING"
    assert status.workflow.steps[-1].key == "backup-plugin"
    assert status.workflow.steps[-1].status == "RUNNING"
    assert {s.status for s in status.workflow.steps[:-1]} == {"COMPLETE"}


async def test_the_steps_of_a_stage_run_at_the_same_time(temporal_server, task_queue):
    config = make_config()
    plan = backup_plan(config)
    together = Plan(stages=(Stage(steps=(plan.step("pre-quiesce-command"), plan.step("backup-plugin"))),))
    first, second = Held(), Held()
    behave = {"pre-quiesce-command": first, "backup-plugin": second}
    async with Steps(behave).worker(temporal_server, task_queue):
        handle = await start(temporal_server, task_queue, config, together)
        await eventually(lambda: first.entered.is_set() and second.entered.is_set())
        first.release.set()
        second.release.set()
        result = await handle.result()
    assert [s.status for s in result.workflow.steps] == ["COMPLETE", "COMPLETE"]


async def test_when_one_of_two_parallel_steps_fails_the_other_is_waited_for(temporal_server, task_queue):
    config = make_config()
    plan = backup_plan(config)
    together = Plan(stages=(Stage(steps=(plan.step("pre-quiesce-command"), plan.step("backup-plugin"))),))
    held = Held()
    async with Steps({"pre-quiesce-command": say_no, "backup-plugin": held}).worker(
        temporal_server, task_queue
    ):
        handle = await start(temporal_server, task_queue, config, together)
        await eventually(held.entered.is_set)
        asyncio.get_running_loop().call_later(0.3, held.release.set)
        status = details_of(await failure_of(handle))
    assert {s.key: s.status for s in status.workflow.steps} == {
        "pre-quiesce-command": "ERROR",
        "backup-plugin": "COMPLETE",
    }


async def test_the_workflow_id_is_the_lock_of_a_configuration(temporal_server, task_queue):
    workflow_id = naming.run_workflow_id("test", uuid4().hex)
    config = make_config()
    backup = BackupInput(run=7, config=config, plan=backup_plan(config), requested_by="olga")
    options = {"id": workflow_id, "task_queue": task_queue}
    handle = await temporal_server.start_workflow(BackupWorkflow.run, backup, **options)
    with pytest.raises(WorkflowAlreadyStartedError) as caught:
        await temporal_server.start_workflow(BackupWorkflow.run, backup, **options)
    assert caught.value.run_id == handle.first_execution_run_id
    await handle.terminate()
