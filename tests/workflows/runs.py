"""Backups that tests start, and what Temporal has recorded of each."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError

from tests.conftest import eventually
from tests.factories import make_config
from workflows_app.contracts.runs import BackupInput, Decision
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import Plan, Stage, StepSpec, backup_plan
from workflows_app.domain.results import WorkflowStatusResult
from workflows_app.domain.runs.progress import Progress, StepProgress
from workflows_app.services.temporal.history import WatchdogReader
from workflows_app.services.temporal.progress import RunAddress, look
from workflows_app.workflows.backup import BackupWorkflow

PATIENCE = 45.0


@dataclass(frozen=True)
class StartedRun:
    """A run under its configuration's lock, and its watchdog. ``progress`` needs ``temporal_settings``."""

    client: Client
    handle: WorkflowHandle
    given: BackupInput

    @property
    def watchdog_id(self) -> str:
        config = self.given.config
        return naming.watchdog_workflow_id(config.profile_name, config.config_name, self.given.run)

    @property
    def watchdog(self) -> WorkflowHandle:
        """The latest watchdog."""
        return self.client.get_workflow_handle(self.watchdog_id)

    async def ended(self) -> WorkflowExecutionStatus:
        """Wait for the end; answer what Temporal calls it."""
        with suppress(WorkflowFailureError):
            await asyncio.wait_for(self.handle.result(), PATIENCE)
        status = (await self.handle.describe()).status
        assert status is not None
        return status

    async def failure(self) -> ApplicationError:
        """Wait for the end, which must be a failure."""
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(self.handle.result(), PATIENCE)
        assert isinstance(caught.value.cause, ApplicationError)
        assert caught.value.cause.type == naming.STEP_FAILED
        return caught.value.cause

    async def watchdog_ended(self) -> WorkflowExecutionStatus:
        """Wait for the end of the latest watchdog."""
        with suppress(WorkflowFailureError):
            await asyncio.wait_for(self.watchdog.result(), PATIENCE)
        status = (await self.watchdog.describe()).status
        assert status is not None
        return status

    async def watchdog_took_nothing(self) -> bool:
        """Whether the latest watchdog, which has ended, took no step."""
        events = WatchdogReader().read((await self.watchdog.fetch_history()).events)
        return not [event for event in events if hasattr(event, "spec")]

    async def progress(self) -> Progress:
        """The run as a page shows it now, from what Temporal has recorded."""
        run_id = self.handle.first_execution_run_id or ""
        return (await look(RunAddress(self.handle.id, run_id, self.watchdog_id))).progress

    async def paused(self) -> StepProgress:
        """Wait until the run waits for a person; answer the one step that it waits about."""
        (step,) = await eventually(self.all_paused)
        return step

    async def all_paused(self) -> tuple[StepProgress, ...]:
        return (await self.progress()).paused

    async def decide(self, update: str, step: int | None) -> None:
        assert step is not None
        await self.handle.execute_update(update, Decision(step=step, by="olga"))

    async def refusal(self, update: str, step: int | None) -> str:
        """Try to decide, in vain; answer the words."""
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await self.decide(update, step)
        assert isinstance(caught.value.cause, ApplicationError)
        assert caught.value.cause.type == naming.NOT_NOW
        return caught.value.cause.message


async def start(
    client: Client, task_queue: str, config: Config | None = None, plan: Plan | None = None, *, run: int = 7
) -> StartedRun:
    config = config or make_config()
    given = BackupInput(run=run, config=config, plan=plan or backup_plan(config), requested_by="olga")
    handle = await client.start_workflow(
        BackupWorkflow.run,
        given,
        id=naming.run_workflow_id(config.profile_name, config.config_name),
        task_queue=task_queue,
    )
    return StartedRun(client, handle, given)


def details_of(failure: ApplicationError) -> WorkflowStatusResult:
    return WorkflowStatusResult.model_validate(failure.details[0])


def replanned(plan: Plan, options: dict[str, dict[str, object]] | None = None, **changes: object) -> Plan:
    """The plan with other ``options`` for some steps, by their keys, and with ``changes`` of its own."""

    def replan(step: StepSpec) -> StepSpec:
        changed = step.options.model_copy(update=(options or {}).get(step.key, {}))
        return step.model_copy(update={"options": changed})

    unknown = set(options or {}) - {step.key for step in plan.steps}
    assert not unknown
    stages = tuple(Stage(steps=tuple(map(replan, stage.steps))) for stage in plan.stages)
    return plan.model_copy(update={"stages": stages, **changes})


async def gathered(*work: object) -> list:
    """Do all at once; fail with every failure, not only the first."""
    results = await asyncio.gather(*work, return_exceptions=True)
    failures = [result for result in results if isinstance(result, Exception)]
    if failures:
        raise ExceptionGroup("some cases failed", failures)
    return results
