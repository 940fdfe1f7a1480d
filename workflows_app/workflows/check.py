"""Testing a configuration where its workers are: what a run will need is tried, and nothing is changed."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.checks import CheckInput
    from workflows_app.domain import naming
    from workflows_app.domain.findings import CheckedParts, CheckPart, Findings
    from workflows_app.domain.results import Level, Message, Result
    from workflows_app.workflows.reasons import reason_of

# What is tried has shorter limits of its own; this one is for what hangs.
PART_TIMEOUT = timedelta(seconds=30)
ALIVE = timedelta(seconds=10)

_ACTIVITIES = {
    CheckPart.APP: naming.APP_CHECK,
    CheckPart.STORAGE: naming.STORAGE_CHECK,
    CheckPart.ARCHIVE: naming.ARCHIVE_CHECK,
    CheckPart.COMMANDS: naming.COMMAND_CHECK,
}


@workflow.defn(name=naming.CHECK_WORKFLOW)
class CheckWorkflow:
    """One test of a configuration, all its parts at once. Takes no lock and changes nothing."""

    @workflow.run
    async def run(self, check: CheckInput) -> CheckedParts:
        """Answer what was found of each part; that one could not be tested is that part's ``result``."""
        found = await asyncio.gather(*(self._test(part, check) for part in check.parts))
        return CheckedParts(parts=dict(zip(check.parts, found, strict=True)))

    async def _test(self, part: CheckPart, check: CheckInput) -> Findings:
        try:
            findings: Findings = await workflow.execute_activity(
                _ACTIVITIES[part],
                check,
                result_type=Findings,
                summary=f"Test: {part}",
                start_to_close_timeout=PART_TIMEOUT,
                heartbeat_timeout=ALIVE,
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            now = int(workflow.now().timestamp())
            words = Message(
                time=now, level=Level.ERROR, message=f"It could not be tested: {reason_of(error)}"
            )
            return Findings(result=Result(code=1, messages=(words,)))
        return findings
