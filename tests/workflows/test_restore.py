"""The restore workflow, on a real Temporal server."""

from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError

from tests.factories import make_config
from tests.workflows.steps import GOOD, Steps, say_no
from workflows_app.contracts.points import CatalogueInput
from workflows_app.contracts.runs import RestoreInput
from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import restore_plan
from workflows_app.domain.results import WorkflowStatusResult
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.workflows.catalogue import CatalogueWorkflow
from workflows_app.workflows.restore import RestoreWorkflow

COMMANDS = {
    "preAppRestoreCmd": "echo,before",
    "restoreCmd": "echo,restore",
    "postAppRestoreCmd": "echo,after",
}


def config() -> Config:
    return make_config(**COMMANDS).for_restore(8, GOOD, 1_700_000_100)


async def run(client, task_queue: str, request: RestoreRequest) -> WorkflowStatusResult:
    given = config()
    return await client.execute_workflow(
        RestoreWorkflow.run,
        RestoreInput(
            run=8,
            config=given,
            plan=restore_plan(given, dry_run=request.dry_run),
            requested_by="olga",
            request=request,
        ),
        id=f"fossul/test/{uuid4().hex}",
        task_queue=task_queue,
    )


async def test_a_restore_takes_every_configured_step_in_fossuls_order(temporal_server, task_queue):
    async with Steps().worker(temporal_server, task_queue) as steps:
        result = await run(temporal_server, task_queue, RestoreRequest())
    assert steps.done == [
        "pre-restore-app-command",
        "pre-restore-plugin",
        "restore-command",
        "restore-plugin",
        "post-restore-app-command",
        "post-restore-plugin",
        "job-retention",
        "send-trap-success-command",
    ]
    assert result.workflow.type == "restore"
    assert result.workflow.status == "COMPLETED"


async def test_the_plugin_is_given_the_backup_and_what_was_asked_for(temporal_server, task_queue):
    given = []
    asked = RestoreRequest(target="/srv/restored", dry_run=True)
    behave = {"restore-plugin": lambda step: given.append(step) or say_no(step)}
    async with Steps(behave).worker(temporal_server, task_queue) as steps:
        with pytest.raises(WorkflowFailureError):
            await run(temporal_server, task_queue, asked)
    assert steps.done == ["restore-plugin"], "a dry run is the plugin's step alone"
    assert given[0].restore == asked
    assert given[0].config.backup == GOOD
    assert given[0].config.selected_workflow_id == 7
    assert given[0].config.workflow_id == "8"


async def test_a_failed_restore_sends_the_error_notice(temporal_server, task_queue):
    async with Steps({"restore-plugin": say_no}).worker(temporal_server, task_queue) as steps:
        with pytest.raises(WorkflowFailureError):
            await run(temporal_server, task_queue, RestoreRequest())
    assert steps.done[-2:] == ["restore-plugin", "undo send-trap-error-command"]


async def test_the_catalogue_is_asked_of_the_storage_plugin(temporal_server, task_queue):
    async with Steps().worker(temporal_server, task_queue):
        backups = await temporal_server.execute_workflow(
            CatalogueWorkflow.run,
            CatalogueInput(config=config()),
            id=f"fossul-catalogue/{uuid4()}",
            task_queue=task_queue,
        )
    assert backups.backup == (GOOD,)
