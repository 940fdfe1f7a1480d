"""The watchdog: thaws an application whose run does not, or not in time."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.steps import StepInput
    from workflows_app.contracts.thaws import ThawOrder, ThawReport, WatchdogInput
    from workflows_app.domain import naming
    from workflows_app.domain.plans.plans import StepSpec
    from workflows_app.domain.results import Result
    from workflows_app.domain.runs.thaws import budget_spent, ordered
    from workflows_app.workflows.options import activity_options
    from workflows_app.workflows.patience import in_turn
    from workflows_app.workflows.reasons import reason_of

TRIES = 10
FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 300.0


@workflow.defn(name=naming.WATCHDOG_WORKFLOW)
class WatchdogWorkflow:
    """Stands guard over what one run froze, and depends on nothing of that run.

    It ends quietly when the run says that nothing is owed any more. Once the freeze budget is spent, or a
    person orders it, it tells the run that the frozen window is over, thaws, and tells the run how that
    went. A step that says no is tried again for about half an hour.
    """

    @workflow.init
    def __init__(self, given: WatchdogInput) -> None:
        self._given = given
        self._owed = {spec.key: spec for spec in given.owed}
        self._order: ThawOrder | None = None
        self._steps = 0

    @workflow.signal(name=naming.OWED_SIGNAL)
    def owed(self, owed: list[StepSpec]) -> None:
        """Learn what the run owes now."""
        self._owed = {spec.key: spec for spec in owed}

    @workflow.signal(name=naming.THAW_SIGNAL)
    def thaw(self, order: ThawOrder) -> None:
        """Thaw now; the steps of the order are owed, too."""
        self._order = order
        self._owed |= {spec.key: spec for spec in order.also}

    @workflow.run
    async def run(self, given: WatchdogInput) -> None:
        """Guard, and thaw when it must be.

        Raises ApplicationError of type ``StepFailed`` when something could not be thawed.
        """
        reason = await self._guard()
        if not self._owed:
            return
        await self._tell(naming.WINDOW_OVER_SIGNAL, reason)
        keys = list(self._owed)
        troubles = dict(zip(keys, await in_turn(map(self._undo, keys)), strict=True))
        failed = {key: trouble for key, trouble in troubles.items() if trouble is not None}
        done = tuple(key for key in keys if key not in failed)
        report = ThawReport(reason=reason, done=done, failed=tuple(failed))
        await self._tell(naming.THAWED_SIGNAL, report)
        if failed:
            words = "; ".join(f"{key}: {trouble}" for key, trouble in failed.items())
            raise ApplicationError(
                f"Not everything could be undone. {words}", type=naming.STEP_FAILED, non_retryable=True
            )

    async def _guard(self) -> str:
        """Wait until it is time to act, or nothing is owed; answer why to act."""
        budget = self._given.budget_seconds
        try:
            await workflow.wait_condition(
                lambda: self._order is not None or not self._owed,
                timeout=timedelta(seconds=budget),
                timeout_summary=naming.BUDGET_SUMMARY,
            )
        except TimeoutError:
            return budget_spent(budget)
        return ordered(self._order.by) if self._order else ""

    async def _undo(self, key: str) -> str | None:
        """Take an owed step until it is done; answer the reason when it cannot be done."""
        trouble: str | None = None
        wait = FIRST_WAIT_SECONDS
        for attempt in range(TRIES):
            if attempt:
                await workflow.sleep(timedelta(seconds=wait), summary=f"Before trying {key} again")
                wait = min(2 * wait, LONGEST_WAIT_SECONDS)
            if key not in self._owed:
                return None  # the run did it itself
            trouble = await self._take(self._owed[key])
            if trouble is None:
                return None
        return trouble

    async def _take(self, spec: StepSpec) -> str | None:
        """Take a step once; answer why it failed, None when it did not."""
        number = self._given.first_step + self._steps
        self._steps += 1
        try:
            result: Result = await workflow.execute_activity(
                spec.activity,
                StepInput(
                    run=self._given.run, step=number, spec=spec, config=self._given.config, compensates=True
                ),
                result_type=Result,
                activity_id=str(number),
                summary=spec.name,
                **activity_options(spec.options),
            )
        except ActivityError as error:
            return reason_of(error)
        return result.reason if result.code else None

    async def _tell(self, signal: str, said: str | ThawReport) -> None:
        """Tell the run; one that has ended need not know."""
        run = workflow.get_external_workflow_handle(self._given.workflow_id, run_id=self._given.run_id)
        try:
            await run.signal(signal, said)
        except FailureError as error:
            workflow.logger.info("The run could not be told: %s", error)
