"""From Temporal's history and description to the plain events that ``domain.runs.progress`` folds."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo

from workflows_app.contracts.runs import Decision, RestoreInput, RunInput
from workflows_app.contracts.steps import StepInput
from workflows_app.contracts.thaws import ThawOrder, ThawReport, WatchdogInput
from workflows_app.domain import naming
from workflows_app.domain.results import Result, WorkflowStatusResult
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
from workflows_app.domain.runs.restores import restoring
from workflows_app.domain.runs.thaws import budget_spent, ordered
from workflows_app.domain.states import RunState, StepState
from workflows_app.services.temporal.payloads import decode, decode_one, moment, moment_or_none, reason_of


class StepReader:
    """Reads the history events of one workflow, in order, and answers what they say of steps.

    Remembers which step an event id belongs to.
    """

    def __init__(self) -> None:
        self._steps: dict[int, int] = {}
        self._last_event = 0

    def read(self, events: Iterable[HistoryEvent]) -> list[Event]:
        """Answer what ``events`` mean; those read before, or that mean nothing to a page, are left out."""
        meanings: list[Event] = []
        for event in events:
            if event.event_id > self._last_event:
                self._last_event = event.event_id
                meanings.extend(self._read(event, moment(event.event_time)))
        return meanings

    def _read(self, event: HistoryEvent, time: datetime) -> Iterable[Event]:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                given_step = decode(event.activity_task_scheduled_event_attributes.input, StepInput)
                if given_step is not None:
                    self._steps[event.event_id] = given_step.step
                    yield StepScheduled(time, given_step.step, given_step.spec, given_step.compensates)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                taken = event.activity_task_started_event_attributes
                if taken.scheduled_event_id in self._steps:
                    yield StepStarted(time, self._steps[taken.scheduled_event_id], taken.attempt)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                if completed.scheduled_event_id in self._steps:
                    result = decode(completed.result, Result) or Result()
                    yield _ended(time, self._steps[completed.scheduled_event_id], result)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                if failed.scheduled_event_id in self._steps:
                    step = self._steps[failed.scheduled_event_id]
                    yield StepEnded(time, step, StepState.ERROR, reason_of(failed.failure))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                timed_out = event.activity_task_timed_out_event_attributes
                if timed_out.scheduled_event_id in self._steps:
                    step = self._steps[timed_out.scheduled_event_id]
                    yield StepEnded(time, step, StepState.ERROR, reason_of(timed_out.failure))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                cancelled = event.activity_task_canceled_event_attributes
                if cancelled.scheduled_event_id in self._steps:
                    step = self._steps[cancelled.scheduled_event_id]
                    yield StepEnded(time, step, StepState.CANCELLED, "The step was cancelled")
            case _:
                pass


class HistoryReader(StepReader):
    """Reads the history of a run: its steps, its waits for a person, and its end with the result."""

    def __init__(self) -> None:
        super().__init__()
        self._pauses: set[int] = set()
        self.result: WorkflowStatusResult | None = None

    def _read(self, event: HistoryEvent, time: datetime) -> Iterable[Event]:
        yield from super()._read(event, time)
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                yield from _started(event, time)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
                yield CancelRequested(time)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                yield from _signalled(event, time)
            case _:
                yield from self._pause(event, time)
                yield from self._closed(event, time)

    def _pause(self, event: HistoryEvent, time: datetime) -> Iterable[Event]:
        match event.event_type:
            case EventType.EVENT_TYPE_TIMER_STARTED if _summary(event) == naming.PAUSE_SUMMARY:
                self._pauses.add(event.event_id)
                limit = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
                yield Paused(time, time + limit)
            case EventType.EVENT_TYPE_TIMER_FIRED:
                if event.timer_fired_event_attributes.started_event_id in self._pauses:
                    yield PauseEnded(time)
            case EventType.EVENT_TYPE_TIMER_CANCELED:
                if event.timer_canceled_event_attributes.started_event_id in self._pauses:
                    yield PauseEnded(time)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                asked = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
                decision = decode(asked.args, Decision)
                if decision is not None:
                    yield Decided(time, decision.step, asked.name, decision.by)
            case _:
                pass

    def _closed(self, event: HistoryEvent, time: datetime) -> Iterable[Event]:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                completed = event.workflow_execution_completed_event_attributes
                self.result = decode(completed.result, WorkflowStatusResult)
                yield RunClosed(time, RunState.COMPLETED)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
                failure = event.workflow_execution_failed_event_attributes.failure
                self.result = decode(failure.application_failure_info.details, WorkflowStatusResult)
                yield RunClosed(time, RunState.ERROR, failure.message)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
                yield RunClosed(time, RunState.CANCELLED, "The run was cancelled")
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
                reason = event.workflow_execution_terminated_event_attributes.reason
                text = "The run was terminated" + (f": {reason}" if reason else "")
                yield RunClosed(time, RunState.TERMINATED, text)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
                yield RunClosed(time, RunState.TIMED_OUT, "The run took longer than it was allowed to")
            case _:
                pass


class WatchdogReader(StepReader):
    """Reads the history of a run's watchdog; its steps belong to the run.

    ``run_id`` is Temporal's, of the watchdog itself, once its beginning was read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run_id = ""
        self._budget = 0.0
        self._timers: set[int] = set()
        self.ended = False

    def _read(self, event: HistoryEvent, time: datetime) -> Iterable[Event]:
        yield from super()._read(event, time)
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                started = event.workflow_execution_started_event_attributes
                self.run_id = started.original_execution_run_id
                given = decode(started.input, WatchdogInput)
                self._budget = given.budget_seconds if given else 0.0
                yield WatchdogStarted(time, time + timedelta(seconds=self._budget))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                signalled = event.workflow_execution_signaled_event_attributes
                order = decode(signalled.input, ThawOrder)
                if signalled.signal_name == naming.THAW_SIGNAL and order is not None:
                    yield WindowEnded(time, ordered(order.by))
            case EventType.EVENT_TYPE_TIMER_STARTED if _summary(event) == naming.BUDGET_SUMMARY:
                self._timers.add(event.event_id)
            case EventType.EVENT_TYPE_TIMER_FIRED:
                if event.timer_fired_event_attributes.started_event_id in self._timers:
                    yield WindowEnded(time, budget_spent(self._budget))
            case (
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
                | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
                | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED
                | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
                | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT
            ):
                self.ended = True
                yield WatchdogEnded(time)
            case _:
                pass


def pending_steps(activities: Iterable[PendingActivityInfo]) -> list[PendingStep]:
    """Answer what Temporal's description of a run says of the steps that have not ended."""
    return [
        PendingStep(
            step=int(info.activity_id),
            attempt=info.attempt,
            taken=info.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
            worker=info.last_worker_identity,
            failure=reason_of(info.last_failure) if info.HasField("last_failure") else "",
            retry_at=moment_or_none(info, "scheduled_time")
            if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and info.attempt > 1
            else None,
            started=moment_or_none(info, "last_started_time"),
            heartbeat=moment_or_none(info, "last_heartbeat_time"),
            report=decode(info.heartbeat_details, StepReport),
        )
        for info in activities
        if info.activity_id.isdecimal()
    ]


def _started(event: HistoryEvent, time: datetime) -> Iterable[Event]:
    given = event.workflow_execution_started_event_attributes.input
    restore = decode(given, RestoreInput)
    if restore is not None and restore.config.workflow_type == "restore":
        yield RunStarted(time, restore.plan, restoring(restore.config.backup.name, restore.request))
    elif (run := decode(given, RunInput)) is not None:
        yield RunStarted(time, run.plan)


def _signalled(event: HistoryEvent, time: datetime) -> Iterable[Event]:
    """What a run's watchdog told it."""
    signalled = event.workflow_execution_signaled_event_attributes
    if signalled.signal_name == naming.WINDOW_OVER_SIGNAL:
        yield WindowEnded(time, decode(signalled.input, str) or "")
    elif signalled.signal_name == naming.THAWED_SIGNAL:
        report = decode(signalled.input, ThawReport)
        if report is not None:
            yield Thawed(time, report.done, report.failed)


def _summary(event: HistoryEvent) -> str:
    """What a timer was started for, as its workflow says."""
    return decode_one(event.user_metadata.summary, str) or ""


def _ended(time: datetime, step: int, result: Result) -> StepEnded:
    return StepEnded(
        time,
        step,
        StepState.ERROR if result.code else StepState.COMPLETE,
        reason=result.reason if result.code else "",
        backup_name=result.backup.name,
        backup_bytes=result.backup.size,
        lines=result.lines,
    )
