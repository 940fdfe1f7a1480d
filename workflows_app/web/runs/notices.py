"""Why nothing happens, and what else an operator should know of a run now: for every state that waits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain.runs.progress import Progress, StepProgress
from workflows_app.domain.states import RunState, StepState
from workflows_app.services.runs.runs import RunSummary
from workflows_app.services.temporal.progress import Sight, Stall

WORKER_COMMAND = "manage.py run_worker"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an operator should know now.

    ``since`` ends the text, ``command`` is what to type, ``run`` the number of the run to look at.
    """

    kind: str
    title: str
    text: str
    since: datetime | None = None
    command: str = ""
    run: int | None = None


def run_notices(sight: Sight, holder: RunSummary | None) -> tuple[Notice, ...]:
    """Answer what is to be said of a run; ``holder`` is the run for whose lock a queued one waits."""
    return tuple(_notices(sight, holder))


def _notices(sight: Sight, holder: RunSummary | None) -> Iterable[Notice]:
    progress = sight.progress
    if sight.trouble:
        yield Notice("warn", "This is the last known state", sight.trouble)
    if progress.state is RunState.QUEUED:
        yield _queued(holder)
        return
    if progress.state.closed:
        left_out = [s.name for s in progress.steps if s.state is StepState.ERROR and not s.decision]
        if progress.state is RunState.COMPLETED and left_out:
            text = f"The plan goes on when they fail: {', '.join(left_out)}."
            yield Notice("warn", "Not every step succeeded", text)
        return
    if progress.watchdog and progress.watchdog.reason and progress.frozen:
        yield Notice("warn", progress.watchdog.reason, "The watchdog thaws the application.")
    if sight.stall:
        yield _stalled(sight.stall, progress)
    if progress.cancel_requested:
        yield Notice("info", "Cancelling", "What was quiesced is unquiesced; then the run ends as cancelled.")
    for step in progress.steps:
        if step.retry_at is not None:
            title = f"“{step.name}” waits for {_attempt(step, progress)}"
            why = f"The last one failed: {step.reason.rstrip('.')}. " if step.reason else ""
            yield Notice("warn", title, f"{why}The next begins at", step.retry_at)


def _queued(holder: RunSummary | None) -> Notice:
    if holder is None:
        text = "Another run holds the configuration's lock. It starts when that one has ended."
        return Notice("info", "Queued", text)
    text = (
        f"It starts when run {holder.number} has ended: a {holder.type}, started by {holder.requested_by}, "
        "holds the configuration's lock since"
    )
    return Notice("info", "Queued", text, holder.started, run=holder.number)


def _stalled(stall: Stall, progress: Progress) -> Notice:
    if stall.busy:
        waiting = [s for s in progress.steps if s.state is StepState.WAITING and s.retry_at is None]
        names = ", ".join(f"“{step.name}”" for step in waiting)
        text = (
            f"{names} begins when a worker is free: each takes only so many steps at the same time. Start "
            "another worker if this takes too long. It waits since"
        )
        since = min((step.scheduled for step in waiting if step.scheduled), default=None)
        return Notice("info", "Queued behind other steps: the workers are busy", text, since)
    seen = "The last one was seen" if stall.last_poll else "None has been seen in the last minutes."
    return Notice(
        "warn",
        f"No worker polls the queue {stall.task_queue}",
        f"The run waits until one does: start one where the plugins are installed. {seen}",
        stall.last_poll,
        WORKER_COMMAND,
    )


def _attempt(step: StepProgress, progress: Progress) -> str:
    """Which attempt comes, of how many the plan allows."""
    key = step.key.removeprefix("undo-") if step.compensates else step.key
    planned = next((s for s in (*progress.plan.steps, *progress.plan.on_error) if s.key == key), None)
    if planned is None:
        return f"attempt {step.attempt}"
    if not planned.options.attempts:
        return f"attempt {step.attempt}: it is tried until it succeeds"
    return f"attempt {step.attempt} of {planned.options.attempts}"
