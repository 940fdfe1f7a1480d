"""A run as its page shows it. Plain values; every time is an aware datetime."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain.errors import PlanRefused
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.runs.restores import Restoring
from workflows_app.domain.states import RunState
from workflows_app.services.logs.attempts import Spoken
from workflows_app.services.logs.messages import Place
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.runs import RunSummary
from workflows_app.services.runs.starts import remaining_plan
from workflows_app.services.temporal.progress import Sight
from workflows_app.web.runs.freezes import Freeze, freeze_of
from workflows_app.web.runs.notices import Notice, run_notices
from workflows_app.web.runs.step_views import PhaseView, StepView, phase_views
from workflows_app.web.runs.timeline import Timeline, run_timeline
from workflows_app.web.words.statuses import ERROR, PERSON, RUN_STATUS, Status

_TITLE_MARK = {"running": "●", "complete": "✓", "error": "✗", "cancelled": "⊘", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that failed and about which a person is asked; ``number`` is the step's."""

    number: int
    name: str
    reason: str
    may_skip: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class Actions:
    """What the one who looks may do with the run now.

    ``thaw`` is what the button says that thaws, or undoes what is left, empty where there is none.
    """

    cancel: bool = False
    decide: bool = False
    terminate: bool = False
    run_again: bool = False
    resume: bool = False
    thaw: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """All that the run page shows of a run, for one actor, at ``now``."""

    run: RunSummary
    now: datetime
    status: Status
    title: str
    open: bool
    started: datetime
    seconds: float
    step: str
    freeze: Freeze | None
    failure: str
    backup_name: str
    backup_bytes: int | None
    queued: bool
    waits: tuple[Wait, ...]
    actions: Actions
    notices: tuple[Notice, ...]
    phases: tuple[PhaseView, ...]
    timeline: Timeline
    restoring: Restoring | None = None

    @property
    def number(self) -> int:
        """The run's number."""
        return self.run.number

    def step_view(self, number: int) -> StepView | None:
        """The step with that number on the wire, None when the page does not know it yet."""
        return next((s for phase in self.phases for s in phase.steps if s.number == number), None)


def run_view(
    run: RunSummary,
    sight: Sight,
    actor: Actor,
    now: datetime,
    *,
    holder: RunSummary | None = None,
    spoken: Mapping[Place, Spoken] | None = None,
) -> RunView:
    """Answer what the run page shows of ``run`` as ``sight`` has it; the sight is the newer of the two.

    ``holder`` is the run for whose lock a queued one waits, ``spoken`` when each attempt of a step spoke.
    """
    progress = sight.progress
    status = RUN_STATUS[progress.state]
    closed = progress.state.closed
    started = progress.started or run.started
    end = (progress.finished or run.finished or started) if closed else now
    current = progress.current
    waits = tuple(_waits(progress))
    mark = "!" if waits else _TITLE_MARK[status.kind]
    return RunView(
        run=run,
        now=now,
        status=PERSON if waits else status,
        title=f"{mark} {'failed' if status == ERROR else PERSON.word if waits else status.word}",
        open=not sight.closed,
        started=started,
        seconds=(end - started).total_seconds(),
        step=current.name if current and not closed else "",
        freeze=freeze_of(progress, now),
        failure=progress.reason if closed else "",
        backup_name=progress.backup_name,
        backup_bytes=progress.backup_bytes,
        restoring=progress.restoring,
        queued=progress.state is RunState.QUEUED,
        waits=waits,
        actions=_actions(run, progress, actor),
        notices=run_notices(sight, holder),
        phases=tuple(phase_views(progress, now)),
        timeline=run_timeline(progress, started, now, spoken or {}),
    )


def _actions(run: RunSummary, progress: Progress, actor: Actor) -> Actions:
    if not actor.may(Right.OPERATE):
        return Actions()
    closed, queued = progress.state.closed, progress.state is RunState.QUEUED
    thaw = ""
    if progress.watchdog is None or not progress.watchdog.reason or progress.watchdog.ended:
        if progress.frozen:
            thaw = "Thaw now"
        elif closed and progress.still_owed:
            thaw = "Undo what was begun"
    backup = run.type == "backup"
    return Actions(
        cancel=not closed and not progress.cancel_requested,
        decide=bool(progress.paused),
        terminate=not closed and not queued and actor.may(Right.TERMINATE),
        run_again=closed and backup,
        resume=closed and backup and progress.state is not RunState.COMPLETED and _can_resume(progress),
        thaw=thaw,
    )


def _can_resume(progress: Progress) -> bool:
    try:
        return bool(remaining_plan(progress).stages)
    except PlanRefused:
        return False


def _waits(progress: Progress) -> Iterable[Wait]:
    for step in progress.paused:
        if step.step is not None and progress.pause_until is not None:
            may_skip = progress.plan.step(step.key).options.may_skip
            yield Wait(step.step, step.name, step.reason, may_skip, progress.pause_until)
