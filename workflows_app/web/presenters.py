"""What pages show, worked out from what services answer. Plain values; every time is an aware datetime."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from workflows_app.domain import ansi
from workflows_app.domain.errors import PlanRefused
from workflows_app.domain.events import StepReport
from workflows_app.domain.progress import Progress, StepProgress
from workflows_app.domain.restores import Restoring
from workflows_app.domain.states import FreezeState, RunState, StepState
from workflows_app.services.logs.attempts import Spoken
from workflows_app.services.logs.messages import Place
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.runs import RunSummary
from workflows_app.services.runs.starts import remaining_plan
from workflows_app.services.temporal.progress import Sight
from workflows_app.web.notices import Notice, run_notices
from workflows_app.web.statuses import ERROR, FROZEN, PERSON, RUN_STATUS, STEP_STATUS, Status
from workflows_app.web.timeline import Timeline, run_timeline

# A rate from less than this says nothing.
RATE_SECONDS = 1.0

_TITLE_MARK = {"running": "●", "complete": "✓", "error": "✗", "cancelled": "⊘", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list. ``seconds`` is how long it took, None while it runs.

    ``more`` are further statuses: of a run whose application stands still, or that waits for a person.
    ``said`` is the last line of an open run, as a terminal would show it.
    """

    run: RunSummary
    status: Status
    seconds: float | None
    now: datetime
    more: tuple[Status, ...] = ()
    said: str = ""

    @property
    def open(self) -> bool:
        """Whether the run may still change."""
        return not self.run.state.closed


def run_row(run: RunSummary, now: datetime, said: str = "") -> RunRow:
    """Answer how a list shows ``run``, which said ``said`` last, at ``now``."""
    more = [PERSON] if run.waits else []
    more += [FROZEN] if run.frozen_since else []
    shown = "".join(span.text for span in ansi.render(said).spans)
    return RunRow(run, RUN_STATUS[run.state], run.seconds, now, tuple(more), shown)


@dataclass(frozen=True, slots=True)
class Freeze:
    """How long the application stood still, or has until now; ``words`` say what comes next.

    ``outcome`` is what became of it: frozen, thawed, thaw failed or unknown. ``until`` is when the watchdog
    thaws it, None when none does.
    """

    frozen: bool
    outcome: str
    since: datetime
    seconds: float
    words: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that failed and about which a person is asked; ``number`` is the step's."""

    number: int
    name: str
    reason: str
    may_skip: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class Bar:
    """How far a step is. ``done`` and ``total`` in bytes or files; a total of None is not known.

    ``rate`` is per second, ``eta`` in seconds; None where nobody can say.
    """

    unit: str
    done: int
    total: int | None
    note: str
    rate: float | None
    eta: float | None

    @property
    def percent(self) -> int | None:
        """How much of the total is done, None when the total is not known."""
        return min(100, 100 * self.done // self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step on the run page. ``log`` is the id of its log section, empty when it can have none."""

    number: int | None
    name: str
    status: Status
    compensates: bool
    attempt: int
    seconds: float | None
    since: datetime | None
    reason: str
    decision: str
    bar: Bar | None
    log: str


@dataclass(frozen=True, slots=True)
class PhaseView:
    """Consecutive steps of one phase."""

    name: str
    steps: tuple[StepView, ...]


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
        freeze=_freeze(progress, now),
        failure=progress.reason if closed else "",
        backup_name=progress.backup_name,
        backup_bytes=progress.backup_bytes,
        restoring=progress.restoring,
        queued=progress.state is RunState.QUEUED,
        waits=waits,
        actions=_actions(run, progress, actor),
        notices=run_notices(sight, holder),
        phases=tuple(_phases(progress, now)),
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


_OUTCOMES = {
    FreezeState.FROZEN: "frozen",
    FreezeState.THAWED: "thawed",
    FreezeState.FAILED: "thaw failed",
    FreezeState.UNKNOWN: "unknown",
}


def _freeze(progress: Progress, now: datetime) -> Freeze | None:
    since = progress.frozen_since
    if since is None:
        return None
    watchdog = progress.watchdog
    until = watchdog.until if watchdog and not watchdog.ended and not watchdog.reason else None
    return Freeze(
        progress.frozen,
        _OUTCOMES[progress.freeze],
        since,
        progress.frozen_seconds(now),
        _freeze_words(progress),
        until if progress.frozen else None,
    )


def _freeze_words(progress: Progress) -> str:
    watchdog = progress.watchdog
    if not progress.frozen:
        return f"{watchdog.reason}: the watchdog thawed it" if watchdog and watchdog.reason else ""
    if progress.freeze is FreezeState.UNKNOWN:
        return "Whether it was thawed is not known. Look at the application, and thaw it by hand if need be"
    if watchdog and watchdog.reason and not watchdog.ended:
        return f"{watchdog.reason}: the watchdog thaws it"
    if progress.state.closed and (watchdog is None or watchdog.ended):
        return "The run has ended without unquiescing it. Thaw it now"
    if progress.thaw_failed:
        return "An attempt to unquiesce it failed; it is tried again"
    return ""


def _phases(progress: Progress, now: datetime) -> Iterable[PhaseView]:
    for (compensates, name), steps in groupby(progress.steps, key=lambda s: (s.compensates, s.phase)):
        yield PhaseView(
            "Undoing what was begun" if compensates else name, tuple(_step(step, now) for step in steps)
        )


def _step(step: StepProgress, now: datetime) -> StepView:
    active = step.state in (StepState.RUNNING, StepState.WAITING)
    may_have_log = step.step is not None and step.lines != 0 and step.started is not None
    return StepView(
        number=step.step,
        name=step.name,
        status=STEP_STATUS[step.state],
        compensates=step.compensates,
        attempt=step.attempt,
        seconds=step.seconds,
        since=(step.started or step.scheduled) if active else None,
        reason=step.reason,
        decision=step.decision,
        bar=_bar(step, step.report, now) if step.state is StepState.RUNNING and step.report else None,
        log=f"log-{step.step}-{step.attempt}" if may_have_log else "",
    )


def _bar(step: StepProgress, report: StepReport, now: datetime) -> Bar | None:
    """The bytes where they say more than the files, None for a report without figures or words."""
    if report.total_bytes or report.done_bytes:
        unit, done, total = "bytes", report.done_bytes, report.total_bytes
    elif report.total_files or report.done_files:
        unit, done, total = "files", report.done_files, report.total_files
    elif report.note:
        unit, done, total = "", 0, 0
    else:
        return None
    seconds = ((step.heartbeat or now) - step.started).total_seconds() if step.started else 0.0
    rate = done / seconds if seconds >= RATE_SECONDS and done else None
    eta = max(0, total - done) / rate if rate and total else None
    return Bar(unit, done, total or None, report.note, rate, eta)
