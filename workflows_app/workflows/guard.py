"""A run's side of its watchdog: it is told what is frozen as long as something is."""

import asyncio
import contextlib
from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import RunInput
    from workflows_app.contracts.thaws import WatchdogInput
    from workflows_app.domain import naming
    from workflows_app.domain.plans.plans import StepSpec


class Guard:
    """Starts a watchdog with the first thing that freezes and tells it what is owed from then on.

    The watchdog is a workflow of its own that outlives the run: whatever happens to the run, it thaws
    once the freeze budget is spent. Nothing here holds up the run.
    """

    def __init__(self, given: RunInput) -> None:
        self._given = given
        self._owed: tuple[StepSpec, ...] = ()
        self._told: tuple[StepSpec, ...] = ()
        self._watchdog: workflow.ChildWorkflowHandle[None, None] | None = None
        self._telling: asyncio.Task[None] | None = None

    def owe(self, owed: Sequence[StepSpec]) -> None:
        """Let the watchdog know that ``owed`` must be taken to thaw the application; none: it is thawed."""
        self._owed = tuple(owed)
        if self._owed != self._told and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    async def settle(self) -> None:
        """Wait until the watchdog knows all that it was to be told."""
        if self._telling is not None:
            await asyncio.shield(self._telling)

    async def _tell(self) -> None:
        while self._told != self._owed:
            owed = self._owed
            try:
                if self._watchdog is not None and not self._watchdog.done() and self._told:
                    await self._watchdog.signal(naming.OWED_SIGNAL, owed)
                elif owed:
                    await self._start(owed)
            except FailureError as error:
                # It has ended, or one that was started by hand stands there: the run undoes by itself, too.
                workflow.logger.warning("The watchdog could not be told: %s", error)
            self._told = owed

    async def _start(self, owed: tuple[StepSpec, ...]) -> None:
        given, info = self._given, workflow.info()
        if self._watchdog is not None:
            with contextlib.suppress(FailureError):
                await self._watchdog
        config = given.config
        self._watchdog = await workflow.start_child_workflow(
            naming.WATCHDOG_WORKFLOW,
            WatchdogInput(
                run=given.run,
                config=config,
                owed=owed,
                budget_seconds=given.plan.freeze_budget_seconds,
                first_step=naming.FIRST_WATCHDOG_STEP,
                workflow_id=info.workflow_id,
                run_id=info.run_id,
            ),
            id=naming.watchdog_workflow_id(config.profile_name, config.config_name, given.run),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            static_summary=f"Watchdog of run {given.run}",
        )
