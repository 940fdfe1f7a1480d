"""Work on one restore point outside of a run: looking into it, verifying it, deleting it."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.points import BrowseInput, PointInput, Removed, Verified, VerifyInput
    from workflows_app.domain import naming
    from workflows_app.domain.file_listings import FileListing
    from workflows_app.domain.results import Result
    from workflows_app.domain.states import CheckState
    from workflows_app.workflows.reasons import reason_of

LONGEST = timedelta(hours=24)
ALIVE = timedelta(seconds=10)
# A database that is away for long must not lose what was found out.
RECORD_TIMEOUT = timedelta(days=7)
RECORD_RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=30))


@workflow.defn(name=naming.BROWSE_WORKFLOW)
class BrowseWorkflow:
    """One look into a backup. Takes no lock and changes nothing."""

    @workflow.run
    async def run(self, browse: BrowseInput) -> FileListing:
        """Answer a page of its files; that they cannot be read is in ``FileListing.result``."""
        listing: FileListing = await workflow.execute_activity(
            naming.STORAGE_BROWSE,
            browse,
            result_type=FileListing,
            summary="Browse a backup",
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=ALIVE,
            retry_policy=RetryPolicy(maximum_attempts=2),
        )
        return listing


@workflow.defn(name=naming.VERIFY_WORKFLOW)
class VerifyWorkflow:
    """One verification of a backup. Takes no lock: a backup does not change once it is there."""

    @workflow.run
    async def run(self, point: VerifyInput) -> Result:
        """Verify, and have it written down how that ended, cancelled or not."""
        try:
            result: Result = await workflow.execute_activity(
                naming.STORAGE_VERIFY,
                point,
                result_type=Result,
                summary=f"Verify {point.config.backup.name}",
                start_to_close_timeout=LONGEST,
                heartbeat_timeout=ALIVE,
                retry_policy=RetryPolicy(maximum_attempts=2),
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except (ActivityError, asyncio.CancelledError) as error:
            if is_cancelled_exception(error):
                await self._record(point, CheckState.CANCELLED, "It was cancelled.")
                raise
            result = Result(code=1)
            await self._record(point, CheckState.FAILED, f"It could not be verified: {reason_of(error)}")
            return result
        state = CheckState.FAILED if result.code else CheckState.GOOD
        await self._record(point, state, result.reason if result.code else "")
        return result

    async def _record(self, point: VerifyInput, state: CheckState, words: str) -> None:
        record = workflow.start_activity(
            naming.RECORD_VERIFICATION,
            Verified(verification=point.verification, state=state, words=words),
            summary="Write down the verification",
            start_to_close_timeout=timedelta(seconds=30),
            schedule_to_close_timeout=RECORD_TIMEOUT,
            retry_policy=RECORD_RETRIES,
            cancellation_type=ActivityCancellationType.ABANDON,
        )
        await asyncio.shield(record)


@workflow.defn(name=naming.DELETE_WORKFLOW)
class DeleteWorkflow:
    """The deletion of one backup. Its id is the configuration's lock: no run goes on meanwhile."""

    @workflow.run
    async def run(self, point: PointInput) -> Result:
        """Delete, and have it written down; a refusal is in the result."""
        result: Result = await workflow.execute_activity(
            naming.STORAGE_DELETE,
            point,
            result_type=Result,
            summary=f"Delete {point.config.backup.name}",
            start_to_close_timeout=timedelta(hours=4),
            heartbeat_timeout=ALIVE,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        if not result.code:
            config = point.config
            await workflow.execute_activity(
                naming.RECORD_REMOVAL,
                Removed(
                    profile=config.profile_name,
                    config=config.config_name,
                    backup=config.backup.name,
                    how=point.by,
                ),
                summary="Write down the deletion",
                start_to_close_timeout=timedelta(seconds=30),
                schedule_to_close_timeout=RECORD_TIMEOUT,
                retry_policy=RECORD_RETRIES,
            )
        return result
