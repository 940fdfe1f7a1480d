"""How far a run is: a fold over the plain events of its history. Pure; times are aware datetimes."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.plans.plans import OnFailure, Plan
from workflows_app.domain.runs.events import (
    CancelRequested,
    Decided,
    Event,
    Paused,
    PauseEnded,
    PendingStep,
    RunClosed,
    RunStarted,
    StepEnded,
    StepReport,
    StepScheduled,
    StepStarted,
    Thawed,
    WatchdogEnded,
    WatchdogStarted,
    WindowEnded,
)
from workflows_app.domain.runs.restores import Restoring
from workflows_app.domain.states import FreezeState, RunState, StepState


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class StepProgress(_Value):
    """One step of a run. ``step`` is its number on the wire, None as long as it has not been scheduled.

    ``decision`` is what a person said about it after it had failed, and who.
    """

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
    decision: str = ""

    @property
    def seconds(self) -> float | None:
        """How long the step took, None while it has no end."""
        if self.finished is None or self.scheduled is None:
            return None
        return (self.finished - (self.started or self.scheduled)).total_seconds()


class Watchdog(_Value):
    """The watchdog of a run: it thaws at ``until``; ``reason`` is why it did, empty while it has not."""

    until: datetime | None = None
    reason: str = ""
    ended: bool = False


class Progress(_Value):
    """A run as a page shows it.

    ``frozen_since`` is when the first freezing step was asked for, ``thawed_at`` when the last thing
    frozen was undone; a run that freezes again begins anew, and ``earlier_freezes`` has from when to
    when the earlier ones were. ``thaw_failed`` says that an attempt to undo ended in error. ``still_frozen``
    and ``still_owed`` are the keys of the steps that would thaw, and undo, what is left. ``pause_until`` is
    set while the run waits for a person. ``restoring`` is what a restore is about, None for any other run.
    """

    state: RunState = RunState.RUNNING
    started: datetime | None = None
    finished: datetime | None = None
    reason: str = ""
    cancel_requested: bool = False
    steps: tuple[StepProgress, ...] = ()
    frozen_since: datetime | None = None
    earlier_freezes: tuple[tuple[datetime, datetime], ...] = ()
    thawed_at: datetime | None = None
    thaw_failed: bool = False
    backup_name: str = ""
    backup_bytes: int | None = None
    plan: Plan = Plan()
    still_frozen: tuple[str, ...] = ()
    still_owed: tuple[str, ...] = ()
    pause_until: datetime | None = None
    watchdog: Watchdog | None = None
    restoring: Restoring | None = None

    @property
    def freeze(self) -> FreezeState:
        """What is known of the application's freeze."""
        if self.frozen_since is None:
            return FreezeState.NEVER
        if not self.frozen:
            return FreezeState.THAWED
        if self.state is RunState.UNKNOWN:
            return FreezeState.UNKNOWN
        return FreezeState.FAILED if self.thaw_failed else FreezeState.FROZEN

    def freezes(self, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """From when to when the application stood still, each time, until ``now``."""
        end = now if self.frozen else self.thawed_at
        if self.frozen_since is None or end is None:
            return self.earlier_freezes
        return (*self.earlier_freezes, (self.frozen_since, end))

    def frozen_seconds(self, now: datetime) -> float:
        """For how long the application has stood still in all, until ``now``."""
        return sum((end - since).total_seconds() for since, end in self.freezes(now))

    @property
    def guarded(self) -> bool:
        """Whether it matters what the watchdog does: something is frozen, or it is at work."""
        acts = self.watchdog is not None and bool(self.watchdog.reason) and not self.watchdog.ended
        return self.frozen or acts

    @property
    def paused(self) -> tuple[StepProgress, ...]:
        """The steps that wait for a person to decide."""
        return tuple(step for step in self.steps if step.state is StepState.PAUSED)

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
            case RunStarted(time, plan, restoring):
                steps = tuple(
                    StepProgress(key=spec.key, name=spec.name, phase=spec.phase) for spec in plan.steps
                )
                begun = {"started": time, "plan": plan, "steps": steps, "restoring": restoring}
                return self.model_copy(update=begun)
            case StepScheduled():
                return self._scheduled(event)
            case StepStarted(time, step, attempt):
                return self._with_step(
                    step, state=StepState.RUNNING, started=time, attempt=attempt, retry_at=None
                )
            case StepEnded():
                return self._ended(event)
            case CancelRequested():
                return self._unpaused().model_copy(update={"cancel_requested": True})
            case RunClosed(time, state, reason):
                return _closed(self._unpaused(), time, state, reason)
            case Paused(_, until):
                return self._paused(until)
            case Decided(_, step, action, by):
                return self._decided(step, action, by)
            case PauseEnded():
                return self._unpaused()
            case WatchdogStarted() | WindowEnded() | WatchdogEnded():
                return self._guarded(event)
            case Thawed(time, done, failed):
                thawed = reduce(lambda progress, key: _undone(progress, time, key, True), done, self)
                return reduce(lambda progress, key: _undone(progress, time, key, False), failed, thawed)

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
        if any(s.step == event.step for s in self.steps):
            return self
        if event.compensates:
            # What is not in the plan's stages is the error notice: it undoes nothing.
            undoes = any(spec.key == planned.key for planned in self.plan.steps)
            key = f"undo-{spec.key}" if undoes else spec.key
            step = StepProgress(key=key, name=spec.name, phase=spec.phase, compensates=undoes)
            steps = (*self.steps, step.model_copy(update=taken))
        else:
            steps = self._with_next(spec.key, taken)
        changes: dict[str, object] = {"steps": steps}
        if spec.undo:
            changes["still_owed"] = _with(self.still_owed, spec.undo)
        if spec.freezes and spec.undo:
            if not self.frozen:
                changes["earlier_freezes"] = self.freezes(event.time)
                changes["frozen_since"] = event.time
            changes["thawed_at"] = None
            changes["still_frozen"] = _with(self.still_frozen, spec.undo)
        return self.model_copy(update=changes)

    def _with_next(self, key: str, taken: dict[str, object]) -> tuple[StepProgress, ...]:
        """The steps with the one of that key taken; one that was taken before stays, and comes again."""
        places = [i for i, s in enumerate(self.steps) if s.key == key and not s.compensates]
        if not places:
            return self.steps
        place = places[-1]
        last = self.steps[place]
        if last.step is None:
            return (*self.steps[:place], last.model_copy(update=taken), *self.steps[place + 1 :])
        again = StepProgress(key=key, name=last.name, phase=last.phase).model_copy(update=taken)
        return (*self.steps[: place + 1], again, *self.steps[place + 1 :])

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
        if event.backup_name:
            made = {"backup_name": event.backup_name, "backup_bytes": event.backup_bytes}
            progress = progress.model_copy(update=made)
        key = step.key.removeprefix("undo-") if step.compensates else step.key
        return _undone(progress, event.time, key, event.state is StepState.COMPLETE)

    def _paused(self, until: datetime) -> "Progress":
        pauses = {s.key for s in self.plan.steps if s.options.on_failure is OnFailure.PAUSE}
        last = {s.key: i for i, s in enumerate(self.steps) if not s.compensates}
        steps = tuple(
            s.model_copy(update={"state": StepState.PAUSED})
            if s.state is StepState.ERROR and s.key in pauses and last.get(s.key) == i and not s.decision
            else s
            for i, s in enumerate(self.steps)
        )
        return self.model_copy(update={"steps": steps, "pause_until": until})

    def _decided(self, number: int, action: str, by: str) -> "Progress":
        words = {"retry": f"retried by {by}", "skip": f"skipped by {by}", "abort": f"aborted by {by}"}[action]
        state = StepState.SKIPPED if action == "skip" else StepState.ERROR
        return self._with_step(number, state=state, decision=words)

    def _unpaused(self) -> "Progress":
        steps = tuple(
            s.model_copy(update={"state": StepState.ERROR}) if s.state is StepState.PAUSED else s
            for s in self.steps
        )
        return self.model_copy(update={"steps": steps, "pause_until": None})

    def _guarded(self, event: WatchdogStarted | WindowEnded | WatchdogEnded) -> "Progress":
        watchdog = self.watchdog or Watchdog()
        match event:
            case WatchdogStarted(_, until):
                watchdog = Watchdog(until=until)
            case WindowEnded(_, reason):
                watchdog = watchdog.model_copy(update={"reason": reason})
            case WatchdogEnded():
                watchdog = watchdog.model_copy(update={"ended": True})
        return self.model_copy(update={"watchdog": watchdog})


def _undone(progress: Progress, time: datetime, key: str, well: bool) -> Progress:
    """After the step that undoes ended; one that undoes nothing that is owed changes nothing."""
    if not well:
        return progress.model_copy(
            update={"thaw_failed": progress.thaw_failed or key in progress.still_frozen}
        )
    changes: dict[str, object] = {"still_owed": _without(progress.still_owed, key)}
    if key in progress.still_frozen:
        left = _without(progress.still_frozen, key)
        changes |= {"still_frozen": left, "thaw_failed": False}
        if not left:
            changes["thawed_at"] = time
    return progress.model_copy(update=changes)


def _closed(progress: Progress, time: datetime, state: RunState, reason: str) -> Progress:
    def close(step: StepProgress) -> StepProgress:
        if step.state is StepState.PENDING:
            return step.model_copy(update={"state": StepState.SKIPPED})
        if step.state.ended or step.state is StepState.SKIPPED:
            return step
        return step.model_copy(update={"state": StepState.CANCELLED, "finished": time, "retry_at": None})

    return progress.model_copy(
        update={
            "state": state,
            "finished": time,
            "reason": reason,
            "steps": tuple(close(step) for step in progress.steps),
        }
    )


def _with(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return keys if key in keys else (*keys, key)


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(k for k in keys if k != key)


def fold(events: Iterable[Event]) -> Progress:
    """Answer how far a run is after ``events``, in the order in which they happened."""
    return reduce(Progress.apply, events, Progress())
