"""Starting runs: under their configuration's lock, with a row that can be made again from Temporal."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypedDict, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows_app.contracts.runs import BackupInput, RunInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.durations import in_words
from workflows_app.domain.errors import NotNow, RunAlreadyActive, TemporalUnavailable
from workflows_app.domain.plans.plan_resumption import resumed_plan
from workflows_app.domain.plans.plans import Plan
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import StepState
from workflows_app.models import Run
from workflows_app.models.run_memos import memo_of, summary_of
from workflows_app.models.stored_configs import refuse_disabled
from workflows_app.services.configurations import catalog
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs import queue, runs
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.progress import find_input
from workflows_app.workflows.backup import BackupWorkflow

Given = TypeVar("Given", bound=RunInput)


class StartOptions(TypedDict):
    """The keyword arguments of ``Client.start_workflow`` that are the same for every run."""

    id: str
    task_queue: str
    id_conflict_policy: WorkflowIDConflictPolicy
    id_reuse_policy: WorkflowIDReusePolicy
    memo: dict[str, str | int]
    static_summary: str
    rpc_timeout: timedelta


async def start_backup(actor: Actor, profile: str, config: str, policy: str) -> int:
    """Start a backup, or queue it where its policy says so, and answer the run's number.

    Raises NotAllowed; NotFound for an unknown profile, configuration or policy; NotNow when it is disabled;
    ConfigInvalid when the policy keeps nothing; PlanRefused; RunAlreadyActive when the configuration's lock
    is held; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    order = await sync_to_async(catalog.order_backup)(actor, profile, config, policy)

    def given(run: Run) -> BackupInput:
        return BackupInput(
            run=run.pk,
            config=order.config.for_run(run.pk, policy, int(time.time())),
            plan=order.plan,
            requested_by=run.requested_by,
        )

    return await _start_backup(actor, order.config, policy, given, order.when_busy, order.version)


async def resume_backup(actor: Actor, number: int) -> int:
    """Start a run that takes what a failed backup left undone, from the failed step on; answer its number.

    It works on the backup that the failed run made, with the configuration that that run was given.
    Raises NotAllowed; NotFound; NotNow for a run that is open, or a disabled configuration; PlanRefused where
    only a new run is safe; RunAlreadyActive; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    failed = await sync_to_async(runs.get_run)(actor, number)
    if not failed.progress.state.closed:
        raise NotNow(f"Run {number} is still running.")
    await sync_to_async(refuse_disabled)(failed.summary.profile, failed.summary.config)
    before = await find_input(failed.address)
    plan = remaining_plan(failed.progress)

    def given(run: Run) -> BackupInput:
        return BackupInput(
            run=run.pk, config=before.config, plan=plan, requested_by=run.requested_by, resumes=number
        )

    run = failed.summary
    return await _start_backup(
        actor, before.config, run.policy, given, WhenBusy.REFUSE, run.version, run.former_policy
    )


def remaining_plan(progress: Progress) -> Plan:
    """Answer what a failed run left undone, as a plan. Raises PlanRefused where only a new run is safe."""
    done = {
        step.key.removeprefix("undo-")
        for step in progress.steps
        if step.state is StepState.COMPLETE or (step.state is StepState.SKIPPED and step.decision)
    }
    failed = {step.key for step in progress.steps if step.state is StepState.ERROR} - done
    return resumed_plan(progress.plan, done, failed)


async def _start_backup(
    actor: Actor,
    config: Config,
    policy: str,
    given: Callable[[Run], BackupInput],
    when_busy: WhenBusy,
    version: int | None,
    former_policy: str = "",
) -> int:
    run = await new_run(actor, "backup", config, policy, version, former_policy)
    backup = given(run)
    try:
        await launch(run, BackupWorkflow.run, backup)
    except RunAlreadyActive:
        if when_busy is not WhenBusy.QUEUE:
            await run.adelete()
            raise
        await queue.enqueue(run, backup, memo_of(run), summary_of(run))
        await sync_to_async(audit.note)(
            actor, Action.QUEUED, run.profile, run.config, run=run.pk, details=f"policy {policy}"
        )
        return run.pk
    details = f"policy {policy}" + (
        f", from the failed step of run {backup.resumes}" if backup.resumes else ""
    )
    await note_start(actor, run, details)
    return run.pk


async def new_run(
    actor: Actor,
    kind: str,
    config: Config,
    policy: str,
    version: int | None = None,
    former_policy: str = "",
) -> Run:
    """Make the row of a run that is about to start: its number is the run's.

    ``version`` is that of the configuration, none where it has none; ``former_policy`` what the policy is
    called in ``config``, where it has been renamed since.
    """
    profile, name = config.profile_name, config.config_name
    return await Run.objects.acreate(
        workflow_id=naming.run_workflow_id(profile, name),
        type=kind,
        profile=profile,
        config=name,
        policy=policy,
        former_policy=former_policy,
        version=version or None,
        requested_by=actor.name,
        started=datetime.now(UTC),
    )


async def launch(run: Run, workflow: Callable[..., Awaitable[object]], given: RunInput) -> None:
    """Start the workflow of a new run.

    Raises RunAlreadyActive when the configuration's lock is held: the row is then left to the caller.
    Raises TemporalUnavailable, and the row is gone.
    """
    try:
        async with temporal() as client:
            run_id = await _start(client, run, workflow, given)
    except WorkflowAlreadyStartedError as error:
        raise await _busy(run, error.run_id) from None
    except TemporalUnavailable as error:
        await run.adelete()
        raise TemporalUnavailable(f"{error} The {run.type} was not started.") from error
    await Run.objects.filter(pk=run.pk).aupdate(run_id=run_id)


async def _start(
    client: Client, run: Run, workflow: Callable[..., Awaitable[object]], given: RunInput
) -> str:
    handle = await client.start_workflow(workflow, given, **start_options(run))
    return handle.first_execution_run_id or ""


def start_options(run: Run) -> StartOptions:
    """How Temporal starts a run: under the configuration's lock, with a memo that can make its row again."""
    return StartOptions(
        id=run.workflow_id,
        task_queue=settings.TEMPORAL_TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        memo=memo_of(run),
        static_summary=summary_of(run),
        rpc_timeout=RPC_TIMEOUT,
    )


async def note_start(actor: Actor, run: Run, details: str) -> None:
    """Keep who started a run."""
    await sync_to_async(audit.note)(
        actor, Action.STARTED, run.profile, run.config, run=run.pk, details=details
    )


async def _busy(run: Run, run_id: str | None) -> RunAlreadyActive:
    """Who holds the lock that ``run`` wants, as far as it is known."""
    others = Run.objects.filter(workflow_id=run.workflow_id).exclude(pk=run.pk)
    holder = await others.filter(run_id=run_id).afirst() if run_id else None
    holder = holder or await others.open().afirst()
    if holder is None:
        return RunAlreadyActive(run.profile, run.config, None)
    since = (datetime.now(UTC) - holder.started).total_seconds()
    who = f"a {holder.type}, started by {holder.requested_by} {in_words(round(since))} ago"
    return RunAlreadyActive(run.profile, run.config, holder.pk, who)
