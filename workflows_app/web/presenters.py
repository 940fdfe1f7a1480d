"""What pages show, worked out from what services answer. Plain values; every time is an aware datetime."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.plans import Plan, StepSpec
from workflows_app.domain.progress import Progress, RunState, StepProgress, StepReport, StepState
from workflows_app.domain.redaction import MASK, Redactor
from workflows_app.services.messages import LogLine, LogSection
from workflows_app.services.permissions import Actor, Right
from workflows_app.services.progress import Sight
from workflows_app.services.runs import RunSummary

# A rate from less than this says nothing.
RATE_SECONDS = 1.0
WORKER_COMMAND = "manage.py run_worker"


@dataclass(frozen=True, slots=True)
class Status:
    """A status as it looks everywhere: ``kind`` is its colour, ``icon`` its shape, ``word`` its name."""

    kind: str
    word: str
    icon: str


PENDING = Status("pending", "pending", "circle-dashed")
WAITING = Status("waiting", "waiting", "hourglass")
RUNNING = Status("running", "running", "loader-circle")
COMPLETE = Status("complete", "complete", "circle-check")
ERROR = Status("error", "error", "octagon-x")
PERSON = Status("person", "waiting for a person", "hand")
CANCELLED = Status("cancelled", "cancelled", "ban")
FROZEN = Status("frozen", "frozen", "snowflake")
UNKNOWN = Status("unknown", "unknown", "circle-question-mark")
SKIPPED = Status("skipped", "not run", "circle-slash-2")

RUN_STATUS = {
    RunState.RUNNING: RUNNING,
    RunState.COMPLETED: COMPLETE,
    RunState.ERROR: ERROR,
    RunState.CANCELLED: CANCELLED,
    RunState.TERMINATED: Status("error", "terminated", "octagon-x"),
    RunState.TIMED_OUT: Status("error", "timed out", "octagon-x"),
    RunState.UNKNOWN: UNKNOWN,
}
STEP_STATUS = {
    StepState.PENDING: PENDING,
    StepState.WAITING: WAITING,
    StepState.RUNNING: RUNNING,
    StepState.COMPLETE: COMPLETE,
    StepState.ERROR: ERROR,
    StepState.CANCELLED: CANCELLED,
    StepState.SKIPPED: SKIPPED,
}
_TITLE_MARK = {"running": "●", "complete": "✓", "error": "✗", "cancelled": "⊘", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list. ``seconds`` is how long it took, None while it runs.

    ``frozen`` is a second status for a run whose application stands still.
    """

    run: RunSummary
    status: Status
    seconds: float | None
    now: datetime
    frozen: Status | None = None

    @property
    def open(self) -> bool:
        """Whether the run may still change."""
        return not self.run.state.closed


def run_row(run: RunSummary, now: datetime) -> RunRow:
    """Answer how a list shows ``run`` at ``now``."""
    return RunRow(run, RUN_STATUS[run.state], run.seconds, now, FROZEN if run.frozen_since else None)


@dataclass(frozen=True, slots=True)
class Freeze:
    """How long the application stood still; ``frozen`` says that it still does, ``words`` what comes next."""

    frozen: bool
    since: datetime
    seconds: float
    words: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an operator should know now; ``command`` is what to type, if that helps."""

    kind: str
    title: str
    text: str
    since: datetime | None = None
    command: str = ""


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
    bar: Bar | None
    log: str


@dataclass(frozen=True, slots=True)
class PhaseView:
    """Consecutive steps of one phase."""

    name: str
    steps: tuple[StepView, ...]


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
    may_cancel: bool
    may_run_again: bool
    notices: tuple[Notice, ...]
    phases: tuple[PhaseView, ...]

    @property
    def number(self) -> int:
        """The run's number."""
        return self.run.number

    def step_view(self, number: int) -> StepView | None:
        """The step with that number on the wire, None when the page does not know it yet."""
        return next((s for phase in self.phases for s in phase.steps if s.number == number), None)


def run_view(run: RunSummary, sight: Sight, actor: Actor, now: datetime) -> RunView:
    """Answer what the run page shows of ``run`` as ``sight`` has it; the sight is the newer of the two."""
    progress = sight.progress
    status = RUN_STATUS[progress.state]
    closed = progress.state.closed
    started = progress.started or run.started
    end = (progress.finished or run.finished or started) if closed else now
    current = progress.current
    operates = actor.may(Right.OPERATE)
    return RunView(
        run=run,
        now=now,
        status=status,
        title=f"{_TITLE_MARK[status.kind]} {'failed' if status == ERROR else status.word}",
        open=not closed,
        started=started,
        seconds=(end - started).total_seconds(),
        step=current.name if current and not closed else "",
        freeze=_freeze(progress, now),
        failure=progress.reason if closed else "",
        backup_name=progress.backup_name,
        backup_bytes=progress.backup_bytes,
        may_cancel=operates and not closed and not progress.cancel_requested,
        may_run_again=operates and closed and run.type == "backup",
        notices=tuple(_notices(sight)),
        phases=tuple(_phases(progress, now)),
    )


def _freeze(progress: Progress, now: datetime) -> Freeze | None:
    since = progress.frozen_since
    end = now if progress.frozen else progress.thawed_at
    if since is None or end is None:
        return None
    words = ""
    if progress.frozen and progress.state.closed:
        words = "The run has ended without unquiescing it. Unquiesce it by hand now."
    elif progress.frozen and progress.thaw_failed:
        words = "An attempt to unquiesce it failed; it is tried again."
    return Freeze(progress.frozen, since, (end - since).total_seconds(), words)


def _notices(sight: Sight) -> Iterable[Notice]:
    progress = sight.progress
    if sight.trouble:
        yield Notice("warn", "This is the last known state", sight.trouble)
    if progress.state.closed:
        return
    if sight.stall:
        polled = sight.stall.last_poll
        seen = "The last one was seen" if polled else "None has been seen in the last minutes."
        yield Notice(
            "warn",
            f"No worker polls the queue {sight.stall.task_queue}",
            f"The run waits until one does: start one where the plugins are installed. {seen}",
            polled,
            WORKER_COMMAND,
        )
    if progress.cancel_requested:
        yield Notice("info", "Cancelling", "What was quiesced is unquiesced; then the run ends as cancelled.")
    for step in progress.steps:
        if step.retry_at is not None:
            title = f"“{step.name}” waits for attempt {step.attempt}"
            why = f"The last one failed: {step.reason.rstrip('.')}. " if step.reason else ""
            yield Notice("warn", title, f"{why}The next begins at", step.retry_at)


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


@dataclass(frozen=True, slots=True)
class SectionView:
    """The log of one attempt of a step: ``earlier`` lines come before those shown, of ``total`` stored."""

    run: int
    step: int
    attempt: int
    name: str
    compensates: bool
    lines: tuple[LogLine, ...]
    earlier: int
    total: int

    @property
    def place(self) -> str:
        """The part of the ids that names the section."""
        return f"{self.step}-{self.attempt}"

    @property
    def before(self) -> int:
        """The number of the first line shown: earlier ones come before it."""
        return self.earlier + 1


def section_view(run: RunView, section: LogSection) -> SectionView:
    """Answer how the run page shows ``section``."""
    step = run.step_view(section.step)
    return SectionView(
        run=run.number,
        step=section.step,
        attempt=section.attempt,
        name=step.name if step else f"Step {section.step}",
        compensates=bool(step and step.compensates),
        lines=section.lines,
        earlier=section.earlier,
        total=section.total,
    )


@dataclass(frozen=True, slots=True)
class PlanPhase:
    """Consecutive steps of a plan in one phase."""

    name: str
    steps: tuple[StepSpec, ...]


def plan_phases(plan: Plan) -> tuple[PlanPhase, ...]:
    """Answer the steps of ``plan`` by phase."""
    return tuple(
        PlanPhase(name, tuple(steps)) for name, steps in groupby(plan.steps, key=lambda step: step.phase)
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and its value, fit to be read by anyone who may look."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings that belong together."""

    name: str
    settings: tuple[Setting, ...]


def setting_groups(config: Config) -> tuple[SettingGroup, ...]:
    """Answer what is configured, credentials masked; groups without a setting are left out."""
    commands = {field.value: config.command(field) for field in CommandField}
    groups = (
        ("Application plugin", config.app_plugin, config.app_plugin_parameters),
        ("Storage plugin", config.storage_plugin, config.storage_plugin_parameters),
        ("Archive plugin", config.archive_plugin, config.archive_plugin_parameters),
        ("Commands", "", commands),
    )
    shown = []
    for title, plugin, values in groups:
        settings = [Setting("Plugin", plugin)] if plugin else []
        settings += [Setting(name, _masked(name, value)) for name, value in values.items() if value]
        if settings:
            shown.append(SettingGroup(title, tuple(settings)))
    return tuple(shown)


def _masked(name: str, value: str) -> str:
    """``value`` without its credentials; nothing of it where the name says that it is one."""
    redactor = Redactor()
    probe = f"{name}=probe"
    return MASK if redactor.redact(probe) != probe else redactor.redact(value)
