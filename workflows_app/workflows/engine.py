"""The one engine: it takes the steps of a plan, in order, and undoes what must be undone."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts import RunInput, StepInput
    from workflows_app.domain import naming
    from workflows_app.domain.messages import MessageBound
    from workflows_app.domain.plans import StepSpec
    from workflows_app.domain.restores import RestoreRequest
    from workflows_app.domain.results import (
        Backup,
        Level,
        Message,
        Result,
        Step,
        StepStatus,
        Workflow,
        WorkflowStatus,
        WorkflowStatusResult,
    )
    from workflows_app.workflows.options import activity_options


class StepRefused(Exception):
    """A step answered with a failure, or Temporal could not bring it to an answer."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(f"{step.label} ({step.name}) failed: {reason}")


class StepRunner:
    """Runs a plan's steps and keeps the run's result, in Fossul's shape, up to date.

    What a freezing step names as its undo runs before the run ends, whatever happens: failure,
    timeout, cancel, a lost worker. It is owed from the moment at which the freezing step is asked for,
    since a step that failed half-way may well have frozen the application.
    """

    def __init__(self, given: RunInput, restore: RestoreRequest | None = None) -> None:
        self._run = given.run
        self._config = given.config
        self._plan = given.plan
        self._restore = restore or RestoreRequest()
        self._status = WorkflowStatus.RUNNING
        self._steps: list[Step] = []
        self._messages = MessageBound(total_bytes=1024 * 1024)
        self._backup = Backup()
        self._code = 0
        self._last_message = ""
        self._owed: dict[str, StepSpec] = {}

    def result(self) -> WorkflowStatusResult:
        """The result as it stands: Fossul's JSON, also the answer to the query ``status``."""
        return WorkflowStatusResult(
            workflow=Workflow(
                id=self._run,
                status=self._status,
                type=self._config.workflow_type,
                policy=self._config.selected_backup_policy,
                timestamp=workflow.info().start_time.isoformat(timespec="seconds"),
                steps=tuple(self._steps),
                last_message=self._last_message,
            ),
            result=Result(code=self._code, messages=self._messages.messages(), backup=self._backup),
        )

    async def run(self) -> WorkflowStatusResult:
        """Take all stages in order and answer the result.

        Raises ApplicationError of type ``StepFailed``, with the result in its details, when a step
        failed; asyncio.CancelledError when the run was cancelled. Either way after compensation.
        """
        try:
            for stage in self._plan.stages:
                await self._together([self._take(spec) for spec in stage.steps])
        except StepRefused as error:
            await self._compensate()
            self._fail(str(error))
        except (asyncio.CancelledError, FailureError) as error:
            await self._compensate()
            if is_cancelled_exception(error):
                self._status = WorkflowStatus.ERROR
                raise asyncio.CancelledError("The run was cancelled") from error
            raise
        self._status = WorkflowStatus.COMPLETED
        return self.result()

    def _fail(self, reason: str) -> NoReturn:
        self._status = WorkflowStatus.ERROR
        self._code = 1
        if self._backup.name:
            reason = f"{reason}. The backup {self._backup.name} itself is good"
        raise ApplicationError(reason, self.result(), type=naming.STEP_FAILED, non_retryable=True) from None

    async def _together(self, steps: list[Coroutine[Any, Any, None]]) -> None:
        """Run the steps of a stage at once; wait for all of them before the first failure is raised."""
        if len(steps) == 1:
            await steps[0]
            return
        outcomes = await asyncio.gather(*steps, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            raise next((f for f in failures if is_cancelled_exception(f)), failures[0])

    async def _take(self, spec: StepSpec, *, compensates: bool = False) -> None:
        """Take one step. Raises StepRefused when it failed."""
        step = Step(
            id=len(self._steps),
            status=StepStatus.RUNNING,
            label=f"Step {len(self._steps)}",
            key=spec.key,
            name=spec.name,
            phase=spec.phase,
        )
        self._steps.append(step)
        if spec.undo:
            self._owed[spec.undo] = self._plan.step(spec.undo)
        try:
            result: Result = await workflow.execute_activity(
                spec.activity,
                StepInput(
                    run=self._run,
                    step=step.id,
                    spec=spec,
                    config=self._config,
                    compensates=compensates,
                    restore=self._restore,
                ),
                result_type=Result,
                activity_id=str(step.id),
                summary=spec.name,
                **activity_options(spec.options),
            )
        except (ActivityError, asyncio.CancelledError) as error:
            self._mark(step, StepStatus.ERROR)
            if is_cancelled_exception(error):
                raise
            reason = _reason(error)
            self._add((Message(time=int(workflow.time()), level=Level.ERROR, message=reason),))
            raise StepRefused(step, reason) from error
        self._add(result.messages)
        if result.backup.name or result.backup.contents:
            self._backup = result.backup
        if result.code:
            self._mark(step, StepStatus.ERROR)
            raise StepRefused(step, result.reason)
        self._mark(step, StepStatus.COMPLETE)
        self._owed.pop(spec.key, None)
        self._config = self._config.discovered(result.discover_list)

    async def _compensate(self) -> None:
        """Undo what is owed, in the plan's order, then send the error notice: beyond the reach of a cancel.

        The own result of each is recorded; one that fails does not keep the others from running.
        """
        owed = [step for step in self._plan.steps if step.key in self._owed]
        for spec in (*owed, *self._plan.on_error):
            undo = asyncio.create_task(self._take(spec, compensates=True))
            while not undo.done():
                # A cancel that arrives now ends the wait, not the undo: wait again.
                with contextlib.suppress(asyncio.CancelledError, StepRefused):
                    await asyncio.shield(undo)

    def _add(self, messages: tuple[Message, ...]) -> None:
        for message in messages:
            self._messages.add(message)
        if messages:
            self._last_message = messages[-1].message

    def _mark(self, step: Step, status: StepStatus) -> None:
        self._steps[step.id] = step.model_copy(update={"status": status})


def _reason(error: BaseException) -> str:
    """The innermost words of a failure."""
    cause: BaseException = error
    while isinstance(cause, FailureError) and cause.cause is not None:
        cause = cause.cause
    return cause.message if isinstance(cause, FailureError) else str(cause)
