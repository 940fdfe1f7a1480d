"""The plain events of a run's history, of which ``progress`` is the fold. Times are aware datetimes."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.plans.plans import Plan, StepSpec
from workflows_app.domain.runs.restores import Restoring
from workflows_app.domain.states import RunState, StepState


class StepReport(BaseModel):
    """The figures of a step's heartbeat. Sizes in bytes; a total of 0 is not known."""

    model_config = ConfigDict(frozen=True)

    done_bytes: int = 0
    total_bytes: int = 0
    done_files: int = 0
    total_files: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run began with this plan; ``restoring`` is what a restore is about."""

    time: datetime
    plan: Plan
    restoring: Restoring | None = None


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


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits for a person, until ``until``, about the steps that failed and have a plan to pause."""

    time: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """A person said what to do about a step that failed: ``retry``, ``skip`` or ``abort``."""

    time: datetime
    step: int
    action: str
    by: str


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """The run waits no longer: it was decided, or nobody did in time."""

    time: datetime


@dataclass(frozen=True, slots=True)
class WatchdogStarted:
    """A watchdog stands guard over what the run froze; it acts at ``until``."""

    time: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class WindowEnded:
    """The watchdog began to thaw, because of ``reason``."""

    time: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Thawed:
    """The watchdog reported what it undid, by the keys of the undoing steps, and what it could not."""

    time: datetime
    done: tuple[str, ...]
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WatchdogEnded:
    """The watchdog guards no longer."""

    time: datetime


Event = (
    RunStarted
    | StepScheduled
    | StepStarted
    | StepEnded
    | CancelRequested
    | RunClosed
    | Paused
    | Decided
    | PauseEnded
    | WatchdogStarted
    | WindowEnded
    | Thawed
    | WatchdogEnded
)


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
    report: StepReport | None = None
