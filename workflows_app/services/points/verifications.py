"""Verifications of restore points: started, followed, and what became of them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.conf import settings
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from workflows_app.contracts.points import VerifyInput
from workflows_app.domain import naming
from workflows_app.domain.errors import NotFound, NotNow, TemporalUnavailable
from workflows_app.domain.results import Backup
from workflows_app.domain.states import CheckState
from workflows_app.models import Verification
from workflows_app.services.configurations import catalog
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.progress import describe
from workflows_app.workflows.restore_points import VerifyWorkflow

START_ANSWER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Check:
    """A verification that a person asked for; ``words`` say what is wrong, when anything is."""

    state: CheckState
    words: str
    by: str
    started: datetime
    finished: datetime | None

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self.state is CheckState.RUNNING

    @property
    def good(self) -> bool:
        """Whether it found that the backup is as it was made."""
        return self.state is CheckState.GOOD

    @property
    def failed(self) -> bool:
        """Whether the backup is not as it was made, or could not be read."""
        return self.state is CheckState.FAILED


async def start(actor: Actor, profile: str, config: str, backup: Backup) -> None:
    """Let a worker verify a backup, outside of any run.

    Raises NotAllowed; NotFound for an unknown configuration; NotNow when that is under way;
    TemporalUnavailable. Nothing is recorded then.
    """
    actor.require(Right.OPERATE)
    found = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    row = await Verification.objects.acreate(
        profile=profile,
        config=config,
        backup=backup.name,
        workflow_id=naming.verify_workflow_id(profile, config, backup.name),
        by=actor.name,
        started=datetime.now(UTC),
    )
    given = VerifyInput(
        config=found.model_copy(update={"backup": backup}), by=actor.name, verification=row.pk
    )
    try:
        async with temporal() as client:
            handle = await client.start_workflow(
                VerifyWorkflow.run,
                given,
                id=row.workflow_id,
                task_queue=settings.TEMPORAL_TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=f"Verify {backup.name}",
                rpc_timeout=RPC_TIMEOUT,
            )
    except WorkflowAlreadyStartedError:
        await row.adelete()
        raise NotNow(f"{backup.name} is being verified already.") from None
    except TemporalUnavailable:
        await row.adelete()
        raise
    await Verification.objects.filter(pk=row.pk).aupdate(run_id=handle.first_execution_run_id or "")
    await sync_to_async(audit.note)(actor, Action.VERIFIED, profile, config, details=backup.name)


async def cancel(actor: Actor, profile: str, config: str, name: str) -> None:
    """Ask a verification to end. Raises NotAllowed; NotFound when none is under way; TemporalUnavailable."""
    actor.require(Right.OPERATE)
    rows = Verification.objects.filter(profile=profile, config=config, backup=name)
    row = await rows.filter(state=CheckState.RUNNING).order_by("-pk").afirst()
    if row is None:
        raise NotFound(f"{name} is not being verified.")
    try:
        async with temporal() as client:
            handle = client.get_workflow_handle(row.workflow_id, run_id=row.run_id or None)
            await handle.cancel(rpc_timeout=RPC_TIMEOUT)
    except RPCError:
        return  # it has ended meanwhile


async def settle(profile: str, config: str) -> None:
    """Mark the verifications that have ended although nobody wrote down how.

    What cannot be found out, because Temporal is away, stays as it is.
    """
    rows = Verification.objects.filter(profile=profile, config=config, state=CheckState.RUNNING)
    running = [row async for row in rows]
    lost = await asyncio.gather(*map(_is_lost, running))
    gone = [row.pk for row, is_lost in zip(running, lost, strict=True) if is_lost]
    if gone:
        # Only what is running still: a verification is written down before its workflow ends.
        await Verification.objects.filter(pk__in=gone, state=CheckState.RUNNING).aupdate(
            state=CheckState.LOST, finished=datetime.now(UTC), words="It ended, and nobody saw how."
        )


async def get_check(actor: Actor, profile: str, config: str, name: str) -> Check | None:
    """Answer the last verification of a backup that was asked for. Raises NotAllowed."""
    actor.require(Right.VIEW)
    await settle(profile, config)
    row = await Verification.objects.filter(profile=profile, config=config, backup=name).afirst()
    return _check(row) if row else None


def latest(profile: str, config: str) -> dict[str, Check]:
    """The last verification of each backup of a configuration that ever had one, by the backup's name."""
    rows = Verification.objects.filter(profile=profile, config=config).order_by("pk")
    return {row.backup: _check(row) for row in rows}


async def _is_lost(row: Verification) -> bool:
    if not row.run_id and datetime.now(UTC) - row.started < START_ANSWER:
        return False
    try:
        found = await describe(WorkflowExecution(workflow_id=row.workflow_id, run_id=row.run_id))
    except TemporalUnavailable:
        return False
    except RPCError:
        return True
    return found.workflow_execution_info.HasField("close_time")


def _check(row: Verification) -> Check:
    return Check(CheckState(row.state), row.words, row.by, row.started, row.finished)
