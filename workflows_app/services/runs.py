"""Runs: start, cancel, find."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Max
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from workflows_app.contracts import BackupInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.errors import NotFound, RunAlreadyActive, TemporalUnavailable
from workflows_app.domain.plans import backup_plan
from workflows_app.domain.progress import Progress, RunState
from workflows_app.models import Run
from workflows_app.services import catalog
from workflows_app.services.client import RPC_TIMEOUT, temporal
from workflows_app.services.permissions import Actor, Right
from workflows_app.workflows.backup import BackupWorkflow

PER_PAGE = 50


class StartOptions(TypedDict):
    """The keyword arguments of ``Client.start_workflow`` that are the same for every run."""

    id: str
    task_queue: str
    id_conflict_policy: WorkflowIDConflictPolicy
    id_reuse_policy: WorkflowIDReusePolicy
    memo: dict[str, object]
    static_summary: str
    rpc_timeout: timedelta


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as a list shows it. Times are aware, ``backup_bytes`` is None when nothing was backed up.

    ``frozen_since`` is set while what the run froze has not been thawed, as far as is recorded.
    """

    number: int
    type: str
    profile: str
    config: str
    policy: str
    state: RunState
    requested_by: str
    started: datetime
    finished: datetime | None
    backup_bytes: int | None
    failure: str
    step: str
    frozen_since: datetime | None = None
    thaw_failed: bool = False

    @property
    def seconds(self) -> float | None:
        """How long the run took, None while it runs."""
        return (self.finished - self.started).total_seconds() if self.finished else None


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with the progress that was last recorded of it, and where it is in Temporal."""

    summary: RunSummary
    progress: Progress
    result: dict[str, Any]
    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of a list of runs; ``page`` counts from 1."""

    runs: tuple[RunSummary, ...]
    total: int
    page: int
    pages: int


async def start_backup(actor: Actor, profile: str, config: str, policy: str) -> int:
    """Start a backup and answer the run's number.

    Raises NotAllowed; NotFound for an unknown profile, configuration or policy; ConfigInvalid when the
    policy keeps nothing; RunAlreadyActive when the configuration's lock is held; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    found = await sync_to_async(catalog.config_for_run)(actor, profile, config, policy)

    async def start(run: Run, client: Client) -> str:
        given = found.for_run(run.pk, policy, int(time.time()))
        backup = BackupInput(run=run.pk, config=given, plan=backup_plan(given), requested_by=run.requested_by)
        handle = await client.start_workflow(BackupWorkflow.run, backup, **start_options(run))
        return handle.first_execution_run_id or ""

    return await start_run(actor, "backup", found, policy, start)


async def start_run(
    actor: Actor,
    kind: str,
    config: Config,
    policy: str,
    start: Callable[[Run, Client], Awaitable[str]],
) -> int:
    """Make the row of a run and start its workflow; answer the run's number.

    ``start`` is given the row and the client and answers Temporal's run id. A run that does not start
    leaves no row. Raises RunAlreadyActive when the configuration's lock is held; TemporalUnavailable.
    """
    profile, name = config.profile_name, config.config_name
    run = await Run.objects.acreate(
        workflow_id=naming.run_workflow_id(profile, name),
        type=kind,
        profile=profile,
        config=name,
        policy=policy,
        requested_by=actor.name,
        started=datetime.now(UTC),
    )
    try:
        async with temporal() as client:
            run_id = await start(run, client)
    except WorkflowAlreadyStartedError as error:
        await run.adelete()
        raise RunAlreadyActive(profile, name, await _holder(error.run_id, run.workflow_id)) from None
    except TemporalUnavailable as error:
        await run.adelete()
        raise TemporalUnavailable(f"{error} The {kind} was not started.") from error
    await Run.objects.filter(pk=run.pk).aupdate(run_id=run_id)
    return run.pk


def start_options(run: Run) -> StartOptions:
    """How Temporal starts a run: under the configuration's lock, with a memo that can make its row again."""
    return StartOptions(
        id=run.workflow_id,
        task_queue=settings.TEMPORAL_TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        memo={
            naming.MEMO_RUN: run.pk,
            naming.MEMO_TYPE: run.type,
            naming.MEMO_PROFILE: run.profile,
            naming.MEMO_CONFIG: run.config,
            naming.MEMO_POLICY: run.policy,
            naming.MEMO_REQUESTED_BY: run.requested_by,
        },
        static_summary=f"{run.type.capitalize()} of {run.profile}/{run.config}, policy {run.policy}",
        rpc_timeout=RPC_TIMEOUT,
    )


async def _holder(run_id: str | None, workflow_id: str) -> int | None:
    """The number of the run that holds a lock, None when it has no row yet."""
    runs = Run.objects.filter(workflow_id=workflow_id)
    holder = await runs.filter(run_id=run_id).afirst() if run_id else None
    holder = holder or await runs.open().afirst()
    return holder.pk if holder else None


async def cancel_run(actor: Actor, number: int) -> None:
    """Ask a run to cancel: it unquiesces what it quiesced and ends as cancelled.

    A run that is already closed is left as it is. Raises NotAllowed, NotFound, TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    run = await Run.objects.filter(pk=number).afirst()
    if run is None:
        raise NotFound(f"There is no run {number}.")
    # Temporal answers NOT_FOUND for a run that has already closed.
    with contextlib.suppress(RPCError):
        async with temporal() as client:
            handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id or None)
            await handle.cancel(rpc_timeout=RPC_TIMEOUT)


async def wait_for_run(actor: Actor, number: int, poll_seconds: float = 0.1) -> RunDetail:
    """Answer the run once it is recorded as closed."""
    while True:
        run = await sync_to_async(get_run)(actor, number)
        if run.summary.state.closed:
            return run
        await asyncio.sleep(poll_seconds)


def get_run(actor: Actor, number: int) -> RunDetail:
    """Answer a run as it was last recorded. Raises NotAllowed, NotFound."""
    actor.require(Right.VIEW)
    run = Run.objects.filter(pk=number).first()
    if run is None:
        raise NotFound(f"There is no run {number}.")
    return RunDetail(
        summary=_summary(run),
        progress=_progress(run),
        result=run.result,
        workflow_id=run.workflow_id,
        run_id=run.run_id,
    )


def list_runs(
    actor: Actor,
    *,
    profile: str | None = None,
    config: str | None = None,
    state: RunState | None = None,
    open_only: bool = False,
    page: int = 1,
    per_page: int = PER_PAGE,
) -> RunPage:
    """Answer the runs that fit, newest first. A page beyond the last is the last. Raises NotAllowed."""
    actor.require(Right.VIEW)
    runs = Run.objects.all()
    if profile is not None:
        runs = runs.filter(profile=profile)
    if config is not None:
        runs = runs.filter(config=config)
    if state is not None:
        runs = runs.filter(status=state.value)
    if open_only:
        runs = runs.open()
    found = Paginator(runs.defer("result"), per_page).get_page(page)
    return RunPage(
        runs=tuple(_summary(run) for run in found),
        total=found.paginator.count,
        page=found.number,
        pages=found.paginator.num_pages,
    )


def latest_runs(actor: Actor) -> dict[tuple[str, str], RunSummary]:
    """Answer the newest run of each configuration that ever ran, by (profile, config). Raises NotAllowed."""
    actor.require(Right.VIEW)
    newest = Run.objects.order_by().values("profile", "config").annotate(newest=Max("pk")).values("newest")
    runs = Run.objects.filter(pk__in=newest).defer("result")
    return {(run.profile, run.config): _summary(run) for run in runs}


def _progress(run: Run) -> Progress:
    if run.progress:
        return Progress.model_validate(run.progress)
    return Progress(
        state=RunState(run.status), started=run.started, finished=run.finished, reason=run.failure
    )


def _summary(run: Run) -> RunSummary:
    current = _progress(run).current if run.finished is None else None
    return RunSummary(
        number=run.pk,
        type=run.type,
        profile=run.profile,
        config=run.config,
        policy=run.policy,
        state=RunState(run.status),
        requested_by=run.requested_by,
        started=run.started,
        finished=run.finished,
        backup_bytes=run.backup_bytes,
        failure=run.failure,
        step=current.name if current else "",
        frozen_since=_frozen_since(run.progress),
        thaw_failed=bool(run.progress.get("thaw_failed")),
    )


def _frozen_since(progress: dict[str, Any]) -> datetime | None:
    """Read from the recorded progress itself: a list of runs should not have to build each one's progress."""
    since = progress.get("frozen_since")
    return datetime.fromisoformat(since) if since and progress.get("still_frozen") else None
