"""The steps of a run as its page shows them, phase by phase, with how far each is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from workflows_app.domain.runs.events import StepReport
from workflows_app.domain.runs.progress import Progress, StepProgress
from workflows_app.domain.states import StepState
from workflows_app.web.words.statuses import STEP_STATUS, Status

# A rate from less than this says nothing.
RATE_SECONDS = 1.0


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


def phase_views(progress: Progress, now: datetime) -> Iterable[PhaseView]:
    """Answer the phases of ``progress`` at ``now``, in the order of their steps."""
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
