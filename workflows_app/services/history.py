"""From Temporal's history and description to the plain events that ``domain.progress`` folds."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.message import Message as Proto
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, PendingActivityState, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.contrib.pydantic import pydantic_data_converter

from workflows_app.contracts import RunInput, StepInput
from workflows_app.domain.progress import (
    CancelRequested,
    Event,
    PendingStep,
    RunClosed,
    RunStarted,
    RunState,
    StepEnded,
    StepReport,
    StepScheduled,
    StepStarted,
    StepState,
)
from workflows_app.domain.results import Result, WorkflowStatusResult

T = TypeVar("T")

_TIMEOUT_WORDS = {
    TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE: "It took longer than it was allowed to",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START: "No worker took it in the time allowed",
    TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE: "It took longer in all than it was allowed to",
    TimeoutType.TIMEOUT_TYPE_HEARTBEAT: "The worker that did it was lost (no sign of life)",
}

_converter = pydantic_data_converter.payload_converter


class HistoryReader:
    """Reads the history events of one run, in order, and answers plain events.

    Remembers which step an event id belongs to and, at the end, the run's result.
    """

    def __init__(self) -> None:
        self._steps: dict[int, int] = {}
        self._last_event = 0
        self.result: WorkflowStatusResult | None = None

    def read(self, events: Iterable[HistoryEvent]) -> list[Event]:
        """Answer what ``events`` mean; those read before, or that mean nothing to a page, are left out."""
        meanings: list[Event] = []
        for event in events:
            if event.event_id > self._last_event:
                self._last_event = event.event_id
                meanings.extend(self._read(event))
        return meanings

    def _read(self, event: HistoryEvent) -> Iterable[Event]:
        time = moment(event.event_time)
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                started = event.workflow_execution_started_event_attributes
                given = decode(started.input, RunInput)
                if given is not None:
                    yield RunStarted(time, given.plan)
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
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
                yield CancelRequested(time)
            case _:
                yield from self._closed(event, time)

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


def pending_steps(activities: Iterable[PendingActivityInfo]) -> list[PendingStep]:
    """Answer what Temporal's description of a run says of the steps that have not ended."""
    return [
        PendingStep(
            step=int(info.activity_id),
            attempt=info.attempt,
            taken=info.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
            worker=info.last_worker_identity,
            failure=reason_of(info.last_failure) if info.HasField("last_failure") else "",
            retry_at=_moment_or_none(info, "scheduled_time")
            if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and info.attempt > 1
            else None,
            started=_moment_or_none(info, "last_started_time"),
            heartbeat=_moment_or_none(info, "last_heartbeat_time"),
            report=decode(info.heartbeat_details, StepReport),
        )
        for info in activities
        if info.activity_id.isdecimal()
    ]


def decode(payloads: Payloads, kind: type[T]) -> T | None:
    """Answer the first payload as ``kind``; None when there is none, or one that somebody else wrote."""
    if not payloads.payloads:
        return None
    try:
        value: T = _converter.from_payloads(payloads.payloads[:1], [kind])[0]
    except (ValueError, RuntimeError):
        return None
    return value


def reason_of(failure: Failure) -> str:
    """The innermost words of a failure, a heartbeat timeout in words for people."""
    while failure.HasField("cause"):
        failure = failure.cause
    if failure.HasField("timeout_failure_info"):
        return _TIMEOUT_WORDS.get(failure.timeout_failure_info.timeout_type, failure.message)
    return failure.message


def moment(stamp: Timestamp) -> datetime:
    """Answer a protobuf timestamp as an aware datetime."""
    return stamp.ToDatetime(tzinfo=UTC)


def _moment_or_none(proto: Proto, field: str) -> datetime | None:
    return moment(getattr(proto, field)) if proto.HasField(field) else None


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
