"""The one engine: it takes the steps of a plan, in order, and undoes what must be undone."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import RunInput
    from workflows_app.contracts.steps import StepInput
    from workflows_app.contracts.thaws import ThawReport
    from workflows_app.domain import naming
    from workflows_app.domain.durations import in_words
    from workflows_app.domain.plans.plan_rules import backs_up
    from workflows_app.domain.plans.plans import OnFailure, StepSpec
    from workflows_app.domain.results import Level, Result, WorkflowStatus, WorkflowStatusResult
    from workflows_app.domain.runs.restores import RestoreRequest
    from workflows_app.workflows.account import Account
    from workflows_app.workflows.guard import Guard
    from workflows_app.workflows.options import activity_options
    from workflows_app.workflows.patience import in_turn
    from workflows_app.workflows.pause import FailedStep, Pause
    from workflows_app.workflows.reasons import reason_of

# Longer than a watchdog tries a step that says no: what it has done must not be done again.
REPORT_TIMEOUT = timedelta(minutes=30)


class RunFailed(Exception):
    """The run cannot go on; the text says why."""


class StepRefused(RunFailed):
    """A step answered with a failure, or Temporal could not bring it to an answer."""

    def __init__(self, failed: FailedStep) -> None:
        super().__init__(failed.words)
        self.failed = failed


class StepRunner:
    """Runs a plan's steps and keeps the run's account.

    What a freezing step names as its undo runs before the run ends, whatever happens: failure,
    timeout, cancel, a lost worker. It is owed from the moment at which the freezing step is asked for,
    since a step that failed half-way may well have frozen the application. What is frozen is known to a
    watchdog, too, which thaws it when the run does not.
    """

    def __init__(self, given: RunInput, restore: RestoreRequest | None = None) -> None:
        self._run = given.run
        self._config = given.config
        self._plan = given.plan
        self._restore = restore or RestoreRequest()
        self._account = Account(given.run, given.config)
        self._guard = Guard(given)
        self._owed: dict[str, StepSpec] = {}
        self._thaws = {step.undo for step in given.plan.steps if step.freezes}
        self._done: set[str] = set()
        self._skipped: set[str] = set()
        self._window_over = ""
        self._report: ThawReport | None = None
        self.pause = Pause(given.plan.pause_seconds)

    def result(self) -> WorkflowStatusResult:
        """The result as it stands: Fossul's JSON, also the answer to the query ``status``."""
        return self._account.result()

    def end_window(self, reason: str) -> None:
        """The watchdog thaws the application now: what is not backed up yet can no longer be."""
        if self._frozen():
            self._window_over = reason
            self.pause.interrupt()

    def take_report(self, report: ThawReport) -> None:
        """The watchdog has done what it could."""
        self._report = report

    async def run(self) -> WorkflowStatusResult:
        """Take all stages in order and answer the result.

        Raises ApplicationError of type ``StepFailed``, with the result in its details, when the run
        failed; asyncio.CancelledError when it was cancelled. Either way after compensation.
        """
        try:
            await self._take_stages()
        except RunFailed as error:
            await self._unbroken(self._compensate())
            self._fail(str(error))
        except (asyncio.CancelledError, FailureError) as error:
            await self._unbroken(self._compensate())
            if is_cancelled_exception(error):
                self._account.status = WorkflowStatus.ERROR
                raise asyncio.CancelledError("The run was cancelled") from error
            raise
        await self._unbroken(self._undo())
        self._account.status = WorkflowStatus.COMPLETED
        return self.result()

    def _fail(self, reason: str) -> NoReturn:
        self._account.status = WorkflowStatus.ERROR
        self._account.code = 1
        if self._account.backup.name:
            what = "safety backup" if self._config.workflow_type == "restore" else "backup"
            reason = f"{reason}. The {what} {self._account.backup.name} itself is good"
        raise ApplicationError(reason, self.result(), type=naming.STEP_FAILED, non_retryable=True) from None

    async def _take_stages(self) -> None:
        index = 0
        while index < len(self._plan.stages):
            todo = [s for s in self._plan.stages[index].steps if s.key not in self._done | self._skipped]
            failures = await self._take_stage(todo)
            index = await self._settle(index, failures) if failures else index + 1

    async def _take_stage(self, specs: Sequence[StepSpec]) -> list[FailedStep]:
        """Take the steps of a stage at once and wait for all of them; answer those that failed.

        Raises RunFailed when the frozen window ended meanwhile, asyncio.CancelledError (or what Temporal
        makes of it) when the run was cancelled; either way when all steps have ended.
        """
        tasks = [asyncio.create_task(self._take(spec)) for spec in specs]
        try:
            await workflow.wait_condition(
                lambda: bool(self._window_over) or all(task.done() for task in tasks)
            )
        except asyncio.CancelledError:
            await self._unbroken(_end(tasks))
            raise
        if self._window_over:
            await self._unbroken(_end(tasks))
            raise RunFailed(f"{self._window_over}, and the run was given up")
        failures = []
        for task in tasks:
            try:
                task.result()
            except StepRefused as error:
                failures.append(error.failed)
        return failures

    async def _settle(self, index: int, failures: Sequence[FailedStep]) -> int:
        """Do as the plan says about steps that failed; answer the stage to go on with.

        Raises RunFailed when the run must end.
        """
        for failed in failures:
            if failed.spec.options.on_failure is OnFailure.FAIL:
                raise StepRefused(failed)
            if failed.spec.options.on_failure is OnFailure.CONTINUE:
                self._account.say(Level.WARN, f"{failed.words}. The plan goes on without it")
                self._skipped.add(failed.spec.key)
        asked = [one for one in failures if one.spec.options.on_failure is OnFailure.PAUSE]
        if not asked:
            return index
        thawed = self._frozen() and not self._plan.stays_frozen
        if thawed:
            await self._thaw()
        await self._decide(asked)
        return self._go_on_thawed(index) if thawed else index

    async def _decide(self, asked: Sequence[FailedStep]) -> None:
        """Let a person say what to do about ``asked``. Raises RunFailed for an abort, or when nobody does."""
        first = asked[0]
        self._account.say(Level.WARN, f"{first.words}. The run waits for a person")
        try:
            decisions = await self.pause.decide(asked)
        except TimeoutError:
            limit = in_words(self._plan.pause_seconds)
            raise RunFailed(f"{first.words}. Nobody decided within {limit} what to do about it") from None
        if self._window_over:
            raise RunFailed(f"{first.words}. {self._window_over}, and the run was given up")
        if self.pause.aborted_by:
            raise RunFailed(f"{first.words}. {self.pause.aborted_by} aborted the run")
        self._skipped |= {key for key, action in decisions.items() if action == naming.SKIP_UPDATE}

    async def _thaw(self) -> None:
        """Thaw before a long wait. Raises RunFailed when that fails: the run must not wait then."""
        relies = self._backed_up()
        for spec in self._owed_steps():
            if spec.key in self._thaws:
                await self._take(spec, compensates=True, relies_on_freeze=relies and self._froze(spec))

    def _go_on_thawed(self, index: int) -> int:
        """Answer the stage to go on with after a wait for which the application was thawed.

        Where the backup is made there is nothing to freeze it for again, and it is thawed already. Else all
        that was done since the application was first frozen is forgotten, and begins again there.
        """
        if self._backed_up():
            self._done |= self._thaws
            return index
        first = next(i for i, stage in enumerate(self._plan.stages) if any(s.freezes for s in stage.steps))
        for stage in self._plan.stages[first : index + 1]:
            self._done -= {step.key for step in stage.steps}
        return first

    def _backed_up(self) -> bool:
        """Whether all that the plan backs up is backed up."""
        return all(step.key in self._done for step in self._plan.steps if backs_up(step))

    def _froze(self, spec: StepSpec) -> bool:
        """Whether ``spec`` thaws what was frozen indeed: what freezes was done, and not skipped."""
        freezing = [step for step in self._plan.steps if step.freezes and step.undo == spec.key]
        return bool(freezing) and all(step.key in self._done for step in freezing)

    async def _take(
        self, spec: StepSpec, *, compensates: bool = False, relies_on_freeze: bool | None = None
    ) -> None:
        """Take one step. Raises StepRefused when it failed.

        ``relies_on_freeze`` as in ``StepInput``; None for a step in its turn, where the plan tells.
        """
        if relies_on_freeze is None:
            relies_on_freeze = not compensates and self._froze(spec)
        step = self._account.begin(spec)
        if spec.undo:
            self._owe(spec.undo)
        try:
            result: Result = await workflow.execute_activity(
                spec.activity,
                StepInput(
                    run=self._run,
                    step=step.id,
                    spec=spec,
                    config=self._config.under(spec.policy),
                    compensates=compensates,
                    relies_on_freeze=relies_on_freeze,
                    restore=self._restore,
                ),
                result_type=Result,
                activity_id=str(step.id),
                summary=spec.name,
                **activity_options(spec.options),
            )
        except (ActivityError, asyncio.CancelledError) as error:
            if is_cancelled_exception(error):
                self._account.cancel(step)
                raise
            reason = reason_of(error)
            self._account.fail(step, reason)
            raise StepRefused(FailedStep(step, spec, reason)) from error
        self._account.end(step, result)
        if result.code:
            raise StepRefused(FailedStep(step, spec, result.reason))
        if not compensates:
            self._done.add(spec.key)
        self._pay(spec.key)
        self._config = self._config.discovered(result.discover_list)

    async def _compensate(self) -> None:
        """Undo what is owed, then send the error notice."""
        if self._window_over:
            await self._await_report()
        await self._undo(*self._plan.on_error)

    async def _undo(self, *then: StepSpec) -> None:
        """Undo what is owed, in the plan's order, then take the steps ``then``.

        The own result of each is recorded; one that fails, or does not end, does not keep the others from
        running.
        """
        await in_turn(self._take_anyway(spec) for spec in (*self._owed_steps(), *then))
        await self._guard.settle()

    async def _take_anyway(self, spec: StepSpec) -> None:
        with contextlib.suppress(StepRefused, FailureError, asyncio.CancelledError):
            await self._take(spec, compensates=True)

    async def _await_report(self) -> None:
        """Leave the thaw to the watchdog, which is at it; what it could not do is tried here once more."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._report is not None,
                timeout=REPORT_TIMEOUT,
                timeout_summary="The watchdog's report",
            )
        for key in self._report.done if self._report else ():
            self._pay(key)

    def _owe(self, key: str) -> None:
        self._owed[key] = self._plan.step(key)
        self._guard.owe(self._frozen())

    def _pay(self, key: str) -> None:
        if self._owed.pop(key, None) is not None:
            self._guard.owe(self._frozen())

    def _owed_steps(self) -> list[StepSpec]:
        return [step for step in self._plan.steps if step.key in self._owed]

    def _frozen(self) -> list[StepSpec]:
        """The steps that are owed to thaw the application; none when it is not frozen."""
        return [step for step in self._owed_steps() if step.key in self._thaws]

    async def _unbroken(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work`` to its end, beyond the reach of a cancel."""
        task = asyncio.create_task(work)
        while not task.done():
            # A cancel that arrives now ends the wait, not the work: wait again.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(task)
        task.result()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel ``tasks`` and wait until each has ended, however it does."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
