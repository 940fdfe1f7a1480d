"""How far a run is: a fold over the plain events of its history. Pure; times are aware datetimes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.plans import Plan, StepSpec


class RunState(StrEnum):
    """What is known of a run; ``UNKNOWN`` when Temporal no longer has it and nobody saw it end."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    TERMINATED = "TERMINATED"
    TIMED_OUT = "TIMED_OUT"
    UNKNOWN = "UNKNOWN"

    @property
    def closed(self) -> bool:
        """Whether the run will not change any more."""
        return self is not RunState.RUNNING


class StepState(StrEnum):
    """The state of a step on a page.

    ``PENDING`` was not reached yet, ``WAITING`` is scheduled but no worker has taken it, ``SKIPPED``
    was never reached because the run ended before it.
    """

    PENDING = "PENDING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"

    @property
    def ended(self) -> bool:
        """Whether the step ran and came to an end, good or bad."""
        return self in (StepState.COMPLETE, StepState.ERROR, StepState.CANCELLED)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run began with this plan."""

    time: datetime
    plan: Plan


@dataclass(frozen=True, slots=True)
class StepScheduled:
    """A step was asked for; ``compensates`` when it undoes one after a failure or cancel."""

    time: datetime
    step: int
    spec: StepSpec
    compensates: bool


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A worker took the step, for the ``attempt``-th time."""

    time: datetime
    step: int
    attempt: int


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The step ended in ``state`` because of ``reason`` (empty when it is complete).

    ``backup_name`` and ``backup_bytes`` tell of the backup that it made, ``lines`` how many lines it
    said (None when nobody could count them).
    """

    time: datetime
    step: int
    state: StepState
    reason: str = ""
    backup_name: str = ""
    backup_bytes: int | None = None
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody asked for the run to be cancelled."""

    time: datetime


@dataclass(frozen=True, slots=True)
class RunClosed:
    """The run ended in ``state`` because of ``reason`` (empty when it is complete)."""

    time: datetime
    state: RunState
    reason: str = ""


Event = RunStarted | StepScheduled | StepStarted | StepEnded | CancelRequested | RunClosed


@dataclass(frozen=True, slots=True)
class PendingStep:
    """What Temporal tells of a step that has not ended: who works on it, which attempt, how far it is.

    ``report`` is the last heartbeat; ``retry_at`` is set while the step waits for its next attempt.
    """

    step: int
    attempt: int
    taken: bool
    worker: str = ""
    failure: str = ""
    retry_at: datetime | None = None
    started: datetime | None = None
    heartbeat: datetime | None = None
    report: "StepReport | None" = None


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class StepReport(_Value):
    """The figures of a step's heartbeat. Sizes in bytes; a total of 0 is not known."""

    done_bytes: int = 0
    total_bytes: int = 0
    done_files: int = 0
    total_files: int = 0
    note: str = ""


class StepProgress(_Value):
    """One step of a run. ``step`` is its number on the wire, None as long as it has not been scheduled."""

    key: str
    name: str
    phase: str
    step: int | None = None
    state: StepState = StepState.PENDING
    attempt: int = 0
    compensates: bool = False
    scheduled: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    reason: str = ""
    worker: str = ""
    retry_at: datetime | None = None
    heartbeat: datetime | None = None
    report: StepReport | None = None
    lines: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long the step took, None while it has no end."""
        if self.finished is None or self.scheduled is None:
            return None
        return (self.finished - (self.started or self.scheduled)).total_seconds()


class Progress(_Value):
    """A run as a page shows it.

    ``frozen_since`` is when the first freezing step was asked for, ``thawed_at`` when the last thing
    frozen was undone; ``thaw_failed`` says that an attempt to undo ended in error.
    """

    state: RunState = RunState.RUNNING
    started: datetime | None = None
    finished: datetime | None = None
    reason: str = ""
    cancel_requested: bool = False
    steps: tuple[StepProgress, ...] = ()
    frozen_since: datetime | None = None
    thawed_at: datetime | None = None
    thaw_failed: bool = False
    backup_name: str = ""
    backup_bytes: int | None = None
    plan: Plan = Plan()
    still_frozen: tuple[str, ...] = ()

    @property
    def frozen(self) -> bool:
        """Whether something that was frozen has not been thawed."""
        return bool(self.still_frozen)

    @property
    def current(self) -> StepProgress | None:
        """The step that is being worked on or waited for, None when there is none."""
        return next((s for s in self.steps if s.state in (StepState.RUNNING, StepState.WAITING)), None)

    def apply(self, event: Event) -> "Progress":
        """Answer the progress after ``event``. Pure; an event that does not fit is ignored."""
        match event:
            case RunStarted(time, plan):
                steps = tuple(
                    StepProgress(key=spec.key, name=spec.name, phase=spec.phase) for spec in plan.steps
                )
                return self.model_copy(update={"started": time, "plan": plan, "steps": steps})
            case StepScheduled():
                return self._scheduled(event)
            case StepStarted(time, step, attempt):
                return self._with_step(
                    step, state=StepState.RUNNING, started=time, attempt=attempt, retry_at=None
                )
            case StepEnded():
                return self._ended(event)
            case CancelRequested():
                return self.model_copy(update={"cancel_requested": True})
            case RunClosed(time, state, reason):
                return self._closed(time, state, reason)

    def with_pending(self, pending: Iterable[PendingStep]) -> "Progress":
        """Answer the progress with what Temporal's description adds to the history.

        A step that the history already saw end is left as it is: the description may be older.
        """
        progress = self
        active = {s.step for s in self.steps if s.state in (StepState.WAITING, StepState.RUNNING)}
        for item in pending:
            if item.step not in active:
                continue
            progress = progress._with_step(
                item.step,
                state=StepState.RUNNING if item.taken else StepState.WAITING,
                attempt=item.attempt,
                started=item.started,
                worker=item.worker,
                reason=item.failure,
                retry_at=item.retry_at,
                heartbeat=item.heartbeat,
                report=item.report,
            )
        return progress

    def _with_step(self, number: int, **changes: object) -> "Progress":
        steps = tuple(s.model_copy(update=changes) if s.step == number else s for s in self.steps)
        return self.model_copy(update={"steps": steps})

    def _scheduled(self, event: StepScheduled) -> "Progress":
        taken = {
            "step": event.step,
            "state": StepState.WAITING,
            "attempt": 1,
            "scheduled": event.time,
        }
        spec = event.spec
        if event.compensates:
            # What is not in the plan's stages is the error notice: it undoes nothing.
            undoes = any(spec.key == planned.key for planned in self.plan.steps)
            key = f"undo-{spec.key}" if undoes else spec.key
            step = StepProgress(key=key, name=spec.name, phase=spec.phase, compensates=undoes)
            steps = (*self.steps, step.model_copy(update=taken))
        else:
            steps = tuple(s.model_copy(update=taken) if s.key == spec.key else s for s in self.steps)
        changes: dict[str, object] = {"steps": steps}
        if spec.freezes and spec.undo:
            changes["frozen_since"] = self.frozen_since or event.time
            changes["thawed_at"] = None
            changes["still_frozen"] = (*self.still_frozen, spec.undo)
        return self.model_copy(update=changes)

    def _ended(self, event: StepEnded) -> "Progress":
        progress = self._with_step(
            event.step,
            state=event.state,
            finished=event.time,
            reason=event.reason,
            lines=event.lines,
            retry_at=None,
        )
        step = next((s for s in self.steps if s.step == event.step), None)
        if step is None:
            return progress
        changes: dict[str, object] = {}
        key = step.key.removeprefix("undo-") if step.compensates else step.key
        if key in self.still_frozen:
            if event.state is StepState.COMPLETE:
                left = tuple(k for k in self.still_frozen if k != key)
                changes |= {"still_frozen": left, "thaw_failed": False}
                if not left:
                    changes["thawed_at"] = event.time
            else:
                changes["thaw_failed"] = True
        if event.backup_name:
            changes |= {"backup_name": event.backup_name, "backup_bytes": event.backup_bytes}
        return progress.model_copy(update=changes)

    def _closed(self, time: datetime, state: RunState, reason: str) -> "Progress":
        def close(step: StepProgress) -> StepProgress:
            if step.state is StepState.PENDING:
                return step.model_copy(update={"state": StepState.SKIPPED})
            if step.state.ended or step.state is StepState.SKIPPED:
                return step
            return step.model_copy(update={"state": StepState.CANCELLED, "finished": time, "retry_at": None})

        return self.model_copy(
            update={
                "state": state,
                "finished": time,
                "reason": reason,
                "steps": tuple(close(step) for step in self.steps),
            }
        )


def fold(events: Iterable[Event]) -> Progress:
    """Answer how far a run is after ``events``, in the order in which they happened."""
    return reduce(Progress.apply, events, Progress())
