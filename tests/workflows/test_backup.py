"""The backup workflow and its engine, on a real Temporal server."""

from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError, WorkflowAlreadyStartedError

from tests.conftest import eventually
from tests.factories import make_config
from tests.workflows.matrix import KEYS, NOTICE
from tests.workflows.replays import replayer
from tests.workflows.runs import details_of, start
from tests.workflows.steps import GOOD, Held, Steps, crash, say_no, succeed_after
from workflows_app.contracts.runs import BackupInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import backup_plan
from workflows_app.domain.results import Discover, Result
from workflows_app.workflows.backup import BackupWorkflow

THAW = ["undo unquiesce-command", "undo unquiesce-plugin", f"undo {NOTICE}"]


async def test_a_backup_takes_every_configured_step_in_fossuls_order(temporal_server, task_queue):
    async with Steps().worker(temporal_server, task_queue) as steps:
        result = await (await start(temporal_server, task_queue)).handle.result()
    assert steps.done == KEYS
    wire = result.wire()
    assert wire["workflow"]["status"] == "COMPLETED"
    assert wire["workflow"]["id"] == 7
    assert wire["workflow"]["type"] == "backup"
    assert wire["workflow"]["policy"] == "daily"
    assert [(s["id"], s["label"], s["status"]) for s in wire["workflow"]["steps"]] == [
        (i, f"Step {i}", "COMPLETE") for i in range(len(KEYS))
    ]
    assert [m["message"] for m in wire["result"]["messages"]] == [f"did {key}" for key in KEYS]
    assert result.result.backup == GOOD


async def test_a_backup_with_nothing_configured_completes_without_steps(temporal_server, task_queue):
    config = Config(profile_name="test", config_name="empty").for_run(7, "daily", 1)
    async with Steps().worker(temporal_server, task_queue) as steps:
        result = await (await start(temporal_server, task_queue, config)).handle.result()
    assert steps.done == []
    assert result.workflow.steps == ()


async def test_replaying_a_run_takes_the_same_steps(temporal_server, task_queue):
    """As a worker does that has it no longer in its cache."""
    behave = {"backup-plugin": say_no}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        run = await start(temporal_server, task_queue)
        await run.failure()
    assert steps.done[-3:] == THAW
    await replayer(BackupWorkflow).replay_workflow(await run.handle.fetch_history())


async def test_a_thaw_that_fails_for_good_is_told_and_does_not_stop_the_other(temporal_server, task_queue):
    behave = {"backup-plugin": say_no, "unquiesce-command": say_no}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        failure = await (await start(temporal_server, task_queue)).failure()
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
        run = await start(temporal_server, task_queue)
        await eventually(held.entered.is_set)
        await run.handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await run.handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert steps.done[-3:] == THAW
    assert order == [True], "the backup was over before the application was thawed"


async def test_a_cancel_while_thawing_does_not_stop_the_thaw(temporal_server, task_queue):
    held = Held()
    behave = {"backup-plugin": say_no, "unquiesce-command": held}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        run = await start(temporal_server, task_queue)
        await eventually(held.entered.is_set)
        await run.handle.cancel()
        held.release.set()
        failure = await run.failure()
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
        await (await start(temporal_server, task_queue)).handle.result()
    assert given == [{"DataFilePaths": "/data", "LogFilePaths": "/log"}]


async def test_an_error_notice_that_fails_changes_nothing_else(temporal_server, task_queue):
    behave = {"backup-plugin": say_no, NOTICE: say_no}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        failure = await (await start(temporal_server, task_queue)).failure()
    assert steps.done[-3:] == THAW
    assert "backup-plugin said no" in failure.message


async def test_the_query_status_answers_while_the_run_goes_on(temporal_server, task_queue):
    held = Held()
    async with Steps({"backup-plugin": held}).worker(temporal_server, task_queue):
        run = await start(temporal_server, task_queue)
        await eventually(held.entered.is_set)
        status = await run.handle.query(BackupWorkflow.status)
        held.release.set()
        await run.handle.result()
    assert status.workflow.status == "RUNNING"
    assert status.workflow.steps[-1].key == "backup-plugin"
    assert status.workflow.steps[-1].status == "RUNNING"
    assert {s.status for s in status.workflow.steps[:-1]} == {"COMPLETE"}


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
