"""Runs, found: lists of them, and one with all that was recorded of it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.paginator import Paginator
from django.db.models import Max

from workflows_app.domain.errors import NotFound
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import RunState
from workflows_app.models import Run
from workflows_app.services.configurations import versions
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.temporal.progress import RunAddress, address_of

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as a list shows it. Times are aware, ``backup_bytes`` is None when nothing was backed up.

    ``policy`` is what its policy is called today, ``former_policy`` what it was called as it ran, ``""``
    where that is the same. ``frozen_since`` is set while what the run froze has not been thawed, as far as is
    recorded; ``waits`` says that the run waits for a person. ``version`` is that of the configuration
    that it was given, None where it had none; ``version_kept`` says that it can still be looked at, which is
    found out for a single run only (``get_run``).
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
    waits: bool = False
    version: int | None = None
    version_kept: bool = False
    former_policy: str = ""

    @property
    def seconds(self) -> float | None:
        """How long the run took, None while it runs."""
        return (self.finished - self.started).total_seconds() if self.finished else None


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with the progress that was last recorded of it, and where it is in Temporal.

    ``guarded`` says that a watchdog may still thaw what the closed run left frozen.
    """

    summary: RunSummary
    progress: Progress
    result: dict[str, Any]
    address: RunAddress
    guarded: bool

    @property
    def settled(self) -> bool:
        """Whether nothing of the run will change any more."""
        return self.progress.state.closed and not self.guarded


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of a list of runs; ``page`` counts from 1."""

    runs: tuple[RunSummary, ...]
    total: int
    page: int
    pages: int


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
    summary = summarize(run)
    if run.version is not None and versions.is_kept(run.profile, run.config, run.version, run.started):
        summary = replace(summary, version_kept=True)
    return RunDetail(
        summary=summary,
        progress=_progress(run),
        result=run.result,
        address=address_of(run),
        guarded=run.guarded,
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
        runs=tuple(summarize(run) for run in found),
        total=found.paginator.count,
        page=found.number,
        pages=found.paginator.num_pages,
    )


def latest_runs(actor: Actor) -> dict[tuple[str, str], RunSummary]:
    """Answer the newest run of each configuration that ever ran, by (profile, config); none that was
    skipped.

    Raises NotAllowed.
    """
    actor.require(Right.VIEW)
    newest = Run.objects.order_by().values("profile", "config").annotate(newest=Max("pk")).values("newest")
    found = (_begun(run) for run in Run.objects.filter(pk__in=newest).defer("result"))
    return {(run.profile, run.config): summarize(run) for run in found if run is not None}


def _begun(run: Run) -> Run | None:
    """``run``, or the newest one before it that was not skipped: few need a query of their own.

    That one was missed may be written down when a later one has begun already: then it is not the newest.
    """
    if run.status not in (RunState.SKIPPED.value, RunState.MISSED.value):
        return run
    others = Run.objects.of(run.profile, run.config).exclude(status=RunState.SKIPPED.value)
    return others.order_by("-started", "-pk").defer("result").first()


def newest_number(actor: Actor) -> int:
    """Answer the number of the last run that there is, 0 for none. Raises NotAllowed."""
    actor.require(Right.VIEW)
    return Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def lock_holder(actor: Actor, run: RunSummary) -> RunSummary | None:
    """Answer the run that holds the lock for which a queued one waits, None when none does any more.

    Raises NotAllowed.
    """
    actor.require(Right.VIEW)
    others = Run.objects.of(run.profile, run.config).open().exclude(status=RunState.QUEUED.value)
    holder = others.exclude(pk=run.number).defer("result").order_by("pk").first()
    return summarize(holder) if holder else None


def _progress(run: Run) -> Progress:
    if run.progress:
        return Progress.model_validate(run.progress)
    return Progress(
        state=RunState(run.status), started=run.started, finished=run.finished, reason=run.failure
    )


def summarize(run: Run) -> RunSummary:
    """Answer a row, read without its result, as lists show it."""
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
        waits=run.finished is None and bool(run.progress.get("pause_until")),
        version=run.version,
        former_policy=run.former_policy,
    )


def _frozen_since(progress: dict[str, Any]) -> datetime | None:
    """Read from the recorded progress itself: a list of runs should not have to build each one's progress."""
    since = progress.get("frozen_since")
    return datetime.fromisoformat(since) if since and progress.get("still_frozen") else None
